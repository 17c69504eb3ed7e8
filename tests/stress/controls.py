"""Controls: maintenance done wrongly, in ways that look right. The checks must catch each of them.

The same stress runs on them, and tests that arrange the moment at which each goes wrong (`meanwhile`). A refresh that
empties a *shared* L0 is no control here: each rollup has a delta table of its own, so there is nothing shared to drop.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from gateway.rollups.declaration import Rollup
from gateway.rollups.names import base, delta, key_columns, pending
from gateway.rollups.render import add_to_pending, fold, sums

Meanwhile = Callable[[], Awaitable[None]]
"""What others do at the moment where a control is open to them."""

Control = Callable[[asyncpg.Connection, Rollup, Meanwhile], Awaitable[None]]


async def refresh_read_committed(worker: asyncpg.Connection, rollup: Rollup, meanwhile: Meanwhile) -> None:
    """The refresh has a younger snapshot than the fold: a change between them is in the base, and a delta as well."""
    async with _locked(worker, rollup, "READ COMMITTED"):
        await worker.execute(fold(rollup))
        await meanwhile()
        await worker.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {base(rollup)}")
        await worker.execute(f"DELETE FROM {pending(rollup)}")


async def refresh_not_concurrently(worker: asyncpg.Connection, rollup: Rollup, meanwhile: Meanwhile) -> None:
    """The base's file is replaced, its rows frozen: a snapshot from before sees the new base and the old pending."""
    await meanwhile()
    async with _locked(worker, rollup, "REPEATABLE READ"):
        await worker.execute(fold(rollup))
        await worker.execute(f"REFRESH MATERIALIZED VIEW {base(rollup)}")
        await worker.execute(f"DELETE FROM {pending(rollup)}")


async def refresh_with_an_early_snapshot(worker: asyncpg.Connection, rollup: Rollup, meanwhile: Meanwhile) -> None:
    """A snapshot older than the lock: what another one folded in between, this one cannot delete."""
    async with _locked(worker, rollup, "REPEATABLE READ", before=meanwhile):
        await worker.execute(fold(rollup))
        await worker.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {base(rollup)}")
        await worker.execute(f"DELETE FROM {pending(rollup)}")


async def fold_in_two_statements(worker: asyncpg.Connection, rollup: Rollup, meanwhile: Meanwhile) -> None:
    """In READ COMMITTED the second statement sees more than the first: it deletes deltas that nobody folded."""
    async with _locked(worker, rollup, "READ COMMITTED"):
        grouped = f"SELECT {key_columns(rollup)}, {sums(rollup)} FROM {delta(rollup)} GROUP BY {key_columns(rollup)}"
        await worker.execute(add_to_pending(rollup, grouped))
        await meanwhile()
        await worker.execute(f"DELETE FROM {delta(rollup)}")


CONTROLS: tuple[Control, ...] = (
    refresh_read_committed,
    refresh_not_concurrently,
    refresh_with_an_early_snapshot,
    fold_in_two_statements,
)


@asynccontextmanager
async def _locked(
    worker: asyncpg.Connection, rollup: Rollup, level: str, before: Meanwhile | None = None
) -> AsyncIterator[None]:
    await worker.execute(f"BEGIN ISOLATION LEVEL {level}")
    try:
        if before:
            await worker.execute("SELECT pg_advisory_xact_lock_shared(1)")
            await before()
        await worker.execute(f"LOCK TABLE {pending(rollup)} IN EXCLUSIVE MODE")
        yield
    except BaseException:
        await worker.execute("ROLLBACK")
        raise
    await worker.execute("COMMIT")
