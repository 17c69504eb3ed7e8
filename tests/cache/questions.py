"""Requests as their keys see them, and any of them: of schemas that nobody asks for here."""

import json
from collections.abc import Mapping
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode, parse
from hypothesis import strategies as st

from gateway.cache.keys import defaults, operation_text, question

VERSION = "a schema"


def operation(text: str, name: str | None = None) -> tuple[DocumentNode, OperationDefinitionNode]:
    """A document and its operation of that name, or its first."""
    document = parse(text)
    found = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return document, next(node for node in found if name is None or (node.name and node.name.value == name))


def asked(text: str, variables: Mapping[str, Any] | None = None, name: str | None = None) -> bytes:
    """The question of a request."""
    document, node = operation(text, name)
    return question(VERSION, operation_text(document, node), defaults(node), variables or {})


def json_values() -> st.SearchStrategy[Any]:
    """What can come as a variable."""
    numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    few = st.sampled_from([0, 1, True, False, 0.0, 1.0, -0.0, "", "1", "true", "null"])
    return st.recursive(
        st.none() | few | numbers | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", ""]), inner, max_size=2),
        max_leaves=4,
    )


NAMES = st.sampled_from(["a", "b", "deal", "A"])
ODD_TEXTS = st.sampled_from(['"', "\\", "\n", "}", "#", ",", '"""', "\x00", "é", "e\u0301", "𝄞", "\u2028"])
ODD_LITERALS = st.sampled_from(["1.0", "1e0", "-0", "null", "true", "ONE", "$a", '"""\n  a\n   b"""', '"""  a\\""""""'])


def _object(members: Mapping[str, str]) -> str:
    return " ".join(f"{name}: {value}" for name, value in members.items())


def _literals() -> st.SearchStrategy[str]:
    return st.recursive(
        st.integers(-9, 9).map(str) | ODD_LITERALS | (st.text(max_size=3) | ODD_TEXTS).map(json.dumps),
        lambda inner: (
            st.lists(inner, max_size=2).map(lambda found: f"[{' '.join(found)}]")
            | st.dictionaries(NAMES, inner, max_size=2).map(lambda found: f"{{{_object(found)}}}")
        ),
        max_leaves=3,
    )


def _selections(*spreads: str) -> st.SearchStrategy[str]:
    arguments = st.dictionaries(NAMES, _literals(), min_size=1, max_size=2).map(lambda found: f"({_object(found)})")
    alias, directive = NAMES.map("{}: ".format), st.sampled_from(["@skip(if: $a)", "@include(if: true)"])
    field = st.tuples(st.just("") | alias, NAMES, st.just("") | arguments, st.just("") | directive).map("".join)
    plain = field | st.sampled_from(spreads) if spreads else field

    def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        within = st.tuples(field | st.sampled_from(["...", "... on Deal", "... on Task"]), inner).map("".join)
        return st.lists(plain | within, min_size=1, max_size=3).map(lambda found: f"{{{' '.join(found)}}}")

    return st.recursive(st.just("{id}"), nested, max_leaves=4)


def documents() -> st.SearchStrategy[str]:
    """An operation and the fragments F and G, both of which it uses."""
    heads = st.sampled_from(["", "query A ", "query B ", "query A($a: Int = 1, $b: [ID!]!) @live "])
    bodies = st.tuples(_selections("...F", "...G"), _selections("...G"), _selections())
    return st.tuples(heads, bodies).map(
        lambda parts: "{0}{{...F ...G ...{1[0]}}} fragment F on Deal {1[1]} fragment G on Deal {1[2]}".format(*parts)
    )
