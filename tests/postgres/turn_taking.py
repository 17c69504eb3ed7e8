"""Places and who takes turns at them, with all rules told once more as plainly as can be: the reference of what is
given to whom."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from gateway.postgres.places import Places, Share


@dataclass(eq=False)
class Asking:
    """Somebody who wants a place, has it, or has left. `number`: by arrival."""

    number: int
    share: Share
    writing: bool
    taking: asyncio.Task[None]


@dataclass
class TurnTaking:
    """`waiting` and `holding` are what should be. `given`: who should have been given a place until now, `taken`: who
    was."""

    size: int
    places: Places = field(init=False)
    waiting: list[Asking] = field(default_factory=list)
    holding: list[Asking] = field(default_factory=list)
    given: set[int] = field(default_factory=set)
    taken: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.places = Places(self.size)
        self._arrivals = 0
        self._now = 0
        self._turns: dict[int | str, int] = {}

    async def arrive(self, share: Share, *, writing: bool = False) -> Asking:
        """Somebody asks, and knows by then whether there is a place at once."""
        self._arrivals += 1
        number = self._arrivals
        asking = Asking(number, share, writing, asyncio.create_task(self._take(number, share, writing)))
        if all(other.share.of != share.of for other in self.waiting):
            self._turns[share.of] = self._tick()
        for other in self.waiting:
            if other.share.of == share.of:
                other.share = share
        self.waiting.append(asking)
        self._give()
        await asyncio.sleep(0)
        return asking

    def leave(self, asking: Asking) -> None:
        """One who waits goes away."""
        self.waiting.remove(asking)
        asking.taking.cancel()

    def give_back(self, asking: Asking) -> list[Asking]:
        """Who is given a place now, and does not know yet."""
        self.holding.remove(asking)
        self.places.give_back(asking.share, writing=asking.writing)
        return self._give()

    async def leave_as_given(self, asking: Asking) -> None:
        """Goes away with a place that it was given in the same tick."""
        asking.taking.cancel()
        await asyncio.sleep(0)
        self.given.remove(asking.number)
        self.holding.remove(asking)
        self._give()

    async def settle(self) -> None:
        """Until all know what they have, which has to be what they should."""
        for _ in range(4):
            await asyncio.sleep(0)
        assert self.taken == self.given
        assert (self.places.held, self.places.waiting) == (len(self.holding), len(self.waiting))
        self._keeps_the_limits()

    async def end(self) -> None:
        """All give back and leave: nothing remains."""
        for asking in [*self.waiting]:
            self.leave(asking)
        for asking in [*self.holding]:
            self.give_back(asking)
        await self.settle()
        assert (self.places.held, self.places.waiting, self.places._lines) == (0, 0, {})

    async def _take(self, number: int, share: Share, writing: bool) -> None:
        with suppress(asyncio.CancelledError):
            await self.places.take(share, 60, writing=writing)
            self.taken.add(number)

    def _give(self) -> list[Asking]:
        given = []
        while able := [asking for asking in self.waiting if self._may(asking)]:
            held = Counter(asking.share.of for asking in self.holding)
            asking = min(able, key=lambda one: (held[one.share.of], self._turns[one.share.of], one.number))
            self._turns[asking.share.of] = self._tick()
            self.waiting.remove(asking)
            self.holding.append(asking)
            self.given.add(asking.number)
            given.append(asking)
        return given

    def _may(self, asking: Asking) -> bool:
        own = [other for other in self.holding if other.share.of == asking.share.of]
        free, kept = self.size - len(self.holding), self.size // 10
        if len(own) >= asking.share.most or free <= (kept if own else 0):
            return False
        writing, own_writing = sum(other.writing for other in self.holding), sum(other.writing for other in own)
        few = writing < max(1, self.size // 2) and own_writing < max(1, asking.share.most // 2)
        return few or not asking.writing

    def _keeps_the_limits(self) -> None:
        assert len(self.holding) <= self.size
        assert not any(self._may(asking) for asking in self.waiting)

    def _tick(self) -> int:
        self._now += 1
        return self._now
