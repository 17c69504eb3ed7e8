"""The exported schema: current, and described down to the last argument."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from gateway.api.schema import graphql_schema, sdl

EXPORTED = Path(__file__).parent.parent / "schema.graphql"


def undescribed(schema: GraphQLSchema) -> Iterator[str]:
    """Coordinates of everything in a schema that lacks a description."""
    for name, entry in schema.type_map.items():
        if is_introspection_type(entry) or is_specified_scalar_type(entry):
            continue
        if not entry.description:
            yield name
        if isinstance(entry, GraphQLEnumType):
            yield from (f"{name}.{value}" for value, member in entry.values.items() if not member.description)
        if isinstance(entry, GraphQLInputObjectType):
            yield from (f"{name}.{field}" for field, given in entry.fields.items() if not given.description)
        if isinstance(entry, GraphQLObjectType | GraphQLInterfaceType):
            for field, output in entry.fields.items():
                if not output.description:
                    yield f"{name}.{field}"
                yield from (
                    f"{name}.{field}({arg}:)" for arg, argument in output.args.items() if not argument.description
                )


def test_the_exported_schema_is_what_the_code_prints() -> None:
    assert EXPORTED.read_text(encoding="utf-8") == sdl(), "run `gateway schema > schema.graphql`"


def test_everything_is_described() -> None:
    assert list(undescribed(graphql_schema())) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("type Query { field: Int }", ["Query", "Query.field"]),
        ('"q" type Query { "f" field(arg: Int): Int }', ["Query.field(arg:)"]),
        ('"q" type Query { "f" field: E } "e" enum E { A }', ["E.A"]),
        ('"q" type Query { "f" field("a" arg: I): Int } "i" input I { value: Int }', ["I.value"]),
        ('"q" type Query { "f" field: S } scalar S', ["S"]),
    ],
)
def test_what_lacks_a_description_is_named(text: str, missing: list[str]) -> None:
    assert list(undescribed(build_schema(text))) == missing
