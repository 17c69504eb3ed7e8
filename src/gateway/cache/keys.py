"""What an answer is kept under. Two requests that may see different data never share a key. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeGuard

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    print_ast,
    value_from_ast_untyped,
)

KEY_BYTES = 16
MOST_EXACT_DIGITS = 18
REMEMBERED_KEYS = 4096


def schema_version(*parts: str) -> str:
    """Tells one schema, with whatever else decides what a question means, from another."""
    return _digest(*(part.encode() for part in parts)).hex()


def operation_text(document: DocumentNode, operation: OperationDefinitionNode) -> str:
    """An operation with the fragments that it uses, in one spelling: white space, commas and comments are not in it."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    used = sorted(_spreads(operation.selection_set, fragments, set()))
    return "\n".join([print_ast(operation), *(print_ast(fragments[name]) for name in used)])


def defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    """The variables that an operation declares, each with its default. Ellipsis: it has none, or one that JSON may
    not say exactly."""
    return {
        node.variable.name.value: value_from_ast_untyped(node.default_value) if _is_exact(node.default_value) else ...
        for node in operation.variable_definitions or ()
    }


def question(schema_version: str, text: str, declared: Mapping[str, Any], variables: Mapping[str, Any]) -> bytes:
    """What is asked, whoever asks. Raises ValueError for variables that cannot be written down.

    The order of variables does not matter, nor those that are not declared; one left out is its default.
    """
    given = {name: variables.get(name, default) for name, default in declared.items()}
    known = {name: value for name, value in given.items() if value is not ...}
    try:
        written = orjson.dumps(known, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise ValueError(f"variables that JSON cannot write: {error}") from None
    return _digest(schema_version.encode(), text.encode(), written)


@lru_cache(maxsize=REMEMBERED_KEYS)
def answer_key(asked: bytes, tenant_id: int, member_id: int | None, page_size: int) -> bytes:
    """Of a tenant's answer to a question. `member_id`: whose own answer it is; None where all of a tenant share it.
    `page_size`: the most that a page may have, which says how long a list is that no length was asked of."""
    return _digest(asked, b"%d" % tenant_id, b"" if member_id is None else b"%d" % member_id, b"%d" % page_size)


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=KEY_BYTES)
    for part in parts:
        # With its length, so that no two lists of parts are the same text.
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()


def _spreads(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], visited: set[str]
) -> Iterator[str]:
    for node in selections.selections:
        if isinstance(node, FragmentSpreadNode):
            if node.name.value not in visited:
                visited.add(node.name.value)
                yield node.name.value
                yield from _spreads(fragments[node.name.value].selection_set, fragments, visited)
        elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
            yield from _spreads(node.selection_set, fragments, visited)


def _is_exact(node: ValueNode | None) -> TypeGuard[ValueNode]:
    """Whether JSON says the same, and nothing else: fractions are rounded, long numbers are not written."""
    if isinstance(node, ListValueNode):
        return all(map(_is_exact, node.values))
    if isinstance(node, ObjectValueNode):
        return all(_is_exact(field.value) for field in node.fields)
    if isinstance(node, IntValueNode):
        return len(node.value) <= MOST_EXACT_DIGITS and node.value != "-0"
    return node is not None and not isinstance(node, FloatValueNode)
