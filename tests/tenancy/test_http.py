"""Nothing of another tenant comes back over HTTP, whatever is asked for."""

import asyncio
from typing import Any, cast

import pytest
from graphql import GraphQLInterfaceType, build_schema

from gateway.api.schema import graphql_schema
from gateway.app import token_issuer
from gateway.identity.members import LIFETIME_SECONDS
from gateway.identity.permissions import Role
from loaders import companies
from loaders.reads import Statement
from tests.conftest import Client, Database, Serve
from tests.tenancy.conftest import Twins
from tests.tenancy.twins import CANARY_IDS, MARK, NOBODYS_IDS, NODE_TYPES, TWIN_IDS, add_tenant
from tests.tenancy.walk import ID_PLACES, Place, id_places, needs_an_id, operation, root_fields, unknown_places

SCHEMA = graphql_schema()
PLACES = list(id_places(SCHEMA))
DASHBOARD = operation(SCHEMA, "dashboard", {}, "Dashboard")


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


def query_with(place: Place, ids: dict[str, str], given: str, others: dict[str, str]) -> str:
    """A query with the id of type `given` at a place, and fitting ones where the field takes more."""
    more = {
        other.path: others[ID_PLACES[other.coordinate] or given]
        for other in PLACES
        if other.root_field == place.root_field and other != place
    }
    return operation(SCHEMA, place.root_field, {**more, place.path: ids[given]}, given)


def test_every_argument_is_known_to_this_walk() -> None:
    assert list(unknown_places(SCHEMA)) == []
    assert {place.coordinate for place in PLACES} == ID_PLACES.keys()


def test_the_walk_fails_for_what_it_does_not_know() -> None:
    schema = build_schema("""
        type Query { deals(after: String, filter: Filter): Int, node(id: ID!): Int, nested: Nested }
        type Mutation { move(id: ID!): Int }
        type Nested { field(ownerId: ID, first: Int): Int }
        input Filter { ownerId: ID, day: Date, deeper: Filter }
        scalar Date
    """)
    unknown = ["Query.deals(after:)", "Filter.ownerId", "Nested.field(ownerId:)", "Mutation.move(id:)"]
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


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.coordinate)
async def test_another_tenants_id_is_as_good_as_nobodys(
    twins: Twins, gateway: Client, place: Place, role: Role
) -> None:
    token = await twins.database.token("adler", role)
    for given in NODE_TYPES:
        nobodys = await ask(gateway, token, query_with(place, NOBODYS_IDS, given, TWIN_IDS))
        assert await ask(gateway, token, query_with(place, CANARY_IDS, given, TWIN_IDS)) == nobodys
        assert await ask(gateway, token, query_with(place, CANARY_IDS, given, CANARY_IDS)) == await ask(
            gateway, token, query_with(place, NOBODYS_IDS, given, NOBODYS_IDS)
        )


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.coordinate)
async def test_a_key_that_both_tenants_have_finds_ones_own(
    twins: Twins, gateway: Client, place: Place, role: Role
) -> None:
    token = await twins.database.token("adler", role)
    for given in [name] if (name := ID_PLACES[place.coordinate]) else NODE_TYPES:
        answer = await ask(gateway, token, query_with(place, TWIN_IDS, given, TWIN_IDS))
        assert "errors" not in answer
        assert "adler" in str(answer)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("root_field", [name for name in root_fields(SCHEMA) if not needs_an_id(SCHEMA, name)])
async def test_a_field_without_ids_is_of_ones_own_tenant(
    twins: Twins, gateway: Client, root_field: str, role: Role
) -> None:
    answer = await ask(gateway, await twins.database.token("adler", role), operation(SCHEMA, root_field, {}, "Company"))
    assert "errors" not in answer
    assert "adler" in str(answer)


async def test_a_tenant_beside_changes_no_number(database: Database, serve: Serve) -> None:
    async with database.as_owner() as owner:
        await add_tenant(owner, "adler")
        client = await serve(database, "adler", document_token_limit=20_000, document_field_limit=5_000)
        alone = timeless(await client.data(DASHBOARD))
        await add_tenant(owner, MARK)
    assert timeless(await client.data(DASHBOARD)) == alone


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
    careless = companies.SQL["companies_by_id"].sql.replace("tenant_id = $1", "$1::bigint IS NOT NULL")
    monkeypatch.setitem(
        cast(dict[str, Statement], companies.SQL), "companies_by_id", Statement("careless", "", careless)
    )
    async with database.as_owner() as owner:
        for slug in ("adler", MARK):
            await add_tenant(owner, slug)
        client = await serve(database, "adler")
        query = operation(SCHEMA, "company", {("id",): CANARY_IDS["Company"]}, "Company")
        assert (await client.data(query))["company"] is None  # the second wall stands
        await owner.execute("ALTER TABLE companies DISABLE ROW LEVEL SECURITY")
        assert MARK in (await client.post(query)).text
