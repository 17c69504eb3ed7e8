"""Folds, refreshes and repairs of one rollup take turns. No reader and no writer waits for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from gateway.rollups.declaration import Rollup
from gateway.rollups.names import pending


@asynccontextmanager
async def locked(worker: asyncpg.Connection, rollup: Rollup, isolation: str) -> AsyncIterator[None]:
    """A transaction that holds the rollup's lock: its pending table, which nobody else writes."""
    # LOCK takes no snapshot, so the transaction's snapshot is younger than the lock; before it, only SET may run.
    await worker.execute(f"BEGIN ISOLATION LEVEL {isolation}; LOCK TABLE {pending(rollup)} IN EXCLUSIVE MODE")
    try:
        yield
    except BaseException:
        if not worker.is_closed():
            await worker.execute("ROLLBACK")
        raise
    await worker.execute("COMMIT")
