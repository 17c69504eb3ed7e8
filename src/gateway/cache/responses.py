"""The response cache of one process: what is kept, found and believed."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from gateway.cache.changes import ALONE, Changes, Known, Stamp, Writers
from gateway.cache.entries import Entry
from gateway.cache.listener import TRUST_SECONDS
from gateway.cache.memory import MemoryStore
from gateway.cache.shared import Shared, SharedStore

LONGER_THAN_TRUST_SECONDS = TRUST_SECONDS + 0.05


@dataclass(slots=True)
class Reading:
    """Something that was read and is kept elsewhere, such as who a member is. `checked_at`: as of an `Entry`."""

    stamp: Stamp
    checked_at: int = -1


@dataclass(frozen=True, slots=True)
class Look:
    """`known`: the changes known when one looked. `entry`: what is kept, None where it was purged; `holds`: whether it
    still is the truth."""

    known: Known
    entry: Entry | None
    holds: bool


class ResponseCache:
    """Entries by key. One that is past its time or was overtaken by a change stays, as stale, until it is replaced.

    `trusted`: whether all but the latest changes are known. `shared` is None where there is one process alone.
    """

    def __init__(
        self, changes: Changes, *, trusted: Callable[[], bool], memory: MemoryStore, shared: SharedStore | None
    ) -> None:
        self._changes = changes
        self._trusted = trusted
        self._memory = memory
        self._shared = shared
        self._putting: set[asyncio.Future[None]] = set()

    def at_once(self, key: bytes, now: float) -> Entry | None:
        """An entry that holds, found without waiting: None wherever other processes have to be asked."""
        if self._shared is not None:
            return None
        entry = self._memory.get(key)
        return entry if entry is not None and self._holds(entry, now) else None

    async def look(self, key: bytes, tenant_id: int) -> Look:
        """What is kept under a key, and what is known of the tenant's changes on arrival."""
        entry, now = self._memory.get(key), time.time()
        holds = entry is not None and self._holds(entry, now)
        if self._shared is None:
            known = self._known(tenant_id, ALONE)
            return Look(known, entry if holds else _stale(known, entry), holds)
        found = await self._ask(self._shared, tenant_id, None if holds else key)
        known = self._known(tenant_id, found.written)
        if found.entry is not None and self._believes(known, found.entry, now):
            self._memory.put(key, found.entry)
            return Look(known, found.entry, holds=True)
        if entry is not None and self._believes(known, entry, now):
            return Look(known, entry, holds=True)
        return Look(known, _stale(known, entry, found.entry), holds=False)

    def _known(self, tenant_id: int, shared: Mapping[str, Writers] | None) -> Known:
        """What is known on arrival: nothing that counts, where changes may have gone unheard for too long."""
        known = self._changes.known(tenant_id, shared)
        return known if self._trusted() else replace(known, baseline=None)

    async def _ask(self, shared: SharedStore, tenant_id: int, key: bytes | None) -> Shared:
        incarnation = self._changes.incarnation
        found = await shared.read(incarnation, tenant_id, key) if incarnation else None
        # Of what is not to be trusted, the entry may be one that was purged.
        return found if found and found.written is not None else Shared(None, None)

    def keep(self, key: bytes, entry: Entry) -> None:
        """Keeps an entry; nobody waits until other processes can have it."""
        self._memory.put(key, entry)
        incarnation = self._changes.incarnation
        if self._shared is not None and incarnation is not None:
            putting = self._shared.put(incarnation, key, entry, entry.good_until - time.time())
            task = asyncio.ensure_future(putting)
            self._putting.add(task)
            task.add_done_callback(self._putting.discard)

    def still_true(self, read: Entry | Reading) -> bool:
        """Whether no change is known that touches what was read, and all but the latest are known."""
        if not self._trusted():
            return False
        if read.checked_at != self._changes.generation:
            if not self._changes.holds(read.stamp):
                return False
            read.checked_at = self._changes.generation
        return True

    def in_doubt(self, tenant_id: int, tags: Iterable[str], xid: int) -> None:
        """To be told before a change is committed: nothing read before it is served any more, whatever becomes of
        it."""
        self._changes.write(tenant_id, tags, xid)

    async def acknowledge(self, tenant_id: int, tags: Iterable[str], xid: int, incarnation: str | None) -> None:
        """To be awaited after a change was committed, before it is answered: then every process knows of it.

        `incarnation`: in which it was committed. The listener may be of the one before for a moment yet.
        """
        if self._shared is None:
            return
        if incarnation is None or not await self._shared.write(incarnation, tenant_id, tags, xid):
            # By then each process has heard of it, or serves nothing unread.
            await asyncio.sleep(LONGER_THAN_TRUST_SECONDS)

    def _holds(self, entry: Entry, now: float) -> bool:
        return now < entry.good_until and self.still_true(entry)

    def _believes(self, known: Known, entry: Entry, now: float) -> bool:
        return now < entry.good_until and known.holds(entry.stamp)


def _stale(known: Known, *entries: Entry | None) -> Entry | None:
    """The first that may stand in for the truth."""
    return next((entry for entry in entries if entry is not None and not known.purged(entry.stamp)), None)
