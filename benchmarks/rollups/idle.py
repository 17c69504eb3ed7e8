"""Whether a worker asks anything of a database in which nothing changes."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from benchmarks.rollups.subject import connected
from benchmarks.servers import worker
from gateway.settings import Settings

QUIET_SECONDS = 10.0
SETTLED_SECONDS = 3.0
SETTLE_LIMIT_SECONDS = 120.0
POLL_SECONDS = 0.25

LAST_STATEMENT = """
SELECT query_start, extract(epoch FROM clock_timestamp() - query_start)::float8 AS age_seconds FROM pg_stat_activity
 WHERE application_name = 'gateway worker' AND datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Idle:
    """`statements`: of a running worker in so many seconds without a change."""

    seconds: float
    statements: int


async def count_statements(settings: Settings, log: Path) -> Idle:
    """Raises RuntimeError when the worker does not run, or does not come to rest."""
    with worker(settings, log):
        async with connected(settings, "worker") as observer:
            await _until_settled(observer)
            begun = time.monotonic()
            seen = {(await _last(observer))["query_start"]}
            while time.monotonic() - begun < QUIET_SECONDS:
                await asyncio.sleep(POLL_SECONDS)
                seen.add((await _last(observer))["query_start"])
    return Idle(QUIET_SECONDS, len(seen) - 1)


async def _until_settled(observer: asyncpg.Connection) -> None:
    deadline = time.monotonic() + SETTLE_LIMIT_SECONDS
    while time.monotonic() < deadline:
        row = await observer.fetchrow(LAST_STATEMENT)
        if row and row["age_seconds"] > SETTLED_SECONDS:
            return
        await asyncio.sleep(POLL_SECONDS)
    raise RuntimeError("the worker did not come to rest")


async def _last(observer: asyncpg.Connection) -> asyncpg.Record:
    row = await observer.fetchrow(LAST_STATEMENT)
    if row is None:
        raise RuntimeError("the worker does not run")
    return row
