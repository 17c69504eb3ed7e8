"""How fast a cached dashboard is: the gateway's beside Mercurius' and Yoga's, each with its response cache, and a bare
constant answer. Servers stay on one core, the load generator on another.
"""

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from redis.asyncio import Redis
from rich.console import Console

from benchmarks.contenders import HIT, REDIS_PATIENCE_SECONDS, NotAHitError, contenders, kept
from benchmarks.crowd import measure_crowd
from benchmarks.data import databases
from benchmarks.generator import Job
from benchmarks.hits_page import PEERS, SEVERAL, UNPRICED, HitFigures, Memory
from benchmarks.machine import on_core
from benchmarks.measure import GATEWAY, MIX, Cell, Pace, Question, compare, metrics, run_load
from benchmarks.peers.node import versions
from benchmarks.queries import Tenant, bodies, find_tenants, headers, http_requests
from benchmarks.rollups.subject import Scale, connected, database_of
from benchmarks.sameness import check_same_answers
from benchmarks.servers import HOST, Server, gateway, get
from benchmarks.tables import print_tables, wide_console
from gateway.demo.shape import Size
from gateway.settings import Settings
from tests.servers import redis_server

GENERATOR_CORE = 1
CONNECTIONS = (1, 16, 64)
PACE = Pace(rounds=9, warmup_seconds=0.3, seconds=1.0)
QUICK = Pace(rounds=1, warmup_seconds=0.2, seconds=0.3)
ALLOWED_MISSES = 0.01
"""The share of answers that may be none of the cache: a tenant's day can end, or a busy machine keep a gateway from
hearing for half a second.
"""
ATTEMPTS = 3
MISSES = 10
"""Few enough for the smallest budget."""

# A task that falls due changes what is overdue, and ends a kept dashboard.
POSTPONE = """
UPDATE tasks SET due_at = due_at + interval '1 day'
 WHERE completed_at IS NULL AND due_at BETWEEN now() - interval '1 minute' AND now() + interval '2 hours'
"""


@dataclass(frozen=True)
class Filled:
    """A peer's answer to each tenant, from its cache by now, and how many dashboards it had read until then."""

    answers: list[bytes]
    reads: int


async def measure(settings: Settings, pace: Pace, connections: Sequence[int] = CONNECTIONS) -> HitFigures:
    """Figures of the mix of tenants, in alternating rounds. On data of one's own: tasks that are due soon are put off.

    Raises DifferentAnswersError when a peer's data are not the gateway's, NotAHitError when what was measured was not
    answered from a cache, NoNodeError.
    """
    async with connected(settings, "owner") as owner:
        await owner.execute(POSTPONE)
    tenants = await find_tenants(settings)
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks-") as logs,
        contenders(settings, Path(logs)) as (servers, redis),
    ):
        filled = {name: await asyncio.to_thread(fill, tenants, servers, name) for name in PEERS}
        for name in (GATEWAY, SEVERAL, UNPRICED):
            texts = await asyncio.to_thread(kept, tenants, servers[name])
        memory = Memory.of(texts, metrics(servers[UNPRICED]))  # with prices, more is told than is kept
        with on_core(GENERATOR_CORE):
            cells = await _cells(tenants, servers, pace, connections)
            trips = await _trips(tenants, servers[SEVERAL], redis, pace)
            crowd = await measure_crowd(servers[GATEWAY], tenants)
        budget_trips = await trips_for_budget(settings, tenants[0])
        for name in PEERS:
            await asyncio.to_thread(check_only_hits, tenants, servers[name], filled[name])
    return HitFigures(versions(), cells, memory, trips, budget_trips, crowd)


def fill(tenants: list[Tenant], servers: Mapping[str, Server], name: str) -> Filled:
    """Has a peer read each tenant's dashboard. Raises DifferentAnswersError unless its data are the gateway's."""
    check_same_answers(tenants, servers[GATEWAY], servers[name], ["dashboard"])
    return _filled(tenants, servers[name])


def check_only_hits(tenants: list[Tenant], server: Server, filled: Filled) -> None:
    """Raises NotAHitError when a peer has read any dashboard since, or answers with another one."""
    now = _filled(tenants, server)
    if now != filled:
        raise NotAHitError(f"dashboards read while hits were measured: {now.reads - filled.reads} ({server.log.stem})")


async def _cells(
    tenants: list[Tenant], servers: Mapping[str, Server], pace: Pace, connections: Sequence[int]
) -> list[Cell]:
    questions = [Question("dashboard", MIX, number) for number in connections]
    # V8 compiles what runs often: what the first requests take is not told.
    peers = {name: servers[name] for name in PEERS}
    await compare(questions[-1], tenants, peers, replace(pace, rounds=1), lambda: None)
    return [cell for each in questions for cell in await _only_hits(each, tenants, servers, pace)]


async def _only_hits(
    question: Question, tenants: list[Tenant], servers: Mapping[str, Server], pace: Pace
) -> list[Cell]:
    for _ in range(ATTEMPTS):
        cells = await compare(question, tenants, servers, pace, lambda: None)
        failed = [cell for cell in cells if cell.errors > ALLOWED_MISSES * cell.requests]
        if not failed:
            return cells
    told = (f"{cell.server}: {cell.errors} of {cell.requests}" for cell in failed)
    raise NotAHitError(f"answers with errors, or no hits: {'; '.join(told)}")


async def _trips(tenants: list[Tenant], several: Server, redis_url: str, pace: Pace) -> float:
    """How often a gateway turns to Redis for a hit, as Redis counts what it reads."""
    requests = http_requests("dashboard", tenants, several.port)
    async with Redis.from_url(redis_url) as redis:
        before = await redis.info("stats")
        load = await run_load(Job(HOST, several.port, requests, 1, 0.0, pace.seconds, marked=HIT))
        after = await redis.info("stats")
    own = 1  # the reading of the second INFO
    return float(after["total_reads_processed"] - before["total_reads_processed"] - own) / load.answered


async def trips_for_budget(settings: Settings, tenant: Tenant) -> float:
    """How often a gateway that enforces prices turns to Redis for the budget of an answer that it reads, as Redis
    counts runs of its script. The gateway keeps no answers, and has that Redis to itself."""
    (body,) = bodies("dashboard", tenant)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as logs, redis_server(Path(logs)) as url:
        serving = gateway(
            *(settings, Path(logs) / "gateway.log"),
            redis_url=url,
            redis_timeout_seconds=REDIS_PATIENCE_SECONDS,
            cost_mode="enforce",
        )
        with serving as server:
            asked = (f"http://{HOST}:{server.port}/graphql", headers(tenant), body.encode())
            await asyncio.to_thread(get, *asked)  # the first one sends the script
            before = await _script_runs(url)
            for _ in range(MISSES):
                await asyncio.to_thread(get, *asked)
            return (await _script_runs(url) - before) / MISSES


async def _script_runs(redis_url: str) -> int:
    async with Redis.from_url(redis_url) as redis:
        return int((await redis.info("commandstats"))["cmdstat_evalsha"]["calls"])


def _filled(tenants: list[Tenant], server: Server) -> Filled:
    url = f"http://{HOST}:{server.port}"
    asked = [(headers(tenant), body.encode()) for tenant in tenants for body in bodies("dashboard", tenant)]
    answers = [get(f"{url}/graphql", *each) for each in asked]
    return Filled(answers, json.loads(get(f"{url}/stats"))["reads"])


async def measure_alone(directory: Path, shape: Size | Scale, pace: Pace, console: Console) -> HitFigures:
    """On a copy of the made-up data that is kept in `directory`, which must exist."""
    with databases(directory) as running:
        await running.load(database_of(shape), shape, console)
        async with running.copied(database_of(shape)) as settings:
            return await measure(settings, pace)


def main(
    data: Annotated[Path, typer.Option(help="Where the database is kept.")],
    size: Annotated[Size, typer.Option(help="How much data; it is loaded once.")] = Size.MEDIUM,
    quick: Annotated[bool, typer.Option("--quick", help="One short round.")] = False,
) -> None:
    """Measure cached dashboards of the gateway beside those of two servers of Node, in the same run."""
    data.mkdir(parents=True, exist_ok=True)
    console = wide_console()
    figures = asyncio.run(measure_alone(data, size, QUICK if quick else PACE, console))
    print_tables([figures.table()], figures.sentences(), console)


if __name__ == "__main__":
    typer.run(main)
