"""The pool of serving connections: bounded in number, and bounded in how long a request waits for one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import asyncpg

from gateway.deadline import Deadline
from gateway.errors import DatabaseUnavailableError, PoolExhaustedError
from gateway.postgres.faults import as_gateway_error, is_unavailable

Done = TypeVar("Done")


class Pool:
    """Connections of role `gateway`. None is opened before it is needed: a process starts without a database."""

    def __init__(self, dsn: str, *, size: int, wait_seconds: float, statement_cache_size: int) -> None:
        self._dsn = dsn
        self._size = size
        self._wait_seconds = wait_seconds
        self._statement_cache_size = statement_cache_size
        self._pool: asyncpg.Pool | None = None

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

    async def acquire(
        self, deadline: Deadline, begin: Callable[[asyncpg.Connection], Awaitable[Done]]
    ) -> tuple[asyncpg.Connection, Done]:
        """A connection on which `begin` succeeded, and what that returned.

        A connection that died in the pool is replaced once, unseen. Raises POOL_EXHAUSTED, DATABASE_UNAVAILABLE,
        DEADLINE_EXCEEDED or what is a fault of ours; no connection stays taken then.
        """
        connection = await self._acquire(deadline)
        try:
            return connection, await self._begin(connection, deadline, begin)
        except DatabaseUnavailableError:
            connection = await self._acquire(deadline)
            return connection, await self._begin(connection, deadline, begin)

    async def release(self, connection: asyncpg.Connection) -> None:
        await self._opened().release(connection)

    async def discard(self, connection: asyncpg.Connection) -> None:
        """Gives back a connection that nobody is to use again."""
        with suppress(asyncpg.InterfaceError):  # closed by the server, it is back already
            connection.terminate()
        await self.release(connection)

    async def run(self, deadline: Deadline, work: Callable[[asyncpg.Connection], Awaitable[Done]]) -> Done:
        """What statements that stand alone, outside any tenant, return. Raises as `acquire` does."""
        connection, done = await self.acquire(deadline, work)
        await self.release(connection)
        return done

    async def _acquire(self, deadline: Deadline) -> asyncpg.Connection:
        pool = self._opened()
        wait_seconds = min(self._wait_seconds, deadline.left_seconds())
        try:
            return await pool.acquire(timeout=wait_seconds)
        except TimeoutError:
            # While the pool is not full, the wait was for the database to accept a connection.
            raise (PoolExhaustedError() if pool.get_size() == self._size else DatabaseUnavailableError()) from None
        except Exception as error:
            if is_unavailable(error):
                raise DatabaseUnavailableError() from error
            raise

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
