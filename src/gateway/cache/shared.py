"""What several processes share in Redis: entries, and for each tenant the latest changes that a gateway acknowledged.

A writer writes its change down before it answers, so that whoever asks after that finds it here, whatever the lag of
the notices. Redis may lose anything at any time: what it says counts only once this process has known the same memory
of a tenant for so long that notices have told of all that an earlier one may have held.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from aiodataloader import DataLoader
from redis.asyncio import Redis

from gateway.cache.changes import MOST_WRITERS, Writers
from gateway.cache.entries import Entry, packed, unpacked
from gateway.cache.listener import TRUST_SECONDS
from gateway.redis_link import RedisLink

USE = "answers"
CHANGES_LIFETIME_SECONDS = 86_400
MOST_TOGETHER = 100
"""Requests that share one trip."""

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


class _Asked(NamedTuple):
    """`key`: of the entry that is wanted too."""

    incarnation: str
    tenant_id: int
    key: bytes | None


class SharedStore:
    """Whatever Redis does not answer in time is no answer."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._memories: dict[int, tuple[tuple[str, bytes], float]] = {}

    async def read(self, incarnation: str, tenant_id: int, key: bytes | None) -> Shared | None:
        """What is known of a tenant's changes and, by the same trip, the entry of a key. None: no answer.

        Whoever asks in the same turn of the event loop shares the trip: most of what one takes is not Redis' time.
        """
        return await self._reads.load(_Asked(incarnation, tenant_id, key))

    @cached_property
    def _reads(self) -> DataLoader[_Asked, Shared | None]:
        return DataLoader(self._read_all, cache=False, max_batch_size=MOST_TOGETHER)

    async def _read_all(self, asked: list[_Asked]) -> list[Shared | None]:
        tenants = dict.fromkeys((each.incarnation, each.tenant_id) for each in asked)
        entries = dict.fromkeys((each.incarnation, each.key) for each in asked if each.key is not None)

        async def ask(redis: Redis) -> list[Any]:
            async with redis.pipeline(transaction=False) as trip:
                for tenant in tenants:
                    # As text each time: asking whether a script is known would be a trip of its own.
                    trip.eval(READ, 1, _changes_key(*tenant), CHANGES_LIFETIME_SECONDS)
                for entry in entries:
                    trip.get(_entry_key(*entry))
                return _unless_all_failed(await trip.execute(raise_on_error=False))

        found = await self._link.trip(USE, ask)
        if found is None:
            return [None] * len(asked)
        written = {name: self._written(name[1], fields) for name, fields in zip(tenants, found, strict=False)}
        kept: dict[tuple[str, bytes | None], Entry | None] = {
            name: _entry(value, name[1]) for name, value in zip(entries, found[len(tenants) :], strict=True)
        }
        return [
            Shared(written[each.incarnation, each.tenant_id], kept.get((each.incarnation, each.key))) for each in asked
        ]

    def _written(self, tenant_id: int, fields: Sequence[bytes] | Exception) -> Mapping[str, Writers] | None:
        if isinstance(fields, Exception):
            return None
        known = dict(zip(fields[::2], fields[1::2], strict=True))
        if not self._remembers(tenant_id, known.pop(b"born", b"")):
            return None
        try:
            return {name.decode().removeprefix("tag:"): _writers(text) for name, text in known.items()}
        except ValueError:  # not of ours: all others' requests of this trip have nothing to do with it
            return None

    async def write(self, incarnation: str, tenant_id: int, tags: Iterable[str], xid: int) -> bool:
        """Writes a change down; false where that is not certain."""
        name, arguments = _changes_key(incarnation, tenant_id), (CHANGES_LIFETIME_SECONDS, MOST_WRITERS, str(xid))
        written = await self._link.trip(USE, lambda redis: redis.eval(WRITE, 1, name, *arguments, *sorted(tags)))
        return written is not None

    async def put(self, incarnation: str, key: bytes, entry: Entry, lifetime_seconds: float) -> None:
        """Keeps an entry for so long at most."""
        name, value, lifetime_ms = _entry_key(incarnation, key), packed(entry, key), int(lifetime_seconds * 1000)
        if lifetime_ms > 0:
            await self._link.trip(USE, lambda redis: redis.set(name, value, px=lifetime_ms))

    def _remembers(self, tenant_id: int, born: bytes) -> bool:
        """Whether it has been the same memory since notices told of everything before it."""
        memory = (self._link.run_id, born)
        known = self._memories.get(tenant_id)
        if known is None or known[0] != memory:
            known = self._memories[tenant_id] = (memory, time.monotonic())
        return time.monotonic() - known[1] > TRUST_SECONDS


def _unless_all_failed(found: list[Any]) -> list[Any]:
    """What one command of a trip met is no concern of the others. Raises what all met."""
    if all(isinstance(each, Exception) for each in found):
        raise found[0]
    return found


def _entry(value: bytes | Exception | None, key: bytes) -> Entry | None:
    return unpacked(value, key) if isinstance(value, bytes) else None


def _writers(text: bytes) -> Writers:
    floor, *xids = map(int, text.split())
    return Writers(tuple(xids), floor)


def _changes_key(incarnation: str, tenant_id: int) -> str:
    return f"gateway:{_short(incarnation)}:changes:{tenant_id}"


def _entry_key(incarnation: str, key: bytes) -> str:
    return f"gateway:{_short(incarnation)}:answer:{key.hex()}"


def _short(incarnation: str) -> str:
    return hashlib.blake2b(incarnation.encode(), digest_size=8).hexdigest()
