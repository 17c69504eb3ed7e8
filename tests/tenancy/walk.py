"""Every way to name a record in a query, found in the schema itself."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
    is_leaf_type,
    is_list_type,
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
    "AuditFilter.dealIds": "Deal",
    "AuditFilter.memberIds": "Member",
    "AuditFilter.operationIds": "Operation",
    "ActivityFilter.companyIds": "Company",
    "ActivityFilter.contactIds": "Contact",
    "ActivityFilter.dealIds": "Deal",
    "ActivityFilter.ids": "Activity",
    "ActivityFilter.ownerIds": "Member",
    "CompanyFilter.ids": "Company",
    "CompanyFilter.ownerIds": "Member",
    "ContactFilter.companyIds": "Company",
    "ContactFilter.ids": "Contact",
    "ContactFilter.ownerIds": "Member",
    "DealFilter.companyIds": "Company",
    "DealFilter.ids": "Deal",
    "DealFilter.ownerIds": "Member",
    "DealFilter.pipelineIds": "Pipeline",
    "DealFilter.stageIds": "Stage",
    "MemberFilter.ids": "Member",
    "TaskFilter.companyIds": "Company",
    "TaskFilter.dealIds": "Deal",
    "TaskFilter.ids": "Task",
    "TaskFilter.ownerIds": "Member",
}
"""Where an id is taken, and of which type it must be; None: of any."""

PAYLOADS = ("UpdateDealStages", "AssignDeals", "UpdateDeals", "DeleteDeals", "RestoreDeals", "UndoOperation")
WRITE_PLACES = {
    "Mutation.undoOperation(operationId:)",
    *("UpdateDealStagesInput.dealIds", "UpdateDealStagesInput.stageId", "AssignDealsInput.dealIds"),
    *("AssignDealsInput.ownerId", "DeleteDealsInput.dealIds", "RestoreDealsInput.dealIds"),
    *("DealStageChange.dealId", "DealStageChange.stageId", "DealOwnerChange.dealId", "DealOwnerChange.ownerId"),
    *("DealFieldsChange.dealId", "DealReference.dealId"),
    *(
        f"{name}.pipelineStats({argument}:)"
        for name in ("DealChanges", *(f"{payload}Payload" for payload in PAYLOADS))
        for argument in ("pipelineId", "ownerId")
    ),
}
"""Where a mutation takes an id: tests/changes/test_tenancy.py gives each of them another tenant's."""

WORDS = {
    **dict.fromkeys(("ActivityFilter.teams", "CompanyFilter.teams", "DealFilter.teams"), "team"),
    **dict.fromkeys(("MemberFilter.teams", "TaskFilter.teams"), "team"),
    "AuditFilter.actions": "action",
    **dict.fromkeys(("CompanyFilter.regions", "DealFilter.regions", "MemberFilter.regions"), "region"),
    **dict.fromkeys(("CompanyFilter.industries", "DealFilter.industries"), "industry"),
    **dict.fromkeys(("ActivityFilter.search", "CompanyFilter.search", "ContactFilter.search"), ""),
    **dict.fromkeys(("DealFilter.search", "MemberFilter.search", "TaskFilter.search"), ""),
}
"""Where a filter takes words, and what follows a tenant's mark in those that find its records."""

LISTS = (
    "Query.auditLog",
    *("Query.activities", "Query.companies", "Query.contacts", "Query.deals", "Query.members", "Query.tasks"),
    *("Company.activities", "Company.contacts", "Company.deals", "Company.tasks", "Contact.activities"),
    *("Deal.activities", "Deal.tasks", "Member.activities", "Member.companies", "Member.deals", "Member.tasks"),
)
"""Fields that are paged."""

TEXT_PLACES = {
    "Mutation.login(tenant:)": "the door itself: tests/identity/test_sign_in.py",
    "Mutation.login(email:)": "the same",
    "Mutation.login(password:)": "the same",
    "Mutation.refreshToken(token:)": "the same",
    **{
        place: "no text of it finds a record: tests/changes/test_bad_input.py"
        for payload in PAYLOADS[:-1]
        for place in (f"{payload}Input.idempotencyKey", f"{payload}Input.note")
    },
    "Mutation.undoOperation(idempotencyKey:)": "the same",
    "Mutation.undoOperation(note:)": "the same",
    "DealFieldsChange.name": "the same",
    **{f"{name}({way}:)": "cursors: tests/lists" for name in LISTS for way in ("after", "before")},
    **dict.fromkeys(WORDS, "test_http.py: another tenant's words find nothing"),
}
"""Where any text is taken, and where that is tested."""

NAMES_NOTHING = {"Boolean", "Date", "DateTime", "Decimal", "Float", "Int"}
"""Scalars that cannot name a record."""

REQUIRED = {"Query.dealAggregates(groupBy:)": "[OWNER, COMPANY, PRODUCT]"}
"""Arguments that a query cannot do without, but for ids, as they are given."""

UNQUOTED = {"Boolean", "Float", "Int"}
"""Scalars whose values a query writes without quotes, as it does those of enums."""

PAGING = {"after", "before", "first", "groupBy", "last", "orderBy"}
"""Arguments that say how much is given and in which form, not of which records."""

DEEPEST = 5

Given = Mapping[tuple[str, ...], str]
"""What is given at which path."""


@dataclass(frozen=True)
class Place:
    """An argument, or a field of an input object in an argument. `path`: from the argument down."""

    root_field: str
    path: tuple[str, ...]
    coordinate: str

    def __str__(self) -> str:
        return self.coordinate if len(self.path) == 1 else f"{self.root_field} {self.coordinate}"


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


def id_places(schema: GraphQLSchema) -> list[Place]:
    """Every place of a query's root fields where an id is taken."""
    return list(_places(schema, "ID"))


def word_places(schema: GraphQLSchema) -> list[Place]:
    """Every place of a filter of a query's root fields where words are taken."""
    return [place for place in _places(schema, "String") if len(place.path) > 1]


def operation(schema: GraphQLSchema, root_field: str, given: Given, type_name: str, selection: str = "") -> str:
    """A query of one root field with a selection, or with all there is; of an interface, what `type_name` has."""
    field = _root_fields(schema)[root_field]
    output = get_named_type(field.type)
    chosen = schema.type_map[type_name] if isinstance(output, GraphQLInterfaceType) else output
    assert isinstance(chosen, GraphQLObjectType)
    beneath = selection or _selection(chosen, ())
    called = f"{root_field}{_arguments(root_field, field, given)}"
    return f"{{ {called} {{ __typename ... on {chosen.name} {{ {beneath} }} }} }}"


def nested_lists(schema: GraphQLSchema) -> Iterator[tuple[str, str, Place]]:
    """The type, the name and each place of an id of a list that is nested in a record."""
    for coordinate in LISTS:
        type_name, _, name = coordinate.partition(".")
        output = schema.type_map[type_name]
        if type_name != "Query" and isinstance(output, GraphQLObjectType):
            for place in _places_of(name, "filter", output.fields[name].args["filter"], "ID"):
                yield type_name, name, place


def arguments(schema: GraphQLSchema, type_name: str, name: str, given: Given) -> str:
    """The arguments of a field as a query writes them."""
    output = schema.type_map[type_name]
    assert isinstance(output, GraphQLObjectType)
    return _arguments(name, output.fields[name], given)


def combinations(schema: GraphQLSchema, root_field: str, fill: Callable[[str, str], str]) -> Iterator[Given]:
    """Every combination of the arguments of a root field but those of `PAGING`; of an input object, one part at a time.

    `fill`: what is given at a place, by its coordinate and the name of its type.
    """
    choices: list[list[Given]] = []
    for name, argument in _root_fields(schema)[root_field].args.items():
        if name not in PAGING:
            parts: dict[tuple[str, ...], dict[tuple[str, ...], str]] = defaultdict(dict)
            for path, coordinate, taken in _beneath((name,), f"Query.{root_field}({name}:)", argument):
                parts[path[:2]][path] = fill(coordinate, taken.name)
            choices.append([*([] if is_required_argument(argument) else [{}]), *parts.values()])
    for chosen in product(*choices):
        yield {path: text for part in chosen for path, text in part.items()}


def needs_an_id(schema: GraphQLSchema, root_field: str) -> bool:
    arguments = _root_fields(schema)[root_field].args.values()
    return any(is_required_argument(given) and get_named_type(given.type).name == "ID" for given in arguments)


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
        if not harmless and coordinate not in ID_PLACES.keys() | TEXT_PLACES.keys() | WRITE_PLACES:
            yield coordinate


def _places(schema: GraphQLSchema, scalar: str) -> Iterator[Place]:
    for root_field, field in _root_fields(schema).items():
        for name, argument in field.args.items():
            yield from _places_of(root_field, name, argument, scalar)


def _places_of(field_name: str, name: str, argument: GraphQLArgument, scalar: str) -> Iterator[Place]:
    for path, coordinate, taken in _beneath((name,), f"Query.{field_name}({name}:)", argument):
        if taken.name == scalar:
            yield Place(field_name, path, coordinate)


def _beneath(
    path: tuple[str, ...], coordinate: str, place: GraphQLArgument | GraphQLInputField
) -> Iterator[tuple[tuple[str, ...], str, GraphQLNamedType]]:
    """Every leaf of an argument: its path, its coordinate and its type."""
    taken = get_named_type(place.type)
    if is_leaf_type(taken):
        yield path, coordinate, taken
    if isinstance(taken, GraphQLInputObjectType) and len(path) < DEEPEST:
        for name, given in taken.fields.items():
            yield from _beneath((*path, name), f"{taken.name}.{name}", given)


def _arguments(name: str, field: GraphQLField, given: Given) -> str:
    required = {argument: REQUIRED.get(f"Query.{name}({argument}:)") for argument in field.args}
    written = [f"{argument}: {value}" for argument, value in required.items() if value]
    for argument, place in field.args.items():
        beneath = {path[1:]: value for path, value in given.items() if path[0] == argument}
        if beneath:
            written.append(f"{argument}: {_literal(place, beneath)}")
    return f"({', '.join(written)})" if written else ""


def _literal(place: GraphQLArgument | GraphQLInputField, given: Given) -> str:
    """A value with texts at the paths given; a list of one where the schema wants a list."""
    taken = get_named_type(place.type)
    if isinstance(taken, GraphQLInputObjectType):
        names = dict.fromkeys(path[0] for path in given)
        fields = {name: {path[1:]: text for path, text in given.items() if path[0] == name} for name in names}
        return (
            f"{{ {', '.join(f'{name}: {_literal(taken.fields[name], beneath)}' for name, beneath in fields.items())} }}"
        )
    plain = isinstance(taken, GraphQLEnumType) or taken.name in UNQUOTED
    text = given[()] if plain else json.dumps(given[()])
    return f"[{text}]" if is_list_type(get_nullable_type(place.type)) else text


def _selection(of: GraphQLObjectType, above: tuple[str, ...], nested: bool = False) -> str:
    """All leaves, and all that is beneath; no type within itself. `nested`: whether a list of a record is above.

    A page is taken by its nodes, which its edges hold too; and nothing is listed within a list that is nested in a
    record, so that documents stay of a length that somebody could write.
    """
    chosen = []
    for name, field in of.fields.items():
        output = get_named_type(field.type)
        paged = output.name.endswith("Connection")
        if is_leaf_type(output):
            chosen.append(name)
        elif not isinstance(output, GraphQLObjectType) or output.name in above or len(above) >= DEEPEST:
            continue
        elif name != "edges" and not (paged and (nested or len(above) > 2)):
            chosen.append(f"{name} {{ {_selection(output, (*above, of.name), nested or paged)} }}")
    return " ".join(chosen)
