"""Snapshots of the database, and what they see. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """As PostgreSQL tells it: below `xmin` every transaction had ended, from `xmax` on none; `running` is in between.

    An aborted transaction counts as seen: it changed nothing.
    """

    xmin: int
    xmax: int
    running: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        """Of the text of `pg_current_snapshot()`, such as `10:14:10,12`. Raises ValueError."""
        xmin, xmax, running = text.split(":")
        bounds = int(xmin), int(xmax)
        # Those without any share one empty set, which would take as much memory as all the rest.
        return cls(*bounds, frozenset(map(int, running.split(",")))) if running else cls(*bounds)

    def sees(self, xid: int) -> bool:
        """Whether that transaction had ended before this snapshot."""
        return xid < self.xmin or (xid < self.xmax and xid not in self.running)

    def contains(self, earlier: "Snapshot") -> bool:
        """Whether it sees everything that another one sees."""
        return self.xmax >= earlier.xmax and all(xid >= earlier.xmax or xid in earlier.running for xid in self.running)

    def __str__(self) -> str:
        return f"{self.xmin}:{self.xmax}:{','.join(map(str, sorted(self.running)))}"
