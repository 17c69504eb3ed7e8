"""One whole run: several sizes of data in one server, the largest of them looked at closely."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.data import Databases, databases
from benchmarks.machine import Machine, describe
from benchmarks.measure import Pace
from benchmarks.rollups.dashboards import Dashboard, Users, ask_in_turns, serve_users
from benchmarks.rollups.fields import Answer, answer_in_turns
from benchmarks.rollups.folds import Fold, fold_in_turns
from benchmarks.rollups.idle import Idle, count_statements
from benchmarks.rollups.multiply import load_multiple
from benchmarks.rollups.reads import PipelineRead, RollupRead, read_pipeline, read_rollups
from benchmarks.rollups.subject import Data, Multiple, Scale, Subject, database_of
from benchmarks.rollups.writes import Write, write_in_turns
from gateway.demo.shape import Size

REFERENCE = Scale(100, 100_000)
"""The size that larger ones are compared with."""


def shapes(size: Size, deals: int | None = None) -> tuple[Data, ...]:
    """What is compared, the largest last; with `deals`, of so many.

    The large data is ten times the one before it, which is ten times the first.
    """
    if size is Size.MEDIUM:
        return Scale(100, 10_000), REFERENCE, size if deals is None else Scale(size.tenants, deals)
    source = Size.MEDIUM if deals is None else Scale(Size.MEDIUM.tenants, deals // 10)
    return Scale(source.tenants, source.deals // 10), source, Multiple(source, 10)


@dataclass(frozen=True)
class Plan:
    """What is measured, and how often: fewer rounds where they take long."""

    directory: Path
    shapes: tuple[Data, ...]
    rounds: int
    pace: Pace
    users_seconds: float


@dataclass(frozen=True)
class RollupResults:
    """Pipelines, folds and dashboards are of every size, the rest of the largest."""

    machine: Machine
    deals: int
    tenants: int
    pipelines: list[PipelineRead]
    rollups: list[RollupRead]
    answers: list[Answer]
    folds: list[Fold]
    dashboards: list[Dashboard]
    users: list[Users]
    idle: Idle
    writes: list[Write]


async def run(plan: Plan, console: Console) -> RollupResults:
    """Loads what is missing, then measures. Every change of data is undone."""
    with databases(plan.directory) as running:
        subjects = [await _subject(running, shape, console) for shape in plan.shapes]
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as logs:
            return await _measure(plan, subjects, Path(logs), console)


async def _subject(running: Databases, shape: Data, console: Console) -> Subject:
    if isinstance(shape, Multiple):
        return await Subject.of(shape.deals, await load_multiple(running, shape, console))
    return await Subject.of(shape.deals, await running.load(database_of(shape), shape, console))


async def _measure(plan: Plan, subjects: list[Subject], logs: Path, console: Console) -> RollupResults:
    largest = subjects[-1]
    machine = await describe(largest.settings)
    console.print("Reading one tenant's pipeline, with changes pending and without …")
    pipelines = [read for subject in subjects for read in await read_pipeline(subject, plan.rounds)]
    console.print("Reading every rollup, and every aggregate field …")
    rollups = await read_rollups(largest, plan.rounds)
    answers = await answer_in_turns(largest, max(plan.rounds // 3, 1))
    console.print("Folding …")
    folds = await fold_in_turns(subjects, max(plan.rounds // 5, 1))
    console.print("Asking for dashboards …")
    dashboards = await ask_in_turns(subjects, plan.pace)
    users = await serve_users(largest, plan.users_seconds)
    console.print("Watching a worker that has nothing to do …")
    idle = await count_statements(largest.settings, logs / "worker.log")
    console.print("Moving deals, with triggers and without …")
    writes = await write_in_turns(largest, plan.rounds)
    return RollupResults(
        machine=machine,
        deals=largest.deals,
        tenants=plan.shapes[-1].tenants,
        pipelines=pipelines,
        rollups=rollups,
        answers=answers,
        folds=folds,
        dashboards=dashboards,
        users=users,
        idle=idle,
        writes=writes,
    )
