"""What a read transaction promises: one connection, one moment, one statement at a time, given back in every case."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from gateway.deadline import Deadline
from gateway.errors import DatabaseUnavailableError, DeadlineExceededError, GatewayError
from gateway.observe import Observer
from gateway.postgres.places import Share
from gateway.postgres.pool import Pool
from gateway.postgres.transactions import OpeningReads, ReadTransaction
from tests.conftest import Database
from tests.pipeline.acme import until


@dataclass(frozen=True)
class Sql:
    """A statement; its `$1` is the tenant."""

    sql: str
    name: str = "a test's"
    planned_once: bool = False
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()


TENANT = Sql("SELECT $1::bigint, current_setting('app.tenant_id')::bigint")
SLUGS = Sql("SELECT slug FROM tenants WHERE id = $1")
BACKEND = Sql("SELECT $1::bigint, pg_backend_pid()")
SLEEP = Sql("SELECT $1::bigint, pg_sleep(60)")
WRITE = Sql("UPDATE members SET name = 'x' WHERE tenant_id = $1")

Begin = Callable[..., ReadTransaction[Any]]


async def _nothing(_reads: OpeningReads) -> None:
    return None


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    """One connection: whoever keeps it is found out."""
    observer = Observer(CollectorRegistry())
    pool = Pool(database.gateway_dsn, observer, size=1, wait_seconds=0.3, statement_cache_size=16)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
async def begin(pool: Pool, database: Database) -> Begin:
    async with database.as_owner() as owner:
        tenant_id = await owner.fetchval("INSERT INTO tenants (slug, name) VALUES ('acme', 'Acme') RETURNING id")

    def transaction(seconds: float = 30) -> ReadTransaction[Any]:
        share, observer = Share(tenant_id, most=1), Observer(CollectorRegistry())
        return ReadTransaction(pool, share, tenant_id, Deadline.after(seconds), observer, _nothing)

    return transaction


@asynccontextmanager
async def open_transaction(begin: Begin, seconds: float = 30) -> AsyncIterator[ReadTransaction[Any]]:
    transaction = begin(seconds)
    try:
        yield transaction
    finally:
        await transaction.close()


async def backend_of(transaction: ReadTransaction[Any]) -> int:
    ((_, pid),) = await transaction.fetch(BACKEND)
    return int(pid)


async def usable(begin: Begin) -> bool:
    async with open_transaction(begin) as transaction:
        return len(await transaction.fetch(SLUGS)) == 1


@asynccontextmanager
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Sees and ends what others run."""
    connection = await asyncpg.connect(database.server.superuser_dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def running(database: Database, like: str) -> int:
    """How many statements like this one the server is working on."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND state = 'active' AND query LIKE $2"
    async with superuser(database) as connection:
        return int(await connection.fetchval(sql, database.name, like))


async def test_the_tenant_is_set_before_anything_is_read(begin: Begin) -> None:
    async with open_transaction(begin) as transaction:
        rows = await transaction.fetch(TENANT)
    assert [tuple(row) for row in rows] == [(transaction.tenant_id, transaction.tenant_id)]


async def test_a_commit_between_two_statements_is_not_seen(begin: Begin, database: Database) -> None:
    async with open_transaction(begin) as transaction, database.as_owner() as writer:
        before = await transaction.fetch(SLUGS)
        await writer.execute("UPDATE tenants SET slug = 'renamed'")
        after = await transaction.fetch(SLUGS)
    async with open_transaction(begin) as later:
        assert [slug for ((slug,),) in (before, after, await later.fetch(SLUGS))] == [
            "acme",
            "acme",
            "renamed",
        ]


async def test_a_write_is_refused(begin: Begin) -> None:
    async with open_transaction(begin) as transaction:
        with pytest.raises((asyncpg.ReadOnlySQLTransactionError, asyncpg.InsufficientPrivilegeError)):
            await transaction.fetch(WRITE)
        settings = Sql(
            "SELECT $1::bigint, current_setting('transaction_isolation'), current_setting('transaction_read_only')"
        )
    async with open_transaction(begin) as transaction:
        assert tuple(*await transaction.fetch(settings))[1:] == ("repeatable read", "on")


async def test_all_statements_run_on_one_connection_and_one_at_a_time(begin: Begin, pool: Pool) -> None:
    async with open_transaction(begin) as transaction:
        backends = await asyncio.gather(*(backend_of(transaction) for _ in range(20)))
        assert pool.busy() == 1
        assert transaction.statements == ["a test's"] * 20
    assert len(set(backends)) == 1
    assert (pool.busy(), pool.idle()) == (0, 1)


async def test_a_transaction_that_reads_nothing_takes_no_connection(begin: Begin, pool: Pool) -> None:
    async with open_transaction(begin):
        assert (pool.busy(), pool.idle()) == (0, 0)


async def test_a_statement_gets_what_is_left_of_the_deadline(begin: Begin) -> None:
    timeout = Sql("SELECT $1::bigint, setting::int AS milliseconds FROM pg_settings WHERE name = 'statement_timeout'")
    async with open_transaction(begin, seconds=7) as transaction:
        ((_, milliseconds),) = await transaction.fetch(timeout)
    assert 0 < milliseconds <= 7000


async def test_a_statement_past_the_deadline_is_cancelled_and_its_connection_is_usable(
    begin: Begin, database: Database
) -> None:
    async with open_transaction(begin, seconds=0.3) as transaction:
        with pytest.raises(DeadlineExceededError):
            await transaction.fetch(SLEEP)
    assert await usable(begin)
    assert await running(database, "%pg_sleep(60)%") == 0


async def test_the_servers_own_timeout_is_a_deadline_exceeded_too(begin: Begin) -> None:
    async with open_transaction(begin, seconds=0.5) as transaction:
        await transaction.opened()
        own = Sql("SELECT $1::bigint, set_config('statement_timeout', '100', true)")
        await transaction.fetch(own)
        with pytest.raises(DeadlineExceededError):
            await transaction.fetch(SLEEP)
    assert await usable(begin)


async def test_a_cancelled_reader_cancels_its_statement_on_the_server(begin: Begin, database: Database) -> None:
    async with open_transaction(begin) as transaction:
        reader = asyncio.create_task(transaction.fetch(SLEEP))

        async def sleeping() -> bool:
            return await running(database, "%pg_sleep(60)%") == 1

        await until(sleeping)
        reader.cancel()
        await asyncio.wait({reader})
    assert reader.cancelled()
    assert await usable(begin)
    assert await running(database, "%pg_sleep(60)%") == 0


async def test_closing_ends_what_is_still_being_read(begin: Begin, database: Database) -> None:
    transaction = begin()
    readers = [asyncio.create_task(transaction.fetch(SLEEP)) for _ in range(3)]
    await asyncio.sleep(0.1)
    await transaction.close()
    assert all(reader.cancelled() for reader in readers)
    assert await usable(begin)
    assert await running(database, "%pg_sleep(60)%") == 0


async def test_a_reader_cancelled_at_any_moment_gives_its_connection_back(
    begin: Begin, pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    for microseconds in range(0, 6000, 100):
        transaction = begin()
        reader = asyncio.create_task(transaction.fetch(SLUGS))
        await asyncio.sleep(microseconds / 1e6)
        reader.cancel()
        await asyncio.wait({reader})
        await transaction.close()
        assert pool.busy() == 0
    assert await usable(begin)
    # A connection attempt that is cut off leaves a future of the driver's own, which may tell the log of its end.
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage() for record in errors if "connection_lost" not in str(record.exc_info)] == []


@pytest.mark.parametrize("turns", range(1, 6))
async def test_who_is_cancelled_while_it_ends_its_reads_gives_its_connection_back(
    begin: Begin, pool: Pool, turns: int
) -> None:
    transaction = begin()
    await transaction.fetch(SLUGS)
    reader = asyncio.create_task(transaction.fetch(SLEEP))
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(transaction.close())
    for _ in range(turns):
        await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait({closing, reader})
    assert await usable(begin)
    assert pool.busy() == 0


async def test_a_statement_is_planned_once_or_with_its_values_whatever_was_read_before(begin: Begin) -> None:
    mode = "SELECT current_setting('plan_cache_mode') FROM (SELECT $1::bigint) AS tenant"
    once, with_values = Sql(mode, planned_once=True), Sql(mode)
    async with open_transaction(begin) as transaction:
        modes = [(await transaction.fetch(each))[0][0] for each in (with_values, with_values, once, once, with_values)]
    assert [found.removeprefix("force_") for found in modes] == [
        *("custom_plan", "custom_plan", "generic_plan", "generic_plan", "custom_plan")
    ]


async def test_its_tables_are_those_that_its_statements_read(begin: Begin) -> None:
    tenants = replace(SLUGS, reads=frozenset({"tenants"}))
    others = replace(SLUGS, reads=frozenset({"deals", "tenants"}), writes=frozenset({"tasks"}))
    async with open_transaction(begin) as transaction:
        assert transaction.tables == set()
        await transaction.fetch(tenants)
        assert transaction.tables == {"tenants"}
        await transaction.fetch(others)
        assert transaction.tables == {"deals", "tenants"}


async def test_its_tables_are_those_of_its_opening_too(pool: Pool) -> None:
    async def opening(reads: OpeningReads) -> None:
        await reads.fetch(replace(TENANT, reads=frozenset({"tenants"})))

    transaction = ReadTransaction(pool, Share(1, most=1), 1, Deadline.after(30), Observer(CollectorRegistry()), opening)
    await transaction.opened()
    await transaction.close()
    assert transaction.tables == {"tenants"}


async def test_after_a_failure_every_statement_gives_the_same_error(begin: Begin) -> None:
    failures: list[BaseException] = []
    async with open_transaction(begin) as transaction:
        for statement in (Sql("SELECT $1::bigint / 0"), SLUGS, SLUGS):
            with pytest.raises(asyncpg.DivisionByZeroError) as caught:
                await transaction.fetch(statement)
            failures.append(caught.value)
    assert len(failures) == 3
    assert await usable(begin)


async def _terminate(database: Database, backend: int) -> None:
    async with superuser(database) as connection:
        await connection.fetchval("SELECT pg_terminate_backend($1, 5000)", backend)


async def test_a_backend_terminated_between_statements_is_a_database_unavailable(
    begin: Begin, database: Database, pool: Pool
) -> None:
    errors: list[GatewayError] = []
    async with open_transaction(begin) as transaction:
        await _terminate(database, await backend_of(transaction))
        for _ in range(2):
            with pytest.raises(DatabaseUnavailableError) as caught:
                await transaction.fetch(SLUGS)
            errors.append(caught.value)
    assert [(error.code, error.extensions) for error in errors] == [("DATABASE_UNAVAILABLE", {"retryable": True})] * 2
    assert pool.busy() == 0
    assert await usable(begin)


async def test_a_backend_terminated_after_the_last_statement_is_nobodys_error(
    begin: Begin, database: Database, pool: Pool
) -> None:
    async with open_transaction(begin) as transaction:
        await _terminate(database, await backend_of(transaction))
        await asyncio.sleep(0.05)
    assert pool.busy() == 0
    assert await usable(begin)


async def test_a_connection_that_died_in_the_pool_is_replaced_unseen(begin: Begin, database: Database) -> None:
    async with open_transaction(begin) as transaction:
        backend = await backend_of(transaction)
    await _terminate(database, backend)
    assert await usable(begin)
