"""The checks: in one snapshot, what readers see against the truth. Each rollup compared is one check."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from gateway.rollups.audit import compare, live_sums
from gateway.rollups.declaration import Rollup
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.names import key_columns, live
from gateway.rollups.render import raw, sums
from tests.stress.ground import Ground
from tests.stress.tally import Tally
from tests.stress.totals import TOTALS

SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot()"


@asynccontextmanager
async def snapshot(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """A transaction whose snapshot is taken now, without touching a table."""
    await connection.execute(SNAPSHOT)
    try:
        yield
    finally:
        await connection.execute("ROLLBACK")


async def check_all_tenants(owner: asyncpg.Connection, rollup: Rollup, tally: Tally) -> None:
    """Every group of every tenant, in one statement."""
    found = await compare(owner, rollup, live_sums(rollup), raw(rollup))
    _count(tally, rollup, found.listed)


async def check_totals(owner: asyncpg.Connection, rollup: Rollup, tally: Tally) -> None:
    """The total of each measure, against SQL written by hand."""
    seen = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in rollup.measures)
    live_row, true_row = await owner.fetch(
        f"SELECT 1 AS side, {seen} FROM ({live_sums(rollup)}) AS groups "
        f"UNION ALL SELECT 2, t.* FROM ({TOTALS[rollup.name]}) AS t ORDER BY side"
    )
    different = [name for name in rollup.measures if live_row[name] != true_row[name]]
    _count(tally, rollup, [(name, live_row[name], true_row[name]) for name in different])


async def check_tenant(gateway: asyncpg.Connection, rollup: Rollup, tenant: int, tally: Tally) -> None:
    """The live view itself, as the serving role reads it."""
    await gateway.execute(f"SET LOCAL app.tenant_id = {tenant}")
    seen = f"SELECT {key_columns(rollup)}, {sums(rollup)} FROM {live(rollup)} GROUP BY {key_columns(rollup)}"
    _count(tally, rollup, (await compare(gateway, rollup, seen, raw(rollup))).listed)


async def check(ground: Ground, dice: random.Random, tally: Tally) -> None:
    """Compares everything in one snapshot after another until cancelled."""
    async with _connected(ground.database.owner_dsn) as owner, _connected(ground.database.gateway_dsn) as gateway:
        while True:
            async with snapshot(owner):
                for rollup in dice.sample(ROLLUPS, len(ROLLUPS)):
                    await check_all_tenants(owner, rollup, tally)
                    await check_totals(owner, rollup, tally)
            async with snapshot(gateway):
                for rollup in dice.sample(ROLLUPS, len(ROLLUPS)):
                    await check_tenant(gateway, rollup, dice.choice(ground.tenants), tally)
            await asyncio.sleep(dice.uniform(0, 0.5))  # the others need the processors, too


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


def _count(tally: Tally, rollup: Rollup, differences: Sequence[object]) -> None:
    tally.checks += 1
    if differences:
        tally.wrong.append(f"{rollup.name}: {differences[0]}")
