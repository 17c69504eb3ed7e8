"""How long an operation's answer may be kept at most, and who may share it: from the schema's `@cacheControl`. Pure.

What is true is decided by changes, not by these times: see `changes.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from typing import Protocol

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
)


class Scope(StrEnum):
    """Whose an answer is: every member's of the tenant, or one member's."""

    TENANT = "TENANT"
    PRIVATE = "PRIVATE"


@dataclass(frozen=True, slots=True)
class Hint:
    """What one field or type says of itself. Null: nothing. `inherit_max_age`: its type's own age does not count."""

    max_age: int | None = None
    scope: Scope | None = None
    inherit_max_age: bool = False


class Hints(Protocol):
    """Where the schema keeps its hints."""

    def of_field(self, field: GraphQLField) -> Hint: ...

    def of_type(self, type_: GraphQLNamedType) -> Hint: ...


@dataclass(frozen=True, slots=True)
class Policy:
    """`max_age_seconds`: 0: it is never kept."""

    max_age_seconds: int
    scope: Scope

    def stricter(self, hint: Hint) -> "Policy":
        max_age = self.max_age_seconds if hint.max_age is None else min(self.max_age_seconds, hint.max_age)
        return Policy(max_age, Scope.PRIVATE if hint.scope is Scope.PRIVATE else self.scope)


NEVER = Policy(0, Scope.PRIVATE)


def policy_of(
    schema: GraphQLSchema,
    hints: Hints,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    *,
    max_age_seconds: int,
) -> Policy:
    """The strictest of all that is selected, in whichever branch; what says nothing may be kept as long as anything.

    Mutations are never kept.
    """
    if operation.operation.value != "query" or schema.query_type is None:
        return NEVER
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    walk = _Walk(schema, hints, fragments)
    found = walk.hints(schema.query_type, operation.selection_set)
    return reduce(Policy.stricter, found, Policy(max_age_seconds, Scope.TENANT))


class _Walk:
    """What is selected is walked once for each type that it is selected of: doubling fragments, and interfaces within
    interfaces, cost no more than their text."""

    def __init__(self, schema: GraphQLSchema, hints: Hints, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._hints = hints
        self._fragments = fragments
        self._walked: set[tuple[str, int]] = set()

    def hints(self, parent: GraphQLNamedType, selections: SelectionSetNode) -> Iterator[Hint]:
        if (walk := (parent.name, id(selections))) in self._walked:
            return
        self._walked.add(walk)
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield from self._field(parent, node)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                type_ = self._schema.type_map[condition.name.value] if condition else parent
                yield from self.hints(type_, node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                yield from self.hints(self._schema.type_map[fragment.type_condition.name.value], fragment.selection_set)

    def _field(self, parent: GraphQLNamedType, node: FieldNode) -> Iterator[Hint]:
        for type_ in self._possible(parent):
            field = self._schema.get_field(type_, node.name.value) if isinstance(type_, GraphQLObjectType) else None
            if field is None:
                continue
            hint = self._hints.of_field(field)
            yield hint
            returned = get_named_type(field.type)
            for possible in self._possible(returned):
                of_type = self._hints.of_type(possible)
                yield Hint(None if hint.inherit_max_age else of_type.max_age, of_type.scope)
            if node.selection_set:
                yield from self.hints(returned, node.selection_set)

    def _possible(self, type_: GraphQLNamedType) -> list[GraphQLNamedType]:
        return [type_, *self._schema.get_possible_types(type_)] if is_abstract_type(type_) else [type_]
