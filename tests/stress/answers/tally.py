"""What a run counts, and the report of it."""

from collections import Counter
from dataclasses import dataclass, field

LISTED_WRONGS = 5


@dataclass
class Tally:
    """`limit_seconds`: what an answer may take. `wrong`: one story each; `broken`: the letters of the promises that
    answers broke, see `checks`. `statuses`: what the cache did, by answer; `codes`: of requests that were not answered.
    `lag_seconds`, `slowest_seconds`: the largest seen."""

    limit_seconds: float
    checks: int = 0
    unjudged: int = 0
    wrong: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    unmodified: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    intrusions: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    lag_seconds: float = 0.0
    slowest_seconds: float = 0.0

    @property
    def hit_share(self) -> float:
        return self.statuses["HIT"] / max(1, self.statuses.total())

    def took(self, seconds: float, asked: str) -> None:
        """How long an answer took, and to what."""
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        if seconds > self.limit_seconds:
            self.wrong.append(f"{asked} took {seconds:.1f} s")

    def line(self) -> str:
        """Where the run stands."""
        return (
            f"{self.checks} checks, {len(self.wrong)} wrong, {self.statuses['HIT']} hits ({self.hit_share:.0%}), "
            f"{self.unmodified} of 304, {self.writes.total()} writes, {self.faults.total()} faults"
        )

    def report(self) -> str:
        """All of it, a few lines."""
        return "\n".join(
            (
                self.line(),
                f"answers: {_listed(self.statuses)}; not judged: {self.unjudged}; refused: {_listed(self.codes)}",
                f"writes: {_listed(self.writes)}; lost with the database: {self.lost}",
                f"faults: {_listed(self.faults)}; intrusions: {_listed(self.intrusions)}",
                f"furthest behind a write in SQL: {1000 * self.lag_seconds:.0f} ms",
                f"slowest answer: {1000 * self.slowest_seconds:.0f} ms",
                *(f"WRONG: {line}" for line in self.wrong[:LISTED_WRONGS]),
            )
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
