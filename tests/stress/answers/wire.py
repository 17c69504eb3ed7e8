"""A wire between listeners and their database: what the database sends arrives late, in its order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from gateway.postgres.embedded import HOST
from tests.changes.arena import Dice

CHUNK_BYTES = 65_536
CLOSING_SECONDS = 0.05


class Wire:
    """`longest_seconds`: what arrives is held up for so long at most; while `stalled`, nothing arrives at all."""

    def __init__(self, dice: Dice) -> None:
        self.longest_seconds = 0.0
        self.port = 0
        self._dice = dice
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        """Of all connections that there were: one that was let go unclosed would be a warning somewhere else."""

    @asynccontextmanager
    async def to(self, server_port: int) -> AsyncIterator[None]:
        """Leads there during the block."""

        leads: set[asyncio.Task[None]] = set()

        async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.add(writer)
            leads.add(task := asyncio.ensure_future(self._lead(reader, writer, server_port)))
            task.add_done_callback(leads.discard)

        server = await asyncio.start_server(lead, HOST)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            # Who was accepted just now has to be led first: nobody else would end that connection.
            await asyncio.sleep(CLOSING_SECONDS)
            self.cut()
            await asyncio.gather(*leads)
            self.cut()
            await asyncio.sleep(CLOSING_SECONDS)

    def cut(self) -> None:
        """Ends all connections, without a word."""
        for writer in self._writers:
            writer.transport.abort()

    async def stall(self, seconds: float) -> None:
        self._flows.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._flows.set()

    async def _lead(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter, server_port: int) -> None:
        try:
            from_server, to_server = await asyncio.open_connection(HOST, server_port)
        except OSError:
            to_client.transport.abort()
            return
        both = {to_client, to_server}
        self._writers |= both
        pumps = {
            asyncio.create_task(self._pump(from_client, to_server, late=False)),
            asyncio.create_task(self._pump(from_server, to_client, late=True)),
        }
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for writer in both:
            writer.transport.abort()
        for pump in pumps:
            pump.cancel()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, late: bool) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                if late:
                    await asyncio.sleep(self._dice.uniform(0, self.longest_seconds))
                    await self._flows.wait()
                writer.write(chunk)
                await writer.drain()
