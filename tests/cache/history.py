"""A database's transactions as PostgreSQL numbers them and tells of them; no more of it than snapshots need."""

from gateway.cache.snapshots import Snapshot

FIRST_XID = 3


class History:
    """Transactions begin and end, in any order. `ended`: those that no later snapshot misses."""

    def __init__(self) -> None:
        self.running: list[int] = []
        self.ended: set[int] = set()

    def begin(self) -> int:
        """A new transaction's id."""
        xid = FIRST_XID + len(self.running) + len(self.ended)
        self.running.append(xid)
        return xid

    def end(self, xid: int) -> None:
        """Committed or not: snapshots do not tell."""
        self.running.remove(xid)
        self.ended.add(xid)

    def snapshot(self) -> Snapshot:
        """As `pg_current_snapshot()` has it: `xmax` follows the latest id that ended, not the latest that began."""
        xmax = max(self.ended, default=FIRST_XID - 1) + 1
        running = frozenset(xid for xid in self.running if xid < xmax)
        return Snapshot(min(running, default=xmax), xmax, running)
