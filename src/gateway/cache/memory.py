"""The entries of one process, bounded in bytes."""

from collections import OrderedDict
from collections.abc import Hashable

from gateway.cache.entries import Entry

SLOT_BYTES = 280
"""A key, its place in a dictionary that others come to and leave, `checked_at`; see tests/cache/test_memory.py."""


class MemoryStore:
    """Entries least recently used leave first. What no longer holds stays until then: it may be asked for as stale."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Hashable, entry: Entry) -> None:
        """Keeps an entry in place of an earlier one of its key; one larger than the whole store is not kept."""
        self.drop(key)
        size = entry.size_bytes() + SLOT_BYTES
        if size > self._limit_bytes:
            return
        self._entries[key] = entry
        self.size_bytes += size
        while self.size_bytes > self._limit_bytes:
            self.drop(next(iter(self._entries)))

    def drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size_bytes -= entry.size_bytes() + SLOT_BYTES
