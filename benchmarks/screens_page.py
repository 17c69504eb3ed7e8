"""What screens saw, as a table and sentences."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from benchmarks.measure import percentile
from benchmarks.promise import Seen, Write, broken
from benchmarks.tables import Row, TableOf, number

LISTED_WRONGS = 3
LAG = "gateway_listener_lag_seconds"
LAG_BUCKET = re.compile(rf'{LAG}_bucket{{le="(.+)"}}')
HEADINGS = (
    *("dashboards", "polls", "hits", "executions", "p50 ms", "p95 ms", "p99 ms", "gateway CPU ms", "PostgreSQL CPU ms"),
    "outside the promise",
)


@dataclass(frozen=True)
class Poll:
    """`seen`: what it showed of the tenant's counter."""

    tenant_id: int
    seen: Seen
    is_hit: bool

    @property
    def milliseconds(self) -> float:
        return (self.seen.answered - self.seen.asked) * 1000


@dataclass(frozen=True)
class Spent:
    """CPU seconds of the gateway's process and of all of PostgreSQL's; executions of queries and mutations."""

    gateway_cpu_seconds: float
    database_cpu_seconds: float
    executions: int

    def __sub__(self, before: "Spent") -> "Spent":
        return Spent(
            self.gateway_cpu_seconds - before.gateway_cpu_seconds,
            self.database_cpu_seconds - before.database_cpu_seconds,
            self.executions - before.executions,
        )


@dataclass(frozen=True)
class Lag:
    """How late a gateway heard its own notices: so many, their mean, and the smallest bound of its histogram that holds
    all of them."""

    notices: int
    mean_ms: float
    at_most_ms: float

    @classmethod
    def between(cls, before: Mapping[str, float], after: Mapping[str, float]) -> "Lag":
        """Of what a gateway's counters tell at two moments."""

        def heard(name: str) -> float:
            return after.get(name, 0.0) - before.get(name, 0.0)

        notices = int(heard(f"{LAG}_count"))
        bounds = {float(found[1]): heard(name) for name in after if (found := LAG_BUCKET.fullmatch(name))}
        holds_all = (bound for bound, at_most in bounds.items() if at_most == notices)
        return cls(
            notices, 1000 * heard(f"{LAG}_sum") / notices if notices else 0.0, 1000 * min(holds_all, default=inf)
        )

    def sentence(self) -> str:
        return (
            f"While screens polled, the gateway heard {self.notices:,} notices that it had sent to itself: after "
            f"{number(self.mean_ms)} ms in the mean, none after more than {self.at_most_ms:g} ms."
        )


@dataclass(frozen=True)
class Watched:
    """What all screens saw of so many tenants. `executions`: of dashboards; CPU times: for a poll, those of writes and
    of the worker's folds among them; `wrong`: answers outside the promise, a line each.
    """

    tenants: int
    seconds: float
    polls: int
    hits: int
    writes: int
    executions: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    gateway_cpu_ms: float
    database_cpu_ms: float
    wrong: list[str]

    @classmethod
    def of(
        cls, seconds: float, polls: Sequence[Poll], writes: Mapping[int, Sequence[Write]], spent: Spent
    ) -> "Watched":
        """`writes`: of each tenant's counter, in order."""
        times = [poll.milliseconds for poll in polls]
        p50, p95, p99 = (percentile(times, share) for share in (0.5, 0.95, 0.99))
        made = [write for of_tenant in writes.values() for write in of_tenant]
        seen = {tenant_id: [poll.seen for poll in polls if poll.tenant_id == tenant_id] for tenant_id in writes}
        return cls(
            tenants=len(writes),
            seconds=seconds,
            polls=len(polls),
            hits=sum(poll.is_hit for poll in polls),
            writes=len(made),
            executions=spent.executions - sum(write.acknowledged for write in made),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            gateway_cpu_ms=spent.gateway_cpu_seconds * 1000 / len(polls),
            database_cpu_ms=spent.database_cpu_seconds * 1000 / len(polls),
            wrong=[line for tenant_id in writes for line in broken(writes[tenant_id], seen[tenant_id])],
        )


@dataclass(frozen=True)
class ScreenFigures:
    """The same screens with the cache and without. `lag`: with it."""

    screens: int
    poll_seconds: float
    writes_a_second: float
    kept: Watched
    read: Watched
    lag: Lag

    def table(self) -> TableOf:
        title = (
            f"{self.screens} screens of {self.kept.tenants} tenants, each asking once in {self.poll_seconds:g} s, for "
            f"{self.kept.seconds:g} s, while {self.writes_a_second:g} deals a second are changed"
        )
        return title, HEADINGS, [_row("kept", self.kept), _row("read each time", self.read)]

    def sentences(self) -> list[str]:
        kept, read = self.kept, self.read
        return [
            (
                f"{self.screens} screens: {kept.hits / kept.polls:.1%} of {kept.polls:,} polls were hits while "
                f"{kept.writes} changes were made; {len(kept.wrong)} answers were outside the promise; for each poll, "
                f"PostgreSQL took {read.database_cpu_ms / kept.database_cpu_ms:.1f} times the processor time without "
                f"the cache."
            ),
            self.lag.sentence(),
            *(f"WRONG: {line}." for line in (kept.wrong + read.wrong)[:LISTED_WRONGS]),
        ]


def _row(name: str, watched: Watched) -> Row:
    return (
        *(name, f"{watched.polls:,}", f"{watched.hits / watched.polls:.1%}", f"{watched.executions:,}"),
        *(number(watched.p50_ms), number(watched.p95_ms), number(watched.p99_ms)),
        *(number(watched.gateway_cpu_ms), number(watched.database_cpu_ms), str(len(watched.wrong))),
    )
