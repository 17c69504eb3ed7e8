"""Every way to name a record in a query, found in the schema itself."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_introspection_type,
    is_leaf_type,
    is_required_argument,
)

ID_PLACES = {
    "Query.company(id:)": "Company",
    "Query.companyAnalytics(companyId:)": "Company",
    "Query.dashboard(ownerId:)": "Member",
    "Query.deal(id:)": "Deal",
    "Query.node(id:)": None,
    "Query.pipelineStats(ownerId:)": "Member",
    "Query.pipelineStats(pipelineId:)": "Pipeline",
}
"""Where an id is taken, and of which type it must be; None: of any."""

TEXT_PLACES = {
    "Mutation.login(tenant:)": "the door itself: tests/identity/test_sign_in.py",
    "Mutation.login(email:)": "the same",
    "Mutation.login(password:)": "the same",
    "Mutation.refreshToken(token:)": "the same",
}
"""Where any text is taken, and where that is tested."""

NAMES_NOTHING = {"Boolean", "Date", "DateTime", "Decimal", "Float", "Int"}
"""Scalars that cannot name a record."""

DEEPEST = 5


@dataclass(frozen=True)
class Place:
    """An argument, or a field of an input object in an argument, that takes an id. `path`: from the argument down."""

    root_field: str
    path: tuple[str, ...]
    coordinate: str


def unknown_places(schema: GraphQLSchema) -> Iterator[str]:
    """Arguments and input fields of a kind that these tests do not know how to fill."""
    for name, entry in schema.type_map.items():
        if is_introspection_type(entry):
            continue
        if isinstance(entry, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in entry.fields.items():
                yield from _unknown({f"{name}.{field_name}({arg}:)": given for arg, given in field.args.items()})
        if isinstance(entry, GraphQLInputObjectType):
            yield from _unknown({f"{name}.{field}": given for field, given in entry.fields.items()})


def id_places(schema: GraphQLSchema) -> Iterator[Place]:
    """Every place of a query where an id is taken."""
    for root_field, field in _root_fields(schema).items():
        for name, argument in field.args.items():
            yield from _id_places(root_field, (name,), f"Query.{root_field}({name}:)", argument)


def operation(schema: GraphQLSchema, root_field: str, ids: Mapping[tuple[str, ...], str], type_name: str) -> str:
    """A query of one root field with all there is to select; of an interface, what `type_name` has."""
    field = _root_fields(schema)[root_field]
    arguments = ", ".join(f"{path[0]}: {_nested(path[1:], given)}" for path, given in ids.items())
    output = get_named_type(field.type)
    chosen = schema.type_map[type_name] if isinstance(output, GraphQLInterfaceType) else output
    assert isinstance(chosen, GraphQLObjectType)
    selection = f"__typename ... on {chosen.name} {{ {_selection(chosen, ())} }}"
    return f"{{ {root_field}{f'({arguments})' if arguments else ''} {{ {selection} }} }}"


def needs_an_id(schema: GraphQLSchema, root_field: str) -> bool:
    return any(is_required_argument(argument) for argument in _root_fields(schema)[root_field].args.values())


def root_fields(schema: GraphQLSchema) -> list[str]:
    return list(_root_fields(schema))


def _root_fields(schema: GraphQLSchema) -> dict[str, GraphQLField]:
    assert schema.query_type is not None
    fields: dict[str, GraphQLField] = schema.query_type.fields
    return fields


def _unknown(places: Mapping[str, GraphQLArgument | GraphQLInputField]) -> Iterator[str]:
    for coordinate, place in places.items():
        taken = get_named_type(place.type)
        harmless = isinstance(taken, GraphQLEnumType | GraphQLInputObjectType) or taken.name in NAMES_NOTHING
        if not harmless and coordinate not in ID_PLACES.keys() | TEXT_PLACES.keys():
            yield coordinate


def _id_places(
    root_field: str, path: tuple[str, ...], coordinate: str, place: GraphQLArgument | GraphQLInputField
) -> Iterator[Place]:
    taken = get_named_type(place.type)
    if taken.name == "ID":
        yield Place(root_field, path, coordinate)
    if isinstance(taken, GraphQLInputObjectType) and len(path) < DEEPEST:
        for name, given in taken.fields.items():
            yield from _id_places(root_field, (*path, name), f"{taken.name}.{name}", given)


def _nested(path: tuple[str, ...], given: str) -> str:
    return f"{{ {path[0]}: {_nested(path[1:], given)} }}" if path else json.dumps(given)


def _selection(of: GraphQLObjectType, above: tuple[str, ...]) -> str:
    """All leaves, and all that is beneath; no type within itself."""
    chosen = []
    for name, field in of.fields.items():
        output = get_named_type(field.type)
        if is_leaf_type(output):
            chosen.append(name)
        elif isinstance(output, GraphQLObjectType) and output.name not in above and len(above) < DEEPEST:
            chosen.append(f"{name} {{ {_selection(output, (*above, of.name))} }}")
    return " ".join(chosen)
