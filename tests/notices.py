"""What the database notifies of changes, as a process hears it that listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg

from gateway.rollups.names import CHANNEL

SECONDS = 30
END = "end"


class Notice(NamedTuple):
    """A tenant's table that the transaction of an id changed."""

    tenant_id: int
    table: str
    xid: int


class Listener:
    """Hears the notices that reach a connection. Begun with `listening`."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._payloads: asyncio.Queue[str] = asyncio.Queue()

    async def heard(self) -> list[Notice]:
        """The notices since the last time, in the order of their commits, of all that was committed before the call."""
        await self._connection.execute(f"NOTIFY {CHANNEL}, '{END}'")
        notices = []
        async with asyncio.timeout(SECONDS):
            while (payload := await self._payloads.get()) != END:
                tenant_id, table, xid = payload.split(":")
                notices.append(Notice(int(tenant_id), table, int(xid)))
        return notices

    def put(self, *notice: object) -> None:
        self._payloads.put_nowait(str(notice[-1]))


@asynccontextmanager
async def listening(connection: asyncpg.Connection) -> AsyncIterator[Listener]:
    """Listens on a connection, which is a direct one, until the block ends."""
    listener = Listener(connection)
    await connection.add_listener(CHANNEL, listener.put)
    try:
        yield listener
    finally:
        await connection.remove_listener(CHANNEL, listener.put)
