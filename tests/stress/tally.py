"""What a run counts, and the report of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

LISTED_WRONGS = 10

LOG_PREFIX = "stress %u %e "
"""Of the server's log: who, and the code of the error."""

ERRORS = ("ERROR:", "FATAL:", "PANIC:")

WANTED = frozenset({"57P01", "08006", "08P01", "55P03"})
"""A session that was terminated, a client that is gone, a lock that the worker did not wait for: it comes again."""


@dataclass
class Tally:
    """`wrong`: one line each. `writes`: committed ones, by kind. `heard`: what workers told of their work."""

    checks: int = 0
    wrong: list[str] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)
    transactions: Counter[str] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        """Where the run stands."""
        return (
            f"{self.checks} checks, {len(self.wrong)} wrong, {self.writes.total()} writes, "
            f"{self.heard['folds']} folds, {self.heard['refreshes']} refreshes, {self.deaths.total()} deaths"
        )

    def report(self) -> str:
        """All of it, a few lines."""
        return "\n".join(
            (
                self.line(),
                f"transactions: {_listed(self.transactions)}",
                f"writes committed: {_listed(self.writes)}",
                f"workers: {_listed(self.heard)}; {_listed(self.deaths)}",
                *(f"WRONG: {line}" for line in self.wrong[:LISTED_WRONGS]),
            )
        )


def worker_errors(log: Path) -> Counter[str]:
    """Errors of the role `worker` by code, out of the server's log: what a killed process could not tell is there."""
    found = (line.split(" ", 3) for line in log.read_text(errors="replace").splitlines())
    codes = (parts[2] for parts in found if parts[:2] == ["stress", "worker"] and parts[3].startswith(ERRORS))
    return Counter(code for code in codes if code not in WANTED)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(_pairs(sorted(counts.items()))) or "none"


def _pairs(counts: Iterable[tuple[str, int]]) -> Iterable[str]:
    return (f"{name} {count}" for name, count in counts)
