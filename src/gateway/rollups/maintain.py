"""Folding and refreshing one rollup. Each is one transaction; killed at any instant, all stays exact.

A delta and its change commit together, so every snapshot sees both or neither. Folding moves deltas into pending within
one statement. A refresh recomputes the base from one REPEATABLE READ snapshot and drops what that snapshot saw of
deltas and of what is pending: nobody else may read either of them, each rollup has its own.
What the registry is told is told afterwards, on its own: a refresh of minutes must not fail over a note.
"""

import asyncpg

from gateway.rollups.audit import Audit, compare, live_sums
from gateway.rollups.declaration import Rollup
from gateway.rollups.locking import locked
from gateway.rollups.names import REGISTRY, base, columns, delta, pending
from gateway.rollups.registry import record_fold, record_refresh
from gateway.rollups.render import fold

# Where statistics of other roles may not be read, their snapshots are not seen.
OLDER_SNAPSHOT = f"""
SELECT EXISTS (SELECT FROM pg_stat_activity JOIN {REGISTRY} ON name = $1
                WHERE xact_start <= last_refresh AND coalesce(backend_xmin, backend_xid) IS NOT NULL
                  AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND datname = current_database())
"""


async def has_deltas(worker: asyncpg.Connection, rollup: Rollup, *, more_than: int = 0) -> bool:
    """Whether there is anything to fold, or so much."""
    return bool(await worker.fetchval(f"SELECT EXISTS (SELECT FROM {delta(rollup)} OFFSET $1)", more_than))


async def fold_rollup(worker: asyncpg.Connection, rollup: Rollup) -> int:
    """Moves the deltas into pending; gives how many there were."""
    async with locked(worker, rollup, "READ COMMITTED"):
        deltas = int(await worker.fetchval(fold(rollup)))
    if deltas:
        await record_fold(worker, rollup)
    return deltas


async def refresh_rollup(worker: asyncpg.Connection, rollup: Rollup) -> Audit:
    """Recomputes the base and drops the deltas and what is pending; what readers saw is compared with what they see."""
    async with locked(worker, rollup, "REPEATABLE READ"):
        await worker.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        await worker.execute(f"CREATE TEMP TABLE remembered ON COMMIT DROP AS {live_sums(rollup)}")
        await worker.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {base(rollup)}")
        await worker.execute(f"DELETE FROM {pending(rollup)}")
        await worker.execute(f"DELETE FROM {delta(rollup)}")
        seen, truth = (f"SELECT {columns(rollup)} FROM {name}" for name in ("pg_temp.remembered", base(rollup)))
        audit = await compare(worker, rollup, seen, truth)
    # To VACUUM, rows of a commit that is not on disk yet are not visible to all: this one takes the refresh along.
    async with worker.transaction():
        await worker.execute("SET LOCAL synchronous_commit = on")
        await record_refresh(worker, rollup, audit.groups, audit.differing)
    return audit


async def vacuum_rollup(worker: asyncpg.Connection, rollup: Rollup) -> bool:
    """Cleans up after a refresh and marks the base's pages as visible to all, so that an index alone answers of them.

    Gives whether it could do all of it: not so while somebody holds a snapshot from before the refresh.
    """
    hindered = await worker.fetchval(OLDER_SNAPSHOT, rollup.name)
    # Truncating a file waits for writers and readers, seconds each: autovacuum may, which gives way.
    await worker.execute(f"VACUUM (ANALYZE, TRUNCATE false) {base(rollup)}, {pending(rollup)}, {delta(rollup)}")
    return not hindered
