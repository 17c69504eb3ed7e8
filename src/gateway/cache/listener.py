"""Hears of every change: one direct connection that listens, and the rule by which what it heard is to be trusted."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

from gateway.cache.changes import EVERY_TENANT, Changes
from gateway.cache.snapshots import Snapshot
from gateway.observe import Observer

CHANNEL = "gateway_changes"
ECHO_EVERY_SECONDS = 0.1
TRUST_SECONDS = 0.5
"""When the newest echo that came back was sent longer ago, changes may have gone unheard: nothing is served unread."""
GIVE_UP_SECONDS = 5.0
"""A connection on which no echo comes back for so long is made anew."""
RECONNECT_SECONDS = 0.25
CONNECT_SECONDS = 5.0
ECHO = "echo"

Connect = Callable[[], Awaitable[asyncpg.Connection]]
FAULTS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


class Listener:
    """Keeps `changes` up to date until it is cancelled.

    Notices come in the order of commits. An echo is a notice that the process sends to itself: when it comes back,
    all that was committed before it was sent has been heard. `listening` has to be a direct connection, `sending`
    one by the way that serving connections take: what listens to another server than those write to hears no echo.
    """

    def __init__(self, changes: Changes, *, listening: Connect, sending: Connect, observer: Observer) -> None:
        self._changes = changes
        self._connect_listening = listening
        self._connect_sending = sending
        self._observer = observer
        self._process = uuid.uuid4().hex
        self._echoed_at = float("-inf")

    @property
    def trusted(self) -> bool:
        """Whether every change that was committed more than half a second ago is known."""
        return time.monotonic() - self._echoed_at <= TRUST_SECONDS

    @property
    def echoed_at(self) -> float:
        """When the last echo that came was sent, by the monotonic clock."""
        return self._echoed_at

    async def run(self) -> None:
        """Listens, and begins anew whenever the connection is lost."""
        while True:
            try:
                await self._listen()
            except FAULTS as error:
                self._observer.log.warning("the listener lost its connection", reason=repr(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connections: list[asyncpg.Connection] = []
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connections.append(listening := await self._connect_listening())
                connections.append(sending := await self._connect_sending())
                await self._begin(listening)
            await self._send_echoes(listening, sending)
        finally:
            self._echoed_at = float("-inf")
            self._changes.begin(None, None)
            for connection in connections:
                with suppress(*FAULTS):
                    connection.terminate()

    async def _begin(self, listening: asyncpg.Connection) -> None:
        """What was committed before the snapshot is seen by it, what is committed after it is heard."""
        incarnation = await listening.fetchval("SELECT app.begin_incarnation()")
        await listening.add_listener(CHANNEL, self._hear)
        baseline = await listening.fetchval("SELECT pg_current_snapshot()::text")
        self._changes.begin(incarnation, Snapshot.parse(baseline))

    async def _send_echoes(self, listening: asyncpg.Connection, sending: asyncpg.Connection) -> None:
        self._echoed_at = float("-inf")
        begun_at = time.monotonic()
        while not listening.is_closed():
            sent_at = time.monotonic()
            if sent_at - max(self._echoed_at, begun_at) > GIVE_UP_SECONDS:
                raise TimeoutError("no echo came back")
            # Its number is the instant itself, so that nothing has to be remembered of it.
            await sending.execute(
                "SELECT pg_notify($1, $2)", CHANNEL, f"{ECHO}:{self._process}:{sent_at!r}", timeout=GIVE_UP_SECONDS
            )
            await asyncio.sleep(ECHO_EVERY_SECONDS)
        raise ConnectionResetError("the server closed it")

    def _hear(self, _connection: object, _process_id: int, _channel: str, payload: object) -> None:
        try:
            first, tag, last = str(payload).split(":")
            if not last:
                return
            if first == ECHO:
                self._hear_echo(tag, float(last))
            else:
                self._changes.notice(EVERY_TENANT if first == "*" else int(first), tag, int(last))
        except ValueError:
            self._observer.log.warning("a notice that is none of ours", payload=str(payload)[:100])

    def _hear_echo(self, process: str, sent_at: float) -> None:
        if process == self._process:
            self._echoed_at = max(self._echoed_at, sent_at)
            self._observer.echo(time.monotonic() - sent_at)
