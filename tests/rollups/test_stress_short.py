"""The stress proof in short: `make stress` runs it for longer, and its controls at random instead of arranged."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from gateway.rollups.declared import COMPANY_FLOW
from gateway.rollups.maintain import fold_rollup
from tests.conftest import fresh_database
from tests.servers import postgres_server
from tests.stress.checks import check_all_tenants, snapshot
from tests.stress.controls import (
    Control,
    fold_in_two_statements,
    refresh_not_concurrently,
    refresh_read_committed,
    refresh_with_an_early_snapshot,
)
from tests.stress.ground import Ground, prepare
from tests.stress.run import settle, stress_engine
from tests.stress.tally import LOG_PREFIX, Tally, worker_errors

SEED = 11
ENOUGH_CHECKS = 400
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server of its own, whose log tells roles and codes of errors."""
    with postgres_server(settings={"log_line_prefix": LOG_PREFIX}) as started:
        yield started


@pytest.fixture(scope="module")
async def ground(server: EmbeddedPostgres) -> Ground:
    return await prepare(await fresh_database(server))


@pytest.fixture
async def worker(ground: Ground) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(ground.database.worker_dsn)
    yield connection
    await connection.close()


async def add_company(ground: Ground) -> None:
    async with ground.database.as_owner() as owner:
        await owner.execute("INSERT INTO companies (tenant_id, name) VALUES ($1, 'one more')", ground.tenants[0])


@asynccontextmanager
async def reading(ground: Ground) -> AsyncIterator[asyncpg.Connection]:
    """A reader whose snapshot is of now."""
    async with ground.database.as_owner() as reader, snapshot(reader):
        yield reader


def logged_errors(ground: Ground) -> Counter[str]:
    return worker_errors(ground.database.server.data_dir / "postgres.log")


async def seen_wrong(reader: asyncpg.Connection) -> bool:
    tally = Tally()
    await check_all_tenants(reader, COMPANY_FLOW, tally)
    return bool(tally.wrong)


async def test_nothing_is_wrong_while_many_write_and_workers_are_killed(ground: Ground) -> None:
    errors_before = logged_errors(ground)

    tally = await stress_engine(ground, SEED, PATIENCE_SECONDS, lambda _: None, enough_checks=ENOUGH_CHECKS)

    assert tally.wrong == []
    assert logged_errors(ground) == errors_before
    assert tally.checks >= ENOUGH_CHECKS
    assert all((tally.heard["folds"], tally.heard["refreshes"], tally.deaths["processes killed"]))


@pytest.mark.parametrize("control", [refresh_read_committed, fold_in_two_statements])
async def test_a_change_between_two_snapshots_of_one_job_is_caught(
    ground: Ground, worker: asyncpg.Connection, control: Control
) -> None:
    await add_company(ground)

    await control(worker, COMPANY_FLOW, lambda: add_company(ground))

    async with reading(ground) as reader:
        assert await seen_wrong(reader)
    assert await settle(ground, exact=False) == []


async def test_a_base_replaced_under_an_old_snapshot_is_caught(ground: Ground, worker: asyncpg.Connection) -> None:
    await add_company(ground)

    async with reading(ground) as reader:
        await refresh_not_concurrently(worker, COMPANY_FLOW, lambda: add_company(ground))
        assert await seen_wrong(reader)

    async with reading(ground) as reader:
        assert not await seen_wrong(reader)


async def test_a_snapshot_older_than_the_lock_fails_where_another_one_folded(
    ground: Ground, worker: asyncpg.Connection
) -> None:
    await add_company(ground)
    errors_before = logged_errors(ground)

    async def fold_elsewhere() -> None:
        other = await asyncpg.connect(ground.database.worker_dsn)
        await fold_rollup(other, COMPANY_FLOW)
        await other.close()

    with pytest.raises(asyncpg.SerializationError):
        await refresh_with_an_early_snapshot(worker, COMPANY_FLOW, fold_elsewhere)
    assert logged_errors(ground) - errors_before == Counter({"40001": 1})
    assert await settle(ground, exact=True) == []
