"""A database with enough rows for plans to be those of production."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.maintain import fold_rollup
from gateway.rollups.names import base
from tests.conftest import Database, fresh_database
from tests.plans.listed import TENANT

MEDIUM = Path(__file__).with_name("medium.sql").read_text(encoding="utf-8")

INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
 WHERE relnamespace = 'public'::regnamespace
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""

TABLES = {rollup.table for rollup in ROLLUPS}

# A part of all tenants' records moves by a day, to another owner and stage, and to another company.
CHANGES = """
UPDATE deals SET created_at = created_at + interval '1 day', expected_close = expected_close + 1 + (id % 30)::int,
       owner_id = tenant_id * 1000000 + 1 + id % 12,
       stage_id = (SELECT s.id FROM stages s WHERE s.tenant_id = deals.tenant_id AND s.pipeline_id = deals.pipeline_id
                                              AND s.position = 1 + deals.id % 4)
 WHERE id % 20 = {part} * 5 AND created_day > '2022-02-01' AND outcome = 'open';
UPDATE deals SET closed_at = closed_at + interval '1 day', amount = amount + 1,
       company_id = (SELECT c.id FROM companies c WHERE c.tenant_id = deals.tenant_id AND c.id > deals.company_id
                      ORDER BY c.id LIMIT 1)
 WHERE id % 20 IN ({part} + 1, {part} + 11) AND outcome <> 'open';
UPDATE deal_stage_history SET moved_day = moved_day + 1 WHERE id % 30 = {part};
UPDATE activities SET occurred_at = occurred_at + interval '1 day' WHERE id % 30 = {part};
UPDATE companies SET created_at = created_at + interval '1 day' WHERE id % 10 = {part};
UPDATE tasks SET due_at = due_at + interval '1 day' WHERE id % 25 = {part} * 5;
"""


@pytest.fixture(scope="session")
async def medium(postgres: EmbeddedPostgres, template: str) -> Database:
    """A hundred tenants, 200 000 deals, 600 000 activities; analyzed."""
    database = await fresh_database(postgres, template)
    loader = await as_superuser(database)
    try:
        # Only a superuser may pause triggers and foreign keys; indexes built afterwards take half the time.
        indexes = await loader.fetch(INDEXES)
        await loader.execute("".join(f"DROP INDEX {index['name']};" for index in indexes))
        await loader.execute(";".join(f"ALTER TABLE {table.name} DISABLE TRIGGER rollup_insert" for table in TABLES))
        await loader.execute(MEDIUM)
        await loader.execute(";".join(f"ALTER TABLE {t.name} ENABLE ALWAYS TRIGGER rollup_insert" for t in TABLES))
        await loader.execute(";".join(index["definition"] for index in indexes))
        await _fill_and_change(loader)
        await loader.execute("VACUUM ANALYZE")
    finally:
        await loader.close()
    return database


async def _fill_and_change(loader: asyncpg.Connection) -> None:
    """Leaves bases as they are first filled, and behind them thousands of changes, half of them folded."""
    for rollup in ROLLUPS:
        await loader.execute(f"REFRESH MATERIALIZED VIEW {base(rollup)}")
    await loader.execute(CHANGES.format(part=0))
    for rollup in ROLLUPS:
        await fold_rollup(loader, rollup)
    await loader.execute(CHANGES.format(part=1))


@pytest.fixture
async def reader(medium: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the serving role, in a transaction of the largest tenant as the gateway begins it."""
    connection = await asyncpg.connect(medium.gateway_dsn, server_settings={"jit": "off"})
    try:
        await connection.execute(
            f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL app.tenant_id = '{TENANT}'"
        )
        yield connection
    finally:
        await connection.close()


async def as_superuser(database: Database) -> asyncpg.Connection:
    address = database.server.superuser_dsn.rpartition("/")[0]
    return await asyncpg.connect(f"{address}/{database.name}", server_settings={"jit": "off"})
