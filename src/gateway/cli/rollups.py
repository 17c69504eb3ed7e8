"""Commands that look after rollups by hand. The worker does the same by itself."""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

import asyncpg
import typer
from rich.markup import escape
from rich.table import Table

from gateway.cli.shared import err, one_sentence, out, run, run_as_owner
from gateway.commands.refusals import CommandRefusedError
from gateway.progress import bar
from gateway.rollups.audit import Audit, audit_rollup
from gateway.rollups.declaration import Rollup
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.difference import Difference, difference, find
from gateway.rollups.refreshing import refresh_and_vacuum, waiting
from gateway.rollups.registry import Kept, ago, read_pending, read_registry
from gateway.rollups.session import worker_session
from gateway.settings import load_settings

Name = Annotated[str | None, typer.Argument(help="Name of a rollup.")]


def refresh(
    name: Name = None,
    every: Annotated[bool, typer.Option("--all", help="Instead of one: all of them.")] = False,
) -> None:
    """Recompute a rollup and compare it with what readers saw. Exits with 1 when something differed.

    Needs WORKER_DATABASE_URL.
    """
    with one_sentence():
        if (name is None) != every:
            raise CommandRefusedError(f"Name one rollup, or say --all. There are {_names()}.")
        differing = run(_refresh(_chosen(name)))
    if differing:
        raise typer.Exit(1)


def list_() -> None:
    """Show the rollups: their size, what waits for a refresh, when each was tended. Needs WORKER_DATABASE_URL."""
    with one_sentence():
        out.print(run(_list()))


def audit(
    name: Annotated[str | None, typer.Argument(help="Name of a rollup; without one, all.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Make right what differs.")] = False,
) -> None:
    """Compare what readers see with the tables, tenant by tenant; nobody waits. Exits with 1 when something differs.

    Needs WORKER_DATABASE_URL.
    """
    with one_sentence():
        differing = run(_audit(_chosen(name), repair=repair))
    if differing and not repair:
        err.print("[red]Readers see what is not so. `gateway rollups audit --repair` makes it right.[/]")
        raise typer.Exit(1)


def diff() -> None:
    """Print the SQL that brings the database to the declared rollups, a migration's. Exits with 1 when it is needed.

    Needs MIGRATION_DATABASE_URL.
    """
    with one_sentence():
        found = run_as_owner(load_settings(), _difference)
    for reason in found.reasons:
        err.print(escape(reason))
    if found.reasons:
        sys.stdout.write(found.script())
        raise typer.Exit(1)


def _names() -> str:
    return ", ".join(rollup.name for rollup in ROLLUPS)


def _chosen(name: str | None) -> list[Rollup]:
    """The one of that name, or all."""
    found = [rollup for rollup in ROLLUPS if name in {None, rollup.name}]
    if not found:
        raise CommandRefusedError(f"There is no rollup `{name}`. There are {_names()}.")
    return found


def _session() -> AbstractAsyncContextManager[asyncpg.Connection]:
    from gateway.postgres.migrate import head_revision

    return worker_session(load_settings().require("worker_database_url"), head_revision())


async def _refresh(rollups: Sequence[Rollup]) -> int:
    """How many groups differed."""
    differing = 0
    async with _session() as worker:
        with bar(out) as progress:
            task = progress.add_task("", total=len(rollups))
            for rollup in rollups:
                progress.update(task, description=f"Refreshing {rollup.name}")
                begun = time.perf_counter()
                found = await refresh_and_vacuum(worker, rollup)
                _tell(rollup, found, f"refreshed in {time.perf_counter() - begun:.2f} s")
                differing += found.differing
                progress.advance(task)
    return differing


async def _audit(rollups: Sequence[Rollup], *, repair: bool) -> int:
    """How many groups differed."""
    differing = 0
    async with _session() as worker:
        tenants = await worker.fetchval("SELECT count(*) FROM public.tenants")
        with bar(out) as progress:
            for rollup in rollups:
                task = progress.add_task(f"Auditing {rollup.name}", total=tenants)
                found = Audit(0, 0, [])
                async for slug, of_tenant in audit_rollup(worker, rollup, repair=repair):
                    progress.update(task, advance=1, description=f"Auditing {rollup.name}: {slug}")
                    found += of_tenant
                _tell(rollup, found, "repaired" if repair and found.differing else "audited")
                differing += found.differing
    return differing


def _tell(rollup: Rollup, found: Audit, done: str) -> None:
    """A line for the rollup, and one for each listed group that differed."""
    outcome = f"[red]{found.differing} differed[/]" if found.differing else "none differed"
    out.print(f"{rollup.name}: {found.groups} groups, {outcome}, {done}")
    for group in found.listed:
        wrong = {name: value for name, value in group.live.items() if value != group.truth[name]}
        values = ", ".join(f"{name} was {value}, is {group.truth[name]}" for name, value in wrong.items())
        out.print(f"  {_pairs(group.keys)}: {values}")
    if found.differing > len(found.listed):
        out.print(f"  and {found.differing - len(found.listed)} more")


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


async def _list() -> Table:
    table = Table(box=None)
    for title in ("rollup", "groups", "waiting", "folded", "refreshed", "audited", "differing"):
        table.add_column(
            title, no_wrap=True, justify="right" if title in {"groups", "waiting", "differing"} else "left"
        )
    async with _session() as worker:
        kept = {one.name: one for one in await read_registry(worker)}
        for rollup in ROLLUPS:
            pending = await read_pending(worker, rollup)
            table.add_row(
                *(rollup.name, str(pending.base_groups), str(await waiting(worker, rollup))),
                *_tended(kept[rollup.name]),
            )
    return table


def _tended(kept: Kept) -> list[str]:
    refreshed = "restored" if kept.restored else ago(kept.last_refresh)
    return [ago(kept.last_fold), refreshed, ago(kept.last_audit), str(kept.differing or 0)]


async def _difference(owner: asyncpg.Connection) -> Difference:
    if await owner.fetchval("SELECT to_regclass('rollup.registry') IS NULL"):
        raise CommandRefusedError("The database knows of no rollups yet: run `gateway migrate`.")
    return difference(await find(owner), ROLLUPS)
