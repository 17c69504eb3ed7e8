"""What one tenant felt of another's flood, as a table and sentences."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.generator import Load
from benchmarks.measure import percentile
from benchmarks.tables import Row, TableOf, number

QUIET, FLOOD, TORRENT = "quiet", "flood", "torrent"
HEADINGS = (
    *("the other tenant", "requests", "errors", "p50 ms", "p95 ms", "p99 ms", "p95 ratio", "±"),
    *("it asks/s", "answered/s", "gateway cores", "PostgreSQL cores"),
)


@dataclass(frozen=True)
class Round:
    """`own`: what the measured tenant saw; `other`: what the flooding one did, None in quiet. Cores: CPU seconds a
    second, of the gateway's process and of all of PostgreSQL's, while both asked.
    """

    own: Load
    other: Load | None
    gateway_cores: float
    database_cores: float

    @property
    def p95_ms(self) -> float:
        return percentile(self.own.milliseconds, 0.95)


@dataclass(frozen=True)
class State:
    """One state in all its rounds. Rates are requests a second; `ratio`: of the p95 of all rounds to that of the quiet
    ones; `spread`: half the distance between the ratios of the least and the most slowed round, each to the quiet one
    before it.
    """

    name: str
    requests: int
    errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    ratio: float
    spread: float
    asked: float
    answered: float
    gateway_cores: float
    database_cores: float

    @classmethod
    def of(cls, name: str, rounds: Sequence[Round], quiet: Sequence[Round]) -> "State":
        """The rounds of a state, and the quiet ones in the same order."""
        times = _times(rounds)
        ratios = [one.p95_ms / before.p95_ms for one, before in zip(rounds, quiet, strict=True)]
        others = [one.other for one in rounds if one.other is not None]
        seconds = sum(other.seconds for other in others) or 1.0
        return cls(
            name=name,
            requests=len(times),
            errors=sum(one.own.errors for one in rounds),
            p50_ms=percentile(times, 0.50),
            p95_ms=percentile(times, 0.95),
            p99_ms=percentile(times, 0.99),
            ratio=percentile(times, 0.95) / percentile(_times(quiet), 0.95),
            spread=(max(ratios) - min(ratios)) / 2,
            asked=sum(other.completed for other in others) / seconds,
            answered=sum(other.completed - other.errors for other in others) / seconds,
            gateway_cores=statistics.fmean(one.gateway_cores for one in rounds),
            database_cores=statistics.fmean(one.database_cores for one in rounds),
        )

    def row(self) -> Row:
        return (
            *(self.name, f"{self.requests:,}", str(self.errors)),
            *(number(self.p50_ms), number(self.p95_ms), number(self.p99_ms)),
            *(f"{self.ratio:.2f}", f"{self.spread:.2f}", number(self.asked), number(self.answered)),
            *(f"{self.gateway_cores:.2f}", f"{self.database_cores:.2f}"),
        )


@dataclass(frozen=True)
class FairnessFigures:
    """`times`: of what its plan restores, the flood asks for so much. `connections`: the flood's."""

    times: int
    connections: int
    states: list[State]

    def table(self) -> TableOf:
        title = (
            f"Dashboards and pipelineStats of one tenant, nothing kept, while another floods: at {self.times} times "
            f"the rate of its plan, and without end, on {self.connections} connections"
        )
        return title, HEADINGS, [state.row() for state in self.states]

    def sentences(self) -> list[str]:
        by_name = {state.name: state for state in self.states}
        flood = by_name[FLOOD]
        asked = f"{flood.asked:.0f} requests a second, {flood.answered:.1f} of them answered"
        return [
            (
                f"While another tenant asks for {self.times} times what its plan restores ({asked}), a tenant's p95 is "
                f"{flood.ratio:.2f} times the quiet one."
            )
        ]


def _times(rounds: Sequence[Round]) -> list[float]:
    return [milliseconds for one in rounds for milliseconds in one.own.milliseconds]
