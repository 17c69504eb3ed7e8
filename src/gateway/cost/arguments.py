"""Arguments of a field as JSON, whether they are written in the document or come in variables.

Coercion is not run: what it would do is done to what is measured. A single value is a list of one, a variable that is
left out is its default or else the argument's, and what cannot be coerced is refused before anything is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    value_from_ast_untyped,
)
from graphql.utilities import get_default_value_ast

from gateway.cost.program import Program, Term, Variables

ABSENT = (None, ..., Undefined)


@dataclass(frozen=True, slots=True, eq=False)
class Argument:
    """`read`: its value, of a request's variables. `fixed`: the same in every request. `default`: the schema's.

    `key`: in an opened operation, which has a request's values in it, and what is read is changes of them by this key.
    """

    name: str
    read: Callable[[Variables], Any]
    fixed: bool
    default: Any
    key: str = ""

    def opened(self, variables: Variables, place: str) -> "Argument":
        key, value = f"{place}.{self.name}", self.read(variables)
        return Argument(self.name, lambda changes: changes.get(key, value), False, self.default, key)


def arguments_of(definition: GraphQLField, node: FieldNode, variable_defaults: Variables) -> dict[str, Argument]:
    """All arguments that a field may have, by name."""
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    return {
        name: _argument(name, argument, given.get(name), variable_defaults)
        for name, argument in definition.args.items()
    }


def variable_defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    """Of the variables that have one."""
    return {
        node.variable.name.value: value_from_ast_untyped(node.default_value)
        for node in operation.variable_definitions or ()
        if node.default_value is not None
    }


def measured(program: Program, arguments: tuple[Argument, ...], measure: Callable[..., float]) -> Term:
    """What a measure says of the values of some arguments."""
    if all(argument.fixed for argument in arguments):
        return Term(measure(*(argument.read({}) for argument in arguments)))
    if any(argument.key for argument in arguments):
        return program.read((arguments, measure), _measured_if_changed(arguments, measure))
    reads = [argument.read for argument in arguments]
    if len(reads) == 1:
        read = reads[0]
        return program.read((arguments, measure), lambda variables: measure(read(variables)))
    return program.read((arguments, measure), lambda variables: measure(*(read(variables) for read in reads)))


def at(value: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path through inputs; None where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return None if value in ABSENT else value


def is_given(value: Any, path: tuple[str, ...]) -> bool:
    """Whether something stands at a path, whose last name may be an enum's value."""
    if at(value, path) is not None:
        return True
    found = at(value, path[:-1])
    return bool(path) and (path[-1] in found if isinstance(found, list) else found == path[-1])


def put(value: Any, path: tuple[str, ...], new: Any) -> Any:
    """The same inputs with something new at a path."""
    if not path:
        return new
    around = value if isinstance(value, Mapping) else {}
    return {**around, path[0]: put(around.get(path[0]), path[1:], new)}


def without(value: Any, path: tuple[str, ...]) -> Any:
    """The same inputs without what is given at a path, see `is_given`."""
    if not path:
        return None
    found = at(value, path[:-1])
    if isinstance(found, list):
        return put(value, path[:-1], [one for one in found if one != path[-1]])
    return put(value, path[:-1] if found == path[-1] else path, None)


def _measured_if_changed(
    arguments: tuple[Argument, ...], measure: Callable[..., float]
) -> Callable[[Variables], float]:
    """Inputs may be large, and changes are many: what is not changed is measured once."""

    def now(changes: Variables) -> float:
        return measure(*(argument.read(changes) for argument in arguments))

    keys, unchanged = {argument.key for argument in arguments}, now({})
    return lambda changes: unchanged if keys.isdisjoint(changes) else now(changes)


def _argument(name: str, definition: GraphQLArgument, node: ValueNode | None, defaults: Variables) -> Argument:
    default = _schema_default(definition)
    if node is None:
        return Argument(name, lambda _variables: default, True, default)
    if isinstance(node, VariableNode):
        variable = node.name.value
        fallback = defaults.get(variable, default)
        return Argument(name, lambda variables: variables.get(variable, fallback), False, default)
    if _has_variables(node):
        read = _composed(node, defaults)
        return Argument(name, read, False, default)
    value = value_from_ast_untyped(node)
    return Argument(name, lambda _variables: value, True, default)


def _composed(node: ValueNode, defaults: Variables) -> Callable[[Variables], Any]:
    return lambda variables: value_from_ast_untyped(node, {**defaults, **variables})


def _schema_default(definition: GraphQLArgument) -> Any:
    node = get_default_value_ast(definition)
    return None if node is None else value_from_ast_untyped(node)


def _has_variables(node: ValueNode) -> bool:
    if isinstance(node, ListValueNode):
        return any(map(_has_variables, node.values))
    if isinstance(node, ObjectValueNode):
        return any(_has_variables(field.value) for field in node.fields)
    return isinstance(node, VariableNode)
