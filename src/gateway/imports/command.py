"""`gateway import`: what it takes, what it shows."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from gateway.commands.refusals import CommandRefusedError
from gateway.imports.importer import Job, Summary, import_tenant
from gateway.imports.loading import load_mapping
from gateway.imports.reading import Advance
from gateway.imports.rejects import Rejects
from gateway.settings import Settings

NUMBERS = ("read", "created", "updated", "unchanged", "rejected")
ROLE_OBEYS_POLICIES = "SELECT rolname FROM pg_roles WHERE rolname = current_user AND NOT (rolbypassrls OR rolsuper)"
KNOWN_TENANTS = "SELECT slug FROM tenants WHERE slug = ANY ($1::text[])"


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What was asked for. `mapping`: a name or a file; `rejects`: where the list goes, None for beside the data."""

    directory: Path
    mapping: str
    tenant: str | None = None
    all_tenants: bool = False
    dry_run: bool = False
    rejects: Path | None = None


def run_import(settings: Settings, console: Console, request: ImportRequest) -> None:
    """Imports a directory into a tenant, or each folder of it into the tenant of its name.

    A tenant whose files cannot be imported does not stop the others. Raises CommandRefusedError.
    """
    dsn = settings.require("migration_database_url")
    jobs = _jobs(request)
    directory = request.directory.absolute()
    path = request.rejects or directory.with_name(f"{directory.name}.rejects.csv")
    with Rejects(path) as rejects:
        faults = asyncio.run(_import_all(dsn, jobs, rejects, console, dry_run=request.dry_run))
    if path.exists():
        console.print(f"What was rejected, and why, is in {escape(str(path))}")
    if request.dry_run:
        console.print("It was a dry run: nothing has been changed.")
    if faults:
        raise CommandRefusedError("\n".join(faults))


def _jobs(request: ImportRequest) -> list[Job]:
    directory, tenant = request.directory, request.tenant
    if request.all_tenants == (tenant is not None):
        raise CommandRefusedError("Name either a tenant (--tenant SLUG) or --all-tenants.")
    source = load_mapping(request.mapping)
    if not directory.is_dir():
        raise CommandRefusedError(f"There is no directory {directory}.")
    if tenant is not None:
        return [Job(tenant, directory, source)]
    folders = sorted(path for path in directory.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not folders:
        raise CommandRefusedError(f"{directory} has no folder: each tenant's files stand in one named by its slug.")
    return [Job(folder.name, folder, source, prefix=f"{folder.name}/") for folder in folders]


async def _import_all(dsn: str, jobs: list[Job], rejects: Rejects, console: Console, *, dry_run: bool) -> list[str]:
    """Why tenants were left out, one sentence each."""
    owner = await asyncpg.connect(dsn)
    faults = []
    try:
        await _check_role(owner)
        await _check_tenants(owner, jobs)
        for job in jobs:
            summaries: list[Summary] = []
            try:
                with _progress(console, job) as advance:
                    await import_tenant(owner, job, rejects, dry_run=dry_run, advance=advance, done=summaries.append)
            except CommandRefusedError as error:
                faults.append(str(error))
            _show(console, job, summaries)
    finally:
        await owner.close()
    return faults


async def _check_role(owner: asyncpg.Connection) -> None:
    """Under policies, an import would find nothing of what is there."""
    if role := await owner.fetchval(ROLE_OBEYS_POLICIES):
        raise CommandRefusedError(
            f"Role `{role}` cannot bypass row-level security, so it cannot import: "
            "let MIGRATION_DATABASE_URL name the role `owner`."
        )


async def _check_tenants(owner: asyncpg.Connection, jobs: list[Job]) -> None:
    slugs = [job.tenant for job in jobs]
    known = {row["slug"] for row in await owner.fetch(KNOWN_TENANTS, slugs)}
    if unknown := [f"`{slug}`" for slug in slugs if slug not in known]:
        raise CommandRefusedError(f"There is no tenant {' or '.join(unknown)}: `gateway tenant create SLUG` makes one.")


@contextmanager
def _progress(console: Console, job: Job) -> Iterator[Advance]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    total = job.size_bytes()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"Importing {escape(job.tenant)}", total=total)
        yield lambda size_bytes: progress.advance(task, size_bytes)


def _show(console: Console, job: Job, summaries: list[Summary]) -> None:
    if not summaries:
        return
    table = Table(
        title=f"Tenant {escape(job.tenant)}",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("file", overflow="fold")
    table.add_column("records")
    for name in NUMBERS:
        table.add_column(name, justify="right")
    for summary in summaries:
        numbers = (f"{getattr(summary, name):,}".replace(",", " ") for name in NUMBERS)
        table.add_row(escape(summary.file), summary.record, *numbers)
    console.print(table)
