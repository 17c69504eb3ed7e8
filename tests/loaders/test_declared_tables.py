"""What statements declare to read is what they read: no table more, no table less."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import asyncpg
import pytest
from graphql import GraphQLEnumType

from gateway import app
from gateway.api.schema import graphql_schema
from gateway.commands.change_deals import SQL as DEAL_CHANGES
from gateway.commands.idempotency import SQL as IDEMPOTENCY
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.transactions import Named
from gateway.rollups.declared import ROLLUPS
from loaders.deal_groups import KEYS
from loaders.reads import Statement, every_statement, parse
from tests.conftest import Client, Database, fresh_database, serving
from tests.loaders.touched import Catalogue, read_catalogue, touched
from tests.operations.recording import recorded
from tests.tenancy.composed import COMPOSED, Ask, Recorder
from tests.tenancy.twins import NODE_TYPES, TWIN_IDS, add_tenant
from tests.tenancy.walk import ID_PLACES, combinations, operation, root_fields

SLUG = "adler"
SCHEMA = graphql_schema()

TEXTS = {
    "Boolean": "true",
    "Date": "2000-01-01",
    "DateTime": "2000-01-01T00:00:00Z",
    "Decimal": "1",
    "String": SLUG,
    "DateRangeInput.to": "2010-01-01",
}
"""What is given, by the type of a place or by the place."""

BY_SIGN_IN = {"credential_lookup", "identify", "login_lookup"}
"""Statements that run before there is a tenant, outside of its read transaction."""


@dataclass(frozen=True)
class Ground:
    """A database with one tenant that has all there is, its catalogue, and the key of the tenant."""

    database: Database
    catalogue: Catalogue
    tenant_id: int


@pytest.fixture(scope="module")
async def ground(postgres: EmbeddedPostgres, template: str) -> Ground:
    database = await fresh_database(postgres, template)
    async with database.as_owner() as owner:
        return Ground(database, await read_catalogue(owner), await add_tenant(owner, SLUG))


@pytest.fixture
async def gateway_role(ground: Ground) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(ground.database.gateway_dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def issued(ground: Ground) -> AsyncIterator[tuple[Client, list[Named]]]:
    """An admin of a gateway, and the statements that it issues."""
    statements: list[Named] = []
    settings = ground.database.settings(document_token_limit=20_000, document_field_limit=5_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "ReadTransaction", recorded(statements))
        async with serving(app.create_app(settings), await ground.database.token(SLUG, "admin")) as client:
            yield client, statements


def questions() -> Iterator[str]:
    """Every field of the schema; every root field by each combination of its arguments; groups by each key."""
    for root_field in root_fields(SCHEMA):
        for type_name in NODE_TYPES if root_field == "node" else [""]:
            for given in combinations(SCHEMA, root_field, partial(fitting, type_name)):
                listed = any(path[0] == "filter" for path in given) and root_field != "dealAggregates"
                selection = "nodes { __typename } totalCount" if listed else ""
                yield operation(SCHEMA, root_field, given, type_name, selection)
    for key in KEYS:
        yield f"{{ dealAggregates(groupBy: [{key.upper()}]) {{ labels count }} }}"


def fitting(of: str, coordinate: str, type_name: str) -> str:
    """What is given at a place; `of`: the type of an id where any may be given."""
    if type_name == "ID":
        return TWIN_IDS[ID_PLACES[coordinate] or of]
    taken = SCHEMA.type_map[type_name]
    if isinstance(taken, GraphQLEnumType):
        return str(next(iter(taken.values)))
    return TEXTS.get(coordinate) or TEXTS[type_name]


async def faults(ground: Ground, connection: asyncpg.Connection, statements: Mapping[str, Named]) -> list[str]:
    """A line for each statement that reads other tables than it declares. `statements`: by their text."""
    found = []
    for statement in statements.values():
        reads = await touched(connection, ground.catalogue, statement.sql)
        if reads != statement.reads:
            found.append(f"{statement.name} declares {sorted(statement.reads)} and reads {sorted(reads)}")
    return found


async def test_statements_read_the_tables_that_they_declare(ground: Ground, gateway_role: asyncpg.Connection) -> None:
    assert await faults(ground, gateway_role, {statement.sql: statement for statement in every_statement()}) == []


@pytest.mark.parametrize("asks", COMPOSED.values(), ids=COMPOSED)
async def test_composed_statements_read_the_tables_that_they_declare(
    ground: Ground, gateway_role: asyncpg.Connection, asks: list[Ask]
) -> None:
    recorder, statements = Recorder(gateway_role, ground.tenant_id), {}
    for ask in asks:
        async with gateway_role.transaction():
            await recorder.begin()
            await ask(recorder, SLUG)
        statements[recorder.last.statement.sql] = recorder.last.statement
    assert await faults(ground, gateway_role, statements) == []


async def test_every_field_of_the_schema_reads_the_tables_that_it_declares(
    ground: Ground, gateway_role: asyncpg.Connection, issued: tuple[Client, list[Named]]
) -> None:
    client, statements = issued
    for question in questions():
        await client.data(question)
    assert await faults(ground, gateway_role, {statement.sql: statement for statement in statements}) == []
    written = {statement.name for statement in every_statement()} - BY_SIGN_IN
    assert written - {statement.name for statement in statements} == set()


async def test_one_table_more_or_less_would_be_seen(ground: Ground, gateway_role: asyncpg.Connection) -> None:
    for statement in every_statement():
        for wrong in (statement.reads | {"idempotency_keys"}, statement.reads - {min(statement.reads)}):
            found = await faults(ground, gateway_role, {"": replace(statement, reads=wrong)})
            assert len(found) == 1, (statement.name, wrong)


WAYS = {
    "SELECT name FROM deals WHERE tenant_id = $1": {"deals"},
    "SELECT deals FROM analytics.deal_state WHERE tenant_id = $1": {"deals"},
    "SELECT tenant_id FROM analytics.companies_with_deals WHERE tenant_id = $1": {"companies", "deals"},
    "SELECT d.id FROM deals d WHERE EXISTS (SELECT FROM stages s WHERE s.id = d.stage_id AND s.name = $1)": {
        *("deals", "stages")
    },
    "SELECT (SELECT min(name) FROM members WHERE tenant_id = $1)": {"members"},
    "SELECT id FROM tasks WHERE $1 > 0 UNION ALL SELECT id FROM contacts WHERE $1 <= 0": {"contacts", "tasks"},
    "SELECT id FROM deals WHERE id IN (SELECT app.search_companies($1))": {"companies", "deals"},
    "SELECT id FROM deals WHERE created_day < app.local_day($1, now())": {"deals", "tenants"},
    "SELECT preset FROM app.period_presets($1)": set(),
    "SELECT name FROM app.rollups() WHERE tenant_id = $1": {rollup.table.name for rollup in ROLLUPS},
}
"""Ways to read tables, each with the tables."""


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_to_read_a_table_is_seen(ground: Ground, gateway_role: asyncpg.Connection, way: str) -> None:
    assert await touched(gateway_role, ground.catalogue, way) == WAYS[way]


def test_what_a_loader_does_not_declare_is_refused() -> None:
    text = "-- name: silent (planned once)\n-- Reads something.\nSELECT FROM deals WHERE tenant_id = $1;\n"
    with pytest.raises(ValueError, match=r"silent in made_up\.sql does not say what it reads"):
        list(parse("made_up", text, must_read=True))


def test_declared_tables_are_no_part_of_the_text() -> None:
    text = "-- name: told\n-- reads: deals, stages\n-- writes: members\n-- Says so.\nSELECT $1;\n"
    assert list(parse("made_up", text, must_read=True)) == [
        Statement("told", "made_up", "-- Says so.\nSELECT $1", frozenset({"deals", "stages"}), frozenset({"members"}))
    ]


async def test_a_command_declares_tables_that_there_are(ground: Ground) -> None:
    declared = [statement.writes for statement in (*DEAL_CHANGES.values(), *IDEMPOTENCY.values())]
    assert frozenset().union(*declared) <= ground.catalogue.tables
