"""Kept answers, given out before anything is routed: the raw way of a request that was answered before."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.pipeline.at_once import AtOnce, Hit
from gateway.pipeline.call import CacheStatus, Kept, Trail
from gateway.pipeline.pipeline import Pipeline
from gateway.web.headers import not_modified, response_headers
from gateway.web.wire import accepted_media_type, request_id, text_of_get

HEADERS = {
    name.encode(): name
    for name in (
        "accept",
        "authorization",
        "cache-control",
        "content-encoding",
        "content-type",
        "graphql-cache",
        "graphql-cost",
        "if-none-match",
        "x-request-id",
        "x-tenant",
    )
}
"""What a request may say that matters here. One that says any of it twice goes the whole way."""
JSON_BODIES = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})

PATIENCE_SECONDS = 1.0
"""A body that has not begun to come by then goes the whole way, which has a limit of time."""


class HitsFirst:
    """Answers what it can at once, and hands on everything else as it came."""

    def __init__(self, app: ASGIApp, *, path: str, at_once: AtOnce, pipeline: Pipeline) -> None:
        self._app = app
        self._path = path
        self._at_once = at_once
        self._pipeline = pipeline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        read: list[Message] = []
        text = await _text(scope, headers, receive, read) if headers else None
        if headers is None or text is None or not await self._answer(text, headers, scope, send):
            await self._app(scope, _again(read, receive), send)

    async def _answer(self, text: bytes, headers: Mapping[str, str], scope: Scope, send: Send) -> bool:
        """Whether it was answered."""
        media_type = accepted_media_type(headers.get("accept", "*/*"))
        if media_type is None or "graphql-cache" in headers or "graphql-cost" in headers:
            return False
        trail = Trail(request_id(headers.get("x-request-id", "")))
        hit = self._at_once.find(
            text, headers["authorization"], headers.get("x-tenant"), headers.get("cache-control", ""), trail
        )
        if hit is None:
            return False
        await _send(hit, media_type, headers, trail, scope, send)
        self._pipeline.finished(trail, outcome="ok", status=200)
        return True


async def _send(hit: Hit, media_type: str, headers: Mapping[str, str], trail: Trail, scope: Scope, send: Send) -> None:
    kept = Kept(CacheStatus.HIT, hit.key, hit.entry.etag, hit.age_seconds)
    unchanged = not_modified(scope["method"], headers.get("if-none-match"), kept)
    body = b"" if unchanged else hit.entry.body
    fields = response_headers(trail, kept)
    if not unchanged:
        fields["content-type"] = f"{media_type}; charset=utf-8"
        fields["content-length"] = str(len(body))
    raw = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": 304 if unchanged else 200, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _headers(scope: Scope) -> dict[str, str] | None:
    """Those that matter; None where they are not those of a plain request of somebody who is signed in."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if known := HEADERS.get(name):
            if known in found:
                return None
            found[known] = value.decode("latin-1")
    return found if "authorization" in found and "content-encoding" not in found else None


async def _text(scope: Scope, headers: Mapping[str, str], receive: Receive, read: list[Message]) -> bytes | None:
    """The request in one piece; None where it is not one that could be known. What was read of it is in `read`."""
    query = bytes(scope["query_string"])
    if scope["method"] == "GET":
        return text_of_get(query)
    if scope["method"] != "POST" or query or headers.get("content-type") not in JSON_BODIES:
        return None
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            read.append(await receive())
    whole = read and read[0]["type"] == "http.request" and not read[0].get("more_body")
    return read[0].get("body") if whole else None


def _again(read: list[Message], receive: Receive) -> Receive:
    """Receives what was read already, then what comes."""
    if not read:
        return receive

    async def receive_again() -> Message:
        return read.pop(0) if read else await receive()

    return receive_again
