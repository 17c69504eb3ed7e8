"""The lookup of a token's member, remembered for as long as it is known to hold, and shared by those who ask at
once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from gateway.errors import DatabaseUnavailableError, DeadlineExceededError
from gateway.terms import Terms

# A member deactivated in the database must be out within a second, even where changes are not heard of.
LIFETIME_SECONDS = 0.9
MAX_REMEMBERED_MEMBERS = 10_000


def _unknown() -> bool:
    return False


@dataclass(frozen=True, eq=False)
class MemberRecord:
    """A tenant that exists, left-joined with the member: `member_id` and `role` are None without one. It is like no
    other, so that it is found again by itself alone.

    `still_true`: whether it is known that nothing of it, the terms included, has changed since it was looked up.
    """

    tenant_id: int
    tenant_slug: str
    terms: Terms
    currency: str
    time_zone: str
    member_id: int | None
    role: str | None
    active: bool
    still_true: Callable[[], bool] = field(default=_unknown, repr=False)


Lookup = Callable[[str, str], Awaitable[MemberRecord | None]]
"""(tenant slug, subject) to its record; None: there is no such tenant."""


@dataclass(frozen=True)
class _Flight:
    """`before`: the last one that found out, for all who wait for this one while the database cannot be reached."""

    begun_at: float
    result: asyncio.Task[MemberRecord | None]
    before: "_Flight | None" = None

    @property
    def succeeded(self) -> bool:
        """Whether it has found out. One that failed may still be there: it is forgotten a moment after."""
        return self.result.done() and not self.result.cancelled() and self.result.exception() is None


class MemberCache:
    """Answers from a lookup begun less than `LIFETIME_SECONDS` ago, finished or not, or known to hold; else begins one.

    The age counts from the beginning, since what a lookup reads may be that old. One that raises is forgotten;
    while the database cannot be reached or says nothing, the one before it stands in for `grace_seconds`. For one event
    loop.
    """

    def __init__(
        self, lookup: Lookup, *, clock: Callable[[], float] = time.monotonic, grace_seconds: float = 0.0
    ) -> None:
        self._lookup = lookup
        self._clock = clock
        self._grace_seconds = grace_seconds
        self._flights: dict[tuple[str, str], _Flight] = {}

    async def find(self, tenant: str, subject: str) -> MemberRecord | None:
        """The record, at most `LIFETIME_SECONDS` old when asked for. Raises what the lookup raises."""
        key = (tenant, subject)
        flight = self._flights.get(key)
        if flight is None or not self._fresh(flight):
            flight = self._begin(key, flight)
        # One caller that leaves must not take the lookup away from the others.
        try:
            return await asyncio.shield(flight.result)
        except (DatabaseUnavailableError, DeadlineExceededError):
            before = flight.before
            if before is None or not self._stands_in(before):
                raise
            self._flights.setdefault(key, before)
            return before.result.result()

    def remembered(self, tenant: str, subject: str) -> MemberRecord | None:
        """The record where it is at hand without waiting; None too where there is none."""
        flight = self._flights.get((tenant, subject))
        return flight.result.result() if flight and flight.succeeded and self._fresh(flight) else None

    def _fresh(self, flight: _Flight) -> bool:
        if self._clock() - flight.begun_at < LIFETIME_SECONDS:
            return True
        record = flight.result.result() if flight.succeeded else None
        return record is not None and record.still_true()

    def _stands_in(self, flight: _Flight) -> bool:
        return flight.succeeded and self._clock() - flight.begun_at < self._grace_seconds

    def _begin(self, key: tuple[str, str], earlier: _Flight | None) -> _Flight:
        before = earlier and (replace(earlier, before=None) if earlier.succeeded else earlier.before)
        flight = _Flight(self._clock(), asyncio.ensure_future(self._run(key)), before)
        flight.result.add_done_callback(lambda _: self._forget_failure(key, flight))
        self._flights.pop(key, None)
        self._flights[key] = flight
        if len(self._flights) > MAX_REMEMBERED_MEMBERS:
            del self._flights[next(iter(self._flights))]
        return flight

    async def _run(self, key: tuple[str, str]) -> MemberRecord | None:
        return await self._lookup(*key)

    def _forget_failure(self, key: tuple[str, str], flight: _Flight) -> None:
        if not flight.succeeded and self._flights.get(key) is flight:
            del self._flights[key]
