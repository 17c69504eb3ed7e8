"""The pool of serving connections: bounded in number and in how long a request waits for one, shared among tenants by
turns.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import asyncpg

from gateway.deadline import Deadline
from gateway.errors import DatabaseUnavailableError, NoPlaceError
from gateway.observe import Observer
from gateway.postgres.faults import as_gateway_error, is_unavailable
from gateway.postgres.places import Places, Share

Done = TypeVar("Done")


class Pool:
    """Connections of role `gateway`. None is opened before it is needed: a process starts without a database.

    Whoever takes one says whose share it is taken from: see `Places`.
    """

    def __init__(
        self, dsn: str, observer: Observer, *, size: int, wait_seconds: float, statement_cache_size: int
    ) -> None:
        self._dsn = dsn
        self._observer = observer
        self._size = size
        self._wait_seconds = wait_seconds
        self._statement_cache_size = statement_cache_size
        self._pool: asyncpg.Pool | None = None
        self._places = Places(size)
        self._taken: dict[asyncpg.Connection, tuple[Share, bool]] = {}
        self._reachable = True

    async def open(self) -> None:
        """Makes the pool on the running event loop."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=self._size,
            statement_cache_size=self._statement_cache_size,
            # Whatever a transaction sets is SET LOCAL, so a returned connection has nothing to reset.
            reset=_nothing_to_reset,
            server_settings={"application_name": "gateway", "jit": "off"},
        )

    async def close(self) -> None:
        await self._opened().close()

    def busy(self) -> int:
        return int(self._pool.get_size() - self._pool.get_idle_size()) if self._pool else 0

    def idle(self) -> int:
        return int(self._pool.get_idle_size()) if self._pool else 0

    def waiting(self) -> int:
        return self._places.waiting

    async def acquire(
        self,
        share: Share,
        deadline: Deadline,
        begin: Callable[[asyncpg.Connection], Awaitable[Done]],
        *,
        writing: bool = False,
    ) -> tuple[asyncpg.Connection, Done]:
        """A connection on which `begin` succeeded, and what that returned.

        A connection that died in the pool is replaced once, unseen. Raises TENANT_BUSY, POOL_EXHAUSTED,
        DATABASE_UNAVAILABLE, DEADLINE_EXCEEDED or what is a fault of ours; no connection stays taken then.
        """
        connection = await self._acquire(share, deadline, writing=writing)
        try:
            return connection, await self._begin(connection, deadline, begin)
        except DatabaseUnavailableError:
            connection = await self._acquire(share, deadline, writing=writing)
            return connection, await self._begin(connection, deadline, begin)

    async def release(self, connection: asyncpg.Connection) -> None:
        """Gives a connection back, and its place. Said twice, it is done once."""
        try:
            await self._opened().release(connection)
        finally:
            if (taken := self._taken.pop(connection, None)) is not None:
                share, writing = taken
                self._places.give_back(share, writing=writing)

    async def discard(self, connection: asyncpg.Connection) -> None:
        """Gives back a connection that nobody is to use again."""
        with suppress(asyncpg.InterfaceError):  # closed by the server, it is back already
            connection.terminate()
        await self.release(connection)

    async def run(
        self, share: Share, deadline: Deadline, work: Callable[[asyncpg.Connection], Awaitable[Done]]
    ) -> Done:
        """What statements that stand alone, outside any tenant, return. Raises as `acquire` does."""
        connection, done = await self.acquire(share, deadline, work)
        await self.release(connection)
        return done

    async def _acquire(self, share: Share, deadline: Deadline, *, writing: bool) -> asyncpg.Connection:
        pool = self._opened()
        await self._take_place(share, deadline, writing=writing)
        try:
            connection = await pool.acquire(timeout=min(self._wait_seconds, deadline.left_seconds()))
        except BaseException as error:
            self._places.give_back(share, writing=writing)
            # There is a connection for each place: the wait was for the database to accept one.
            if isinstance(error, TimeoutError) or is_unavailable(error):
                self._reachable = False
                raise DatabaseUnavailableError() from error
            raise
        self._reachable = True
        self._taken[connection] = share, writing
        return connection

    async def _take_place(self, share: Share, deadline: Deadline, *, writing: bool) -> None:
        wait_seconds, begun = min(self._wait_seconds, deadline.left_seconds()), time.perf_counter()
        try:
            await self._places.take(share, wait_seconds, writing=writing)
        except NoPlaceError as refusal:
            # Those who have a place may be waiting for the database.
            error = refusal if self._reachable else DatabaseUnavailableError()
            self._observer.place_refused(error.code)
            raise error from None
        self._observer.place_taken(time.perf_counter() - begun)

    async def _begin(
        self,
        connection: asyncpg.Connection,
        deadline: Deadline,
        begin: Callable[[asyncpg.Connection], Awaitable[Done]],
    ) -> Done:
        try:
            async with asyncio.timeout(deadline.left_seconds()):
                return await begin(connection)
        except BaseException as error:
            known = as_gateway_error(error) if isinstance(error, Exception) else None
            dead = isinstance(known, DatabaseUnavailableError)
            # Where the database does not even answer that its statement is cancelled, the connection is closed.
            with suppress(TimeoutError):
                await asyncio.shield(self.discard(connection) if dead else self.release(connection))
            if known is None:
                raise
            raise known from error

    def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            raise RuntimeError("the pool is used before it is opened")
        return self._pool


async def _nothing_to_reset(_connection: asyncpg.Connection) -> None:
    return None
