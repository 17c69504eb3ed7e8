"""Kept answers for requests as they come over the wire, before anything is routed: the raw way of a request that was
answered before."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.observe import Observer
from gateway.pipeline.at_once import AtOnce
from gateway.pipeline.call import CacheStatus, Kept, Trail
from gateway.pipeline.pipeline import Pipeline
from gateway.web.headers import VARY, VARY_BY_ORIGIN, head_of_hit, not_modified
from gateway.web.wire import accepted_media_type, request_id, text_of_get

WORDS = {
    name.encode(): name
    for name in (
        "accept",
        "authorization",
        "cache-control",
        "content-encoding",
        "content-length",
        "content-type",
        "graphql-cache",
        "graphql-cost",
        "if-none-match",
        "origin",
        "transfer-encoding",
        "x-request-id",
        "x-tenant",
    )
}
"""Headers that matter here. A request that says any of them twice goes the whole way."""
NOT_PLAIN = frozenset({"content-encoding", "graphql-cache", "graphql-cost", "transfer-encoding"})
JSON_BODIES = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})


class PlainRequest(NamedTuple):
    """The head of a request of somebody who is signed in. `words`: its headers that matter; `query`: a GET in one
    piece, empty for a POST, which is its body."""

    words: Mapping[str, str]
    query: bytes


class HitResponse(NamedTuple):
    """`head`: lines of headers, each with its end; `body`: in parts."""

    status: int
    head: bytes
    body: Sequence[bytes | memoryview]


class Hits:
    """Answers what it can at once: two steps, since the body of a request comes after its head.

    `cross_origin`: whether pages of other origins are let in. What they are told of that is told on the whole way.
    """

    def __init__(
        self, at_once: AtOnce, pipeline: Pipeline, observer: Observer, *, path: str, cross_origin: bool
    ) -> None:
        self._at_once = at_once
        self._pipeline = pipeline
        self._observer = observer
        self._path = path.encode()
        self._not_plain = NOT_PLAIN | {"origin"} if cross_origin else NOT_PLAIN
        self._vary = VARY_BY_ORIGIN if cross_origin else VARY

    def plain(self, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> PlainRequest | None:
        """What a request says, from its target and its headers with names in lower case; None where it is not one
        that could be known."""
        path, _, query_string = target.partition(b"?")
        if path != self._path:
            return None
        words = _words(headers)
        if words is None or "authorization" not in words or not self._not_plain.isdisjoint(words):
            return None
        if method == b"POST":
            plain = target == path and words.get("content-type") in JSON_BODIES
            return PlainRequest(words, b"") if plain else None
        query = text_of_get(query_string)
        return PlainRequest(words, query) if method == b"GET" and query and "content-length" not in words else None

    def response(self, request: PlainRequest, body: bytes) -> HitResponse | None:
        """The answer that is kept, counted as given out; None: the request has to go the whole way."""
        try:
            return self._response(request, request.query or body)
        except Exception as error:  # noqa: BLE001 - the whole way still leads to an answer
            self._observer.fault("a kept answer could not be given out", error=error)
            return None

    def _response(self, request: PlainRequest, text: bytes) -> HitResponse | None:
        words = request.words
        media_type = accepted_media_type(words.get("accept", "*/*"))
        if media_type is None:
            return None
        trail = Trail(request_id(words.get("x-request-id", "")))
        control = words.get("cache-control", "")
        hit = self._at_once.find(text, words["authorization"], words.get("x-tenant"), control, trail)
        if hit is None:
            return None
        kept = Kept(CacheStatus.HIT, hit.key, hit.entry.etag, hit.age_seconds)
        unchanged = not_modified("GET" if request.query else "POST", words.get("if-none-match"), kept)
        status, body = (304, []) if unchanged else (200, hit.body())
        head = head_of_hit(trail, kept, self._vary, None if unchanged else media_type, sum(map(len, body)))
        self._pipeline.finished(trail, outcome="ok", status=status)
        return HitResponse(status, head, body)


def _words(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str] | None:
    """Those that matter; None where one is said twice."""
    found: dict[str, str] = {}
    for name, value in headers:
        if word := WORDS.get(name):
            if word in found:
                return None
            found[word] = value.decode("latin-1")
    return found
