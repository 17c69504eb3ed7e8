"""What is measured: one size of data in a database of its own, and its largest tenant as the gateway reads it."""

import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg
from prometheus_client import CollectorRegistry

from benchmarks.measure import percentile
from gateway.deadline import Deadline
from gateway.demo.shape import Size
from gateway.observe import Observer
from gateway.postgres.places import Share
from gateway.postgres.pool import Pool
from gateway.postgres.transactions import ReadTransaction
from gateway.settings import Settings
from loaders.reads import Statement
from loaders.tenants import Moment, moment

PATIENCE_SECONDS = 600
ROUNDS_SECONDS = 60
NOTHING = Statement("nothing", "benchmarks", "SELECT $1::bigint", frozenset(), planned_once=True)


@dataclass(frozen=True)
class Scale:
    """So many tenants and deals, in a database of a name."""

    tenants: int
    deals: int

    @property
    def database(self) -> str:
        return f"demo_{self.deals}"


@dataclass(frozen=True)
class Multiple:
    """The data of a smaller shape, so many times over in each tenant: see `multiply`."""

    source: Size | Scale
    factor: int

    @property
    def tenants(self) -> int:
        return self.source.tenants

    @property
    def deals(self) -> int:
        return self.factor * self.source.deals

    @property
    def database(self) -> str:
        return f"{database_of(self.source)}_times_{self.factor}"


Data = Size | Scale | Multiple


def database_of(shape: Data) -> str:
    """The name of the database that holds it. Sizes share theirs with the other benchmarks."""
    return f"demo_{shape}" if isinstance(shape, Size) else shape.database


@dataclass(frozen=True)
class Subject:
    """A loaded database. The largest tenant is the first one."""

    deals: int
    settings: Settings
    tenant_id: int
    tenant_deals: int

    @classmethod
    async def of(cls, deals: int, settings: Settings) -> "Subject":
        async with connected(settings, "owner") as owner:
            row = await owner.fetchrow(
                "SELECT tenant_id, count(*) FROM deals WHERE deleted_at IS NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1"
            )
        return cls(deals, settings, *row)


class Timed:
    """Reads of a tenant that can tell how long their statements took, from sending each to its last row."""

    def __init__(self, reads: ReadTransaction[Moment | None]) -> None:
        self._reads = reads
        self._milliseconds = 0.0

    @property
    def tenant_id(self) -> int:
        return self._reads.tenant_id

    async def fetch(self, statement: Statement, *arguments: object) -> Sequence[Sequence[Any]]:
        begun = time.perf_counter()
        rows = await self._reads.fetch(statement, *arguments)
        self._milliseconds += (time.perf_counter() - begun) * 1000
        return rows

    async def timed(self, reading: Awaitable[object]) -> float:
        """Milliseconds of the statements of a read."""
        self._milliseconds = 0.0
        await reading
        return self._milliseconds

    async def trip(self) -> float:
        """Milliseconds of a statement that does nothing: what of a time is not the database's."""
        await self.fetch(NOTHING)  # the first one also wakes up whoever fell asleep
        return await self.timed(self.fetch(NOTHING))


@asynccontextmanager
async def connected(settings: Settings, role: Literal["owner", "worker"]) -> AsyncIterator[asyncpg.Connection]:
    """A connection of a role that no policy holds."""
    name = {"owner": "migration_database_url", "worker": "worker_database_url"}[role]
    connection = await asyncpg.connect(settings.require(name))
    try:
        yield connection
    finally:
        await connection.close()


class Gateway:
    """The gateway's own read transactions, of its role and with its settings, on one connection that stays open."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        dsn = subject.settings.require("database_url")
        self._observer = Observer(CollectorRegistry())
        self._pool = Pool(dsn, self._observer, size=1, wait_seconds=PATIENCE_SECONDS, statement_cache_size=100)
        self._share = Share(subject.tenant_id, most=1)

    async def __aenter__(self) -> "Gateway":
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[tuple[Timed, Moment]]:
        """Reads of the largest tenant, all of one moment."""
        deadline = Deadline.after(PATIENCE_SECONDS)
        tenant_id = self._subject.tenant_id
        transaction = ReadTransaction(self._pool, self._share, tenant_id, deadline, self._observer, moment)
        try:
            now = await transaction.opened()
            assert now is not None
            yield Timed(transaction), now
        finally:
            await transaction.close()


def rounds_of(count: int) -> Iterator[int]:
    """So many rounds, or as many as begin within a minute: fewer of what takes seconds tell as much."""
    deadline = time.monotonic() + ROUNDS_SECONDS
    for number in range(count):
        if number and time.monotonic() > deadline:
            return
        yield number


def median(values: Sequence[float]) -> float:
    return percentile(list(values), 0.5)
