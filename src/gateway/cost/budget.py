"""A tenant's budget: what was spent and what is reserved, in points. Pure; `redis_budget.py` has it as a script.

What was spent leaks at the rate of the bucket, what is reserved does not. A request is admitted while both and its own
price fit. When it has run, its reservation goes and what it cost is spent, even beyond the size. A reservation that
nobody settles expires and costs nothing, since whoever made it may have done nothing.

Times are whole microseconds: of these a float is exact.
"""

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil

from gateway.cost.expiring import Expiring
from gateway.terms import Bucket

MICROSECONDS = 1_000_000
GRACE_SECONDS = 10.0
"""How long a reservation outlives the deadline of its request."""
SETTLED_SECONDS = 60
"""For so long it is known what was settled: an answer that got lost makes the same be said twice."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """`key` is like no other. `alone`: it was made in this process, while nobody else could be asked."""

    tenant_id: int
    key: str
    points: int
    bucket: Bucket
    alone: bool = False


@dataclass(frozen=True)
class Standing:
    """Of a budget at one moment. `spent` leaks, `held` is reserved; `alone`: as this process knows it by itself."""

    bucket: Bucket
    spent: float
    held: float
    alone: bool = False

    @cached_property
    def available(self) -> int:
        """Whole points that a request may cost now."""
        return max(0, int(self.bucket.size - self.spent - self.held))

    def retry_after_seconds(self, points: int) -> int:
        """When so many points will be there, if nobody takes any: at least a second. What is held may come back
        before."""
        shortage = self.spent + self.held + points - self.bucket.size
        return max(1, ceil(shortage / self.bucket.rate))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Without a reservation, it is refused."""

    reservation: Reservation | None
    standing: Standing


@dataclass(slots=True)
class Account:
    """What is known of one budget. `rate`: at which it leaked last; `open`: points of reservations; `settled`: those
    that were, lately."""

    spent: float = 0.0
    held: float = 0.0
    at: int = 0
    rate: float = 0.0
    open: Expiring[int] = field(default_factory=Expiring)
    settled: Expiring[None] = field(default_factory=Expiring)

    def advance(self, rate: float, now: int) -> None:
        """To a moment; time that goes back stands still."""
        self.rate = rate
        if now > self.at:
            self.spent = max(0.0, self.spent - (now - self.at) * rate / MICROSECONDS)
            self.at = now
        self.held -= sum(self.open.expire(now))
        self.settled.expire(now)

    def reserve(self, bucket: Bucket, key: str, points: int, expires: int) -> bool:
        """Whether it is admitted. Said twice, it is reserved once."""
        if key in self.open:
            return True
        if self.spent + self.held + points > bucket.size:
            return False
        self.open.add(key, points, expires)
        self.held += points
        return True

    def settle(self, key: str, points: int, now: int) -> None:
        """Said twice, it is charged once; after the reservation has expired, still."""
        if key in self.settled:
            return
        self.settled.add(key, None, now + SETTLED_SECONDS * MICROSECONDS)
        self.held -= self.open.take(key) or 0
        self.spent += points

    def charge(self, points: int) -> None:
        """Is never refused."""
        self.spent += points

    def idle(self, now: int) -> bool:
        """Whether nothing is left in it by that moment."""
        self.advance(self.rate, now)
        return not (self.spent or self.open or self.settled)


def microseconds(seconds: float) -> int:
    return round(seconds * MICROSECONDS)
