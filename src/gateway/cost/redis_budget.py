"""Budgets that several processes share in Redis, changed by one script at a time and by its clock.

Without an answer from Redis, each process goes by budgets of its own, at a share of their size and rate. A reservation
is settled where it was made.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from gateway.cost.budget import GRACE_SECONDS, SETTLED_SECONDS, Reservation, Standing, Verdict, microseconds
from gateway.cost.memory_budget import MemoryBudget
from gateway.redis_link import RedisLink
from gateway.terms import Bucket

USE = "budgets"
LIFETIME_SECONDS = 86_400
"""Of an account that nobody touches. It has leaked away long before."""
MOST_UNSETTLED = 1000
"""What could not be settled is tried again; of more, the oldest are given up."""
MOST_HEARD = 10_000
"""Tenants whose standing is remembered."""
PARTS = ("account", "open", "settled")
NOW = ""
"""The moment that the script takes from Redis' own clock."""

# KEYS: what was spent, when, the sum of what is held and how many hold it; open reservations by expiry, each named by
# its points and its key; settled ones by when they are forgotten. ARGV: what to do, size, rate, the moment in
# microseconds or nothing for now, how many seconds all this is kept; a reservation's name, its points or what it cost,
# and for how many microseconds it holds or is known to be settled.
# A number is kept with all its digits, else the sums would drift. See Account in budget.py, which says the same.
# Redis that is short of memory may drop one key and keep another: then what is held is what is still open.
SCRIPT = """
local what, size, rate, now, kept = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local name, points, lifetime = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local function digits(number) return string.format('%.17g', number) end
local function points_of(reservation) return tonumber(string.match(reservation, '^%d+')) end
local known = redis.call('HMGET', KEYS[1], 'spent', 'at', 'held', 'open')
local spent, at, held = tonumber(known[1] or 0), tonumber(known[2] or 0), tonumber(known[3] or 0)
if redis.call('ZCARD', KEYS[2]) ~= tonumber(known[4] or 0) then
  held = 0
  for _, reservation in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do held = held + points_of(reservation) end
end

if now > at then
  spent = math.max(0, spent - (now - at) * rate / 1000000)
  at = now
end
for _, expired in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', digits(now))) do
  held = held - points_of(expired)
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', digits(now))
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', digits(now))

local admitted = 0
if what == 'reserve' then
  if redis.call('ZSCORE', KEYS[2], name) then
    admitted = 1
  elseif spent + held + points <= size then
    admitted = 1
    held = held + points
    redis.call('ZADD', KEYS[2], digits(now + lifetime), name)
  end
elseif what == 'settle' then
  if redis.call('ZADD', KEYS[3], 'NX', digits(now + lifetime), name) == 1 then
    if redis.call('ZREM', KEYS[2], name) == 1 then
      held = held - points_of(name)
    end
    spent = spent + points
  end
end

local open = redis.call('ZCARD', KEYS[2])
redis.call('HSET', KEYS[1], 'spent', digits(spent), 'at', digits(at), 'held', digits(held), 'open', open)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, kept) end
return {admitted, digits(spent), digits(held)}
"""


_Answer = tuple[bool, Standing]
"""Whether it was admitted, and what came of it."""


class RedisBudget:
    """Each tenant's, by the id. `fallback_share`: of size and rate, for this process alone while Redis is gone."""

    def __init__(self, link: RedisLink, *, fallback_share: float, namespace: str = "gateway") -> None:
        self._link = link
        self._share = fallback_share
        self._namespace = namespace
        self._alone = MemoryBudget(alone=True)
        self._script = link.client.register_script(SCRIPT)
        self._waiting: Counter[tuple[int, Bucket]] = Counter()
        self._unsettled: dict[str, tuple[Reservation, int]] = {}
        self._gone = False
        self._heard: OrderedDict[int, tuple[float, Standing]] = OrderedDict()

    async def reserve(self, tenant_id: int, bucket: Bucket, points: int, left_seconds: float) -> Verdict:
        """`left_seconds`: until the deadline of the request. One trip."""
        reservation = Reservation(tenant_id, uuid4().hex, points, bucket)
        lifetime = microseconds(left_seconds + GRACE_SECONDS)
        try:
            answer = await self._ask("reserve", tenant_id, bucket, _name(reservation), points, lifetime)
        except asyncio.CancelledError:
            # Redis may have heard of it, and nobody will settle it.
            self._settle_later(reservation, 0)
            raise
        if answer is None:
            return await self._alone.reserve(tenant_id, self._smaller(bucket, points), points, left_seconds)
        admitted, standing = answer
        return Verdict(reservation if admitted else None, standing)

    async def settle(self, reservation: Reservation, points: int) -> Standing:
        """`points`: what it cost after all. One trip."""
        if reservation.alone:
            return await self._alone.settle(reservation, points)
        answer = await self._settle(reservation, points)
        if answer is None:
            self._settle_later(reservation, points)
            return await self._alone.look(reservation.tenant_id, self._smaller(reservation.bucket))
        return answer[1]

    async def look(self, tenant_id: int, bucket: Bucket) -> Standing:
        answer = await self._ask("look", tenant_id, bucket)
        if answer is None:
            return await self._alone.look(tenant_id, self._smaller(bucket))
        return answer[1]

    def recent(self, tenant_id: int, bucket: Bucket) -> Standing:
        """As it was when it was last heard of, less what has leaked and what waits here to be paid. No trip: what
        others have spent since is not in it. While Redis is gone, as this process goes by it."""
        if self._gone:
            return self._alone.recent(tenant_id, self._smaller(bucket))
        at_seconds, heard = self._heard.get(tenant_id, (0.0, Standing(bucket, 0.0, 0.0)))
        leaked = (time.monotonic() - at_seconds) * bucket.rate
        spent = max(0.0, heard.spent - leaked) + self._waiting[tenant_id, bucket]
        return replace(heard, bucket=bucket, spent=spent)

    def charge(self, tenant_id: int, bucket: Bucket, points: int) -> Standing:
        """Of what is never refused, such as an answer that was kept: paid together with others by `flush`."""
        self._waiting[tenant_id, bucket] += points
        return self.recent(tenant_id, bucket)

    async def flush(self) -> None:
        """To be called about once a second: settles what could not be, and pays what waits. Without Redis, that waits
        on, summed up."""
        if not await self._settle_late():
            return
        for tenant_id, bucket in list(self._waiting):
            points = self._waiting.pop((tenant_id, bucket))
            # As a reservation of nothing: it is paid once, however often it has to be said.
            self._settle_later(Reservation(tenant_id, uuid4().hex, 0, bucket), points)
            if not await self._settle_late():
                return

    async def _settle_late(self) -> bool:
        """Whether all of what could not be settled is now."""
        for reservation, points in list(self._unsettled.values()):
            if await self._settle(reservation, points) is None:
                return False
            self._unsettled.pop(reservation.key, None)
        return True

    def _settle_later(self, reservation: Reservation, points: int) -> None:
        while len(self._unsettled) >= MOST_UNSETTLED:
            del self._unsettled[next(iter(self._unsettled))]
        self._unsettled[reservation.key] = (reservation, points)

    async def _settle(self, reservation: Reservation, points: int) -> _Answer | None:
        known_for = microseconds(SETTLED_SECONDS)
        name = _name(reservation)
        return await self._ask("settle", reservation.tenant_id, reservation.bucket, name, points, known_for)

    async def _ask(
        self, what: str, tenant_id: int, bucket: Bucket, name: str = "", points: int = 0, lifetime: int = 0
    ) -> _Answer | None:
        keys = [f"{self._namespace}:budget:{{{tenant_id}}}:{part}" for part in PARTS]
        arguments = (what, bucket.size, bucket.rate, NOW, LIFETIME_SECONDS, name, points, lifetime)

        def ask(_redis: Redis) -> Awaitable[list[Any]]:
            return self._script(keys=keys, args=arguments)

        answer = await self._link.trip(USE, ask)
        self._gone = answer is None
        if answer is None:
            return None
        standing = Standing(bucket, float(answer[1]), float(answer[2]))
        self._hear(tenant_id, standing)
        return bool(answer[0]), standing

    def _hear(self, tenant_id: int, standing: Standing) -> None:
        self._heard[tenant_id] = (time.monotonic(), standing)
        self._heard.move_to_end(tenant_id)
        if len(self._heard) > MOST_HEARD:
            self._heard.popitem(last=False)

    def _smaller(self, bucket: Bucket, points: int = 0) -> Bucket:
        """What is dearer than the share is still admitted when nothing else is spent."""
        return Bucket(max(round(bucket.size * self._share), points, 1), bucket.rate * self._share)


def _name(reservation: Reservation) -> str:
    return f"{reservation.points}:{reservation.key}"
