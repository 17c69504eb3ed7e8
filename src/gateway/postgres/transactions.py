"""A tenant's read transaction: one connection, one snapshot, one statement at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

import asyncpg

from gateway.deadline import Deadline
from gateway.observe import Observer, StatementFinished
from gateway.postgres.faults import as_gateway_error
from gateway.postgres.places import Share
from gateway.postgres.pool import Pool
from gateway.postgres.turns import Turns

Opening = TypeVar("Opening")

END_SECONDS = 1.0

PLAN_MODES = {True: "force_generic_plan", False: "force_custom_plan"}
"""By whether one plan suits all values. Where none does, it was 3 to 15 times slower than one for those at hand."""


class Named(Protocol):
    """A statement as the loaders declare it."""

    @property
    def name(self) -> str: ...

    @property
    def sql(self) -> str: ...

    @property
    def reads(self) -> frozenset[str]: ...

    @property
    def writes(self) -> frozenset[str]: ...

    @property
    def planned_once(self) -> bool: ...


Run = Callable[[Named, Sequence[object]], Awaitable[Sequence[Sequence[Any]]]]


@dataclass(frozen=True, slots=True)
class OpeningReads:
    """The reads of a transaction that is just opening: they do not wait for it to be open."""

    tenant_id: int
    run: Run

    async def fetch(self, statement: Named, *arguments: object) -> Sequence[Sequence[Any]]:
        return await self.run(statement, arguments)


class ReadTransaction(Generic[Opening]):
    """Opens at its first read and sees one moment until it is closed.

    `opening` is read first, in the same snapshot, and kept as `found`. The tenant is set by a statement of its own
    before any that reads, and goes into every statement as `$1` besides. `share`: of the pool, that its connection is
    taken from. `statements`: the names of those that were run, the opening's first; `rows`: how many these found;
    `tables`: what they read.
    """

    def __init__(
        self,
        pool: Pool,
        share: Share,
        tenant_id: int,
        deadline: Deadline,
        observer: Observer,
        opening: Callable[["OpeningReads"], Awaitable[Opening]],
    ) -> None:
        self.tenant_id = tenant_id
        self.statements: list[str] = []
        self.rows = 0
        self.tables: set[str] = set()
        self.on_idle: Callable[[], None] | None = None
        self._pool = pool
        self._share = share
        self._deadline = deadline
        self._observer = observer
        self._read_opening = opening
        self.found: Opening | None = None
        self._opened: asyncio.Task[Opening] | None = None
        self._connection: asyncpg.Connection | None = None
        self._failure: Exception | None = None
        self._closed = False
        self._turns = Turns()
        self._planned_once = True
        self._readers: set[asyncio.Task[Any]] = set()

    @property
    def busy(self) -> bool:
        """Whether a statement runs or waits for its turn."""
        return bool(self._readers)

    async def opened(self) -> Opening:
        """What the transaction read when it opened; opens it if need be."""
        with self._reading():
            return await self._open_once()

    async def fetch(self, statement: Named, *arguments: object) -> Sequence[Sequence[Any]]:
        """The statement's rows, read in the transaction's snapshot."""
        with self._reading():
            await self._open_once()
            return await self._run(statement, arguments)

    async def close(self) -> None:
        """Ends the transaction, gives the connection back, whoever is cancelled meanwhile. Reads still going on are
        cancelled, later ones refused."""
        self._closed = True
        await asyncio.shield(self._end())

    async def _end(self) -> None:
        unfinished = {task for task in (*self._readers, self._opened) if task is not None and not task.done()}
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished)
        connection, self._connection = self._connection, None
        if connection is not None:
            await give_back(self._pool, connection, "COMMIT", self._observer)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        if self._closed:
            raise RuntimeError("a read after its transaction was closed")
        reader = asyncio.current_task()
        if reader is None:
            raise RuntimeError("a read outside a task")
        self._readers.add(reader)
        try:
            yield
        finally:
            self._readers.discard(reader)
            if not self._readers and self.on_idle is not None:
                self.on_idle()

    async def _open_once(self) -> Opening:
        if self._opened is None:
            self._opened = asyncio.create_task(self._open())
        return await asyncio.shield(self._opened)

    async def _open(self) -> Opening:
        self._connection, _ = await self._pool.acquire(self._share, self._deadline, self._begin)
        self.found = await self._read_opening(OpeningReads(self.tenant_id, self._run))
        return self.found

    async def _begin(self, connection: asyncpg.Connection) -> None:
        # Both numbers are our own integers, so they may stand in the text; one round trip sets all of it.
        text = (
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
            f"SET LOCAL app.tenant_id = '{self.tenant_id:d}'; "
            f"SET LOCAL statement_timeout = {max(int(self._deadline.left_seconds() * 1000), 1)}; "
            f"SET LOCAL plan_cache_mode = {PLAN_MODES[self._planned_once]}"
        )
        await begin(self._pool, connection, text)

    async def _run(self, statement: Named, arguments: Sequence[object]) -> Sequence[Sequence[Any]]:
        await self._turns.take(statement.planned_once)
        try:
            return await self._run_alone(statement, arguments)
        finally:
            self._turns.give_back(statement.planned_once)

    async def _run_alone(self, statement: Named, arguments: Sequence[object]) -> Sequence[Sequence[Any]]:
        if self._failure is not None:
            # PostgreSQL ends a transaction with its first error: what follows has that one's reason.
            raise self._failure
        begun = time.perf_counter()
        try:
            await self._plan_as(statement)
            rows: Sequence[Sequence[Any]] = await self._connected().fetch(
                statement.sql, self.tenant_id, *arguments, timeout=self._deadline.left_seconds()
            )
        except Exception as error:
            known = as_gateway_error(error)
            self._failure = known or error
            if known is None:
                raise
            raise known from error
        self.statements.append(statement.name)
        self.rows += len(rows)
        self.tables |= statement.reads
        self._observer.statement(StatementFinished(statement.name, time.perf_counter() - begun, len(rows)))
        return rows

    async def _plan_as(self, statement: Named) -> None:
        if statement.planned_once is not self._planned_once:
            mode = PLAN_MODES[statement.planned_once]
            await self._connected().execute(
                f"SET LOCAL plan_cache_mode = {mode}", timeout=self._deadline.left_seconds()
            )
            self._planned_once = statement.planned_once

    def _connected(self) -> asyncpg.Connection:
        if self._connection is None:
            raise RuntimeError("a read after its transaction was closed")
        return self._connection


async def begin(pool: Pool, connection: asyncpg.Connection, text: str) -> None:
    """Begins a transaction on a connection just taken from its pool."""
    try:
        await connection.execute(text)
    except asyncio.CancelledError:
        # Cut off in the middle, the connection may be in a transaction or not.
        await asyncio.shield(pool.discard(connection))
        raise


async def give_back(
    pool: Pool, connection: asyncpg.Connection, ending: Literal["COMMIT", "ROLLBACK"], observer: Observer
) -> None:
    """Gives a connection back to its pool, its transaction ended where one is still open."""
    try:
        if connection.is_in_transaction():
            await connection.execute(ending, timeout=END_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, this connection is not to be used again
        observer.log.warning("connection dropped", reason=repr(error))
        await pool.discard(connection)
    else:
        await pool.release(connection)
