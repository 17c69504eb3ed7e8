"""Whether one tenant's flood slows another's dashboards: quiet rounds and flooded ones in turns, on one gateway."""

import asyncio
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console

from benchmarks.data import databases
from benchmarks.fairness_page import FLOOD, QUIET, TORRENT, FairnessFigures, Round, State
from benchmarks.generator import Job, Load
from benchmarks.machine import family_cpu_seconds, parent_of
from benchmarks.measure import run_load
from benchmarks.queries import OPERATIONS, Tenant, find_tenants, headers, http_requests
from benchmarks.rollups.subject import Scale, connected, database_of
from benchmarks.servers import HOST, Server, gateway, get
from benchmarks.tables import print_tables, wide_console
from gateway.demo.shape import Size
from gateway.settings import Settings

RANKS = (1, 2)
"""The largest tenant floods, the second largest is measured."""
ASKED = ("dashboard", "pipelineStats")
REQUESTS_A_SECOND = 5.0
TIMES = 50
CONNECTIONS = 64
STANDARD_RATE = 1000.0
"""Points a second that the plan `standard` restores."""
WARMUP_SECONDS = 1.0
SETTINGS = {"POOL_WAIT_SECONDS": "2", "REQUEST_DEADLINE_SECONDS": "60", "COST_MODE": "enforce"}
"""As the gateway comes, without the patience of other benchmarks."""

AGREE = """
INSERT INTO tenant_terms (tenant_id, bucket_points, points_per_second, most_points, deadline_seconds, concurrency)
SELECT $1, bucket_points, $2, most_points, deadline_seconds, concurrency FROM plans WHERE name = 'standard'
"""
FORGET = "DELETE FROM tenant_terms WHERE tenant_id = $1"


@dataclass(frozen=True)
class Pace:
    """Rounds of each state, in turns, and for how long the tenant is measured in each."""

    rounds: int
    seconds: float


PACE, QUICK = Pace(rounds=6, seconds=10.0), Pace(rounds=1, seconds=2.0)


@dataclass(frozen=True)
class Flooding:
    """`rate`: points a second that the flooding tenant's plan restores; it asks for `times` as much."""

    rate: float = STANDARD_RATE
    times: int = TIMES
    connections: int = CONNECTIONS


async def measure(
    settings: Settings, logs: Path, pace: Pace, flooding: Flooding, changes: Mapping[str, str]
) -> FairnessFigures:
    """Figures of the two largest tenants. `changes`: of the gateway's settings."""
    loud, own = await find_tenants(settings, RANKS)
    async with connected(settings, "owner") as owner, _as_standard(owner, loud, flooding.rate):
        with gateway(settings, logs / "fairness.log", cached=False, **{**SETTINGS, **changes}) as server:
            points = await asyncio.to_thread(price, loud, server)
            # Each connection waits for its answer and then for this long, so that all ask so often at most.
            pause_seconds = flooding.connections * points / (flooding.rate * flooding.times)
            pauses = {QUIET: None, FLOOD: pause_seconds, TORRENT: 0.0}
            rounds: defaultdict[str, list[Round]] = defaultdict(list)
            for _ in range(pace.rounds):
                for state, pause in pauses.items():
                    flood = None if pause is None else _flood(loud, server, pace, flooding, pause)
                    rounds[state].append(await _round(owner, server, _own(own, server, pace), flood))
    states = [State.of(name, of_state, rounds[QUIET]) for name, of_state in rounds.items()]
    return FairnessFigures(flooding.times, flooding.connections, states)


@asynccontextmanager
async def _as_standard(owner: asyncpg.Connection, tenant: Tenant, rate: float) -> AsyncIterator[None]:
    """During the block a tenant has the budget of the plan `standard`, at a rate."""
    await owner.execute(FORGET, tenant.id)
    await owner.execute(AGREE, tenant.id, int(rate))
    try:
        yield
    finally:
        await owner.execute(FORGET, tenant.id)


def price(tenant: Tenant, server: Server) -> float:
    """What a dashboard costs, in points."""
    body = json.dumps({"query": OPERATIONS["dashboard"]}).encode()
    answer = get(f"http://{HOST}:{server.port}/graphql", {**headers(tenant), "GraphQL-Cost": "dry-run"}, body)
    return float(json.loads(answer)["extensions"]["cost"]["requestedQueryCost"])


async def _round(owner: asyncpg.Connection, server: Server, own: Job, flood: Job | None) -> Round:
    """The flood begins before the tenant is measured and ends after it."""
    flooding = asyncio.create_task(run_load(flood)) if flood else None
    if flooding:
        await asyncio.sleep(WARMUP_SECONDS)
    begun, before = time.perf_counter(), await _cpu_seconds(owner, server)
    load = await run_load(own)
    seconds, after = time.perf_counter() - begun, await _cpu_seconds(owner, server)
    other: Load | None = await flooding if flooding else None
    return Round(load, other, *((now - then) / seconds for now, then in zip(after, before, strict=True)))


def _own(tenant: Tenant, server: Server, pace: Pace) -> Job:
    requests = [request for name in ASKED for request in http_requests(name, [tenant], server.port)]
    return Job(HOST, server.port, requests, 1, WARMUP_SECONDS, pace.seconds, pause_seconds=1 / REQUESTS_A_SECOND)


def _flood(tenant: Tenant, server: Server, pace: Pace, flooding: Flooding, pause_seconds: float) -> Job:
    requests = http_requests("dashboard", [tenant], server.port)
    seconds = pace.seconds + 2 * WARMUP_SECONDS
    return Job(
        *(HOST, server.port, requests, flooding.connections, WARMUP_SECONDS, seconds), pause_seconds=pause_seconds
    )


async def _cpu_seconds(owner: asyncpg.Connection, server: Server) -> tuple[float, float]:
    """Of the gateway's process and of all of PostgreSQL's."""
    postmaster = parent_of(await owner.fetchval("SELECT pg_backend_pid()"))
    return server.cpu_seconds(), family_cpu_seconds(postmaster) if postmaster else float("nan")


async def measure_alone(
    directory: Path, shape: Size | Scale, pace: Pace, flooding: Flooding, changes: Mapping[str, str], console: Console
) -> FairnessFigures:
    """Of the made-up data that is kept in `directory`, which must exist."""
    with databases(directory) as running, tempfile.TemporaryDirectory(prefix="benchmarks-") as logs:
        settings = await running.load(database_of(shape), shape, console)
        return await measure(settings, Path(logs), pace, flooding, changes)


def main(
    data: Annotated[Path, typer.Option(help="Where the database is kept.")],
    size: Annotated[Size, typer.Option(help="How much data; it is loaded once.")] = Size.MEDIUM,
    quick: Annotated[bool, typer.Option("--quick", help="One short round.")] = False,
    rounds: Annotated[int, typer.Option(help="Rounds of each state.")] = PACE.rounds,
    connections: Annotated[int, typer.Option(help="The flood's.")] = CONNECTIONS,
    rate: Annotated[float, typer.Option(help="Points a second that its plan restores.")] = STANDARD_RATE,
    setting: Annotated[Sequence[str], typer.Option(help="NAME=VALUE: another setting of the gateway.")] = (),
) -> None:
    """Measure what a tenant's dashboards take while another tenant floods."""
    data.mkdir(parents=True, exist_ok=True)
    console = wide_console()
    pace, flooding = QUICK if quick else Pace(rounds, PACE.seconds), Flooding(rate, connections=connections)
    changes = dict(each.split("=", 1) for each in setting)
    figures = asyncio.run(measure_alone(data, size, pace, flooding, changes, console))
    print_tables([figures.table()], figures.sentences(), console)


if __name__ == "__main__":
    typer.run(main)
