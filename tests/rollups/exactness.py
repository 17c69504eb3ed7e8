"""Comparing live views with the truth, in the transaction that a connection is in."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from gateway.rollups.declaration import Rollup
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.names import key_columns, live
from gateway.rollups.render import raw, sums

Groups = dict[str, list[dict[str, Any]]]


def seen(rollup: Rollup) -> str:
    """What readers sum of the live view, groups of nothing but zeros left out."""
    not_zero = " OR ".join(f"sum({name}) <> 0" for name in rollup.measures)
    keys = key_columns(rollup)
    return f"SELECT {keys}, {sums(rollup)} FROM {live(rollup)} GROUP BY {keys} HAVING {not_zero} ORDER BY {keys}"


def true(rollup: Rollup, where: str) -> str:
    """The aggregate of the table itself, groups of nothing but zeros left out."""
    not_zero = " OR ".join(f"{name} <> 0" for name in rollup.measures)
    return f"SELECT * FROM ({raw(rollup, where)}) AS truth WHERE {not_zero} ORDER BY {key_columns(rollup)}"


async def live_groups(connection: asyncpg.Connection, rollup: Rollup, tenant_id: int) -> list[dict[str, Any]]:
    """The groups of one tenant, as a reader of that tenant sums them."""
    await connection.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant_id))
    return [dict(row) for row in await connection.fetch(seen(rollup))]


async def assert_exact(owner: asyncpg.Connection, rollups: Sequence[Rollup] = ROLLUPS) -> None:
    """Each live view equals the aggregate of its table, for each tenant, and there is something to compare."""
    tenants = [row["id"] for row in await owner.fetch("SELECT id FROM tenants ORDER BY id")]
    assert tenants
    for rollup in rollups:
        wanted = {
            tenant: [dict(row) for row in await owner.fetch(true(rollup, "tenant_id = $1"), tenant)]
            for tenant in tenants
        }
        assert {tenant: await live_groups(owner, rollup, tenant) for tenant in tenants} == wanted, rollup.name
        assert any(wanted.values()), f"{rollup.name} has nothing to compare"


async def until(connection: asyncpg.Connection, condition: str) -> None:
    """Waits until the database says so."""
    while not await connection.fetchval(condition):
        await connection.execute("SELECT pg_sleep(0.01)")
