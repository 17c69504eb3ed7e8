"""Readers of old snapshots: what was true when the snapshot was taken is answered as long as it is held."""

import asyncio
import random

import asyncpg

from gateway.rollups.audit import live_sums
from gateway.rollups.declaration import Rollup
from gateway.rollups.declared import ROLLUPS
from tests.stress.checks import check_all_tenants, snapshot
from tests.stress.ground import Ground
from tests.stress.tally import Tally


async def hold(ground: Ground, dice: random.Random, tally: Tally) -> None:
    """Holds one snapshot after another for seconds, comparing again and again, until cancelled."""
    async with ground.database.as_owner() as connection:
        while True:
            async with snapshot(connection):
                # No lock is held on any relation yet: a refresh that replaces files would not wait for this reader.
                await asyncio.sleep(dice.uniform(0, 1))
                await _compare_for(dice.uniform(0.5, 4), connection, dice, tally)


async def _compare_for(seconds: float, connection: asyncpg.Connection, dice: random.Random, tally: Tally) -> None:
    clock = asyncio.get_running_loop().time
    first: dict[str, str] = {}
    until = clock() + seconds
    while clock() < until:
        for rollup in dice.sample(ROLLUPS, 3):
            await check_all_tenants(connection, rollup, tally)
            digest = await _digest(connection, rollup)
            tally.checks += 1
            if first.setdefault(rollup.name, digest) != digest:
                tally.wrong.append(f"{rollup.name}: one snapshot answered twice, and not the same")
        await asyncio.sleep(dice.uniform(0, 0.5))


async def _digest(connection: asyncpg.Connection, rollup: Rollup) -> str:
    """All that a rollup answers, in short."""
    lines = f"SELECT g::text AS line FROM ({live_sums(rollup)}) AS g"
    return str(await connection.fetchval(f"SELECT md5(string_agg(line, ';' ORDER BY line)) FROM ({lines}) AS answered"))
