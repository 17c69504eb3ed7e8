"""uvicorn's HTTP protocol, which here gives out kept answers as soon as a request is read, without ASGI.

A request that may be answered so is held back until its body is there, but never past the bytes that have come; all
that is no hit goes on as if it had not been held.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.web.hits import HitResponse, Hits, PlainRequest


class HitsProtocol(HttpToolsProtocol):
    """Of one connection. `app_state["hits"]`, which the application's lifespan yields, knows what is kept."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # uvicorn logs and refuses requests on its own way alone.
        nothing_at_once = config.access_log or config.limit_concurrency is not None
        self._hits: Hits | None = None if nothing_at_once else app_state.get("hits")
        self._held: PlainRequest | None = None
        self._body = b""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._held is not None:
            # The rest of the body is yet to come, and is not waited for here.
            self._hand_over()

    def on_headers_complete(self) -> None:
        self._held, self._body = self._plain(), b""
        if self._held is None:
            self._go_whole_way()

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        if self._held is not None:
            if self._hits and (found := self._hits.response(self._held, self._body)):
                self._held = None
                self._write(found)
                return
            self._hand_over()
        super().on_message_complete()

    def _plain(self) -> PlainRequest | None:
        """The request whose head was read, where it may be answered at once: nothing that came before it on this
        connection is still to be answered, and nothing but its answer is to follow from it."""
        parser = self.parser
        if (
            self._hits is None
            or self.expect_100_continue
            or self.flow.write_paused
            or (self.cycle is not None and not self.cycle.response_complete)
            or parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
            or parser.should_upgrade()
        ):
            return None
        return self._hits.plain(parser.get_method(), self.url, self.headers)

    def _write(self, found: HitResponse) -> None:
        own = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        self.transport.write(b"".join([STATUS_LINE[found.status], *own, found.head, b"\r\n", *found.body]))
        self.on_response_complete()

    def _hand_over(self) -> None:
        self._held = None
        self._go_whole_way()
        if self._body:
            super().on_body(self._body)

    def _go_whole_way(self) -> None:
        # A hit earlier in the same packet has begun to count how long nothing comes.
        self._unset_keepalive_if_required()
        super().on_headers_complete()
