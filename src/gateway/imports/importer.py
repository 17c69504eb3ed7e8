"""The import of one tenant: each file is read, staged with COPY, and merged by a few statements, in one transaction."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from gateway.commands.refusals import CommandRefusedError
from gateway.imports.loading import Import
from gateway.imports.pipelines import ensure_pipelines
from gateway.imports.plan import Fault, Plan
from gateway.imports.reading import Advance, CsvFile
from gateway.imports.rejects import Rejects
from gateway.imports.statements import Statements, make_statements
from gateway.imports.values import Value

LOCK_WAIT_SECONDS = 10
LOCK = "SELECT pg_advisory_lock(hashtextextended('gateway import', $1))"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('gateway import', $1))"
TENANT = "SELECT id FROM tenants WHERE slug = $1"
# Statistics know little of a tenant whose rows have just come: where they expect one row and find 100 000, nested
# loops take hours. A hash join takes at most one pass over the tenant's rows.
NO_NESTED_LOOPS = "SET LOCAL enable_nestloop = off"


@dataclass
class Summary:
    """What became of the rows of one file: read = created + updated + unchanged + rejected."""

    file: str
    record: str
    read: int = 0
    created: int = 0
    updated: int = 0
    rejected: int = 0

    @property
    def unchanged(self) -> int:
        return self.read - self.created - self.updated - self.rejected


@dataclass(frozen=True)
class Job:
    """One tenant's import. `prefix`: goes before the names of its files in the list of rejects."""

    tenant: str
    directory: Path
    source: Import
    prefix: str = ""

    def check(self) -> list[Plan]:
        """The plans of the files that are there. Raises CommandRefusedError before anything is written."""
        if not self.directory.is_dir():
            raise CommandRefusedError(f"There is no directory {self.directory}.")
        plans = [plan for plan in self.source.plans if self._path(plan).is_file() or not plan.file.optional]
        missing = dict.fromkeys(plan.file.path for plan in plans if not self._path(plan).is_file())
        if missing:
            raise CommandRefusedError(f"{self.directory} lacks {' and '.join(missing)}.")
        for plan in plans:
            self.file(plan).header()
        return plans

    def file(self, plan: Plan) -> CsvFile:
        return CsvFile(self._path(plan), plan.file)

    def size_bytes(self) -> int:
        """How much there is to read."""
        return sum(self._path(plan).stat().st_size for plan in self.check())

    def _path(self, plan: Plan) -> Path:
        return self.directory / plan.file.path


async def import_tenant(
    owner: asyncpg.Connection,
    job: Job,
    rejects: Rejects,
    *,
    dry_run: bool = False,
    advance: Advance = lambda _bytes: None,
    done: Callable[[Summary], None] = lambda _summary: None,
) -> list[Summary]:
    """Imports all files of the job, in the mapping's order; `done` is told after each.

    Each file is a transaction of its own: when one cannot be read or the process dies, those before it are
    imported, and the next run completes the rest. A dry run is one transaction, and rolled back. `owner` is a
    connection of that role. Raises CommandRefusedError, and what asyncpg raises.
    """
    plans = job.check()
    summaries = []
    async with _alone(owner, job.tenant) as tenant_id, _transaction(owner, dry_run=dry_run):
        for plan in plans:
            async with owner.transaction():
                summary = await _FileImport(owner, tenant_id, job, plan, rejects).run(advance)
            summaries.append(summary)
            done(summary)
    return summaries


@asynccontextmanager
async def _alone(owner: asyncpg.Connection, tenant: str) -> AsyncIterator[int]:
    """The tenant's key, while no other import of this tenant runs."""
    tenant_id = await owner.fetchval(TENANT, tenant)
    if tenant_id is None:
        raise CommandRefusedError(f"There is no tenant `{tenant}`: create it with `gateway tenant create {tenant}`.")
    # Else the server would not notice that a killed import is gone before the statement's end, and keep its lock.
    with suppress(asyncpg.InvalidParameterValueError):  # on systems where PostgreSQL cannot look
        await owner.execute("SET client_connection_check_interval = '1s'")
    await owner.execute(f"SET lock_timeout = '{LOCK_WAIT_SECONDS}s'")
    try:
        await owner.execute(LOCK, tenant_id)
    except asyncpg.LockNotAvailableError:
        raise CommandRefusedError(f"Another import of tenant `{tenant}` is running: wait until it is done.") from None
    finally:
        await owner.execute("RESET lock_timeout")
    try:
        yield tenant_id
    finally:
        if not owner.is_closed():
            await owner.execute(UNLOCK, tenant_id)


@asynccontextmanager
async def _transaction(owner: asyncpg.Connection, *, dry_run: bool) -> AsyncIterator[None]:
    """Around all files: none, or for a dry run one that is rolled back, so that files see those before them."""
    if not dry_run:
        yield
        return
    transaction = owner.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


class _FileImport:
    """One file, within the caller's transaction."""

    def __init__(self, owner: asyncpg.Connection, tenant_id: int, job: Job, plan: Plan, rejects: Rejects) -> None:
        self._owner, self._tenant_id = owner, tenant_id
        self._job, self._plan, self._rejects = job, plan, rejects
        self._summary = Summary(job.prefix + plan.file.path, plan.file.record)
        self._statements: Statements = make_statements(plan)

    async def run(self, advance: Advance) -> Summary:
        await self._owner.execute(NO_NESTED_LOOPS)
        if self._plan.field("stage"):
            await ensure_pipelines(self._owner, self._tenant_id, self._job.source.pipelines)
        await self._stage(advance)
        await self._resolve()
        await self._reject()
        await self._merge()
        await self._drop()
        return self._summary

    async def _stage(self, advance: Advance) -> None:
        await self._owner.execute(self._statements.stage)
        names = ["line", *(field.name for field in self._plan.fields)]
        await self._owner.copy_records_to_table("staging", records=self._records(advance), columns=names)
        await self._owner.execute("ANALYZE staging")

    def _records(self, advance: Advance) -> Iterator[tuple[Value | None, ...]]:
        """The rows that can be staged; the others go to the rejects as they are met."""
        file = self._job.file(self._plan)
        header = file.header()
        read = self._plan.bind(header)
        for row in file.rows(advance):
            self._summary.read += 1
            if row.fault is None:
                values, faults = read(row.cells)
            else:
                values, faults = [], [Fault("", row.fault, self._plan.file.delimiter.join(row.cells))]
            if not faults:
                yield (row.line, *values)
                continue
            self._summary.rejected += 1
            for fault in faults:
                self._rejects.add(self._summary.file, row.line, fault)

    async def _resolve(self) -> None:
        for statement in self._statements.prepare:
            await self._run(statement)
        await self._run(self._statements.resolve)
        await self._owner.execute("ANALYZE resolved")

    async def _reject(self) -> None:
        """Lists what only the database can tell: references that lead nowhere, keys that come twice."""
        last = 0
        checks = self._statements.checks
        async for line, number, first_line, value in self._owner.cursor(*self._with_tenant(self._statements.faults)):
            check = checks[number]
            self._rejects.add(
                self._summary.file,
                line,
                Fault(check.field.source.label, check.reason.format(first=first_line), value or ""),
            )
            self._summary.rejected += line != last
            last = line

    async def _merge(self) -> None:
        self._summary.created = int((await self._run(self._statements.insert)).split()[-1])
        self._summary.updated = await self._owner.fetchval(self._statements.update, self._tenant_id)
        if self._summary.updated and self._plan.field("closed_at"):
            # The trigger takes a deal that goes from won to lost on its old closing day for closed now.
            await self._run(self._statements.update)

    async def _drop(self) -> None:
        """In a dry run the next file is of the same transaction."""
        found = [f"found_{field.name}" for field in self._plan.fields if field.field.kind == "reference"]
        await self._owner.execute(f"DROP TABLE {', '.join(['staging', 'resolved', *found])}")

    async def _run(self, statement: str) -> str:
        return str(await self._owner.execute(*self._with_tenant(statement)))

    def _with_tenant(self, statement: str) -> tuple[str, *tuple[int, ...]]:
        return (statement, self._tenant_id) if "$1" in statement else (statement,)
