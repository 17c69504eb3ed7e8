"""Every change of what an answer can read is told of: to whom it concerns, once a transaction, whoever makes it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import Database, fresh_database
from tests.notices import Listener, listening
from tests.postgres.catalogue import READABLE_TABLES
from tests.postgres.promises import NOT_TOLD_OF
from tests.tenancy.twins import TENANTS, add_tenant

XID = "SELECT pg_current_xact_id()::text"
ADD_PRODUCT = "INSERT INTO products (tenant_id, id, name) SELECT 2, max(id) + 1, gen_random_uuid()::text FROM products"
REMOVE_PRODUCT = "DELETE FROM products WHERE tenant_id = 2 AND id = (SELECT max(id) FROM products)"
ADD_OPERATION = "INSERT INTO operations (tenant_id, id, member_id, action) VALUES ($1, gen_random_uuid(), 1, 'test')"


@pytest.fixture(scope="module")
async def twins(postgres: EmbeddedPostgres, template: str) -> Database:
    """Tenants 1, 2 and 3, each with records of all kinds. What tests write is rolled back or belongs to nobody else."""
    database = await fresh_database(postgres, template)
    async with database.as_owner() as owner:
        assert [await add_tenant(owner, slug) for slug in TENANTS] == [1, 2, 3]
    return database


@pytest.fixture
async def owner(twins: Database) -> AsyncIterator[asyncpg.Connection]:
    async with twins.as_owner() as owner:
        yield owner


@pytest.fixture
async def notices(twins: Database) -> AsyncIterator[Listener]:
    connection = await asyncpg.connect(twins.gateway_dsn)
    async with listening(connection) as listener:
        yield listener
    await connection.close()


async def test_each_readable_table_tells_each_tenant_of_its_changes(
    owner: asyncpg.Connection, notices: Listener
) -> None:
    tables = [(name, key) for name, key in await owner.fetch(READABLE_TABLES) if name not in NOT_TOLD_OF]
    assert len(tables) > 10
    for name, key in tables:
        async with owner.transaction():
            xid = await owner.fetchval(XID)
            await owner.execute(f"UPDATE {name} SET {key} = {key} WHERE {key} IN (1, 3)")
        told = [notice for notice in sorted(await notices.told()) if f":{name}:" in notice]
        assert told == [f"1:{name}:{xid}", f"3:{name}:{xid}"]


async def test_a_tenants_own_terms_are_told_to_it_alone(owner: asyncpg.Connection, notices: Listener) -> None:
    async with owner.transaction():
        xid = await owner.fetchval(XID)
        await owner.execute("UPDATE tenant_terms SET page_size = 50 WHERE tenant_id = 2")
    assert await notices.told() == [f"2:tenant_terms:{xid}"]


async def test_a_plan_is_told_to_every_tenant(owner: asyncpg.Connection, notices: Listener) -> None:
    async with owner.transaction():
        xid = await owner.fetchval(XID)
        await owner.execute("UPDATE plans SET page_size = 50 WHERE name = 'standard'")
    assert await notices.told() == [f"*:plans:{xid}"]


async def test_adding_changing_and_removing_a_record_are_told_of_once_a_transaction(
    owner: asyncpg.Connection, notices: Listener
) -> None:
    xids = []
    for statement in (ADD_PRODUCT, "UPDATE products SET series = 'G'", REMOVE_PRODUCT):
        async with owner.transaction():
            xids.append(await owner.fetchval(XID))
            for _ in range(2):
                async with owner.transaction():
                    await owner.execute(statement)
    added, changed, removed = xids
    everybody = [f"{tenant}:products:{changed}" for tenant in (1, 2, 3)]
    assert sorted(await notices.told()) == sorted([f"2:products:{added}", *everybody, f"2:products:{removed}"])


async def test_a_record_that_changes_hands_is_told_to_both(owner: asyncpg.Connection, notices: Listener) -> None:
    async with owner.transaction():
        xid = await owner.fetchval(XID)
        await owner.execute("INSERT INTO contacts (tenant_id, id, name) VALUES (1, 7777, 'Roamer')")
        await owner.execute("UPDATE contacts SET tenant_id = 3 WHERE id = 7777")
    assert sorted(await notices.told()) == [f"1:contacts:{xid}", f"3:contacts:{xid}"]


async def test_what_is_rolled_back_or_touches_no_row_is_not_told_of(
    owner: asyncpg.Connection, notices: Listener
) -> None:
    undone = owner.transaction()
    await undone.start()
    await owner.execute(ADD_PRODUCT)
    await undone.rollback()
    async with owner.transaction():
        for change in ("UPDATE members SET name = 'x'", "DELETE FROM tasks", "INSERT INTO stages SELECT * FROM stages"):
            await owner.execute(f"{change} WHERE false")
        assert await owner.fetchval("SELECT pg_current_xact_id_if_assigned()") is None
    assert sorted(await notices.told()) == []


async def test_what_the_gateway_itself_writes_is_told_of(twins: Database, notices: Listener) -> None:
    gateway = await asyncpg.connect(twins.gateway_dsn)
    try:
        async with gateway.transaction():
            await gateway.execute("SET LOCAL app.tenant_id = '2'")
            await gateway.execute(ADD_OPERATION, 2)
            xid = await gateway.fetchval(XID)
    finally:
        await gateway.close()
    assert sorted(await notices.told()) == [f"2:operations:{xid}"]


async def test_emptying_a_table_is_told_to_every_tenant(owner: asyncpg.Connection, notices: Listener) -> None:
    async with owner.transaction():
        xid = await owner.fetchval(XID)
        await owner.execute("TRUNCATE deal_products")
    assert set(await notices.told()) >= {f"*:deal_products:{xid}"}


@pytest.mark.parametrize("table", ["tenants", "members", "contacts", "pipelines", "stages"])
async def test_no_table_with_rollups_is_emptied_along_with_another(owner: asyncpg.Connection, table: str) -> None:
    with pytest.raises(asyncpg.FeatureNotSupportedError, match="would leave its rollups wrong"):
        await owner.execute(f"TRUNCATE {table} CASCADE")
