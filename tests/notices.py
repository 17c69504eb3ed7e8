"""What the database notifies of changes, as a process hears it that listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg

from gateway.cache.listener import ECHO
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

    async def told(self) -> list[str]:
        """What was told since the last time, in the order of commits, of all that was committed before the call."""
        await self._connection.execute(f"NOTIFY {CHANNEL}, '{END}'")
        payloads: list[str] = []
        async with asyncio.timeout(SECONDS):
            while (payload := await self._payloads.get()) != END:
                payloads.append(payload)
        return payloads

    async def heard(self) -> list[Notice]:
        """As `told`, of single tenants."""
        parts = [payload.split(":") for payload in await self.told()]
        return [Notice(int(tenant_id), table, int(xid)) for tenant_id, table, xid in parts]

    def put(self, *notice: object) -> None:
        """What gateways tell themselves is no change."""
        payload = str(notice[-1])
        if not payload.startswith(f"{ECHO}:"):
            self._payloads.put_nowait(payload)


@asynccontextmanager
async def listening(connection: asyncpg.Connection) -> AsyncIterator[Listener]:
    """Listens on a connection, which is a direct one, until the block ends."""
    listener = Listener(connection)
    await connection.add_listener(CHANNEL, listener.put)
    try:
        yield listener
    finally:
        await connection.remove_listener(CHANNEL, listener.put)
