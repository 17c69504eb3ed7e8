"""What the database tells of changes, as somebody hears it who listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import asyncpg

from gateway.rollups.names import CHANNEL

SECONDS = 60
"""Past these, a test has hung."""


class Notices:
    """The notices of a database since this began to listen."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._heard: asyncio.Queue[str] = asyncio.Queue()

    @classmethod
    @asynccontextmanager
    async def of(cls, dsn: str) -> AsyncIterator[Self]:
        connection = await asyncpg.connect(dsn)
        try:
            notices = cls(connection)
            await connection.add_listener(CHANNEL, lambda *notice: notices._heard.put_nowait(notice[-1]))
            yield notices
        finally:
            await connection.close()

    async def told(self) -> list[str]:
        """Those of all commits so far that were not given before, sorted."""
        # Notices come in the order of commits: this one is the last.
        await self._connection.execute(f"NOTIFY {CHANNEL}, 'end'")
        found: list[str] = []
        async with asyncio.timeout(SECONDS):
            while (notice := await self._heard.get()) != "end":
                found.append(notice)
        return sorted(found)
