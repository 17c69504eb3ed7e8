"""The large data of the benchmarks: what is copied past all triggers is as if it had been written."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from benchmarks.data import Databases
from benchmarks.rollups.multiply import SCHEMA, load_multiple
from benchmarks.rollups.subject import Multiple, Scale, database_of
from gateway.postgres.migrate import head_revision
from gateway.rollups.audit import audit_rollup
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.difference import difference, find
from gateway.rollups.registry import read_registry
from gateway.rollups.session import worker_session
from tests.benchmarks.conftest import QUIET
from tests.conftest import Database

SHAPE = Multiple(Scale(2, 300), 3)
COPIED = ("companies", "contacts", "deals", "deal_stage_history", "activities", "tasks", "deal_products")
SHARED = ("tenants", "members", "pipelines", "stages", "products")
DATABASES = "SELECT array_agg(oid || datname ORDER BY oid) FROM pg_database WHERE datname LIKE '%times%'"

# What refers to what, by tenant: whole deals, not only as many rows of each table.
LINKS = """
SELECT d.tenant_id, d.name, d.stage_id, d.amount, c.name AS company, p.name AS contact, a.subject, h.moved_at
  FROM deals d JOIN companies c ON c.tenant_id = d.tenant_id AND c.id = d.company_id
  JOIN activities a ON a.tenant_id = d.tenant_id AND a.deal_id = d.id AND a.company_id = c.id
  JOIN contacts p ON p.tenant_id = d.tenant_id AND p.id = a.contact_id AND p.company_id = c.id
  JOIN deal_stage_history h ON h.tenant_id = d.tenant_id AND h.deal_id = d.id AND h.to_stage_id = d.stage_id
"""


@pytest.fixture(scope="module")
async def source(running: Databases) -> Database:
    """With a key of an import, which no copy may have too."""
    await running.load(database_of(SHAPE.source), SHAPE.source, QUIET)
    source = Database(database_of(SHAPE.source), running.server)
    async with source.as_owner() as owner:
        await owner.execute("UPDATE companies SET external_id = 'one' WHERE id = (SELECT min(id) FROM companies)")
    return source


@pytest.fixture(scope="module")
async def multiple(running: Databases, source: Database) -> Database:
    """Made after a call that was killed."""
    superuser = await asyncpg.connect(source.server.superuser_dsn)
    await superuser.execute(f"CREATE DATABASE {SHAPE.database}_unfinished OWNER owner")
    await superuser.close()
    await load_multiple(running, SHAPE, QUIET)
    return Database(SHAPE.database, source.server)


@pytest.fixture(scope="module")
async def before(source: Database, multiple: Database) -> AsyncIterator[asyncpg.Connection]:
    """The source. A database with sessions cannot be copied, so the copy is there first."""
    assert multiple.name != source.name
    async with source.as_owner() as owner:
        yield owner


@pytest.fixture(scope="module")
async def after(multiple: Database) -> AsyncIterator[asyncpg.Connection]:
    async with multiple.as_owner() as owner:
        yield owner


async def test_records_are_multiplied_and_what_they_share_is_not(
    before: asyncpg.Connection, after: asyncpg.Connection
) -> None:
    for factor, tables in ((SHAPE.factor, COPIED), (1, SHARED)):
        for table in tables:
            assert await count(after, table) == factor * await count(before, table) > 0, table
    assert await count(after, "companies WHERE external_id = 'one'") == 1


async def test_copies_hang_together_as_their_originals_do(
    before: asyncpg.Connection, after: asyncpg.Connection
) -> None:
    counted = f"SELECT *, count(*) FROM ({LINKS}) AS links GROUP BY {', '.join(map(str, range(1, 9)))}"
    originals = {tuple(row)[:-1]: row["count"] for row in await before.fetch(counted)}
    copies = {tuple(row)[:-1]: row["count"] for row in await after.fetch(counted)}
    assert originals
    assert copies == {links: SHAPE.factor * found for links, found in originals.items()}


async def test_the_schema_is_that_of_the_source(before: asyncpg.Connection, after: asyncpg.Connection) -> None:
    assert await after.fetch(SCHEMA) == await before.fetch(SCHEMA)
    assert difference(await find(after), ROLLUPS).reasons == []


async def test_index_only_scans_find_all_pages_visible(after: asyncpg.Connection) -> None:
    pages = "SELECT relname, relpages - relallvisible FROM pg_class WHERE oid = ANY ($1::text[]::regclass[])"
    assert dict(await after.fetch(pages, COPIED)) == dict.fromkeys(COPIED, 0)


async def test_rollups_are_exact_and_raise_no_alarm(multiple: Database) -> None:
    async with worker_session(multiple.worker_dsn, head_revision()) as worker:
        assert {kept.differing for kept in await read_registry(worker)} == {0}
        await assert_exact(worker)


async def test_what_is_written_afterwards_gets_new_ids_and_is_counted(multiple: Database) -> None:
    async with multiple.as_owner() as owner, worker_session(multiple.worker_dsn, head_revision()) as worker:
        for table in ("deals", "companies", "activities", "deal_stage_history"):
            highest = await owner.fetchval(f"SELECT max(id) FROM {table}")
            assert await owner.fetchval("SELECT nextval(pg_get_serial_sequence($1, 'id'))", table) > highest
        await owner.execute("UPDATE deals SET deleted_at = now() WHERE id % 7 = 0")
        await assert_exact(worker)


async def test_it_is_made_once(running: Databases, multiple: Database) -> None:
    async with multiple.as_owner() as owner:
        made = await owner.fetchval(DATABASES)
        await load_multiple(running, SHAPE, QUIET)
        assert await owner.fetchval(DATABASES) == made


async def count(connection: asyncpg.Connection, table: str) -> int:
    return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))


async def assert_exact(worker: asyncpg.Connection) -> None:
    for rollup in ROLLUPS:
        async for tenant, audit in audit_rollup(worker, rollup):
            assert audit.groups > 0, (rollup.name, tenant)
            assert audit.differing == 0, (rollup.name, tenant, audit.listed)
