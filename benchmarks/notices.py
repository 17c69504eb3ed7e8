"""The ceiling of writes: PostgreSQL lets one commit with notices after the other.

Commits of single-row updates with the triggers as they are, with the same triggers silent, and without them; in turns,
while a gateway listens. The loops run inside PostgreSQL, one on each connection, so that no trip between two commits
hides the ceiling. On a copy of the data that is thrown away.
"""

import asyncio
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from rich.console import Console

from benchmarks.data import databases
from benchmarks.notices_page import AS_SERVED, SILENT, STATES, Ceiling, NoticeFigures
from benchmarks.rollups.subject import Scale, connected, database_of, median
from benchmarks.servers import gateway
from benchmarks.tables import print_tables, wide_console
from gateway.demo.shape import Size
from gateway.settings import Settings

CONNECTIONS, ROWS_EACH = 16, 20
ROUNDS, SECONDS = 3, 1.5
SYNCHRONOUS = ("on", "off")


@dataclass(frozen=True)
class Subject:
    """A table, the update of a row of it, and the trigger that tells of it."""

    table: str
    change: str
    trigger: str


SUBJECTS = (
    Subject("contacts", "phone = (i % 1000)::text", "notify_update"),
    Subject("deals", "amount = i % 1000", "rollup_update"),
)

ROWS = "SELECT tenant_id, id FROM {table} WHERE deleted_at IS NULL ORDER BY md5(id::text) LIMIT $1"

LOOP = """
CREATE OR REPLACE PROCEDURE pg_temp.update_{table}(seconds float8, tenants bigint[], ids bigint[], INOUT i bigint)
  LANGUAGE plpgsql AS $$
DECLARE
  ends timestamptz := clock_timestamp() + make_interval(secs => seconds);
  place int;
BEGIN
  WHILE clock_timestamp() < ends LOOP
    place := 1 + i % cardinality(ids);
    UPDATE {table} SET {change} WHERE tenant_id = tenants[place] AND id = ids[place];
    COMMIT;
    i := i + 1;
  END LOOP;
END $$
"""

NOTIFY, NOTHING = "pg_notify(", "concat("
"""A function of PostgreSQL that takes the same arguments, and tells nobody."""

FUNCTION = """
SELECT pg_get_functiondef(tgfoid) AS telling, pg_get_userbyid(proowner) AS owner
  FROM pg_trigger JOIN pg_proc AS p ON p.oid = tgfoid WHERE tgrelid = $1::text::regclass AND tgname = $2
"""


class Writers:
    """Connections that update rows of their own, as fast as they are let."""

    def __init__(self, connections: Sequence[asyncpg.Connection]) -> None:
        self._connections = connections

    async def rate(self, subject: Subject, rows: Sequence[asyncpg.Record], synchronous: str, seconds: float) -> float:
        """Commits a second of all of them."""
        shares = [rows[number :: len(self._connections)] for number in range(len(self._connections))]
        calls = zip(self._connections, shares, strict=True)
        done = await asyncio.gather(*(_update(each, subject, share, synchronous, seconds) for each, share in calls))
        return sum(done) / seconds


async def measure(settings: Settings, logs: Path, seconds: float = SECONDS, rounds: int = ROUNDS) -> NoticeFigures:
    """Figures of each table, each way of committing and each state. Changes triggers, and puts them back."""
    async with AsyncExitStack() as stack:
        stack.enter_context(gateway(settings, logs / "gateway.log", cached=True))
        owner, *connections = [
            await stack.enter_async_context(connected(settings, "owner")) for _ in range(CONNECTIONS + 1)
        ]
        writers = Writers(connections)
        found = [await _ceilings(owner, writers, subject, seconds, rounds) for subject in SUBJECTS]
    return NoticeFigures(CONNECTIONS, [ceiling for ceilings in found for ceiling in ceilings])


async def _ceilings(
    owner: asyncpg.Connection, writers: Writers, subject: Subject, seconds: float, rounds: int
) -> list[Ceiling]:
    rows = await owner.fetch(ROWS.format(table=subject.table), CONNECTIONS * ROWS_EACH)
    rates: Mapping[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for synchronous in SYNCHRONOUS:
            for state in STATES:
                async with triggers(owner, subject, state):
                    rates[synchronous, state].append(await writers.rate(subject, rows, synchronous, seconds))
    return [
        Ceiling(subject.table, synchronous, {state: median(rates[synchronous, state]) for state in STATES})
        for synchronous in SYNCHRONOUS
    ]


@asynccontextmanager
async def triggers(owner: asyncpg.Connection, subject: Subject, state: str) -> AsyncIterator[None]:
    """What tells of a table's changes in a state; after the block as it was."""
    if state == AS_SERVED:
        yield
        return
    change, undo = await _silent(owner, subject) if state == SILENT else _without(subject)
    await owner.execute(change)
    try:
        yield
    finally:
        await owner.execute(undo)


async def _silent(owner: asyncpg.Connection, subject: Subject) -> tuple[str, str]:
    """What takes the notice alone out of a trigger, and what puts it back."""
    telling, role = await owner.fetchrow(FUNCTION, subject.table, subject.trigger)
    assert NOTIFY in telling
    silent = telling.replace(NOTIFY, NOTHING)
    return f"SET ROLE {role}; {silent}; RESET ROLE", f"SET ROLE {role}; {telling}; RESET ROLE"


def _without(subject: Subject) -> tuple[str, str]:
    """What turns a trigger off, and what turns it on again."""
    words = f"ALTER TABLE {subject.table} {{}} TRIGGER {subject.trigger}"
    return words.format("DISABLE"), words.format("ENABLE ALWAYS")


async def _update(
    connection: asyncpg.Connection,
    subject: Subject,
    rows: Sequence[asyncpg.Record],
    synchronous: str,
    seconds: float,
) -> int:
    """How many updates were committed, each alone."""
    await connection.execute(f"SET synchronous_commit = {synchronous}")
    await connection.execute(LOOP.format(table=subject.table, change=subject.change))
    tenants, ids = zip(*rows, strict=True)
    call = f"CALL pg_temp.update_{subject.table}($1, $2, $3, 0)"
    return int(await connection.fetchval(call, seconds, tenants, ids))


async def measure_alone(directory: Path, shape: Size | Scale, console: Console) -> NoticeFigures:
    """On a copy of the made-up data that is kept in `directory`, which must exist."""
    with databases(directory) as running, tempfile.TemporaryDirectory(prefix="benchmarks-") as logs:
        await running.load(database_of(shape), shape, console)
        async with running.copied(database_of(shape)) as settings:
            return await measure(settings, Path(logs))


def main(arguments: Sequence[str]) -> None:
    """`python -m benchmarks.notices DIRECTORY`: of the medium data."""
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    console = wide_console()
    figures = asyncio.run(measure_alone(directory, Size.MEDIUM, console))
    print_tables([figures.table()], figures.sentences(), console)


if __name__ == "__main__":
    main(sys.argv[1:])
