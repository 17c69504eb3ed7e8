"""Nothing of another tenant comes back over HTTP, whatever is asked for."""

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest
from graphql import GraphQLEnumType, GraphQLInterfaceType, build_schema

from gateway.api.schema import graphql_schema
from gateway.app import token_issuer
from gateway.cache.policy import policy_of
from gateway.identity.members import LIFETIME_SECONDS
from gateway.identity.permissions import Role
from gateway.pipeline.prepared import SchemaHints
from loaders import companies
from loaders.reads import Statement
from tests.cache import questions
from tests.conftest import Client, Database, Serve
from tests.tenancy.conftest import Twins
from tests.tenancy.twins import CANARY_IDS, MARK, NOBODYS_IDS, NODE_TYPES, TWIN_IDS, add_tenant
from tests.tenancy.walk import (
    ID_PLACES,
    WORDS,
    Place,
    arguments,
    id_places,
    needs_an_id,
    nested_lists,
    operation,
    root_fields,
    unknown_places,
    word_places,
)

pytestmark = pytest.mark.same_lines

SCHEMA = graphql_schema()
PLACES = id_places(SCHEMA)
NESTED = list(nested_lists(SCHEMA))
WITHOUT_IDS = [name for name in root_fields(SCHEMA) if not needs_an_id(SCHEMA, name)]

FOR_ADMINS = {"auditLog", "rollups"}
"""Fields that only an admin may ask for."""

OF_NO_RECORD = {"budget", "rollups"}

GROUP_KEYS = cast(GraphQLEnumType, SCHEMA.type_map["DealGroupKey"]).values
GROUPS = "{{ dealAggregates(groupBy: [{}]) {{ labels count won lost value wonValue averageCycleDays }} }}"
NUMBERS = [
    *(operation(SCHEMA, name, {}, "") for name in WITHOUT_IDS),
    *(GROUPS.format(key) for key in GROUP_KEYS),
]
"""Queries of all that can be asked without ids, deals grouped by each key among them."""


# No statement and no policy knows the role: a role decides what may be written, and which fields may be asked for. So
# each role is tried at one place of each root field, and every place by one role. A place takes ids of one type and
# refuses others before anything is read, so that all nine types are tried where any may be given.
def _least_role(place: Place) -> Role:
    return Role.ADMIN if place.root_field in FOR_ADMINS else Role.VIEWER


_firsts = {place.root_field: place for place in reversed(PLACES)}
CASES = pytest.mark.parametrize(
    ("place", "role"),
    [
        *((place, _least_role(place)) for place in PLACES),
        *(
            (place, role)
            for place in _firsts.values()
            for role in Role
            if role is not _least_role(place) and place.root_field not in FOR_ADMINS
        ),
    ],
    ids=str,
)


def timeless(answer: Any) -> Any:
    """An answer without what differs from request to request."""
    if isinstance(answer, dict):
        return {name: timeless(value) for name, value in answer.items() if name not in {"asOf", "requestId"}}
    return [timeless(entry) for entry in answer] if isinstance(answer, list) else answer


async def ask(client: Client, token: str, query: str) -> Any:
    """The answer, which must hold nothing of the canary."""
    response = await client.post(query, headers={"Authorization": f"Bearer {token}"})
    assert MARK not in response.text.lower(), query
    return timeless(response.json())


def types_at(place: Place) -> list[str]:
    """Types of records whose ids a place takes."""
    return [name] if (name := ID_PLACES[place.coordinate]) else NODE_TYPES


def query_with(place: Place, ids: dict[str, str], given: str, others: dict[str, str]) -> str:
    """A query with the id of type `given` at a place; fitting ones of `others`, if any, where the field takes more."""
    more = {
        other.path: others[ID_PLACES[other.coordinate] or given]
        for other in PLACES
        if others and other.root_field == place.root_field and other != place
    }
    return operation(SCHEMA, place.root_field, {**more, place.path: ids[given]}, given)


def test_every_argument_is_known_to_this_walk() -> None:
    assert list(unknown_places(SCHEMA)) == []
    assert {place.coordinate for place in PLACES} == ID_PLACES.keys()
    assert {place.coordinate for place in word_places(SCHEMA)} == WORDS.keys()


def test_the_walk_fails_for_what_it_does_not_know() -> None:
    schema = build_schema("""
        type Query { sales(after: String, filter: Filter): Int, node(id: ID!): Int, nested: Nested }
        type Mutation { move(id: ID!): Int }
        type Nested { field(ownerId: ID, first: Int): Int }
        input Filter { ownerId: ID, day: Date, deeper: Filter }
        scalar Date
    """)
    unknown = ["Query.sales(after:)", "Filter.ownerId", "Nested.field(ownerId:)", "Mutation.move(id:)"]
    assert sorted(unknown_places(schema)) == sorted(unknown)


def test_every_type_of_record_is_tried() -> None:
    node = SCHEMA.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    assert sorted(entry.name for entry in SCHEMA.get_possible_types(node)) == NODE_TYPES


@pytest.mark.parametrize("given", NODE_TYPES)
async def test_each_id_is_of_a_record_that_its_own_tenant_finds(twins: Twins, gateway: Client, given: str) -> None:
    token = await twins.database.token(MARK)
    query = operation(SCHEMA, "node", {("id",): CANARY_IDS[given]}, given)
    response = await gateway.post(query, headers={"Authorization": f"Bearer {token}"})
    assert response.json()["data"]["node"]["id"] == CANARY_IDS[given]
    assert MARK in response.text


@CASES
async def test_another_tenants_id_is_as_good_as_nobodys(
    twins: Twins, gateway: Client, place: Place, role: Role
) -> None:
    token = await twins.database.token("adler", role)
    for given in types_at(place):
        # Of a field that takes no more than one id, the three are one.
        queries = {
            query_with(place, CANARY_IDS, given, canarys): query_with(place, NOBODYS_IDS, given, nobodys)
            for canarys, nobodys in ((TWIN_IDS, TWIN_IDS), (CANARY_IDS, NOBODYS_IDS), ({}, {}))
        }
        for of_canary, of_nobody in queries.items():
            assert await ask(gateway, token, of_canary) == await ask(gateway, token, of_nobody)


@pytest.mark.parametrize("place", PLACES, ids=str)
async def test_an_id_of_another_type_is_refused_alike(twins: Twins, gateway: Client, place: Place) -> None:
    token = await twins.database.token("adler", _least_role(place))
    for given in set(NODE_TYPES) - set(types_at(place)):
        of_canary, of_nobody = [
            await ask(
                gateway, token, operation(SCHEMA, place.root_field, {place.path: ids[given]}, given, "__typename")
            )
            for ids in (CANARY_IDS, NOBODYS_IDS)
        ]
        assert [error["extensions"]["code"] for error in of_canary["errors"]] == ["BAD_USER_INPUT"]
        assert of_canary == of_nobody


@CASES
async def test_a_key_that_both_tenants_have_finds_ones_own(
    twins: Twins, gateway: Client, place: Place, role: Role
) -> None:
    token = await twins.database.token("adler", role)
    for given in types_at(place):
        answer = await ask(gateway, token, query_with(place, TWIN_IDS, given, TWIN_IDS))
        assert "errors" not in answer
        assert "adler" in str(answer)


@pytest.mark.parametrize(("type_name", "name", "place"), NESTED, ids=str)
async def test_a_nested_list_is_of_ones_own_tenant(
    twins: Twins, gateway: Client, type_name: str, name: str, place: Place
) -> None:
    token, given = await twins.database.token("adler"), ID_PLACES[place.coordinate]
    assert given is not None
    nodes = {}
    for whose, ids in (("own", TWIN_IDS), ("canary", CANARY_IDS), ("nobody", NOBODYS_IDS)):
        called = f"{name}{arguments(SCHEMA, type_name, name, {place.path: ids[given]})}"
        selection = f"list: {called} {{ nodes {{ __typename id }} totalCount }}"
        query = operation(SCHEMA, "node", {("id",): TWIN_IDS[type_name]}, type_name, selection)
        nodes[whose] = (await ask(gateway, token, query))["data"]["node"]["list"]
    assert nodes["own"]["totalCount"] == len(nodes["own"]["nodes"]) > 0
    assert nodes["canary"] == nodes["nobody"] == {"nodes": [], "totalCount": 0}


@pytest.mark.parametrize("place", word_places(SCHEMA), ids=str)
async def test_another_tenants_words_find_nothing(twins: Twins, gateway: Client, place: Place) -> None:
    token = await twins.database.token("adler", _least_role(place))
    answers = {}
    for whose in ("adler", MARK, "nobody"):
        word = f"{whose} {WORDS[place.coordinate]}".strip()
        query = operation(SCHEMA, place.root_field, {place.path: word}, "")
        answers[whose] = await ask(gateway, token, query)
    assert "adler" in str(answers["adler"])
    assert "errors" not in answers[MARK]
    assert answers[MARK] == answers["nobody"]


async def test_another_tenants_cursor_is_refused(twins: Twins, gateway: Client) -> None:
    canarys = await twins.database.token(MARK)
    headers = {"Authorization": f"Bearer {canarys}"}
    page = (await gateway.post("{ deals(first: 1) { pageInfo { endCursor } } }", headers=headers)).json()
    cursor = page["data"]["deals"]["pageInfo"]["endCursor"]
    answer = await ask(
        gateway, await twins.database.token("adler"), f'{{ deals(after: "{cursor}") {{ nodes {{ id }} }} }}'
    )
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["CURSOR_INVALID"]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("root_field", WITHOUT_IDS)
async def test_a_field_without_ids_is_of_ones_own_tenant(
    twins: Twins, gateway: Client, root_field: str, role: Role
) -> None:
    answer = await ask(gateway, await twins.database.token("adler", role), operation(SCHEMA, root_field, {}, "Company"))
    if root_field in FOR_ADMINS and role is not Role.ADMIN:
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    else:
        assert "errors" not in answer
        assert root_field in OF_NO_RECORD or "adler" in str(answer)


@pytest.mark.parametrize("root_field", root_fields(SCHEMA))
async def test_an_answer_that_takes_a_permission_is_never_kept(twins: Twins, gateway: Client, root_field: str) -> None:
    """What answers are kept under tells tenants and members apart, not roles, and a member's role may change."""
    place = _firsts.get(root_field)
    given = (ID_PLACES[place.coordinate] if place else None) or "Company"
    ids = {place.path: TWIN_IDS[given]} if place and needs_an_id(SCHEMA, root_field) else {}
    query = operation(SCHEMA, root_field, ids, given, "__typename")
    answer = await ask(gateway, await twins.database.token("adler"), query)
    takes_one = "FORBIDDEN" in [error["extensions"]["code"] for error in answer.get("errors", [])]
    assert takes_one == (root_field in FOR_ADMINS)
    kept = policy_of(SCHEMA, SchemaHints(), *questions.operation(query), max_age_seconds=1)
    assert not takes_one or kept.max_age_seconds == 0


async def test_a_tenant_beside_changes_no_number(database: Database, serve: Serve) -> None:
    async with database.as_owner() as owner:
        await add_tenant(owner, "adler")
        client = await serve(database, "adler", "admin", document_token_limit=20_000, document_field_limit=5_000)
        alone = [timeless(await client.data(query)) for query in NUMBERS]
        await add_tenant(owner, MARK)
    assert [timeless(await client.data(query)) for query in NUMBERS] == alone


async def test_a_request_that_names_another_tenant_is_refused(twins: Twins, gateway: Client) -> None:
    token = await twins.database.token("adler")
    for named, status in (("adler", 200), (MARK, 403), ("nobody", 403), ("", 403)):
        headers = {"Authorization": f"Bearer {token}", "X-Tenant": named}
        response = await gateway.post("{ me { name } }", headers=headers)
        assert response.status_code == status, named
        if status == 403:
            (error,) = response.json()["errors"]
            assert error["extensions"]["code"] == "TENANT_MISMATCH"


@pytest.mark.parametrize(
    ("tenant", "subject", "code"),
    [
        ("adler", "canary subject 1", "MEMBER_UNKNOWN"),
        ("adler", "canary subject 1001", "MEMBER_UNKNOWN"),
        ("canary", "adler subject 1", "MEMBER_UNKNOWN"),
        ("nobody", "adler subject 1", "TENANT_UNKNOWN"),
        ("ADLER", "adler subject 1", "TENANT_UNKNOWN"),
        ("adler", "%", "MEMBER_UNKNOWN"),
    ],
)
async def test_a_member_of_another_tenant_is_unknown(
    twins: Twins, gateway: Client, tenant: str, subject: str, code: str
) -> None:
    issuer = token_issuer(twins.database.settings())
    assert issuer is not None
    headers = {"Authorization": f"Bearer {issuer.access(tenant, subject).token}"}
    response = await gateway.post("{ me { name } pipelines { name } }", headers=headers)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (401, code)
    assert "data" not in response.json()


async def test_a_deactivated_member_is_out(database: Database, serve: Serve) -> None:
    async with database.as_owner() as owner:
        await add_tenant(owner, "adler")
        client = await serve(database, "adler", "rep")
        assert await client.data("{ me { name } }") == {"me": {"name": "adler member 2"}}
        await owner.execute("UPDATE members SET active = false WHERE role = 'rep'")
    await asyncio.sleep(LIFETIME_SECONDS)
    assert await client.codes("{ me { name } }") == ["MEMBER_INACTIVE"]


async def test_the_walk_sees_what_a_fallen_wall_lets_through(
    database: Database, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    careful = companies.SQL["companies_by_id"]
    careless = replace(careful, sql=careful.sql.replace("tenant_id = $1", "$1::bigint IS NOT NULL"))
    monkeypatch.setitem(cast(dict[str, Statement], companies.SQL), "companies_by_id", careless)
    async with database.as_owner() as owner:
        for slug in ("adler", MARK):
            await add_tenant(owner, slug)
        client = await serve(database, "adler")
        query = operation(SCHEMA, "company", {("id",): CANARY_IDS["Company"]}, "Company")
        assert (await client.data(query))["company"] is None  # the second wall stands
        await owner.execute("ALTER TABLE companies DISABLE ROW LEVEL SECURITY")
        assert MARK in (await client.post(query)).text
