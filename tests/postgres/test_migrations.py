"""Migrations: up and down, alone and at once, and nothing left behind."""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from gateway.postgres.bootstrap import bootstrap
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.migrate import ADVISORY_LOCK, MIGRATIONS, migrate, offline_sql
from gateway.settings import ConfigurationError
from tests.conftest import PASSWORDS, Database, _numbers
from tests.postgres.snapshot import snapshot
from tests.servers import SYSTEM_BIN_DIRS, postgres_server

STEPS = [step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]
NEWEST = "that of the wheel"
SERVERS = [NEWEST, *(str(path) for path in SYSTEM_BIN_DIRS if int(path.parent.name) >= 15)]


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """Each PostgreSQL at hand, old enough and new enough."""
    if request.param == NEWEST:
        yield postgres
        return
    with postgres_server(Path(request.param)) as system:
        yield system


async def bootstrapped(server: EmbeddedPostgres) -> Database:
    """A new database with nothing in it."""
    database = Database(f"migrated_{next(_numbers)}", server)
    await bootstrap(server.superuser_dsn, database=database.name, passwords=PASSWORDS)
    return database


@pytest.fixture
async def empty(postgres: EmbeddedPostgres) -> Database:
    return await bootstrapped(postgres)


@pytest.fixture
async def owner(empty: Database) -> AsyncIterator[asyncpg.Connection]:
    async with empty.as_owner() as connection:
        yield connection


async def test_up_down_and_up_again_come_to_the_same(server: EmbeddedPostgres) -> None:
    database = await bootstrapped(server)
    nothing = await snapshot(database.owner_dsn)
    await migrate(database.owner_dsn)
    everything = await snapshot(database.owner_dsn)
    assert len(everything) > 300
    await migrate(database.owner_dsn, "base")
    assert await snapshot(database.owner_dsn) == nothing
    await migrate(database.owner_dsn)
    assert await snapshot(database.owner_dsn) == everything


async def test_each_step_undoes_itself(server: EmbeddedPostgres) -> None:
    database = await bootstrapped(server)
    before = {"base": await snapshot(database.owner_dsn)}
    for step in STEPS:
        await migrate(database.owner_dsn, step)
        before[step] = await snapshot(database.owner_dsn)
    for step in [*STEPS[-2::-1], "base"]:
        await migrate(database.owner_dsn, step)
        assert await snapshot(database.owner_dsn) == before[step], step


async def test_a_database_that_is_up_to_date_is_left_alone(database: Database) -> None:
    before = await snapshot(database.owner_dsn)
    await migrate(database.owner_dsn)
    assert await snapshot(database.owner_dsn) == before


async def test_the_printed_sql_does_the_same(server: EmbeddedPostgres) -> None:
    by_hand, by_command = await bootstrapped(server), await bootstrapped(server)
    async with by_hand.as_owner() as connection:
        await connection.execute(offline_sql())
    await migrate(by_command.owner_dsn)
    assert await snapshot(by_hand.owner_dsn) == await snapshot(by_command.owner_dsn)


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
async def test_psql_runs_the_printed_sql(empty: Database, database: Database) -> None:
    psql = await asyncio.create_subprocess_exec(
        *("psql", "-X", "-v", "ON_ERROR_STOP=1", empty.owner_dsn),
        env=os.environ | {"PGOPTIONS": "-c client_min_messages=warning"},
        stdin=PIPE,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    _, errors = await psql.communicate(offline_sql().encode())
    assert (psql.returncode, errors.decode()) == (0, "")
    assert await snapshot(empty.owner_dsn) == await snapshot(database.owner_dsn)


@pytest.mark.parametrize(
    ("at", "to", "lock"),
    [
        ("0007", "0003", "LOCK TABLE analytics.deal_state IN ACCESS SHARE MODE"),
        ("0002", "head", "LOCK TABLE deals IN ROW EXCLUSIVE MODE"),
    ],
)
async def test_a_step_that_gets_no_lock_gives_up_and_changes_nothing(
    empty: Database, owner: asyncpg.Connection, at: str, to: str, lock: str
) -> None:
    await migrate(empty.owner_dsn, at)
    before = await snapshot(empty.owner_dsn)
    async with owner.transaction():
        await owner.execute(lock)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await migrate(empty.owner_dsn, to, lock_timeout_seconds=0.05)
    assert await snapshot(empty.owner_dsn) == before
    await migrate(empty.owner_dsn, to, lock_timeout_seconds=0.05)
    assert await snapshot(empty.owner_dsn) != before


async def test_tenants_that_are_there_keep_their_plans(empty: Database, owner: asyncpg.Connection) -> None:
    await migrate(empty.owner_dsn, "0012")
    plans = ["standard", "professional", "enterprise"]
    await owner.execute("INSERT INTO tenants (slug, name, plan) SELECT p, p, p FROM unnest($1::text[]) AS p", plans)
    await migrate(empty.owner_dsn)
    found = await owner.fetch("SELECT t.plan, deadline_seconds FROM tenants t, app.terms(t.id) ORDER BY t.id")
    assert [tuple(row) for row in found] == list(zip(plans, (15, 30, 60), strict=True))
    await migrate(empty.owner_dsn, "0012")
    assert [row["plan"] for row in await owner.fetch("SELECT plan FROM tenants ORDER BY id")] == plans


async def test_a_second_migration_waits_for_the_first(empty: Database, owner: asyncpg.Connection) -> None:
    await owner.execute(f"SELECT pg_advisory_lock({ADVISORY_LOCK})")
    migrating = [asyncio.create_task(migrate(empty.owner_dsn)) for _ in range(2)]
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(30):
        await _until(owner, waiting, 2)
    assert await owner.fetchval("SELECT to_regclass('tenants')") is None
    await owner.execute(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})")
    assert await asyncio.gather(*migrating) == [None, None]
    assert await owner.fetchval("SELECT version_num FROM alembic_version") == STEPS[-1]


async def test_a_role_that_policies_apply_to_may_not_migrate(empty: Database) -> None:
    before = await snapshot(empty.owner_dsn)
    with pytest.raises(ConfigurationError, match="Role `gateway` cannot bypass row-level security"):
        await migrate(empty.gateway_dsn)
    assert await snapshot(empty.owner_dsn) == before


async def test_an_unknown_revision_is_refused(empty: Database) -> None:
    with pytest.raises(ConfigurationError, match="There is no revision `0815`: there are head, 0"):
        await migrate(empty.owner_dsn, "0815")


async def test_a_database_of_a_newer_version_is_refused(empty: Database, owner: asyncpg.Connection) -> None:
    await migrate(empty.owner_dsn)
    await owner.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="The database is at 9999, which this version does not know"):
        await migrate(empty.owner_dsn)


async def test_a_wrong_password_is_the_drivers_error(empty: Database) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await migrate(empty.server.dsn("owner", "wrong", empty.name))


async def _until(connection: asyncpg.Connection, query: str, wanted: int) -> None:
    while await connection.fetchval(query) != wanted:
        await connection.execute("SELECT pg_sleep(0.01)")
