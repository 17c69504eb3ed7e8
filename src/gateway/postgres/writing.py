"""A tenant's write transaction: one connection, all or nothing, tried again where others came in between."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import asyncpg

from gateway.deadline import Deadline
from gateway.errors import OutcomeUnknownError, WriteConflictError
from gateway.observe import Observer, StatementFinished
from gateway.postgres.faults import as_gateway_error, is_unavailable
from gateway.postgres.places import Share
from gateway.postgres.pool import Pool
from gateway.postgres.transactions import Named, begin, give_back

Done = TypeVar("Done")

ATTEMPTS = 3

MARGIN_SECONDS = 0.1
"""So long before its request's deadline a change gives up, so that it can be said what became of it."""

NAME = "SELECT pg_current_xact_id()::text, app.incarnation()"

LOST_RACES = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    # A stage changed its kind, or what a row refers to went away, after it was looked at.
    asyncpg.ForeignKeyViolationError,
)
"""Somebody else wrote at the same time: on the state that they left, the same work may succeed."""


class Herald(Protocol):
    """Who tells others of changes, by the tables that a transaction wrote to and its id."""

    def in_doubt(self, tenant_id: int, tables: Iterable[str], xid: int) -> None:
        """Before it is committed."""

    async def acknowledge(self, tenant_id: int, tables: Iterable[str], xid: int, incarnation: str | None) -> None:
        """After it was, before anybody is told of it. `incarnation`: of the database in which it has that id."""


class RacedError(Exception):
    """What a command found was changed by somebody else before it could write: it begins anew."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Whose change it is. `request_id` goes into the audit."""

    tenant_id: int
    member_id: int
    request_id: str


class Name(NamedTuple):
    """The id of a transaction, and the incarnation of the database in which it is that."""

    xid: int
    incarnation: str | None


class Writes:
    """The statements of one write transaction. Each is given the tenant as `$1`.

    `statements`: the names of those that were run; `rows`: how many these found; `tables`: what they may have changed.
    """

    def __init__(self, connection: asyncpg.Connection, writer: Writer, deadline: Deadline, observer: Observer) -> None:
        self.writer = writer
        self.statements: list[str] = []
        self.rows = 0
        self.tables: set[str] = set()
        self._connection = connection
        self._deadline = deadline
        self._observer = observer

    async def fetch(self, statement: Named, *arguments: object) -> Sequence[Sequence[Any]]:
        """The statement's rows. In READ COMMITTED, each statement sees what was committed before it began."""
        begun = time.perf_counter()
        self.statements.append(statement.name)
        rows: Sequence[Sequence[Any]] = await self._connection.fetch(
            statement.sql, self.writer.tenant_id, *arguments, timeout=self._deadline.left_seconds()
        )
        self.rows += len(rows)
        self.tables |= statement.writes
        self._observer.statement(StatementFinished(statement.name, time.perf_counter() - begun, len(rows)))
        return rows

    async def name(self) -> Name:
        row = await self._connection.fetchrow(NAME, timeout=self._deadline.left_seconds())
        return Name(int(row[0]), row[1])


class WriteTransactions:
    """The write transactions of one process."""

    def __init__(self, pool: Pool, observer: Observer, herald: Herald) -> None:
        self._pool = pool
        self._observer = observer
        self._herald = herald

    async def run(
        self, share: Share, writer: Writer, deadline: Deadline, work: Callable[[Writes], Awaitable[Done]]
    ) -> Done:
        """What the work returned, once it is committed. Each time that it is tried, it is given statements of its own.

        Raises WRITE_CONFLICT when it lost every race, OUTCOME_UNKNOWN when the connection went away during the commit
        or the commit outlasted the deadline, and the errors of a read; of all but OUTCOME_UNKNOWN nothing remains.
        """
        until = deadline.earlier(MARGIN_SECONDS)
        for _ in range(ATTEMPTS):
            try:
                return await self._write_once(share, writer, until, work)
            except (*LOST_RACES, RacedError) as error:
                self._observer.log.info("a write lost a race", reason=repr(error), request_id=writer.request_id)
        raise WriteConflictError

    async def _write_once(
        self, share: Share, writer: Writer, deadline: Deadline, work: Callable[[Writes], Awaitable[Done]]
    ) -> Done:
        pool, observer = self._pool, self._observer
        connection, _ = await pool.acquire(
            share, deadline, lambda taken: begin(pool, taken, _beginning(writer, deadline)), writing=True
        )
        writes = Writes(connection, writer, deadline, observer)
        try:
            done = await work(writes)
            name = await writes.name() if writes.tables else None
            left_seconds = deadline.left_seconds()
        except BaseException as error:
            await asyncio.shield(give_back(pool, connection, "ROLLBACK", observer))
            known = None if isinstance(error, LOST_RACES) else as_gateway_error(error)
            if known is None:
                raise
            raise known from error
        # Cut off in the middle, nobody could know what became of it: it is finished, whoever goes away.
        committing = asyncio.ensure_future(self._commit(connection, writer.tenant_id, frozenset(writes.tables), name))
        committing.add_done_callback(_heed)
        await asyncio.wait({committing}, timeout=left_seconds)
        if not committing.done():
            raise OutcomeUnknownError
        await committing
        return done

    async def _commit(
        self, connection: asyncpg.Connection, tenant_id: int, tables: frozenset[str], name: Name | None
    ) -> None:
        if name is not None:
            self._herald.in_doubt(tenant_id, tables, name.xid)
        await _commit(self._pool, connection, self._observer)
        if name is not None:
            await self._herald.acknowledge(tenant_id, tables, name.xid, name.incarnation)


def _heed(committing: asyncio.Future[None]) -> None:
    """What went wrong after its caller had gone is nobody's fault."""
    if not committing.cancelled():
        committing.exception()


def _beginning(writer: Writer, deadline: Deadline) -> str:
    # All numbers are our own integers, so they may stand in the text; one round trip sets all of it.
    return (
        "BEGIN ISOLATION LEVEL READ COMMITTED; "
        f"SET LOCAL app.tenant_id = '{writer.tenant_id:d}'; "
        f"SET LOCAL app.member_id = '{writer.member_id:d}'; "
        f"SET LOCAL statement_timeout = {max(int(deadline.left_seconds() * 1000), 1)}"
    )


async def _commit(pool: Pool, connection: asyncpg.Connection, observer: Observer) -> None:
    try:
        await connection.execute("COMMIT")
    except Exception as error:
        known = OutcomeUnknownError() if is_unavailable(error) else as_gateway_error(error)
        if known is None:
            raise
        raise known from error
    finally:
        await give_back(pool, connection, "ROLLBACK", observer)
