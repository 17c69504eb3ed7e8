"""A wire between listeners and their database: what the database sends arrives late, in its order."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from gateway.postgres.embedded import HOST
from tests.changes.arena import Dice

CHUNK_BYTES = 65_536


class Wire:
    """`longest_seconds`: what arrives is held up for so long at most; while `stalled`, nothing arrives at all."""

    def __init__(self, dice: Dice) -> None:
        self.longest_seconds = 0.0
        self.port = 0
        self._dice = dice
        self._flows = asyncio.Event()
        self._flows.set()
        self._leads: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def to(self, server_port: int) -> AsyncIterator[None]:
        """Leads there during the block; whoever was accepted has been let go after it.

        Not by `asyncio.start_server`: one that is closed drops whom it accepted just before, and leaves them unclosed.
        """
        loop = asyncio.get_running_loop()
        with socket.create_server((HOST, 0)) as listener:
            listener.setblocking(False)
            self.port = listener.getsockname()[1]
            loop.add_reader(listener, self._accept, listener, server_port)
            try:
                yield
            finally:
                loop.remove_reader(listener)
                self.cut()
                ended = await asyncio.gather(*self._leads, return_exceptions=True)
                assert [end for end in ended if isinstance(end, Exception)] == []

    def cut(self) -> None:
        """Ends all connections, without a word."""
        for lead in self._leads:
            lead.cancel()

    async def stall(self, seconds: float) -> None:
        self._flows.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._flows.set()

    def _accept(self, listener: socket.socket, server_port: int) -> None:
        client, _ = listener.accept()
        self._leads.add(lead := asyncio.ensure_future(self._lead(client, server_port)))
        lead.add_done_callback(self._leads.discard)
        # Cut before it has begun, it would not.
        lead.add_done_callback(lambda _: client.close())

    async def _lead(self, client: socket.socket, server_port: int) -> None:
        """Until one side goes away, or it is cut."""
        with suppress(OSError):
            async with _connected(sock=client) as near, _connected(host=HOST, port=server_port) as far:
                pumps = (self._pump(near[0], far[1], late=False), self._pump(far[0], near[1], late=True))
                ends = {asyncio.ensure_future(pump) for pump in pumps}
                try:
                    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for end in ends:
                        end.cancel()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, late: bool) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if late:
                    await asyncio.sleep(self._dice.uniform(0, self.longest_seconds))
                    await self._flows.wait()
                writer.write(chunk)
                await writer.drain()


@asynccontextmanager
async def _connected(**address: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(**address)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
