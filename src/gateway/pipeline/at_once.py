"""The way of a request that was answered before: the same steps in the same order, each from memory, none of them
waiting."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from gateway.cache.directives import wishes
from gateway.cache.entries import Entry
from gateway.cache.policy import Policy
from gateway.cache.responses import ResponseCache
from gateway.documents.library import Operation
from gateway.identity.identify import Identifier, Identity
from gateway.pipeline.caching import Asked, key_of
from gateway.pipeline.call import CacheStatus, Call, Trail
from gateway.pipeline.charging import Charging
from gateway.pipeline.prepared import Prepared
from gateway.pipeline.tabs import Tab

LARGEST_KNOWN_BYTES = 16_384
MOST_KNOWN_BYTES = 4_194_304
SLOT_BYTES = 400
"""What is known of one, and its place in a dictionary; see tests/cache/test_known_calls.py."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a request's text came to when it was last read. `points`: its price."""

    question: bytes
    policy: Policy
    operation: str | None
    points: int


class KnownCalls:
    """Requests by their text, bounded in bytes: what was read, checked and admitted once is so again, whoever sends
    it."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._bytes = 0

    def get(self, text: bytes) -> _Known | None:
        return self._known.get(text)

    def remember(self, call: Call, asked: Asked, operation: Operation[Prepared]) -> None:
        """A query that was answered, of somebody who is signed in. One that asks for a new answer is not to be known
        again."""
        text = call.text
        if text is None or len(text) > LARGEST_KNOWN_BYTES or text in self._known or call.cache.refresh:
            return
        self._known[text] = _Known(
            asked.question, operation.prepared.policy, call.trail.operation, call.trail.bill.requested
        )
        self._bytes += len(text) + SLOT_BYTES
        while self._bytes > MOST_KNOWN_BYTES:
            self._bytes -= len(self._known.popitem(last=False)[0]) + SLOT_BYTES


class Hit(NamedTuple):
    """An answer that is kept and still true. `tab`: that it is on, None where prices are off; `age_seconds`: since it
    was read."""

    entry: Entry
    tab: Tab | None
    key: bytes
    age_seconds: float

    def body(self) -> list[bytes | memoryview]:
        """It, with what is told beside it, in parts: they are put together once, with the head of the response."""
        body = self.entry.body
        return [body] if self.tab is None else [memoryview(body)[:-1], self.tab.end]


class AtOnce:
    """Finds answers that need nothing but memory."""

    def __init__(self, identifier: Identifier, known: KnownCalls, cache: ResponseCache, charging: Charging) -> None:
        self._identifier = identifier
        self._known = known
        self._cache = cache
        self._charging = charging

    def find(self, text: bytes, authorization: str, x_tenant: str | None, control: str, trail: Trail) -> Hit | None:
        """The answer to a request by its text and headers; None: it has to go the whole way."""
        identity = self._identifier.remembered(authorization, x_tenant)
        known = self._known.get(text)
        if identity is None or known is None:
            return None
        now = time.time()
        key = key_of(known.question, known.policy, identity)
        entry = self._cache.at_once(key, now)
        if entry is None or (control and not wishes(control).accept(entry.age_seconds(now))):
            return None
        _note(trail, identity, known)
        if tab := self._charging.kept(identity, known.points):
            trail.bill = tab.bill
        trail.stopwatch.seconds["cache"] = trail.stopwatch.total_seconds()
        return Hit(entry, tab, key, entry.age_seconds(now))


def _note(trail: Trail, identity: Identity, known: _Known) -> None:
    trail.tenant = identity.tenant_slug
    trail.operation = known.operation
    trail.kind = "query"
    trail.cache = CacheStatus.HIT
