import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.demo.load import load_demo
from gateway.demo.shape import Size, tenant_specs
from gateway.postgres.bootstrap import RolePasswords, bootstrap
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.migrate import migrate
from tests.servers import postgres_server

ANCHOR = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
PASSWORD = "demo"
HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"

TABLES = {
    "tenants": "id",
    "members": "id",
    "companies": "id",
    "contacts": "id",
    "pipelines": "id",
    "stages": "id",
    "products": "id",
    "deals": "id",
    "deal_products": "deal_id, product_id",
    "deal_stage_history": "id",
    "activities": "id",
    "tasks": "id",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with postgres_server(tmp_path_factory.mktemp("demo")) as it:
        yield it


async def migrated(server: EmbeddedPostgres, database: str) -> str:
    """A fresh database's DSN of the role `owner`."""
    passwords = RolePasswords(owner=PASSWORD, worker=PASSWORD, gateway=PASSWORD)
    await bootstrap(server.superuser_dsn, database=database, passwords=passwords)
    dsn = server.dsn("owner", PASSWORD, database)
    await migrate(dsn)
    return dsn


@pytest.fixture(scope="module")
async def small(server: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the small demo."""
    dsn = await migrated(server, "small")
    await load_demo(dsn, Size.SMALL, anchor=ANCHOR, password_hash=HASH)
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def fingerprint(connection: asyncpg.Connection) -> dict[str, str]:
    """A digest of each table's rows, but for the subjects, which are random."""
    digests = {}
    for table, key in TABLES.items():
        rows = await connection.fetch(f"SELECT to_jsonb(t) - 'subject' FROM {table} t ORDER BY tenant_id, {key}")
        digests[table] = hashlib.sha256("\n".join(row[0] for row in rows).encode()).hexdigest()
    return digests


async def counts(connection: asyncpg.Connection) -> dict[str, int]:
    return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}


async def rows(connection: asyncpg.Connection, query: str, *arguments: object) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(query, *arguments)]
