"""Folds, refreshes and repairs of one rollup take turns. No reader and no writer waits for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from gateway.rollups.declaration import Rollup
from gateway.rollups.names import pending


@asynccontextmanager
async def locked(worker: asyncpg.Connection, rollup: Rollup, isolation: str) -> AsyncIterator[None]:
    """A transaction that holds the rollup's lock: its pending table, which nobody else writes."""
    # LOCK takes no snapshot, so the transaction's snapshot is younger than the lock; before it, only SET may run.
    try:
        await worker.execute(f"BEGIN ISOLATION LEVEL {isolation}; LOCK TABLE {pending(rollup)} IN EXCLUSIVE MODE")
        yield
    except BaseException:
        # Where the connection is lost, what went wrong first is what counts, a cancellation above all.
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            await worker.execute("ROLLBACK")
        raise
    await worker.execute("COMMIT")
