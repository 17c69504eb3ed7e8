"""The large data: a loaded database, each tenant's records so many times over, copied inside PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from rich.console import Console

from benchmarks.data import Databases
from benchmarks.rollups.subject import Multiple, database_of
from gateway.demo.rollups import refresh_changed
from gateway.postgres.migrate import head_revision
from gateway.progress import bar
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.refreshing import refresh_and_vacuum
from gateway.rollups.registry import record_audit
from gateway.rollups.session import worker_session
from gateway.settings import Settings

KINDS = ("key", "index", "foreign key", "trigger")
"""What is in the way of many rows, in the order in which it comes back: foreign keys refer to keys."""

SESSIONS = 2
"""So many statements run beside each other, each with a core and some gigabytes of memory."""

PAUSE_SECONDS, ATTEMPTS = 1.0, 60

# Rows of a commit that is not on disk yet look unfinished to VACUUM: it would not mark their pages as all visible.
OWNER_SETTINGS = {"synchronous_commit": "on", "maintenance_work_mem": "1GB"}
WORKER_SETTINGS = {"work_mem": "512MB"}

# Companies, and all that belongs to them: whatever refers to a copied table is copied. The largest are begun with.
TABLES = """
WITH RECURSIVE copied (oid) AS (
  SELECT 'companies'::regclass::oid
   UNION
  SELECT conrelid FROM copied JOIN pg_constraint ON contype = 'f' AND confrelid = copied.oid)
SELECT oid::regclass::text FROM copied ORDER BY pg_table_size(oid) DESC
"""

# `ids_of`: the copied table whose ids a column holds. `emptied`: two rows must not have the same, and may have none.
COLUMNS = """
SELECT quote_ident(a.attname) AS name, CASE WHEN a.attidentity <> '' THEN $1::text ELSE referenced.name END AS ids_of,
       NOT a.attnotnull AND EXISTS (SELECT FROM pg_index AS i
         WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS emptied
  FROM pg_attribute AS a LEFT JOIN LATERAL (
       SELECT DISTINCT confrelid::regclass::text AS name
         FROM pg_constraint CROSS JOIN unnest(conkey, confkey) AS pair (key, id)
         JOIN pg_attribute AS r ON r.attrelid = confrelid AND r.attnum = pair.id AND r.attidentity <> ''
        WHERE contype = 'f' AND conrelid = a.attrelid AND pair.key = a.attnum
          AND confrelid::regclass::text = ANY ($2::text[])) AS referenced ON true
 WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
"""

IDENTITIES = """
SELECT attrelid::regclass::text, quote_ident(attname), pg_get_serial_sequence(attrelid::regclass::text, attname)
  FROM pg_attribute WHERE attidentity <> '' AND attrelid = ANY ($1::text[]::regclass[])
"""

# The first ones of each table come before the second ones: statements beside each other seldom wait for the same table.
IN_THE_WAY = """
WITH held (kind, owned_by, name, remove, restore) AS (
  SELECT CASE contype WHEN 'f' THEN 'foreign key' ELSE 'key' END, conrelid, conname,
         format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint
   WHERE contype IN ('f', 'p', 'u', 'x')
     AND (conrelid = ANY ($1::text[]::regclass[]) OR confrelid = ANY ($1::text[]::regclass[]))
   UNION ALL
  SELECT 'index', indrelid, indexrelid::regclass::text, format('DROP INDEX %s', indexrelid::regclass),
         pg_get_indexdef(indexrelid)
    FROM pg_index
   WHERE indrelid = ANY ($1::text[]::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
   UNION ALL
  SELECT 'trigger', tgrelid, tgname, format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname),
         format('ALTER TABLE %s %s TRIGGER %I', tgrelid::regclass, CASE tgenabled WHEN 'O' THEN 'ENABLE'
           WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'DISABLE' END, tgname)
    FROM pg_trigger WHERE tgrelid = ANY ($1::text[]::regclass[]) AND NOT tgisinternal)
SELECT kind, name, remove, restore FROM held
 ORDER BY row_number() OVER (PARTITION BY kind, owned_by ORDER BY name), pg_table_size(owned_by) DESC
"""

SCHEMA = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indisvalid
 UNION ALL
SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
 UNION ALL
SELECT format('%s %s', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE NOT tgisinternal
 ORDER BY 1
"""

UNSEEN = """
SELECT oid::regclass::text FROM pg_class WHERE oid = ANY ($1::text[]::regclass[]) AND relallvisible < relpages
"""


@dataclass(frozen=True)
class Step:
    """A statement, and what is said while it runs."""

    doing: str
    statement: str


async def load_multiple(running: Databases, shape: Multiple, console: Console) -> Settings:
    """Settings of a gateway on the database of a shape, whose source is loaded already; made at the first call.

    It gets its name when it is complete: what a killed call left is begun again. A superuser creates, names and drops
    databases, and does nothing else.
    """
    name, unfinished = shape.database, f"{shape.database}_unfinished"
    superuser = await asyncpg.connect(running.server.superuser_dsn)
    try:
        if not await superuser.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
            await superuser.execute(f"DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")
            copy = f"CREATE DATABASE {unfinished} TEMPLATE {database_of(shape.source)} OWNER owner STRATEGY file_copy"
            await superuser.execute(copy)
            settings = await running.open(unfinished)
            await multiply(settings.require("migration_database_url"), shape.factor, console)
            await refresh_all(settings.require("worker_database_url"), console)
            await superuser.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")
    finally:
        await superuser.close()
    settings = await running.open(name)
    await refresh_changed(settings.require("worker_database_url"), console)
    return settings


async def multiply(owner_dsn: str, factor: int, console: Console) -> None:
    """Makes `factor` of each company and of what belongs to one; then the rollups are to be refreshed.

    Copies are their originals but for ids: members, pipelines, stages and products stay theirs, derived columns and
    history are right already. So no trigger has to fire, and keys and indexes are made once, at the end. Nobody else
    may be at work; killed, it leaves a database that is of no use.
    """
    async with _session(owner_dsn) as owner:
        schema = await owner.fetch(SCHEMA)
        tables = [row[0] for row in await owner.fetch(TABLES)]
        ids = await _ids(owner, tables)
        copies = [Step(f"Copying {table}", await _copy(owner, table, ids, factor)) for table in tables]
        # After all copies: index-only scans need pages that are all visible.
        vacuums = [Step(f"Vacuuming {table}", f"VACUUM (FREEZE, ANALYZE) {table}") for table in tables]
        restored = await _clear_the_way(owner, tables)
        await _work(owner_dsn, [copies, vacuums, *restored], console)
        await _show_all(owner, tables)
        for each in ids.values():
            await owner.execute(each.advance(factor))
        if await owner.fetch(SCHEMA) != schema:
            raise RuntimeError("keys, indexes or triggers are not those of the source")


async def refresh_all(worker_dsn: str, console: Console) -> None:
    """What was copied past the triggers is counted. That readers saw less of it until now is no alarm."""
    async with worker_session(worker_dsn, head_revision(), **WORKER_SETTINGS) as worker:
        with bar(console) as progress:
            task = progress.add_task("", total=len(ROLLUPS))
            for rollup in ROLLUPS:
                progress.update(task, description=f"Refreshing {rollup.name}")
                await refresh_and_vacuum(worker, rollup)
                await record_audit(worker, rollup, 0)
                progress.advance(task)


@dataclass(frozen=True)
class Ids:
    """Those of a table: its column of ids, the sequence behind it, the highest one that is taken."""

    sequence: str
    highest: int

    def copied(self, column: str, factor: int) -> str:
        """What a column that holds such ids gets in a copy. Ids of copies ascend as they are written."""
        return f"{self.highest} + ({column} - 1) * {factor - 1} + copy"

    def advance(self, factor: int) -> str:
        return f"SELECT setval('{self.sequence}', greatest({self.highest * factor}, nextval('{self.sequence}')))"


async def _ids(owner: asyncpg.Connection, tables: Sequence[str]) -> dict[str, Ids]:
    """By table; without those that have no ids of their own."""
    return {
        table: Ids(sequence, await owner.fetchval(f"SELECT coalesce(max({column}), 0) FROM {table}"))
        for table, column, sequence in await owner.fetch(IDENTITIES, tables)
    }


async def _copy(owner: asyncpg.Connection, table: str, ids: Mapping[str, Ids], factor: int) -> str:
    """The statement. A row's copies stand beside each other, so that those of a tenant do."""
    columns = await owner.fetch(COLUMNS, table, list(ids))
    names = ", ".join(column["name"] for column in columns)
    values = ", ".join(
        ids[column["ids_of"]].copied(column["name"], factor)
        if column["ids_of"]
        else ("NULL" if column["emptied"] else column["name"])
        for column in columns
    )
    return (
        f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE\n"
        f"SELECT {values} FROM (SELECT *, generate_series(1, {factor - 1}) AS copy FROM {table}) AS copied"
    )


async def _clear_the_way(owner: asyncpg.Connection, tables: Sequence[str]) -> list[list[Step]]:
    """The phases that bring back what is removed."""
    found = await owner.fetch(IN_THE_WAY, tables)
    for kind in reversed(KINDS):
        for each in found:
            if each["kind"] == kind:
                await owner.execute(each["remove"])
    return [
        [Step(f"Restoring {kind} {each['name']}", each["restore"]) for each in found if each["kind"] == kind]
        for kind in KINDS
    ]


async def _work(owner_dsn: str, phases: Sequence[Sequence[Step]], console: Console) -> None:
    """One phase after the other, the steps of each side by side."""
    with bar(console) as progress:
        task = progress.add_task("", total=sum(map(len, phases)))

        async def work(steps: Iterator[Step]) -> None:
            async with _session(owner_dsn) as owner:
                for step in steps:
                    progress.update(task, description=step.doing)
                    await owner.execute(step.statement)
                    progress.advance(task)

        for phase in phases:
            steps = iter(phase)
            async with asyncio.TaskGroup() as group:
                for _ in range(SESSIONS):
                    group.create_task(work(steps))


async def _show_all(owner: asyncpg.Connection, tables: Sequence[str]) -> None:
    """Vacuums again what is not visible to all yet: somebody had an older snapshot, or had committed beside a copy and
    was not on disk, which is noted for neighbours as one."""
    for _ in range(ATTEMPTS):
        unseen = await owner.fetch(UNSEEN, tables)
        if not unseen:
            return
        await asyncio.sleep(PAUSE_SECONDS)
        for (table,) in unseen:
            await owner.execute(f"VACUUM (FREEZE) {table}")
    raise RuntimeError(f"after {ATTEMPTS} attempts some pages are not visible to all")


@asynccontextmanager
async def _session(owner_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(owner_dsn, server_settings=OWNER_SETTINGS)
    try:
        yield connection
    finally:
        await connection.close()
