"""Gateways that listen on a port, as a balancer meets them: uvicorn in a thread with an event loop of its own."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette

from gateway.postgres.embedded import HOST
from gateway.serve import PROTOCOL

START_SECONDS = 20


@contextmanager
def listening(app: Starlette, **changes: Any) -> Iterator[str]:
    """The base URL of a gateway that listens until the block ends, as `gateway serve` does but for `changes` of
    uvicorn's options."""
    options = {"http": PROTOCOL, "log_config": None, "access_log": False, "lifespan": "on", **changes}
    server = uvicorn.Server(uvicorn.Config(app, **options))
    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + START_SECONDS
            while not server.started:
                if time.monotonic() > deadline or not thread.is_alive():
                    raise RuntimeError("the gateway does not listen")
                time.sleep(0.01)
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)


@asynccontextmanager
async def calling(app: Starlette, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that listens; it sends `token` with every request."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with listening(app) as url:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as http:
            yield http


@asynccontextmanager
async def posted(url: str, body: Mapping[str, object], token: str) -> AsyncIterator[asyncio.StreamWriter]:
    """A request that was sent and whose answer nobody reads: for callers who go away."""
    address = httpx.URL(url)
    _, writer = await asyncio.open_connection(address.host, address.port)
    content = json.dumps(body).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: {address.host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    await writer.drain()
    try:
        yield writer
    finally:
        writer.close()
        await writer.wait_closed()
