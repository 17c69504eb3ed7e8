from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import asyncpg
import pytest

from gateway.app import create_app
from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import Client, Database, fresh_database, serving
from tests.tenancy.twins import TENANTS, add_tenant

VIEWS = """
SELECT oid::regclass::text, pg_get_viewdef(oid) FROM pg_class
 WHERE relnamespace = 'analytics'::regnamespace AND relkind = 'v'
"""
OWN_FILTER = "tenant_id = app.tenant_id()"


@dataclass(frozen=True)
class Twins:
    """The database of the twins, a copy of it, and each tenant's key by its slug. For reading only."""

    database: Database
    copy: Database
    keys: Mapping[str, int]


@pytest.fixture(scope="session")
async def twins(postgres: EmbeddedPostgres, template: str) -> Twins:
    database = await fresh_database(postgres, template)
    async with database.as_owner() as owner:
        keys = {slug: await add_tenant(owner, slug) for slug in TENANTS}
    return Twins(database, await fresh_database(postgres, database.name), keys)


@pytest.fixture(scope="session")
async def gateway(twins: Twins) -> AsyncIterator[Client]:
    """A caller without a token of a gateway on the twins that takes long documents."""
    settings = twins.database.settings(document_token_limit=20_000, document_field_limit=5_000)
    async with serving(create_app(settings), None) as client:
        yield client


@pytest.fixture
async def gateway_role(twins: Twins) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(twins.database.gateway_dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def unwalled(twins: Twins) -> AsyncIterator[asyncpg.Connection]:
    """The twins without the database's wall: a role that bypasses policies, and views of all tenants."""
    async with twins.copy.as_owner() as owner:
        for name, definition in await owner.fetch(VIEWS):
            assert OWN_FILTER in definition
            open_to_all = definition.replace(OWN_FILTER, "tenant_id IS NOT NULL")
            await owner.execute(f"CREATE OR REPLACE VIEW {name} WITH (security_barrier) AS {open_to_all}")
        yield owner
