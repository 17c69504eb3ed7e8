"""The load generator: a process of its own that drives keep-alive connections in a closed loop.

It reads one `Job` as JSON from standard input and writes one `Load` as JSON to standard output.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count
from typing import cast

import uvloop

HEAD_END = b"\r\n\r\n"
NOT_MODIFIED = b"HTTP/1.1 304"
LAST_ANSWER_SECONDS = 120
EACH_TIME = "<a number each time>"
"""Stands in requests for a number of the same length, which is never sent twice, by any load generator."""
NUMBERS = count(time.time_ns())


@dataclass(frozen=True, slots=True)
class Job:
    """`requests`: whole HTTP requests; each connection sends them in turn, each beginning at another one.

    `pause_seconds`: what a connection waits after each answer, as a person would; they begin spread over that time.
    The times are the least ones. Each connection's first request is of the warm-up and one more is measured, however
    long they take; a single connection ends with a whole turn, so that the measured requests are always the same ones.
    `status`, `marked`: what every answer must be and hold to be none of the errors.
    """

    host: str
    port: int
    requests: list[str]
    connections: int
    warmup_seconds: float
    seconds: float
    pause_seconds: float = 0.0
    status: int = 200
    marked: str = ""


@dataclass(slots=True)
class Load:
    """What was seen. `seconds` begin with the end of the warm-up and end with the last answer; `completed` counts every
    answer in them, `answered` those of the warm-up too; `milliseconds` are of the measured requests.
    """

    answered: int = 0
    completed: int = 0
    seconds: float = 0.0
    errors: int = 0
    milliseconds: list[float] = field(default_factory=list)
    stage_milliseconds: dict[str, list[float]] = field(default_factory=dict)


class Connection(asyncio.Protocol):
    """Sends a request, waits for its answer, and for its pause, sends the next; until the time is over."""

    def __init__(
        self,
        requests: list[list[bytes]],
        load: Load,
        measured: tuple[float, float],
        turn: int,
        pauses: tuple[float, float],
        expected: tuple[bytes, bytes],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._first_pause_seconds, self._pause_seconds = pauses
        self._requests = requests
        self._load = load
        self._from, self._until = measured
        self._turn = turn
        self._status, self._marked = expected
        self._sent = 0
        self._measured = 0
        self._begun = 0.0
        self._buffer = b""
        self._wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._send_after(self._first_pause_seconds)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._wanted:
            head = self._buffer.find(HEAD_END)
            if head < 0:
                return
            self._wanted = head + len(HEAD_END) + content_length(self._buffer[:head])
        if len(self._buffer) >= self._wanted:
            self._answered(self._buffer)
            self._buffer, self._wanted = b"", 0
            self._send_after(self._pause_seconds)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.ended.done():
            self._load.errors += 1
            self.ended.set_result(None)

    def _send_after(self, seconds: float) -> None:
        if seconds:
            self._loop.call_later(seconds, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if self.ended.done():  # its connection was lost meanwhile
            return
        self._begun = time.perf_counter()
        if self._begun >= self._until and self._measured and self._measured % self._turn == 0:
            self.ended.set_result(None)
            self._transport.close()
            return
        self._transport.write(_numbered(self._requests[self._sent % len(self._requests)]))
        self._sent += 1
        self._measuring = self._sent > 1 and self._begun >= self._from
        self._measured += self._measuring

    def _answered(self, response: bytes) -> None:
        now, load = time.perf_counter(), self._load
        load.answered += 1
        if now < self._from:
            return
        load.completed += 1
        load.seconds = now - self._from
        if not response.startswith(self._status) or b'"errors":' in response or self._marked not in response:
            load.errors += 1
        if not self._measuring:
            return
        load.milliseconds.append((now - self._begun) * 1000)
        for stage, milliseconds in server_timing(response):
            load.stage_milliseconds.setdefault(stage, []).append(milliseconds)


def _numbered(parts: list[bytes]) -> bytes:
    """A request of the parts between its numbers."""
    return (b"%0*d" % (len(EACH_TIME), next(NUMBERS))).join(parts) if parts[1:] else parts[0]


def content_length(head: bytes) -> int:
    """The length of the body that a response's head announces, in bytes; a 304 has none and need not say so."""
    if head.startswith(NOT_MODIFIED):
        return 0
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0])


def server_timing(response: bytes) -> list[tuple[str, float]]:
    """The stages of a `Server-Timing` header and their milliseconds; nothing without one."""
    start = response.find(b"server-timing: ", 0, 2000)
    if start < 0:
        return []
    value = response[start + 15 : response.index(b"\r\n", start)].decode()
    stages = (entry.split(";dur=") for entry in value.split(", "))
    return [(name, float(duration)) for name, duration in stages]


async def drive(job: Job) -> Load:
    """Runs a job on the present event loop."""
    load, turn, requests = (
        Load(),
        len(job.requests) if job.connections == 1 else 1,
        [request.encode().split(EACH_TIME.encode()) for request in job.requests],
    )
    measured_from = time.perf_counter() + job.warmup_seconds
    measured = (measured_from, measured_from + job.seconds)
    connections, expected = [], (f"HTTP/1.1 {job.status}".encode(), job.marked.encode())
    for number in range(job.connections):
        first = number * len(requests) // job.connections
        pauses = (job.pause_seconds * number / job.connections, job.pause_seconds)
        make = partial(Connection, requests[first:] + requests[:first], load, measured, turn, pauses, expected)
        _, connection = await asyncio.get_running_loop().create_connection(make, job.host, job.port)
        connections.append(connection)
    async with asyncio.timeout(job.warmup_seconds + job.seconds + LAST_ANSWER_SECONDS):
        await asyncio.gather(*(connection.ended for connection in connections))
    return load


def main() -> None:
    load = uvloop.run(drive(Job(**json.load(sys.stdin))))
    json.dump(asdict(load), sys.stdout)


if __name__ == "__main__":
    main()
