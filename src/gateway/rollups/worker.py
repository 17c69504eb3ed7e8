"""The worker: folds what is pending about once a second, refreshes what has changed enough, and does nothing when idle.

However many run, one acts at a time: the one that holds an advisory lock. It may be killed at any instant.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg

from gateway.observe import Observer, RollupFolded, RollupRefreshed
from gateway.rollups.declaration import Rollup
from gateway.rollups.maintain import fold_rollup, has_deltas, refresh_rollup
from gateway.rollups.names import CHANNEL
from gateway.rollups.registry import read_pending, read_registry

ADVISORY_LOCK = 7_203_045_118
RETRY_SECONDS = 2.0

OLDEST_SNAPSHOT = """
SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity
 WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """When the worker acts.

    Folds come `fold_seconds` after a change, sooner where more than `fold_deltas` were waiting last; while a snapshot
    older than `old_snapshot_seconds` is held, only every `patient_fold_seconds`, because what a fold removes could not
    be cleaned up. A refresh comes when the groups that changed pass `refresh_share` of the base's, but are at least
    `refresh_groups`, and once a day at `nightly_hour` UTC for what has changed at all.
    """

    fold_seconds: float = 1.0
    fold_deltas: int = 1000
    old_snapshot_seconds: float = 30.0
    patient_fold_seconds: float = 30.0
    refresh_share: float = 0.05
    refresh_groups: int = 1000
    nightly_hour: int = 2


@dataclass
class Worker:
    """Works on one connection and listens on it: an idle database is not asked anything."""

    dsn: str
    rollups: Sequence[Rollup]
    observer: Observer
    pace: Pace = field(default_factory=Pace)

    async def run(self) -> None:
        """Works until cancelled; a lost database is waited for."""
        while True:
            try:
                await self._session()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self.observer.log.warning("worker lost the database", error=str(error), retry_seconds=RETRY_SECONDS)
            await asyncio.sleep(RETRY_SECONDS)

    async def _session(self) -> None:
        connection = await asyncpg.connect(
            self.dsn,
            # A fold that a crash undoes is folded again: no need to wait for the disk.
            server_settings={"application_name": "gateway worker", "synchronous_commit": "off"},
        )
        try:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", ADVISORY_LOCK):
                return  # another one acts; asked again, not waited for: a waiting statement would hold a snapshot
            self.observer.log.info("worker acts")
            await self._refresh_restored(connection)
            await self._work(connection)
        finally:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=2)

    async def _work(self, connection: asyncpg.Connection) -> None:
        changed = asyncio.Event()
        await connection.add_listener(CHANNEL, lambda *_: changed.set())
        connection.add_termination_listener(lambda *_: changed.set())
        changed.set()  # what was left pending before anybody listened
        nightly = _Nightly(self.pace.nightly_hour)
        while not connection.is_closed():
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), nightly.seconds_left())
            changed.clear()
            night = nightly.has_come()
            deltas = [await self._tend(connection, rollup, night=night) for rollup in self.rollups]
            await asyncio.sleep(await self._pause_seconds(connection, max(deltas, default=0)))

    async def _tend(self, connection: asyncpg.Connection, rollup: Rollup, *, night: bool) -> int:
        """Folds and refreshes one rollup as it needs; gives how many deltas there were."""
        deltas = 0
        if await has_deltas(connection, rollup):
            begun = time.perf_counter()
            deltas = await fold_rollup(connection, rollup)
            self.observer.folded(RollupFolded(rollup.name, deltas, time.perf_counter() - begun))
        if deltas or night:
            pending = await read_pending(connection, rollup)
            enough = pending.groups >= self.pace.refresh_groups and pending.share >= self.pace.refresh_share
            if pending.groups and (enough or night):
                await self._refresh(connection, rollup)
        return deltas

    async def _refresh_restored(self, connection: asyncpg.Connection) -> None:
        """Out of a dump, the bases hold what is pending already: it would count twice until the first refresh."""
        restored = {kept.name for kept in await read_registry(connection) if kept.restored}
        for rollup in self.rollups:
            if rollup.name in restored:
                self.observer.log.warning("rollup was restored from a dump: refreshing it", rollup=rollup.name)
                await self._refresh(connection, rollup)

    async def _refresh(self, connection: asyncpg.Connection, rollup: Rollup) -> None:
        begun = time.perf_counter()
        audit = await refresh_rollup(connection, rollup)
        self.observer.refreshed(RollupRefreshed(rollup.name, audit.groups, time.perf_counter() - begun))
        audit.report(self.observer, rollup)

    async def _pause_seconds(self, connection: asyncpg.Connection, deltas: int) -> float:
        """Until the next fold, so that it finds about `fold_deltas`, and at most `fold_seconds`."""
        age_seconds = await connection.fetchval(OLDEST_SNAPSHOT)
        if age_seconds >= self.pace.old_snapshot_seconds:
            self.observer.log.warning("an old snapshot is held: folding less often", age_seconds=round(age_seconds))
            return self.pace.patient_fold_seconds
        return self.pace.fold_seconds * min(1.0, self.pace.fold_deltas / max(deltas, 1))


class _Nightly:
    """Comes once a day, at an hour of UTC."""

    def __init__(self, hour: int) -> None:
        self._hour = hour
        self._next = self._after(datetime.now(UTC))

    def seconds_left(self) -> float:
        return max(0.0, (self._next - datetime.now(UTC)).total_seconds())

    def has_come(self) -> bool:
        now = datetime.now(UTC)
        if now < self._next:
            return False
        self._next = self._after(now)
        return True

    def _after(self, now: datetime) -> datetime:
        today = now.replace(hour=self._hour, minute=0, second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)
