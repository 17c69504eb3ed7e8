"""Places at the database, as many as the pool has connections, and who gets the next one: a tenant that asks for a
thousand delays another by one.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop
from itertools import count

from gateway.errors import NoPlaceError, PoolExhaustedError, TenantBusyError

WAITING_FOR_EACH_PLACE = 100
"""So many may wait for each place that a tenant may hold. One more is refused at once: waiting takes memory."""
KEPT_SHARE = 10
"""One place in so many is kept for tenants that hold none."""
WRITERS_FULL = "Half of the requests that the tenant may have at work are changes, and none of them ended in time."


@dataclass(frozen=True, slots=True)
class Share:
    """How many places may be held at once by `of`: the id of a tenant, or the name of work that is done for none."""

    of: int | str
    most: int


@dataclass(frozen=True, slots=True, order=True)
class _Waiter:
    number: int
    granted: asyncio.Future[None] = field(compare=False)


class _Line:
    """Of one share: what it holds, `writing` those who write, and who waits, by whether they write."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.holding = 0
        self.writing = 0
        self.turn = 0
        self.waiting: dict[bool, deque[_Waiter]] = {True: deque(), False: deque()}

    @property
    def length(self) -> int:
        return len(self.waiting[True]) + len(self.waiting[False])

    @property
    def full(self) -> bool:
        return self.holding >= self.most

    @property
    def writers_full(self) -> bool:
        return self.writing >= max(1, self.most // 2)

    def count(self, places: int, *, writing: bool) -> None:
        """So many places more are held."""
        self.holding += places
        self.writing += places * writing

    def first(self, *, writing: bool) -> _Waiter | None:
        """Those who left are passed over."""
        waiting = self.waiting[writing]
        while waiting and waiting[0].granted.done():
            waiting.popleft()
        return waiting[0] if waiting else None


class Places:
    """So many places, on one event loop.

    A free one goes to the tenant that holds the fewest; of equals, to the one whose turn was longest ago; within a
    tenant, to who came first. No tenant holds more than its share, and the last ones of all are kept for tenants that
    hold none. Who writes may have to wait for others' rows while holding a place: of all places and of each share,
    half are for reading alone.
    """

    def __init__(self, size: int) -> None:
        self._kept = size // KEPT_SHARE
        self._all = _Line(size)  # what all hold together, where nobody waits
        self._lines: dict[int | str, _Line] = {}
        self._numbers = count(1)

    @property
    def held(self) -> int:
        return self._all.holding

    @property
    def waiting(self) -> int:
        return sum(line.length for line in self._lines.values())

    async def take(self, share: Share, seconds: float, *, writing: bool = False) -> None:
        """Waits for a place, for so many seconds at most. Every place that was taken has to be given back.

        Raises TENANT_BUSY where the share is what is used up, POOL_EXHAUSTED where it is the places of all.
        """
        line = self._lines.setdefault(share.of, _Line(share.most))
        line.most = share.most
        if line.length >= WAITING_FOR_EACH_PLACE * share.most:
            raise self._refusal(share, line, writing=writing)
        waiter = self._join(line, writing=writing)
        # Of all who wait nobody else could be given a place: what is free is not for them.
        while self._give(line):
            pass
        if waiter.granted.done():
            return
        try:
            async with asyncio.timeout(seconds):
                await waiter.granted
        except BaseException as error:
            self._leave(share, line, waiter, writing=writing)
            if isinstance(error, TimeoutError):
                raise self._refusal(share, line, writing=writing) from None
            raise

    def give_back(self, share: Share, *, writing: bool = False) -> None:
        """Gives a place back that was taken with these arguments, and on to who is next."""
        line = self._lines[share.of]
        self._count(line, -1, writing=writing)
        while any(map(self._give, self._in_turn())):
            pass
        self._forget(share, line)

    def _in_turn(self) -> Iterator[_Line]:
        """The lines where somebody waits. Seldom is more than the first one asked for."""
        lines = [(line.holding, line.turn, line) for line in self._lines.values() if line.length]
        heapify(lines)
        while lines:
            yield heappop(lines)[2]

    def _join(self, line: _Line, *, writing: bool) -> _Waiter:
        waiter = _Waiter(next(self._numbers), asyncio.get_running_loop().create_future())
        if not line.length:
            line.turn = waiter.number
        line.waiting[writing].append(waiter)
        return waiter

    def _leave(self, share: Share, line: _Line, waiter: _Waiter, *, writing: bool) -> None:
        if waiter.granted.done() and not waiter.granted.cancelled():
            self.give_back(share, writing=writing)  # was given one just when it left
            return
        if waiter in line.waiting[writing]:
            line.waiting[writing].remove(waiter)
        self._forget(share, line)

    def _give(self, line: _Line) -> bool:
        """Whether somebody in this line was given a place."""
        free = self._all.most - self._all.holding
        if line.full or free <= (self._kept if line.holding else 0):
            return False
        waiter, writing = min(self._eligible(line), default=(None, False))
        if waiter is None:
            return False
        line.waiting[writing].popleft()
        self._count(line, 1, writing=writing)
        line.turn = next(self._numbers)
        waiter.granted.set_result(None)
        return True

    def _count(self, line: _Line, places: int, *, writing: bool) -> None:
        line.count(places, writing=writing)
        self._all.count(places, writing=writing)

    def _eligible(self, line: _Line) -> Iterator[tuple[_Waiter, bool]]:
        """The first who reads and the first who writes, where these may have a place."""
        may_write = not (line.writers_full or self._all.writers_full)
        for writing in (False, True) if may_write else (False,):
            waiter = line.first(writing=writing)
            if waiter is not None:
                yield waiter, writing

    def _refusal(self, share: Share, line: _Line, *, writing: bool) -> NoPlaceError:
        if not isinstance(share.of, int):
            return PoolExhaustedError()
        if line.length >= WAITING_FOR_EACH_PLACE * line.most:
            return TenantBusyError(f"{line.length} requests of the tenant wait already. {TenantBusyError.remedy}")
        if line.full:
            return TenantBusyError()
        if writing and line.writers_full:
            return TenantBusyError(f"{WRITERS_FULL} {TenantBusyError.remedy}")
        return PoolExhaustedError()

    def _forget(self, share: Share, line: _Line) -> None:
        # Who left may find that another line has begun meanwhile.
        if not line.holding and not line.length and self._lines.get(share.of) is line:
            del self._lines[share.of]
