"""Made-up objects of the schema's types, sound or damaged, and documents that select all of their attributes."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
)

from gateway.api.attributes import DEFINITION, Attribute, class_of
from gateway.api.schema import graphql_schema

SCHEMA = graphql_schema()
TYPES = [name for name, type_ in SCHEMA.type_map.items() if isinstance(type_, GraphQLObjectType) and class_of(type_)]

LEAVES: dict[str, list[Any]] = {
    "Boolean": [True, False],
    "Date": [date(2026, 3, 1)],
    "DateTime": [datetime(2026, 3, 1, 9, 30, tzinfo=UTC)],
    "Decimal": [Decimal("1200.50"), Decimal(0), Decimal("-1E+3")],
    "Float": [0.5, 3, -1.0],
    "ID": ["RGVhbDox", "x"],
    "Int": [0, 7, -(2**31)],
    "String": ["", "a name", "ö"],
}
DAMAGE: list[Any] = [None, ValueError("a value that is an error"), 2**40, float("nan"), object(), "?", [], [None], {}]


def attributes(type_: GraphQLObjectType) -> dict[str, GraphQLField]:
    return {name: field for name, field in type_.fields.items() if isinstance(field.resolve, Attribute)}


def one_type_schema(type_: GraphQLObjectType) -> GraphQLSchema:
    """A schema that gives values of one type of ours: alone, in lists, where null may stand and where not."""
    required = GraphQLNonNull(type_)
    shapes: dict[str, Any] = {
        "one": type_,
        "sure": required,
        "many": GraphQLList(type_),
        "all": GraphQLNonNull(GraphQLList(required)),
        "rows": GraphQLList(GraphQLList(required)),
    }
    fields = {name: GraphQLField(shape, resolve=_given(name)) for name, shape in shapes.items()}
    return GraphQLSchema(GraphQLObjectType("Root", fields), types=[type_])


def _given(name: str) -> Any:
    return lambda root, _info: root[name]


def selection(type_: GraphQLOutputType, depth: int = 0) -> str:
    """All attributes beneath a type: named, renamed, through fragments, twice, under directives."""
    named = get_named_type(type_)
    if not isinstance(named, GraphQLObjectType):
        return ""
    parts = ["__typename", "kind_: __typename"]
    for name, field in attributes(named).items():
        inner = selection(field.type, depth + 1)
        parts += [f"{name} {inner}", f"again_{name}: {name} @include(if: $shown) {inner}"]
    half = len(parts) // 2
    fragment = f"... on {named.name} @skip(if: $shown) {{ {' '.join(parts[:half])} }}"
    return f"{{ {' '.join(parts[half:])} {fragment} ... {{ {' '.join(parts)} }} }}"


@dataclass(frozen=True)
class Maker:
    """Makes values; `damaged`: how likely each is not what its type promises."""

    chance: random.Random
    damaged: float

    def value(self, type_: GraphQLOutputType) -> Any:
        if self.chance.random() < self.damaged:
            return self.chance.choice(DAMAGE)
        if isinstance(type_, GraphQLNonNull):
            return self._some(type_.of_type)
        return None if self.chance.random() < 0.2 else self._some(type_)

    def _some(self, type_: GraphQLOutputType) -> Any:
        if isinstance(type_, GraphQLList):
            values = [self.value(type_.of_type) for _ in range(self.chance.randrange(4))]
            return tuple(values) if self.chance.random() < 0.1 else values
        if isinstance(type_, GraphQLObjectType):
            return self.instance(type_)
        if isinstance(type_, GraphQLEnumType):
            return self.chance.choice(list(type_.extensions[DEFINITION].wrapped_cls))
        return self.chance.choice(LEAVES[str(type_)])

    def instance(self, type_: GraphQLObjectType) -> Any:
        class_: Any = class_of(type_)
        instance: Any = object.__new__(class_)
        for field in attributes(type_).values():
            setattr(instance, field.extensions[DEFINITION].python_name, self.value(field.type))
        return instance
