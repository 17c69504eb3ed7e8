"""A crowd that asks the same at once, of which nothing is kept: how often the gateway executes it, by its own count."""

import asyncio
import time
from dataclasses import dataclass

from benchmarks.generator import EACH_TIME, HEAD_END, content_length
from benchmarks.measure import EXECUTIONS, metrics
from benchmarks.queries import Tenant, anew_requests
from benchmarks.servers import HOST, Server

CROWD = 100


@dataclass(frozen=True)
class CrowdFigures:
    """So many times `askers` connections asked at once. `misses`: answers that were read, alone or together; who came
    after the reading was given what was kept."""

    askers: int
    times: int
    executions: int
    misses: int

    def sentence(self) -> str:
        return (
            f"{self.askers} connections asked at once for the same dashboard, of which nothing was kept, {self.times} "
            f"times: {self.executions} executions; {self.misses:,} of {self.askers * self.times:,} answers were misses."
        )


async def measure_crowd(server: Server, tenants: list[Tenant]) -> CrowdFigures:
    """Of each tenant's dashboard once. Raises RuntimeError where one of the crowd gets another answer, or an error."""
    crowd = [await asyncio.open_connection(HOST, server.port) for _ in range(CROWD)]
    before = await asyncio.to_thread(metrics, server)
    answers = [await _ask_at_once(crowd, request) for request in anew_requests("dashboard", tenants, server.port)]
    after = await asyncio.to_thread(metrics, server)
    for _, writer in crowd:
        writer.close()
    executions = int(after[EXECUTIONS] - before.get(EXECUTIONS, 0))
    misses = sum(b"x-cache: MISS" in head for heads in answers for head in heads)
    return CrowdFigures(CROWD, len(answers), executions, misses)


async def _ask_at_once(crowd: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]], request: str) -> list[bytes]:
    """The heads of all answers to one request that was never sent before."""
    sent = request.replace(EACH_TIME, f"{time.time_ns():0{len(EACH_TIME)}}").encode()
    for _, writer in crowd:
        writer.write(sent)
    answers = [await _answer(reader) for reader, _ in crowd]
    if len({_data(body) for _, body in answers}) > 1 or not answers[0][0].startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"a crowd was not given one answer: {answers[0]!r}")
    return [head for head, _ in answers]


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(HEAD_END)
    return head, await reader.readexactly(content_length(head))


def _data(body: bytes) -> bytes:
    """Without the price that is told beside it."""
    return body.partition(b',"extensions":')[0]
