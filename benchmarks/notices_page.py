"""The ceiling of writes, as a table and a sentence."""

from dataclasses import dataclass

from benchmarks.tables import Row, TableOf, number

AS_SERVED, SILENT, WITHOUT = "as served", "silent", "without"
STATES = (AS_SERVED, SILENT, WITHOUT)
"""Of the trigger that tells of a table's changes."""

HEADINGS = (
    *("updates of", "synchronous_commit", "commits/s, triggers as served", "the same, silent", "without"),
    *("as served to silent", "as served to without"),
)


@dataclass(frozen=True)
class Ceiling:
    """Commits a second of single-row updates, by the state of the trigger. `synchronous`: `on` or `off`."""

    table: str
    synchronous: str
    rates: dict[str, float]


@dataclass(frozen=True)
class NoticeFigures:
    """Of so many connections together."""

    connections: int
    ceilings: list[Ceiling]

    def table(self) -> TableOf:
        title = f"The ceiling of writes: updates of single rows on {self.connections} connections, a gateway listening"
        return title, HEADINGS, [_row(ceiling) for ceiling in self.ceilings]

    def sentences(self) -> list[str]:
        lowest = {
            synchronous: min(each.rates[AS_SERVED] for each in self.ceilings if each.synchronous == synchronous)
            for synchronous in dict.fromkeys(ceiling.synchronous for ceiling in self.ceilings)
        }
        told = "; ".join(f"{number(rate)}/s with synchronous_commit {name}" for name, rate in lowest.items())
        return [f"The ceiling of commits that tell of a change, of the slowest table: {told}."]


def _row(ceiling: Ceiling) -> Row:
    rates = ceiling.rates
    return (
        *(ceiling.table, ceiling.synchronous, *(number(rates[state]) for state in STATES)),
        *(f"{rates[AS_SERVED] / rates[state]:.2f}" for state in (SILENT, WITHOUT)),
    )
