"""One whole run: the data, both servers, every question, and what is not a question."""

import asyncio
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.cached import CachedFigures, CachedPlan
from benchmarks.cached import measure_alone as cached_alone
from benchmarks.changes import ChangeFigures
from benchmarks.changes import measure_alone as changes_alone
from benchmarks.contenders import MISS
from benchmarks.data import demo_database
from benchmarks.fairness import Flooding
from benchmarks.fairness import Pace as FairnessPace
from benchmarks.fairness import measure_alone as fairness_alone
from benchmarks.fairness_page import FairnessFigures
from benchmarks.first_answer import seconds_to_first_answer
from benchmarks.generator import Job
from benchmarks.imports import ImportFigures
from benchmarks.imports import measure_alone as imports_alone
from benchmarks.lists import ListFigures
from benchmarks.lists import measure_alone as lists_alone
from benchmarks.machine import Machine, describe
from benchmarks.measure import GATEWAY, LARGEST, MIX, PLAIN, Cell, Pace, Question, compare, run_load
from benchmarks.queries import OPERATIONS, Tenant, anew_requests, find_tenants, http_requests
from benchmarks.sameness import check_same_answers
from benchmarks.servers import HOST, Server, constant, gateway, plain
from gateway.demo.shape import Size
from gateway.settings import Settings

CEILING_CONNECTIONS = 64


@dataclass(frozen=True)
class Plan:
    """What is measured, and for how long."""

    directory: Path
    size: Size
    pace: Pace
    connections: tuple[int, ...]
    companies: int
    imported_deals: int
    change_rounds: int
    fairness: FairnessPace
    cached: CachedPlan

    def questions(self) -> list[Question]:
        """Each operation by the mix of tenants at each number of connections, then by the largest tenant alone."""
        mixed = [Question(name, MIX, connections) for name in OPERATIONS for connections in self.connections]
        return mixed + [Question(name, LARGEST, 1) for name in OPERATIONS]


@dataclass(frozen=True)
class Results:
    """`uncached`: the dashboard of a plain server without Strawberry's caches of documents. `ceiling`: requests a
    second of a server that does nothing.
    """

    machine: Machine
    size: str
    pace: Pace
    compared_answers: int
    cells: list[Cell]
    uncached: Cell
    ceiling: float
    demo_seconds: float
    lists: ListFigures
    imports: ImportFigures
    changes: ChangeFigures
    fairness: FairnessFigures
    cached: CachedFigures


async def run(plan: Plan, console: Console) -> Results:
    """Measures everything. Raises DifferentAnswersError before anything is compared that differs."""
    async with demo_database(plan.directory, plan.size, console) as settings:
        machine = await describe(settings)
        tenants = await find_tenants(settings)
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as logs:
            compared, cells, uncached = await _compare_servers(plan, settings, tenants, Path(logs), console)
            ceiling = await _ceiling(plan.pace, tenants, Path(logs))
    console.print("Starting a small demo from nothing …")
    demo_seconds = await asyncio.to_thread(seconds_to_first_answer)
    console.print("Paging through a long list, importing a large file …")
    lists, imports = await lists_alone(plan.companies), await imports_alone(plan.imported_deals)
    console.print("Moving many deals at once …")
    changes = await changes_alone(plan.directory, plan.size, plan.change_rounds, console)
    console.print("Flooding one tenant's dashboards with another's …")
    fairness = await fairness_alone(plan.directory, plan.size, plan.fairness, Flooding(), {}, console)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as logs:
        cached = await cached_alone(plan.directory, plan.size, plan.cached, Path(logs), console)
    measured = (compared, cells, uncached, ceiling, demo_seconds, lists, imports, changes, fairness, cached)
    return Results(machine, plan.size.value, plan.pace, *measured)


async def _compare_servers(
    plan: Plan, settings: Settings, tenants: list[Tenant], logs: Path, console: Console
) -> tuple[int, list[Cell], Cell]:
    with gateway(settings, logs / "gateway.log", cached=True) as ours, plain(settings, logs / "plain.log") as theirs:
        console.print("Comparing the answers of both servers …")
        compared = await asyncio.to_thread(check_same_answers, tenants, ours, theirs)
        servers = {
            GATEWAY: replace(ours, asking=anew_requests, marked=MISS),
            PLAIN: replace(theirs, asking=anew_requests),
        }
        cells = await _cells(plan, tenants, servers, console)
    with plain(settings, logs / "uncached.log", caches=False) as server:
        question = Question("dashboard", MIX, max(plan.connections[:2]))
        servers = {PLAIN: replace(server, asking=anew_requests)}
        (uncached,) = await compare(question, tenants, servers, plan.pace, lambda: None)
    return compared, cells, uncached


async def _cells(plan: Plan, tenants: list[Tenant], servers: dict[str, Server], console: Console) -> list[Cell]:
    cells, questions = [], plan.questions()
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(questions) * plan.pace.rounds * len(servers))
        for question in questions:
            progress.update(task, description=str(question))
            cells += await compare(question, tenants, servers, plan.pace, lambda: progress.advance(task))
    return cells


async def _ceiling(pace: Pace, tenants: list[Tenant], logs: Path) -> float:
    with constant(logs / "constant.log") as server:
        requests = http_requests("dashboard", tenants, server.port)
        job = Job(HOST, server.port, requests, CEILING_CONNECTIONS, pace.warmup_seconds, pace.seconds)
        load = await run_load(job)
    return load.completed / load.seconds
