"""A tenant in a database of its own, and ways to disturb it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from gateway.commands.add_member import NewMember, add_member
from gateway.commands.create_tenant import NewTenant, create_tenant
from tests.conftest import Database

MEMBER = "ann@acme.test"


async def found_acme(database: Database) -> None:
    """Tenant `acme` with one member, a viewer."""
    async with database.as_owner() as owner:
        await create_tenant(owner, NewTenant("acme", "Acme", "enterprise"))
        await add_member(owner, NewMember("acme", MEMBER, "Ann", "viewer"))


@asynccontextmanager
async def locked(database: Database, table: str) -> AsyncIterator[asyncpg.Connection]:
    """Nobody else reads the table until the block ends; what it wrote is committed then."""
    async with database.as_owner() as owner, owner.transaction():
        await owner.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield owner


async def waiting_for_a_lock(database: Database) -> int:
    """How many statements of the gateway wait for a lock."""
    superuser = await asyncpg.connect(database.server.superuser_dsn)
    try:
        sql = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = $1 AND usename = 'gateway' AND wait_event_type = 'Lock'"
        )
        return int(await superuser.fetchval(sql, database.name))
    finally:
        await superuser.close()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Returns when it holds; raises TimeoutError when it does not in time."""
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.02)


async def until_waiting(database: Database, statements: int = 1) -> None:
    async def holds() -> bool:
        return await waiting_for_a_lock(database) == statements

    await until(holds)
