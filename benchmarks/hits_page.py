"""What was found of cached answers, as a table and sentences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from benchmarks.crowd import CrowdFigures
from benchmarks.measure import GATEWAY, Cell
from benchmarks.tables import Row, TableOf, number, spread

PEERS = ("mercurius", "yoga")
BARE = "bare"
GET, UNCHANGED, SEVERAL = "gateway, GET", "gateway, GET, 304", "gateway, one of several, with Redis"
UNPRICED = "gateway, prices off"
HEADINGS = (
    *("connections", "server", "requests/s", "±", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "no hits"),
    *("to bare", "to the fastest peer"),
)


@dataclass(frozen=True)
class Memory:
    """What kept dashboards take of a gateway's memory. `ratio`: in their bodies; `fixed_bytes`: each beside its own."""

    ratio: float
    fixed_bytes: float

    @classmethod
    def of(cls, texts: Sequence[bytes], counted: Mapping[str, float]) -> "Memory":
        """`texts`: all that is kept; `counted`: what the gateway tells of it."""
        kept_bytes, text_bytes = counted["gateway_cache_bytes"], sum(map(len, texts))
        return cls(kept_bytes / text_bytes, (kept_bytes - text_bytes) / counted["gateway_cache_entries"])

    def sentence(self) -> str:
        return (
            f"A kept dashboard takes {self.ratio:.2f} times its body of memory: {number(self.fixed_bytes)} bytes "
            "beside it, which a small answer takes too."
        )


@dataclass(frozen=True)
class HitFigures:
    """`versions`: of the peers. A cell for each number of connections and server, in this order; by POST where the
    server's name does not say otherwise. `memory`: of what a gateway keeps; `trips`: to Redis, for one hit of a gateway
    of several; `budget_trips`: for the budget of an answer that it reads.
    """

    versions: str
    cells: list[Cell]
    memory: Memory
    trips: float
    budget_trips: float
    crowd: CrowdFigures

    def table(self) -> TableOf:
        return "Cached dashboards, mix of tenants", HEADINGS, [row for group in self._groups() for row in _rows(group)]

    def sentences(self) -> list[str]:
        statements = max(cell.statements or 0 for cell in self.cells)
        return [
            f"The peers of cached answers: {self.versions}.",
            *map(_told, self._groups()),
            (
                f"A hit of the gateway issues {statements:.3g} statements; one of several turns to Redis "
                f"{self.trips:.2f} times, and for the budget of an answer that it reads {self.budget_trips:.2f} times."
            ),
            self.memory.sentence(),
            self.crowd.sentence(),
        ]

    def _groups(self) -> Iterator[dict[str, Cell]]:
        """The cells of each number of connections, by server."""
        for _, cells in groupby(self.cells, key=lambda cell: cell.question.connections):
            yield {cell.server: cell for cell in cells}


def _rows(group: dict[str, Cell]) -> Iterator[Row]:
    for cell in group.values():
        yield (
            *(str(cell.question.connections), cell.server, number(cell.rate), f"{spread(cell.rounds):.0%}"),
            *(number(cell.p50_ms), number(cell.p95_ms), number(cell.p99_ms), f"{cell.cpu_ms:.3f}", str(cell.errors)),
            *(f"{cell.rate / group[BARE].rate:.2f}", f"{cell.rate / _fastest_peer(group):.2f}"),
        )


def _told(group: dict[str, Cell]) -> str:
    ours, get, unchanged, unpriced, several = (group[name] for name in (GATEWAY, GET, UNCHANGED, UNPRICED, SEVERAL))
    return (
        f"Hits at {ours.question.connections} connections: the gateway to the fastest peer "
        f"{ours.rate / _fastest_peer(group):.2f}, by GET {get.rate / _fastest_peer(group):.2f}, one of several "
        f"{several.rate / _fastest_peer(group):.2f}; a 304 to a 200, both by GET, {unchanged.rate / get.rate:.2f}; "
        f"with prices to without {ours.rate / unpriced.rate:.2f}, by processor time "
        f"{unpriced.cpu_ms / ours.cpu_ms:.2f}; p99 {number(ours.p99_ms)} ms."
    )


def _fastest_peer(group: dict[str, Cell]) -> float:
    return max(group[name].rate for name in PEERS)
