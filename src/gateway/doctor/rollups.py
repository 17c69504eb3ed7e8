"""The rollups: as declared, at home, without a difference, and kept by a worker?"""

from collections.abc import Iterable
from dataclasses import replace

import asyncpg

from gateway.doctor.finding import Finding
from gateway.rollups.declaration import Rollup
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.difference import Found, difference, find
from gateway.rollups.maintain import has_deltas
from gateway.rollups.registry import Kept, ago, read_pending, read_registry
from gateway.rollups.worker import ADVISORY_LOCK

PILED_UP = 10_000
"""Unfolded changes of a rollup, from which on a worker is missed: it folds about once a second."""

MEND = 'gateway rollups diff | psql --single-transaction "$MIGRATION_DATABASE_URL"'

# Triggers that are there and do not always fire are found by themselves, with a remedy of their own.
SWITCHED_OFF = r"""
SELECT c.relname, substr(t.tgname, 8) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
 WHERE t.tgname LIKE 'rollup\_%' AND t.tgenabled <> 'A' AND c.relnamespace = 'public'::regnamespace
"""
ACTS = """
SELECT EXISTS (SELECT FROM pg_locks
 WHERE locktype = 'advisory' AND granted AND classid::bigint << 32 | objid::bigint = $1
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
SEES_ALL = "SELECT coalesce(pg_has_role(to_regrole('worker'), 'pg_read_all_stats', 'USAGE'), false)"
MAY_LOOK = "SELECT has_schema_privilege('rollup', 'USAGE')"


async def examine_rollups(connections: Iterable[asyncpg.Connection]) -> list[Finding]:
    """Looks through the first connection that may. The schema is of the newest revision."""
    for connection in connections:
        if await connection.fetchval(MAY_LOOK):
            break
    else:
        return [Finding("rollups", "not examined: only the roles owner and worker may look at them")]
    found = await find(connection)
    there = [rollup for rollup in ROLLUPS if found.rollups.get(rollup.name, ("", "incomplete"))[1] != "incomplete"]
    kept = {one.name: one for one in await read_registry(connection)}
    return [
        *await _declared(connection, found),
        *[await _state(connection, rollup, kept[rollup.name]) for rollup in there],
        await _worker(connection, there),
        await _snapshots(connection),
    ]


async def _declared(connection: asyncpg.Connection, found: Found) -> list[Finding]:
    off = {(table, event) for table, event in await connection.fetch(SWITCHED_OFF)}
    reasons = difference(replace(found, triggers=found.triggers | off), ROLLUPS).reasons
    return [Finding("rollups", reason, MEND) for reason in reasons] or [Finding("rollups", "as they are declared")]


async def _state(connection: asyncpg.Connection, rollup: Rollup, kept: Kept) -> Finding:
    subject = f"rollup {rollup.name}"
    if kept.restored:
        observation = "was restored from a dump and not refreshed since: changes of that time may count twice"
        return Finding(subject, observation, "gateway refresh --all   # with WORKER_DATABASE_URL")
    if kept.differing:
        observation = f"{kept.differing} groups were wrong when it was audited {ago(kept.last_audit)}"
        return Finding(
            subject, observation, f"gateway rollups audit {rollup.name} --repair   # with WORKER_DATABASE_URL"
        )
    pending = await read_pending(connection, rollup)
    audited = f"audited {ago(kept.last_audit)}: nothing differed" if kept.last_audit else "not audited yet"
    return Finding(subject, f"{pending.groups} of {pending.base_groups} groups changed since its refresh; {audited}")


async def _worker(connection: asyncpg.Connection, rollups: Iterable[Rollup]) -> Finding:
    acts = await connection.fetchval(ACTS, ADVISORY_LOCK)
    piled_up = [rollup.name for rollup in rollups if await has_deltas(connection, rollup, more_than=PILED_UP)]
    if not piled_up:
        return Finding("worker", "one acts" if acts else "none acts: reads stay exact, and slow down with each change")
    observation = f"{'one acts, but' if acts else 'none acts, and'} changes pile up in {', '.join(piled_up)}"
    return Finding(
        "worker", observation, "gateway worker   # with WORKER_DATABASE_URL; its log tells what keeps it from folding"
    )


async def _snapshots(connection: asyncpg.Connection) -> Finding:
    if await connection.fetchval(SEES_ALL):
        return Finding("old snapshots", "the worker sees those of all roles, and folds less often while one is held")
    return Finding(
        "old snapshots",
        "the worker sees those of its own role only; it is optional: GRANT pg_read_all_stats TO worker;",
    )
