"""What is kept of an answer, and how it is written down for other processes."""

import hashlib
import zlib
from dataclasses import dataclass, field
from sys import getsizeof

import orjson

from gateway.cache.changes import Stamp
from gateway.cache.snapshots import Snapshot

MAGIC = b"gwc1"
CHECK_BYTES = 16
LARGEST_PLAIN_BYTES = 2048
"""Larger bodies are compressed for the way to another process and back."""
COMPRESSION_LEVEL = 1
OPENING, CLOSING = b'{"data":', b"}"


@dataclass(slots=True)
class Entry:
    """An answer without errors. `body`: the whole JSON text, `{"data":…}`.

    `read_at` and `good_until`: seconds since the epoch by this machine's clock; what it says is true until then at
    most.
    """

    stamp: Stamp
    body: bytes
    read_at: float
    good_until: float
    etag: str
    checked_at: int = field(default=-1, compare=False, repr=False)
    """What the process knew when it last found that this holds, as the generation of its changes."""

    @classmethod
    def of(cls, stamp: Stamp, data: bytes, *, read_at: float, good_until: float) -> "Entry":
        """Of the encoded `data`."""
        etag = f'W/"{hashlib.blake2b(data, digest_size=12).hexdigest()}"'
        return cls(stamp, b"".join((OPENING, data, CLOSING)), read_at, good_until, etag)

    @property
    def data(self) -> bytes:
        return self.body[len(OPENING) : -len(CLOSING)]

    def age_seconds(self, now: float) -> float:
        return max(0.0, now - self.read_at)

    def size_bytes(self) -> int:
        """What it takes of this process's memory. Tags and incarnation are held once for all: `Stamp.of`."""
        snapshot = self.stamp.snapshot
        parts = (self, self.body, self.etag, self.stamp, snapshot, self.read_at, self.good_until)
        running = (snapshot.running, *snapshot.running) if snapshot.running else ()
        return sum(map(getsizeof, (*parts, snapshot.xmin, snapshot.xmax, *running)))


def packed(entry: Entry, key: bytes) -> bytes:
    """An entry as a value of a store that several processes share. It names its key, and carries a check of all of
    it."""
    small = len(entry.body) <= LARGEST_PLAIN_BYTES
    stamp = entry.stamp
    head = orjson.dumps(
        {
            "key": key.hex(),
            "tenant": stamp.tenant_id,
            "incarnation": stamp.incarnation,
            "snapshot": str(stamp.snapshot),
            "tags": sorted(stamp.tags),
            "read_at": entry.read_at,
            "good_until": entry.good_until,
            "compressed": not small,
        }
    )
    body = entry.body if small else zlib.compress(entry.body, COMPRESSION_LEVEL)
    content = len(head).to_bytes(4, "big") + head + body
    return MAGIC + _check(content) + content


def unpacked(value: bytes, key: bytes) -> Entry | None:
    """The entry of a value; None for what is of another version, of another key, or damaged."""
    start = len(MAGIC) + CHECK_BYTES
    content = value[start:]
    if not value.startswith(MAGIC) or value[len(MAGIC) : start] != _check(content):
        return None
    try:
        head = orjson.loads(content[4 : 4 + int.from_bytes(content[:4], "big")])
        if head["key"] != key.hex():
            return None
        body = content[4 + int.from_bytes(content[:4], "big") :]
        body = zlib.decompress(body) if head["compressed"] else body
        snapshot, tags = Snapshot.parse(str(head["snapshot"])), map(str, head["tags"])
        stamp = Stamp.of(int(head["tenant"]), str(head["incarnation"]), snapshot, tags)
        data = body[len(OPENING) : -len(CLOSING)]
        return Entry.of(stamp, data, read_at=float(head["read_at"]), good_until=float(head["good_until"]))
    except (ValueError, KeyError, TypeError, zlib.error):
        return None


def _check(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=CHECK_BYTES).digest()
