"""How fast a cached dashboard is: the gateway's beside Mercurius' and Yoga's, each with its response cache, and a bare
constant answer. Servers stay on one core, the load generator on another.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.data import demo_database
from benchmarks.machine import describe, on_core
from benchmarks.measure import GATEWAY, MIX, Cell, Pace, Question, compare
from benchmarks.peers.node import versions
from benchmarks.queries import Tenant, bodies, find_tenants, headers
from benchmarks.sameness import check_same_answers
from benchmarks.servers import HOST, Server, constant, gateway, get, peer
from gateway.demo.shape import Size
from gateway.settings import Settings

PEERS = ("mercurius", "yoga")
BARE = "bare"
SERVER_CORE, GENERATOR_CORE = 0, 1
HIT = "x-cache: HIT"
CONNECTIONS = (1, 16, 64)
PACE = Pace(rounds=5, warmup_seconds=0.5, seconds=2.0)
QUICK = Pace(rounds=1, warmup_seconds=0.2, seconds=0.3)


class NotAHitError(Exception):
    """An answer that was measured as a hit was none: says whose."""


@dataclass(frozen=True)
class Filled:
    """A peer's answer to each tenant, from its cache by now, and how many dashboards it had read until then."""

    answers: list[bytes]
    reads: int


@dataclass(frozen=True)
class HitFigures:
    """A cell for each number of connections and server, in this order. `demanded`: whether the gateway's are hits."""

    cells: list[Cell]
    demanded: bool

    def sentences(self) -> list[str]:
        kind = "Cached dashboards" if self.demanded else "Dashboards (the gateway's uncached, the others' cached)"
        groups = groupby(self.cells, key=lambda cell: cell.question.connections)
        return [f"{kind} at {connections} connections: {_told(list(cells))}." for connections, cells in groups]


async def measure(
    settings: Settings, pace: Pace, connections: Sequence[int] = CONNECTIONS, *, demand_hits: bool
) -> HitFigures:
    """Figures of the mix of tenants, in alternating rounds.

    Raises DifferentAnswersError when a peer's data are not the gateway's, NotAHitError when what was measured was not
    answered from a cache, NoNodeError.
    """
    tenants = await find_tenants(settings)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as logs, _running(settings, Path(logs)) as servers:
        if demand_hits:
            servers[GATEWAY] = replace(servers[GATEWAY], marked=HIT)
        filled = {name: await asyncio.to_thread(fill, tenants, servers, name) for name in PEERS}
        with on_core(GENERATOR_CORE):
            questions = [Question("dashboard", MIX, number) for number in connections]
            # V8 compiles what runs often: what the first requests take is not told.
            await compare(questions[-1], tenants, servers, replace(pace, rounds=1), lambda: None)
            cells = [cell for each in questions for cell in await compare(each, tenants, servers, pace, lambda: None)]
        for name in PEERS:
            await asyncio.to_thread(check_only_hits, tenants, servers[name], filled[name])
    if failed := [cell.server for cell in cells if cell.errors]:
        raise NotAHitError(f"answers with errors, or no hits: {', '.join(failed)}")
    return HitFigures(cells, demand_hits)


def fill(tenants: list[Tenant], servers: dict[str, Server], name: str) -> Filled:
    """Has a peer read each tenant's dashboard. Raises DifferentAnswersError unless its data are the gateway's."""
    check_same_answers(tenants, servers[GATEWAY], servers[name], ["dashboard"])
    return _filled(tenants, servers[name])


def check_only_hits(tenants: list[Tenant], server: Server, filled: Filled) -> None:
    """Raises NotAHitError when a peer has read any dashboard since, or answers with another one."""
    now = _filled(tenants, server)
    if now != filled:
        raise NotAHitError(f"dashboards read while hits were measured: {now.reads - filled.reads} ({server.log.stem})")


@contextmanager
def _running(settings: Settings, logs: Path) -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        with on_core(SERVER_CORE):
            servers = {GATEWAY: stack.enter_context(gateway(settings, logs / "gateway.log"))}
            for name in PEERS:
                servers[name] = stack.enter_context(peer(name, settings, logs / f"{name}.log"))
            servers[BARE] = stack.enter_context(constant(logs / "bare.log"))
        yield servers


def _filled(tenants: list[Tenant], server: Server) -> Filled:
    url = f"http://{HOST}:{server.port}"
    asked = [(headers(tenant), body.encode()) for tenant in tenants for body in bodies("dashboard", tenant)]
    answers = [get(f"{url}/graphql", *each) for each in asked]
    return Filled(answers, json.loads(get(f"{url}/stats"))["reads"])


def _told(cells: list[Cell]) -> str:
    """What each server made of one number of connections, beside the bare answer and the fastest peer."""
    rates = {cell.server: cell.rate for cell in cells}
    told = [
        f"{cell.server} {cell.rate:,.0f}/s ({cell.rate / rates[BARE]:.2f} of bare; p50 {cell.p50_ms:.2f} ms, "
        f"p99 {cell.p99_ms:.2f} ms; CPU {cell.cpu_ms:.3f} ms)"
        for cell in cells
    ]
    fastest = max(rates[name] for name in PEERS)
    return f"{'; '.join(told)}; gateway to the fastest peer {rates[GATEWAY] / fastest:.2f}"


async def measure_alone(directory: Path, size: Size, pace: Pace, console: Console, *, demand_hits: bool) -> HitFigures:
    """On the made-up data that is kept in `directory`, which must exist."""
    async with demo_database(directory, size, console) as settings:
        console.print(f"{await describe(settings)}; {versions()}\n")
        return await measure(settings, pace, demand_hits=demand_hits)


def main(
    data: Annotated[Path, typer.Option(help="Where the database is kept.")],
    size: Annotated[Size, typer.Option(help="How much data; it is loaded once.")] = Size.MEDIUM,
    demand_hits: Annotated[
        bool, typer.Option(help="Whether every measured answer of the gateway must be a hit of its cache.")
    ] = True,
    quick: Annotated[bool, typer.Option("--quick", help="One short round.")] = False,
) -> None:
    """Measure cached dashboards of the gateway beside those of two servers of Node, in the same run."""
    data.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, soft_wrap=True)
    pace = QUICK if quick else PACE
    figures = asyncio.run(measure_alone(data, size, pace, console, demand_hits=demand_hits))
    for sentence in figures.sentences():
        console.print(sentence)


if __name__ == "__main__":
    typer.run(main)
