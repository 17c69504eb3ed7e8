"""Refreshing as operators and the worker do it: calm about what a dump brought along."""

import asyncpg

from gateway.rollups.audit import Audit
from gateway.rollups.declaration import Rollup
from gateway.rollups.maintain import refresh_rollup, vacuum_rollup
from gateway.rollups.names import delta
from gateway.rollups.registry import read_pending, read_registry, record_audit


async def refresh(worker: asyncpg.Connection, rollup: Rollup) -> Audit:
    """Refreshes one rollup and gives what it found wrong; its tables want a vacuum then.

    Out of a dump, the base holds what is pending already: that it counted twice until now is no alarm.
    """
    restored = {kept.name for kept in await read_registry(worker) if kept.restored}
    audit = await refresh_rollup(worker, rollup)
    if rollup.name not in restored:
        return audit
    await record_audit(worker, rollup, 0)
    return Audit(audit.groups, 0, [])


async def refresh_and_vacuum(worker: asyncpg.Connection, rollup: Rollup) -> Audit:
    """The same, and a vacuum as far as snapshots of others let it."""
    audit = await refresh(worker, rollup)
    await vacuum_rollup(worker, rollup)
    return audit


async def waiting(worker: asyncpg.Connection, rollup: Rollup) -> int:
    """How much waits for a refresh: groups that changed, and deltas that are not folded yet."""
    pending = await read_pending(worker, rollup)
    return pending.groups + int(await worker.fetchval(f"SELECT count(*) FROM {delta(rollup)}"))
