"""A database with enough rows for plans to be those of production."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import Database, fresh_database
from tests.plans.listed import TENANT

MEDIUM = Path(__file__).with_name("medium.sql").read_text(encoding="utf-8")

INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
 WHERE relnamespace = 'public'::regnamespace
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
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
        await loader.execute(MEDIUM)
        await loader.execute(";".join(index["definition"] for index in indexes))
        await loader.execute("VACUUM ANALYZE")
    finally:
        await loader.close()
    return database


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
