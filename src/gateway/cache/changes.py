"""Which changes are known, and whether what was read before them still holds. Pure: nothing here waits or reads a
clock.

A change is a transaction's id for a tenant and a tag; a tag is the name of a table that the transaction wrote to. What
an admin purges counts as changed, and is told of by a second tag beside each table's: see `PURGED`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern

from gateway.cache.snapshots import Snapshot

EVERY_TENANT = 0
"""No tenant's key: changes that concern all of them stand under it."""
PURGED = "purged "
"""Before the name of a table: what was read from it is not even stale. As `commands/purge_cache.py` tells it."""
MOST_WRITERS = 16
MOST_SETS_OF_TAGS = 4096
BLIND = Snapshot(0, 0)
"""It sees no transaction."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an answer was read from: whose, in which snapshot of which incarnation of the database, from which
    tables."""

    tenant_id: int
    incarnation: str
    snapshot: Snapshot
    tags: frozenset[str]

    @classmethod
    def of(cls, tenant_id: int, incarnation: str, snapshot: Snapshot, tags: Iterable[str]) -> "Stamp":
        """To be kept long: what is the same in many stamps is held once."""
        return cls(tenant_id, intern(incarnation), snapshot, _held_once(frozenset(tags)))


@lru_cache(maxsize=MOST_SETS_OF_TAGS)
def _held_once(tags: frozenset[str]) -> frozenset[str]:
    return tags


@dataclass(frozen=True, slots=True)
class Writers:
    """The latest transactions that gateways wrote a tag with, in no order: one may commit after another with a
    larger id.

    `floor`: the largest id that was left out, 0 for none.
    """

    xids: tuple[int, ...] = ()
    floor: int = 0

    def joined(self, xid: int) -> "Writers":
        """With one more; of too many, the smallest is left out."""
        xids = sorted({*self.xids, xid})
        left_out = xids[:-MOST_WRITERS]
        return Writers(tuple(xids[-MOST_WRITERS:]), max([self.floor, *left_out]))

    def seen_by(self, snapshot: Snapshot) -> bool:
        return snapshot.xmin > self.floor and all(map(snapshot.sees, self.xids))


@dataclass(slots=True)
class TenantChanges:
    """`noticed`: by tag, the last change that the database told of; those come in the order of commits, so that the
    last one stands for all before it. `written`: by tag, what gateways wrote, known from before it was
    acknowledged."""

    noticed: dict[str, int] = field(default_factory=dict)
    written: dict[str, Writers] = field(default_factory=dict)

    def seen_by(self, snapshot: Snapshot, tags: Iterable[str]) -> bool:
        """Whether all of them on these tags are visible in the snapshot."""
        noticed, written = self.noticed, self.written
        return all(
            (tag not in noticed or snapshot.sees(noticed[tag]))
            and (tag not in written or written[tag].seen_by(snapshot))
            for tag in tags
        )

    def forget_notices(self) -> None:
        """Of all but purges: what was not ended by hand may be given out as stale."""
        self.noticed = {tag: xid for tag, xid in self.noticed.items() if tag.startswith(PURGED)}

    def copy(self) -> "TenantChanges":
        return TenantChanges(dict(self.noticed), dict(self.written))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at one moment of the changes that can touch a tenant's answers.

    `baseline`: before it, changes may have gone unheard; None: nothing is known. `shared`: what gateways wrote, as
    far as other processes are to be asked; None: they did not answer.
    """

    incarnation: str | None
    baseline: Snapshot | None
    changes: tuple[TenantChanges, ...]
    shared: Mapping[str, Writers] | None

    def holds(self, stamp: Stamp) -> bool:
        """Whether what was read then is what would be read now, as far as is known."""
        return (
            self.baseline is not None
            and self.shared is not None
            and stamp.incarnation == self.incarnation
            and stamp.snapshot.contains(self.baseline)
            and self._seen_by(stamp.snapshot, stamp.tags)
        )

    def purged(self, stamp: Stamp) -> bool:
        """Whether what was read then is known to have been ended by hand since."""
        # What is of another life of the database saw nothing of this one.
        snapshot = stamp.snapshot if self.incarnation in (None, stamp.incarnation) else BLIND
        return not self._seen_by(snapshot, frozenset(PURGED + tag for tag in stamp.tags))

    def _seen_by(self, snapshot: Snapshot, tags: frozenset[str]) -> bool:
        shared = self.shared or {}
        return all(changes.seen_by(snapshot, tags) for changes in self.changes) and all(
            shared[tag].seen_by(snapshot) for tag in tags & shared.keys()
        )


ALONE: Mapping[str, Writers] = {}
"""What other processes tell where there are none to be asked."""


class Changes:
    """The changes that one process knows, by tenant. `generation` counts what it learns."""

    def __init__(self) -> None:
        self.generation = 0
        self.incarnation: str | None = None
        self._baseline: Snapshot | None = None
        self._tenants: dict[int, TenantChanges] = {}

    def begin(self, incarnation: str | None, baseline: Snapshot | None) -> None:
        """Every change that the baseline does not see is heard: some of them were before it arrived. None: nothing is
        any more."""
        self.generation += 1
        self.incarnation, self._baseline = incarnation, baseline
        if baseline is None:
            for changes in self._tenants.values():
                changes.forget_notices()

    def notice(self, tenant_id: int, tag: str, xid: int) -> None:
        """The database told of a committed change."""
        self.generation += 1
        self._of(tenant_id).noticed[tag] = xid

    def write(self, tenant_id: int, tags: Iterable[str], xid: int) -> None:
        """This process is about to commit a change: in doubt until it is seen, whatever becomes of it."""
        self.generation += 1
        written = self._of(tenant_id).written
        for tag in tags:
            written[tag] = written.get(tag, Writers()).joined(xid)

    def known(self, tenant_id: int, shared: Mapping[str, Writers] | None = ALONE) -> Known:
        """What is known now; it does not change any more."""
        changes = tuple(one.copy() for one in self._touching(tenant_id))
        return Known(self.incarnation, self._baseline, changes, shared)

    def holds(self, stamp: Stamp) -> bool:
        """As `known(…).holds(…)`, of what this process knows itself."""
        changes = tuple(self._touching(stamp.tenant_id))
        return Known(self.incarnation, self._baseline, changes, ALONE).holds(stamp)

    def _touching(self, tenant_id: int) -> list[TenantChanges]:
        found = (self._tenants.get(tenant_id), self._tenants.get(EVERY_TENANT))
        return [one for one in found if one is not None]

    def _of(self, tenant_id: int) -> TenantChanges:
        return self._tenants.setdefault(tenant_id, TenantChanges())
