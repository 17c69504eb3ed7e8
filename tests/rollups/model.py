"""What the model-based test stands on: a small world, sessions that write to it in turns, and the comparison."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import asyncpg

from gateway.rollups.audit import audit_rollup
from gateway.rollups.declaration import Rollup
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.maintain import fold_rollup, refresh_rollup
from gateway.rollups.names import base, delta, pending
from tests.conftest import Database
from tests.rollups.exactness import seen, true

T = TypeVar("T")

TENANTS = 1, 2
SESSIONS = 3
TABLES = "deals", "deal_stage_history", "activities", "companies", "tasks"

# The other tenant's rows have the same ids, so that a row can change its tenant and nothing else.
WORLD = """
INSERT INTO tenants (id, slug, name, time_zone)
VALUES (1, 'tokyo', 'Tokyo', 'Asia/Tokyo'), (2, 'york', 'York', 'America/New_York');
INSERT INTO members (tenant_id, id, email, name, role)
SELECT t, m, m || '@a.example', m, 'rep' FROM generate_series(1, 2) AS t, generate_series(1, 2) AS m;
INSERT INTO pipelines (tenant_id, id, name) SELECT t, p, p FROM generate_series(1, 2) AS t, generate_series(1, 2) AS p;
INSERT INTO stages (tenant_id, id, pipeline_id, name, position, probability, kind)
SELECT t, s, (s + 3) / 4, s, s, 0, 'open' FROM generate_series(1, 2) AS t, generate_series(1, 6) AS s;
"""
CLEAR = "DELETE FROM tasks; DELETE FROM activities; DELETE FROM deals; DELETE FROM companies; SET ROLE rollup_owner; "
EMPTY = CLEAR + " ".join(
    f"TRUNCATE {delta(each)}, {pending(each)}; REFRESH MATERIALIZED VIEW {base(each)};" for each in ROLLUPS
)
BEGINNING = """
RESET ROLE;
UPDATE tenants SET time_zone = CASE id WHEN 1 THEN 'Asia/Tokyo' ELSE 'America/New_York' END;
UPDATE stages AS s SET kind = k.kind, probability = k.probability, pipeline_id = (s.id + 3) / 4, position = s.id
  FROM (VALUES (1, 'open', 0), (2, 'open', 0), (3, 'won', 1), (4, 'lost', 0), (5, 'open', 0), (6, 'won', 1))
    AS k (id, kind, probability) WHERE s.id = k.id;
SELECT setval('deal_stage_history_id_seq', 100);
INSERT INTO companies (tenant_id, id, name, created_at)
SELECT t, c, c, '2024-03-31 15:00Z' FROM generate_series(1, 2) AS t, generate_series(1, 2) AS c;
INSERT INTO deals (tenant_id, id, name, pipeline_id, stage_id, owner_id, company_id, amount, expected_close, created_at)
SELECT t, d, d, 1, d, 1, nullif(d - 1, 0), nullif(d, 2), '2024-04-01', '2024-03-31 15:00Z'
  FROM generate_series(1, 2) AS t, generate_series(1, 3) AS d;
INSERT INTO tasks (tenant_id, id, title, owner_id, due_at)
SELECT t, k, k, 1, CASE k WHEN 1 THEN timestamptz '2024-03-31 15:00Z' END
  FROM generate_series(1, 2) AS t, generate_series(1, 2) AS k;
"""


def _as_json(rollup: str, query: str) -> str:
    return f"SELECT '{rollup}' AS rollup, to_json(found)::text AS found FROM ({query}) AS found"


SEEN = " UNION ALL ".join(_as_json(each.name, seen(each)) for each in ROLLUPS)
TRUTH = " UNION ALL ".join(_as_json(each.name, true(each, "true")) for each in ROLLUPS)

UNLUCKY = asyncpg.LockNotAvailableError, asyncpg.SerializationError, asyncpg.DeadlockDetectedError
"""Of two sessions that want the same row, one has to begin again."""


LEVELS = "READ COMMITTED", "REPEATABLE READ"
# Nobody else moves while one waits for a row, so waiting longer is of no use. A reader only ever waits for autovacuum.
AS_WRITER = "SET ROLE owner; SET lock_timeout = '10ms'"
AS_READER = "SET ROLE gateway; SET lock_timeout = 0"
ALONE = "BEGIN", "COMMIT", "ROLLBACK"
WITHIN = "SAVEPOINT write", "RELEASE write", "ROLLBACK TO write; RELEASE write"


class Write(NamedTuple):
    """Statements of one change, with the values for each."""

    statements: tuple[tuple[str, tuple[object, ...]], ...]

    @classmethod
    def of(cls, sql: str, *values: object) -> "Write":
        return cls(((sql, values),))


@dataclass
class Session:
    """One connection. It acts as `owner`; a reader's eye is the role `gateway`, within the same transaction.

    It is a superuser's, because no other session may take both roles; it never acts as one.
    """

    connection: asyncpg.Connection
    open: bool = False
    savepoints: list[str] = field(default_factory=list)

    async def begin(self, how: str) -> None:
        """`how`: an isolation level; nothing begins by another word."""
        if how in LEVELS:
            await self.connection.execute(f"BEGIN ISOLATION LEVEL {how}")
            self.open = True

    async def end(self, how: str) -> None:
        """`how`: COMMIT or ROLLBACK; nothing ends by another word."""
        if self.open and how not in LEVELS:
            await self.connection.execute(how)
            self.forget()

    def forget(self) -> None:
        """There is no transaction any more."""
        self.open = False
        self.savepoints.clear()

    async def save(self) -> None:
        if self.open:
            self.savepoints.append(f"s{len(self.savepoints)}")
            await self.connection.execute(f"SAVEPOINT {self.savepoints[-1]}")

    async def unwind(self, how: str, depth: int) -> None:
        """`how`: ROLLBACK TO or RELEASE; to the savepoint that is so many from the last."""
        if self.savepoints:
            kept = max(len(self.savepoints) - 1 - depth, 0)
            await self.connection.execute(f"{how} {self.savepoints[kept]}")
            self.savepoints = self.savepoints[: kept + how.startswith("ROLLBACK")]

    async def write(self, write: Write) -> bool:
        """All of it, or nothing where a constraint refuses it; gives whether it was accepted."""
        begin, keep, undo = WITHIN if self.open else ALONE
        try:
            await self.connection.execute(begin)
            for sql, values in write.statements:
                await self.connection.execute(sql, *values)
            await self.connection.execute(keep)
        except asyncpg.IntegrityConstraintViolationError as error:
            if error.schema_name not in {"public", None}:
                raise  # a writer must never fail because of a rollup
            await self.connection.execute(undo)
            return False
        except UNLUCKY:
            await self.connection.execute("ROLLBACK")
            self.forget()
            return False
        return True

    async def look(self) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        """What readers see of all tenants, and the truth; each a set of rollup and group."""
        views = set()
        for tenant in TENANTS:
            await self.connection.execute(f"{AS_READER}; SET app.tenant_id = '{tenant}'")
            views |= _groups(await self.connection.fetch(SEEN))
        await self.connection.execute("SET ROLE owner; SET app.tenant_id = ''")
        truth = _groups(await self.connection.fetch(TRUTH))
        await self.connection.execute(AS_WRITER)
        return views, truth


def _groups(rows: Sequence[asyncpg.Record]) -> set[tuple[str, str]]:
    """With 1.0000 and 1 made the same."""
    return {(row["rollup"], _plain(json.loads(row["found"], parse_float=Decimal))) for row in rows}


def _plain(group: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value.normalize() + 0:f}" if isinstance(value, Decimal) else f"{name} {value}"
        for name, value in group.items()
    )


class Ground:
    """A database with sessions and a worker, driven from a synchronous test."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Not the loop of the other tests: a state machine is synchronous, and runs each step to its end.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._stack = AsyncExitStack()
        self.accepted = self.refused = 0

    def __enter__(self) -> "Ground":
        self.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stack.aclose())
        self._runner.close()

    def run(self, awaitable: Awaitable[T]) -> T:
        async def result() -> T:
            return await awaitable

        return self._runner.run(result())

    def reset(self) -> None:
        """Ends what the sessions have begun, and makes the world as it was."""
        self.run(self._reset())

    def write(self, session: int, write: Write) -> None:
        if self.run(self.sessions[session].write(write)):
            self.accepted += 1
        else:
            self.refused += 1

    @property
    def readers(self) -> list[Session]:
        """One who reads now, and each within whose transaction it may look otherwise."""
        idle = [session for session in self.sessions if not session.open][:1]
        return [*idle, *(session for session in self.sessions if session.open)]

    def assert_exact(self) -> None:
        """For all readers."""
        for session in self.readers:
            live, truth = self.run(session.look())
            assert live == truth, f"session {self.sessions.index(session)}: {live ^ truth}"

    def tend(self, rollup: Rollup, work: str) -> None:
        """`work`: fold, refresh, audit or repair, by the role `worker`. None finds anything wrong."""
        if work == "fold":
            self.run(fold_rollup(self._worker, rollup))
        elif work == "refresh":
            audit = self.run(refresh_rollup(self._worker, rollup))
            assert audit.differing == 0, audit
        else:
            self.run(self._audit(rollup, repair=work == "repair"))

    async def _audit(self, rollup: Rollup, *, repair: bool) -> None:
        async for _tenant, audit in audit_rollup(self._worker, rollup, repair=repair):
            assert audit.differing == 0, audit

    async def _open(self) -> None:
        connect = self._stack.enter_async_context
        self.owner = await connect(_connected(self._database.owner_dsn))
        self._worker = await connect(_connected(self._database.worker_dsn))
        superuser = {"dsn": self._database.server.superuser_dsn, "database": self._database.name}
        self.sessions = [Session(await connect(_connected(**superuser))) for _ in range(SESSIONS)]
        for session in self.sessions:
            await session.connection.execute(AS_WRITER)
        await self.owner.execute(WORLD)

    async def _reset(self) -> None:
        for session in self.sessions:
            await session.end("ROLLBACK")
        await self.owner.execute(EMPTY)
        await self.owner.execute(BEGINNING)


@asynccontextmanager
async def _connected(dsn: str, **arguments: str) -> AsyncIterator[asyncpg.Connection]:
    settings = {"statement_timeout": "30s", "timezone": "UTC"}
    connection = await asyncpg.connect(dsn, **arguments, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()
