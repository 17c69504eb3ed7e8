"""Bytes to a gateway and back, one packet at a time."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import httpx
import orjson

BETWEEN_PACKETS_SECONDS = 0.05
"""So that a server reads them one by one; where it does not, what is proved is proved of one packet."""
WHENEVER = re.compile(
    rb"(?m)^((?:date|x-response-time|server-timing|age|x-request-id): ).*(?=\r$)"
    rb'|(?<="requestId":")\w+'
)
START = re.compile(rb"(?=HTTP/1\.1 \d\d\d )")
LAST = b"GET /health/live HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n"
"""Ends a connection when everything before it is answered."""


def request(start: str, token: str, body: bytes | None = None, **headers: str) -> bytes:
    """A whole request that begins so. Of a header, several values are given with `|` between them."""
    said = {"Host": "gateway", "Authorization": f"Bearer {token}" if token else ""}
    length = {} if body is None else {"Content-Length": str(len(body)), "Content-Type": "application/json"}
    named = {**said, **length, **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"{name}: {part}" for name, value in named.items() for part in value.split("|") if part]
    return "\r\n".join([f"{start} HTTP/1.1", *lines, "", ""]).encode() + (body or b"")


def post(query: str, token: str, **headers: str) -> bytes:
    return request("POST /graphql", token, orjson.dumps({"query": query}), **headers)


def get(query: str, token: str, **headers: str) -> bytes:
    return request(f"GET /graphql?query={quote(query)}", token, None, **headers)


async def talk(url: str, packets: Sequence[bytes], *, hang_up: bool = False) -> bytes:
    """Everything that comes back until the server ends the connection. `hang_up`: no more is to come from here."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        for packet in packets:
            writer.write(packet)
            await asyncio.sleep(BETWEEN_PACKETS_SECONDS)
        if hang_up:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()


def answers(raw: bytes) -> list[bytes]:
    return [answer for answer in START.split(raw) if answer]


def lines(answer: bytes) -> list[bytes]:
    """An answer by its lines, those of the moment without what they say; headers may stand in any order."""
    head, _, body = WHENEVER.sub(rb"\1", answer).partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    return [status, *sorted(headers), body]


def headers_of(answer: bytes) -> Mapping[str, str]:
    pairs = (line.decode().partition(": ") for line in answer.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:])
    return {name: value for name, _, value in pairs}


def is_raw(answer: bytes) -> bool:
    """Whether a hit took no other step than to look for it."""
    headers = headers_of(answer)
    return headers.get("x-cache") == "HIT" and headers["server-timing"].startswith("cache;")
