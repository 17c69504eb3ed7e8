"""A hundred screens that poll the dashboards of twenty tenants, while somebody writes: how many polls the cache
answers, and whether every answer is within its promise. The same without the cache, for the processors' time.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from rich.console import Console

from benchmarks.counters import Counter, counters
from benchmarks.data import databases
from benchmarks.generator import HEAD_END, content_length
from benchmarks.machine import family_cpu_seconds, parent_of
from benchmarks.measure import EXECUTIONS, metrics
from benchmarks.promise import Seen
from benchmarks.queries import http_requests
from benchmarks.rollups.subject import Scale, connected, database_of
from benchmarks.screens_page import Lag, Poll, ScreenFigures, Spent, Watched
from benchmarks.servers import HOST, Server, gateway, worker
from benchmarks.tables import print_tables, wide_console
from gateway.demo.shape import Size
from gateway.settings import Settings

SCREENS = 100
RANKS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 17, 21, 26, 34, 42, 55, 65, 75, 89, 97)
"""By size: twenty tenants of a hundred."""

POLL_SECONDS = 1.0
WRITES_A_SECOND = 5.0
SECONDS, QUICK_SECONDS = 60.0, 10.0


@dataclass(frozen=True)
class Screen:
    """One keep-alive connection that shows a tenant's dashboard."""

    counter: Counter
    request: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def poll(self) -> Poll:
        """Raises RuntimeError for anything but an answer without errors."""
        asked = time.perf_counter()
        self.writer.write(self.request)
        head = await self.reader.readuntil(HEAD_END)
        body = await self.reader.readexactly(content_length(head))
        answered = time.perf_counter()
        if not head.startswith(b"HTTP/1.1 200") or b'"errors":' in body:
            raise RuntimeError(f"an error instead of a dashboard: {body[:1000]!r}")
        seen = Seen(self.counter.steps(body), asked, answered)
        return Poll(self.counter.tenant.id, seen, is_hit=b"x-cache: HIT" in head)


async def measure(settings: Settings, logs: Path, seconds: float) -> ScreenFigures:
    """Figures of the tenants of RANKS that there are. Writes to the database."""
    with worker(settings, logs / "worker.log"):
        kept, lag = await _watch(settings, logs / "kept.log", seconds, cached=True)
        read, _ = await _watch(settings, logs / "read.log", seconds, cached=False)
    return ScreenFigures(SCREENS, POLL_SECONDS, WRITES_A_SECOND, kept, read, lag)


async def _watch(settings: Settings, log: Path, seconds: float, *, cached: bool) -> tuple[Watched, Lag]:
    async with AsyncExitStack() as stack:
        server = stack.enter_context(gateway(settings, log, cached=cached))
        owner = await stack.enter_async_context(connected(settings, "owner"))
        counted = await stack.enter_async_context(counters(settings, server, RANKS))
        screens = [await _screen(counted[number % len(counted)], server) for number in range(SCREENS)]
        heard_before = await asyncio.to_thread(metrics, server)
        before = await _spent(owner, server)
        polls = await _play(counted, screens, seconds)
        spent = await _spent(owner, server) - before
        lag = Lag.between(heard_before, await asyncio.to_thread(metrics, server))
        for screen in screens:
            screen.writer.close()
    return Watched.of(seconds, polls, {counter.tenant.id: counter.writes for counter in counted}, spent), lag


async def _play(counted: Sequence[Counter], screens: Sequence[Screen], seconds: float) -> list[Poll]:
    polls: list[Poll] = []
    begun, dice = time.perf_counter(), random.Random(1)  # noqa: S311 - no secret
    async with asyncio.TaskGroup() as group:
        for screen in screens:
            group.create_task(_keep_polling(screen, polls, begun + dice.uniform(0, POLL_SECONDS), begun + seconds))
        for place in range(len(counted)):
            group.create_task(_keep_writing(counted, place, begun, begun + seconds))
    return polls


async def _keep_polling(screen: Screen, polls: list[Poll], due: float, until: float) -> None:
    """Once in POLL_SECONDS; what an answer took longer is left out."""
    while due < until:
        await _sleep_until(due)
        polls.append(await screen.poll())
        due += POLL_SECONDS * max(1, -(-(time.perf_counter() - due) // POLL_SECONDS))


async def _keep_writing(counted: Sequence[Counter], place: int, begun: float, until: float) -> None:
    """Tenants take turns, and each its gateway and PostgreSQL."""
    due, turn = begun + place / WRITES_A_SECOND, place
    while due < until:
        await _sleep_until(due)
        await counted[place].step(by_gateway=turn % 2 == 0)
        due, turn = due + len(counted) / WRITES_A_SECOND, turn + 1


async def _sleep_until(due: float) -> None:
    await asyncio.sleep(max(0.0, due - time.perf_counter()))


async def _screen(counter: Counter, server: Server) -> Screen:
    (request,) = http_requests("dashboard", [counter.tenant], server.port)
    return Screen(counter, request.encode(), *await asyncio.open_connection(HOST, server.port))


async def _spent(owner: asyncpg.Connection, server: Server) -> Spent:
    postmaster = parent_of(await owner.fetchval("SELECT pg_backend_pid()"))
    database = family_cpu_seconds(postmaster) if postmaster else float("nan")
    counted = await asyncio.to_thread(metrics, server)
    return Spent(server.cpu_seconds(), database, int(counted.get(EXECUTIONS, 0)))


async def measure_alone(directory: Path, shape: Size | Scale, seconds: float, console: Console) -> ScreenFigures:
    """On a copy of the made-up data that is kept in `directory`, which must exist."""
    with databases(directory) as running, tempfile.TemporaryDirectory(prefix="benchmarks-") as logs:
        await running.load(database_of(shape), shape, console)
        async with running.copied(database_of(shape)) as settings:
            return await measure(settings, Path(logs), seconds)


def main(arguments: Sequence[str]) -> None:
    """`python -m benchmarks.screens DIRECTORY [SECONDS]`: of the medium data."""
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    seconds = float(arguments[1]) if arguments[1:] else SECONDS
    console = wide_console()
    figures = asyncio.run(measure_alone(directory, Size.MEDIUM, seconds, console))
    print_tables([figures.table()], figures.sentences(), console)


if __name__ == "__main__":
    main(sys.argv[1:])
