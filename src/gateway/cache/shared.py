"""What several processes share in Redis: entries, and for each tenant the latest changes that a gateway acknowledged.

A writer writes its change down before it answers, so that whoever asks after that finds it here, whatever the lag of
the notices. Redis may lose anything at any time: what it says counts only once this process has known the same
memory of a tenant for so long that notices have told of all that an earlier one may have held.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.cache.changes import MOST_WRITERS, Writers
from gateway.cache.entries import Entry, packed, unpacked
from gateway.cache.listener import TRUST_SECONDS
from gateway.observe import Observer

Answered = TypeVar("Answered")

FAULTS_BEFORE_REST = 5
REST_SECONDS = 2.0
CONNECT_SECONDS = 1.0
CHANGES_LIFETIME_SECONDS = 86_400

# `born` tells one memory of a tenant from the next, should this one be lost.
READ = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'born', table.concat(redis.call('TIME'), '.'))
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.call('HGETALL', KEYS[1])
"""

# A field is the floor and then the ids of transactions, smallest first; those above `most` raise the floor. Ids are
# compared as text of one length first: numbers of Lua are exact up to 2^53 only.
WRITE = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'born', table.concat(redis.call('TIME'), '.'))
end
local function less(a, b) if #a ~= #b then return #a < #b end return a < b end
for i = 4, #ARGV do
  local xids, floor = {}, '0'
  for word in string.gmatch(redis.call('HGET', KEYS[1], 'tag:' .. ARGV[i]) or '0', '%d+') do
    xids[#xids + 1] = word
  end
  floor = table.remove(xids, 1) or '0'
  xids[#xids + 1] = ARGV[3]
  table.sort(xids, less)
  while #xids > tonumber(ARGV[2]) do
    local left_out = table.remove(xids, 1)
    if less(floor, left_out) then floor = left_out end
  end
  redis.call('HSET', KEYS[1], 'tag:' .. ARGV[i], floor .. ' ' .. table.concat(xids, ' '))
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""


@dataclass(frozen=True, slots=True)
class Shared:
    """`written`: what gateways wrote, by tag; None while that is not to be trusted. `entry`: where one was asked
    for."""

    written: Mapping[str, Writers] | None
    entry: Entry | None


class Server:
    """Which run of Redis the connections are of. Another one may have lost what the one before knew."""

    def __init__(self) -> None:
        self.run_id = ""

    async def connected(self, connection: Any) -> None:
        """To be called with each new connection, before anything is asked on it."""
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        told = (await connection.read_response()).decode()
        self.run_id = next(line for line in told.splitlines() if line.startswith("run_id:"))


def redis_client(url: str, server: Server) -> "Redis":
    """A client; it connects when it is first used, and again after each fault."""
    return Redis.from_url(
        url, socket_connect_timeout=CONNECT_SECONDS, socket_keepalive=True, redis_connect_func=server.connected
    )


class SharedStore:
    """Every trip is bounded in time. Whatever fails is no answer: after several faults in a row, none is tried for
    a while."""

    def __init__(self, redis: "Redis", server: Server, observer: Observer, *, timeout_seconds: float) -> None:
        self._redis = redis
        self._server = server
        self._observer = observer
        self._timeout_seconds = timeout_seconds
        self._breakers = AsyncCircuitBreakerFactory(
            # A caller who goes away is no fault of Redis.
            FAULTS_BEFORE_REST,
            REST_SECONDS,
            exclude=[asyncio.CancelledError],
        )
        self._read = redis.register_script(READ)
        self._write = redis.register_script(WRITE)
        self._memories: dict[int, tuple[tuple[str, bytes], float]] = {}

    async def read(self, incarnation: str, tenant_id: int, key: bytes | None) -> Shared | None:
        """What is known of a tenant's changes and, by the same trip, the entry of a key. None: no answer."""
        found = await self._bounded(self._read_both(incarnation, tenant_id, key))
        if found is None:
            return None
        fields, value = found
        known = dict(zip(fields[::2], fields[1::2], strict=True))
        trusted = self._remembers(tenant_id, known.pop(b"born", b""))
        written = {name.decode().removeprefix("tag:"): _writers(text) for name, text in known.items()}
        entry = unpacked(value, key) if key is not None and value is not None else None
        return Shared(written if trusted else None, entry)

    async def write(self, incarnation: str, tenant_id: int, tags: Iterable[str], xid: int) -> bool:
        """Writes a change down; false where that is not certain."""
        arguments: list[str | int] = [CHANGES_LIFETIME_SECONDS, MOST_WRITERS, str(xid), *sorted(tags)]
        writing = self._write(keys=[_changes_key(incarnation, tenant_id)], args=arguments)
        return await self._bounded(writing) is not None

    async def put(self, incarnation: str, key: bytes, entry: Entry, lifetime_seconds: float) -> None:
        """Keeps an entry for so long at most."""
        name, value = _entry_key(incarnation, key), packed(entry, key)
        await self._bounded(self._redis.set(name, value, px=max(1, int(lifetime_seconds * 1000))))

    async def _read_both(self, incarnation: str, tenant_id: int, key: bytes | None) -> tuple[list[bytes], bytes | None]:
        async with self._redis.pipeline(transaction=False) as trip:
            await self._read(keys=[_changes_key(incarnation, tenant_id)], args=[CHANGES_LIFETIME_SECONDS], client=trip)
            trip.get(b"" if key is None else _entry_key(incarnation, key))
            fields, value = await trip.execute()
        return fields, value

    def _remembers(self, tenant_id: int, born: bytes) -> bool:
        """Whether it has been the same memory since notices told of everything before it."""
        memory = (self._server.run_id, born)
        known = self._memories.get(tenant_id)
        if known is None or known[0] != memory:
            known = self._memories[tenant_id] = (memory, time.monotonic())
        return time.monotonic() - known[1] > TRUST_SECONDS

    async def _bounded(self, work: Awaitable[Answered]) -> Answered | None:
        try:
            async with await self._breakers.get_breaker("redis"), asyncio.timeout(self._timeout_seconds):
                return await work
        except (RedisError, OSError, TimeoutError, OpenedState) as error:
            self._observer.redis_fault(repr(error))
            return None
        finally:
            _closed(work)


def _closed(work: Awaitable[Any]) -> None:
    """What was never begun, since nothing is tried for a while, is not to be waited for."""
    close = getattr(work, "close", None)
    if close is not None:
        close()


def _writers(text: bytes) -> Writers:
    floor, *xids = map(int, text.split())
    return Writers(tuple(xids), floor)


def _changes_key(incarnation: str, tenant_id: int) -> str:
    return f"gateway:{_short(incarnation)}:changes:{tenant_id}"


def _entry_key(incarnation: str, key: bytes) -> str:
    return f"gateway:{_short(incarnation)}:answer:{key.hex()}"


def _short(incarnation: str) -> str:
    return hashlib.blake2b(incarnation.encode(), digest_size=8).hexdigest()
