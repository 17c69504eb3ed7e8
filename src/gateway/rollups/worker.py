"""The worker: folds what changes about once a second, refreshes what has changed enough, and does nothing when idle.

However many run, one acts at a time: the one that holds an advisory lock. It may be killed at any instant.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from gateway.observe import Observer
from gateway.rollups.declaration import Rollup
from gateway.rollups.pace import Pace
from gateway.rollups.session import worker_session
from gateway.rollups.shift import LOST, Shift

__all__ = ["ADVISORY_LOCK", "LOST", "Pace", "Worker"]

ADVISORY_LOCK = 7_203_045_118
LOCK_TIMEOUT_SECONDS = 2

SHUT_OUT = (
    *(asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError),
    asyncpg.InsufficientPrivilegeError,
)
"""Errors that waiting does not mend."""


@dataclass
class Worker:
    """Works on one connection and listens on it: an idle database is not asked anything."""

    dsn: str
    revision: str
    rollups: Sequence[Rollup]
    observer: Observer
    pace: Pace = field(default_factory=Pace)

    async def run(self) -> None:
        """Works until cancelled; a lost database is waited for.

        Raises ConfigurationError for a role or a database that it cannot work with, and asyncpg's error for one that
        does not let it in.
        """
        failures = 0
        while True:
            begun = time.monotonic()
            try:
                await self._session()
            except SHUT_OUT:
                raise
            except (*LOST, asyncpg.PostgresError) as error:
                # A session that held for long was no failure.
                failures = 1 if time.monotonic() - begun > self.pace.retry_seconds_limit else failures + 1
                wait_seconds = self.pace.backoff_seconds(failures)
                reason = str(error) or type(error).__name__
                self.observer.log.warning("worker has no database", error=reason, retry_seconds=wait_seconds)
                await asyncio.sleep(wait_seconds)

    async def _session(self) -> None:
        limits = {"lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s", "application_name": "gateway worker"}
        async with worker_session(self.dsn, self.revision, **limits) as connection:
            await self._take_turn(connection)
            self.observer.log.info("worker acts", rollups=len(self.rollups))
            await Shift(connection, self.rollups, self.observer, self.pace).work()

    async def _take_turn(self, connection: asyncpg.Connection) -> None:
        """Returns when no other worker acts. Asked for, not waited for: a statement that waits holds a snapshot."""
        stands_by = False
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", ADVISORY_LOCK):
            if not stands_by:
                self.observer.log.info("worker stands by: another one acts")
            stands_by = True
            await asyncio.sleep(self.pace.standby_seconds)
