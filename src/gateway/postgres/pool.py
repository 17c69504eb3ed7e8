"""The pool of serving connections: bounded in number, and bounded in how long a request waits for one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from gateway.deadline import Deadline
from gateway.errors import DatabaseUnavailableError, PoolExhaustedError
from gateway.postgres.faults import is_unavailable


class Pool:
    """Connections of role `gateway`. None is opened before it is needed, so that a process starts without a "
    "database."""

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
        pool = self._opened()
        return int(pool.get_size() - pool.get_idle_size())

    def idle(self) -> int:
        return int(self._opened().get_idle_size())

    async def acquire(self, deadline: Deadline) -> asyncpg.Connection:
        """A connection, within the bounded wait. Raises POOL_EXHAUSTED, DATABASE_UNAVAILABLE or DEADLINE_EXCEEDED."""
        wait_seconds = min(self._wait_seconds, deadline.left_seconds())
        try:
            return await self._opened().acquire(timeout=wait_seconds)
        except TimeoutError:
            raise PoolExhaustedError() from None
        except Exception as error:
            if is_unavailable(error):
                raise DatabaseUnavailableError() from error
            raise

    async def release(self, connection: asyncpg.Connection) -> None:
        await self._opened().release(connection)

    def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            raise RuntimeError("the pool is used before it is opened")
        return self._pool

    @asynccontextmanager
    async def connection(self, deadline: Deadline) -> AsyncIterator[asyncpg.Connection]:
        """A connection for statements that stand alone, outside any tenant."""
        connection = await self.acquire(deadline)
        try:
            yield connection
        finally:
            await self.release(connection)


async def _nothing_to_reset(_connection: asyncpg.Connection) -> None:
    return None
