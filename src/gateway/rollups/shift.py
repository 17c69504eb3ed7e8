"""A worker's work on one connection: it listens, folds, refreshes, and asks nothing of an idle database."""

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import asyncpg

from gateway.observe import Observer, RollupFolded, RollupRefreshed
from gateway.rollups.declaration import Rollup
from gateway.rollups.maintain import fold_rollup, has_deltas, vacuum_rollup
from gateway.rollups.names import CHANNEL
from gateway.rollups.pace import Nightly, Pace
from gateway.rollups.refreshing import refresh
from gateway.rollups.registry import Pending, read_pending, read_registry

LOST = (
    *(OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError),
    *(asyncpg.AdminShutdownError, asyncpg.CrashShutdownError),
    asyncpg.InternalClientError,  # what asyncpg may say of a session that was terminated while it was idle
)
"""Errors of a connection, not of what was asked on it."""

# Where statistics of other roles may not be read, their snapshots are not seen.
OLDEST_SNAPSHOT = """
SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity
 WHERE backend_xmin IS NOT NULL AND backend_type = 'client backend' AND pid <> pg_backend_pid()
   AND datname = current_database()
"""


@dataclass
class _Tended:
    """What the worker knows of one rollup: whether it changed, must be refreshed whatever changed, waits after failing.

    `at_most`: what is pending, or more; None when it has to be asked. `vacuum_at`: when it wants a vacuum, which was
    tried `vacuums` times since the refresh.
    """

    rollup: Rollup
    changed: bool = True  # what was left before anybody listened
    nightly: bool = False
    restored: bool = False
    at_most: Pending | None = None
    failures: int = 0
    not_before: float = 0.0
    vacuums: int = 0
    vacuum_at: float = math.inf

    def due_at(self) -> float:
        """When there is something to do, by the monotonic clock; never, where there is nothing."""
        wanted = self.changed or self.nightly or self.restored
        return max(self.not_before, -math.inf if wanted else self.vacuum_at)


class Shift:
    """The work on one connection, from taking the turn to losing the connection."""

    def __init__(
        self, connection: asyncpg.Connection, rollups: Sequence[Rollup], observer: Observer, pace: Pace
    ) -> None:
        self._connection = connection
        self._tended = [_Tended(rollup) for rollup in rollups]
        self._observer = observer
        self._pace = pace
        self._nightly = Nightly(pace.nightly_hour)
        self._woken = asyncio.Event()

    async def work(self) -> None:
        """Raises what asyncpg raises when the connection is lost."""
        await self._connection.add_listener(CHANNEL, self._hear)
        self._connection.add_termination_listener(lambda *_: self._woken.set())
        restored = {kept.name for kept in await read_registry(self._connection) if kept.restored}
        for tended in self._tended:
            tended.restored = tended.rollup.name in restored
        while True:
            self._woken.clear()
            if self._nightly.has_come():
                for tended in self._tended:
                    tended.nightly = True
            now = time.monotonic()
            due = [tended for tended in self._tended if tended.due_at() <= now]
            if due:
                deltas = max([await self._try(tended) for tended in due])
                await asyncio.sleep(await self._pause_seconds(deltas))
            else:
                await self._until_something()
            if self._connection.is_closed():
                raise ConnectionResetError("the connection was closed")

    def _hear(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        """`tenant:table:xid`, once for each transaction that changed a table."""
        table = payload.partition(":")[2].partition(":")[0]
        for tended in self._tended:
            if tended.rollup.table.name == table:
                tended.changed = True
                self._woken.set()

    async def _until_something(self) -> None:
        """Until a change, the night, or another try of what failed."""
        retries = [tended.due_at() - time.monotonic() for tended in self._tended]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), max(0.0, min([self._nightly.seconds_left(), *retries])))

    async def _try(self, tended: _Tended) -> int:
        """How many deltas were folded. A rollup that fails is put off; the others go on."""
        tended.changed = False
        try:
            deltas = await self._tend(tended)
        except LOST:
            raise
        except asyncpg.PostgresError as error:
            self._put_off(tended, error)
            return 0
        tended.failures, tended.not_before = 0, 0.0
        return deltas

    def _put_off(self, tended: _Tended, error: asyncpg.PostgresError) -> None:
        tended.changed, tended.at_most = True, None
        tended.failures += 1
        wait_seconds = self._pace.backoff_seconds(tended.failures)
        tended.not_before = time.monotonic() + wait_seconds
        context = {"rollup": tended.rollup.name, "retry_seconds": wait_seconds}
        if isinstance(error, asyncpg.LockNotAvailableError):
            self._observer.log.info("rollup is locked by another session: put off", **context)
        else:
            self._observer.fault("rollup cannot be kept", error=error, **context)

    async def _tend(self, tended: _Tended) -> int:
        """Folds and refreshes one rollup as it needs."""
        deltas = 0
        if await has_deltas(self._connection, tended.rollup):
            deltas = await self._fold(tended.rollup)
        if tended.at_most is not None:
            tended.at_most = replace(tended.at_most, groups=tended.at_most.groups + deltas)
        if tended.at_most is None or tended.nightly or self._pace.enough(tended.at_most):
            tended.at_most = await read_pending(self._connection, tended.rollup)
        wanted = self._pace.enough(tended.at_most) or (tended.nightly and tended.at_most.groups > 0)
        if wanted or tended.restored:
            await self._refresh(tended)
            tended.at_most = None
            tended.vacuums, tended.vacuum_at = 0, 0.0
        tended.nightly = tended.restored = False
        if tended.vacuum_at <= time.monotonic():
            await self._vacuum(tended)
        return deltas

    async def _fold(self, rollup: Rollup) -> int:
        begun = time.perf_counter()
        deltas = await fold_rollup(self._connection, rollup)
        self._observer.folded(RollupFolded(rollup.name, deltas, time.perf_counter() - begun))
        return deltas

    async def _refresh(self, tended: _Tended) -> None:
        if tended.restored:
            self._observer.log.warning("rollup was restored from a dump: refreshing it", rollup=tended.rollup.name)
        begun = time.perf_counter()
        audit = await refresh(self._connection, tended.rollup)
        self._observer.refreshed(RollupRefreshed(tended.rollup.name, audit.groups, time.perf_counter() - begun))
        audit.report(self._observer, tended.rollup)

    async def _vacuum(self, tended: _Tended) -> None:
        """While somebody holds a snapshot from before the refresh, it has to be done again: less and less often."""
        complete = await vacuum_rollup(self._connection, tended.rollup)
        tended.vacuums += 1
        wait_seconds = math.inf if complete else self._pace.backoff_seconds(tended.vacuums)
        tended.vacuum_at = time.monotonic() + wait_seconds

    async def _pause_seconds(self, deltas: int) -> float:
        """Until the next fold, so that it finds about `fold_deltas`, and at most `fold_seconds`."""
        age_seconds = await self._connection.fetchval(OLDEST_SNAPSHOT)
        if age_seconds >= self._pace.old_snapshot_seconds:
            self._observer.log.warning("an old snapshot is held: folding less often", age_seconds=round(age_seconds))
            return self._pace.patient_fold_seconds
        return self._pace.fold_seconds * min(1.0, self._pace.fold_deltas / max(deltas, 1))
