"""The lookup of a token's member, remembered for less than a second and shared by those who ask at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

# A member deactivated in the database must be out within a second.
LIFETIME_SECONDS = 0.9
MAX_REMEMBERED_MEMBERS = 10_000


@dataclass(frozen=True)
class MemberRecord:
    """A tenant that exists, left-joined with the member: `member_id` and `role` are None without one."""

    tenant_id: int
    tenant_slug: str
    plan: str
    currency: str
    time_zone: str
    member_id: int | None
    role: str | None
    active: bool


Lookup = Callable[[str, str], Awaitable[MemberRecord | None]]
"""(tenant slug, subject) to its record; None: there is no such tenant."""


@dataclass(frozen=True)
class _Flight:
    begun_at: float
    result: asyncio.Task[MemberRecord | None]


class MemberCache:
    """Answers from a lookup begun less than `LIFETIME_SECONDS` ago, finished or not; else begins one.

    The age counts from the beginning, since what a lookup reads may be that old. One that raises is
    forgotten. For one event loop.
    """

    def __init__(self, lookup: Lookup, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lookup = lookup
        self._clock = clock
        self._flights: dict[tuple[str, str], _Flight] = {}

    async def find(self, tenant: str, subject: str) -> MemberRecord | None:
        """The record, at most `LIFETIME_SECONDS` old when asked for. Raises what the lookup raises."""
        key = (tenant, subject)
        flight = self._flights.get(key)
        if flight is None or self._clock() - flight.begun_at >= LIFETIME_SECONDS:
            flight = self._begin(key)
        # One caller that leaves must not take the lookup away from the others.
        return await asyncio.shield(flight.result)

    def _begin(self, key: tuple[str, str]) -> _Flight:
        flight = _Flight(self._clock(), asyncio.ensure_future(self._run(key)))
        flight.result.add_done_callback(lambda _: self._forget_failure(key, flight))
        self._flights.pop(key, None)
        self._flights[key] = flight
        if len(self._flights) > MAX_REMEMBERED_MEMBERS:
            del self._flights[next(iter(self._flights))]
        return flight

    async def _run(self, key: tuple[str, str]) -> MemberRecord | None:
        return await self._lookup(*key)

    def _forget_failure(self, key: tuple[str, str], flight: _Flight) -> None:
        failed = flight.result.cancelled() or flight.result.exception() is not None
        if failed and self._flights.get(key) is flight:
            del self._flights[key]
