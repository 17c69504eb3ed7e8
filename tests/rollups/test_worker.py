"""The worker on a real database: what it does, what it leaves alone, and what it survives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import asyncpg
import pytest
import structlog
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs
from structlog.typing import EventDict

from gateway.observe import Observer
from gateway.postgres.migrate import head_revision
from gateway.rollups import worker as module
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.pace import Nightly, Pace
from gateway.rollups.worker import Worker
from gateway.settings import ConfigurationError
from tests.conftest import PASSWORDS, Database
from tests.pipeline.acme import until
from tests.world import World, instant

QUICK = Pace(fold_seconds=0.01, standby_seconds=0.02, retry_seconds=0.02, retry_seconds_limit=0.05)
QUIET_READS = 25
"""A session that shows the same statement in so many reads, 0.02 s apart, is idle: that is 50 of its paces."""

SESSION = """
SELECT pid, state, query_start FROM pg_stat_activity
 WHERE application_name = 'gateway worker' AND datname = current_database() ORDER BY backend_start
"""
UNFOLDED = "SELECT count(*) FROM rollup.company_flow_delta"
PENDING = "SELECT count(*) FROM rollup.company_flow_pending"
BASE = "oid = 'rollup.company_flow_base'::regclass"
SEEN = f"SELECT relallvisible FROM pg_class WHERE {BASE}"
REFRESHED = "SELECT last_refresh FROM rollup.registry WHERE name = 'company_flow'"


@dataclass
class Office:
    """A tenant's database, looked at by a superuser, with workers on demand."""

    database: Database
    world: World
    eye: asyncpg.Connection

    @asynccontextmanager
    async def worker(self, pace: Pace = QUICK) -> AsyncIterator[asyncio.Task[None]]:
        """A worker that runs until the end of the block."""
        worker = Worker(self.database.worker_dsn, head_revision(), ROLLUPS, Observer(CollectorRegistry()), pace)
        task = asyncio.create_task(worker.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def until(self, sql: str, wanted: object) -> None:
        async def holds() -> bool:
            return bool(await self.eye.fetchval(sql) == wanted)

        await until(holds)

    async def until_quiet(self) -> list[asyncpg.Record]:
        """The workers' sessions, once they are idle and stay so."""
        seen, same = None, 0

        async def holds() -> bool:
            nonlocal seen, same
            now = await self.eye.fetch(SESSION)
            same = same + 1 if now == seen and {row["state"] for row in now} == {"idle"} else 0
            seen = now
            return same >= QUIET_READS

        await until(holds)
        return seen or []


@pytest.fixture(autouse=True)
def _whole_log() -> Iterator[None]:
    """Whatever level another test has set."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    eye = await asyncpg.connect(database.server.superuser_dsn, database=database.name)
    async with database.as_owner() as owner:
        yield Office(database, await World.create(owner, "acme"), eye)
    await eye.close()


def said(logs: Sequence[EventDict]) -> list[object]:
    return [line["event"] for line in logs]


async def test_changes_are_folded_those_before_its_start_too(office: Office) -> None:
    await office.world.company("Early")
    async with office.worker():
        await office.until(UNFOLDED, 0)
        await office.world.company("Late", instant("2024-05-01T12:00"))
        await office.until(PENDING, 2)
        await office.until(UNFOLDED, 0)


async def test_an_idle_database_is_not_asked_anything(office: Office) -> None:
    async with office.worker():
        await office.world.company("Acme")
        await office.until(PENDING, 1)
        assert len(await office.until_quiet()) == 1


async def test_a_change_of_one_table_does_not_touch_the_rollups_of_others(office: Office) -> None:
    async with office.worker():
        await office.until_quiet()
        await office.eye.execute("INSERT INTO rollup.activity_flow_delta VALUES (1, '2024-01-01', 1, 0, 0, 0)")
        await office.world.company("Acme")
        await office.until(PENDING, 1)
        await office.until_quiet()
        assert await office.eye.fetchval("SELECT count(*) FROM rollup.activity_flow_delta") == 1


async def test_one_of_two_acts_and_the_other_takes_over_when_it_is_killed(office: Office) -> None:
    async with office.worker(), office.worker():
        await office.world.company("Acme")
        await office.until(PENDING, 1)
        holder = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = ($1::bigint % 4294967296)::oid"
        first = await office.eye.fetchval(holder, module.ADVISORY_LOCK)
        await office.eye.execute("SELECT pg_terminate_backend($1)", first)
        await office.world.company("Bolt", instant("2024-05-01T12:00"))
        await office.until(PENDING, 2)
        assert await office.eye.fetchval(holder, module.ADVISORY_LOCK) != first


async def test_a_lost_database_is_said_and_waited_for(office: Office) -> None:
    with capture_logs() as logs:
        async with office.worker() as task:
            await office.until_quiet()
            await office.eye.execute("SELECT pg_terminate_backend(pid) FROM (" + SESSION + ") AS sessions")
            await office.world.company("Acme")
            await office.until(PENDING, 1)
            assert not task.done()
    assert [event for event in said(logs) if "worker" in str(event)] == [
        *("worker acts", "worker has no database", "worker acts")
    ]


async def test_a_worker_that_is_stopped_in_a_fold_leaves_nothing_behind(office: Office) -> None:
    waits = (
        "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'rollup.company_flow_pending'::regclass AND NOT granted)"
    )
    async with office.eye.transaction():
        await office.eye.execute("LOCK TABLE rollup.company_flow_pending IN EXCLUSIVE MODE")
        async with office.worker():
            await office.world.company("Acme")
            await office.until(waits, True)
        assert await office.eye.fetch(SESSION) == []
    assert (await office.eye.fetchval(UNFOLDED), await office.eye.fetchval(PENDING)) == (1, 0)


async def test_enough_changes_bring_a_refresh_and_fewer_do_not(office: Office) -> None:
    async with office.worker(replace(QUICK, refresh_groups=3)):
        await office.until_quiet()
        before = await office.eye.fetchval(REFRESHED)
        for day in ("2024-01-01", "2024-01-02", "2024-01-02"):
            await office.world.company("Acme", instant(f"{day}T12:00"))
        await office.until(UNFOLDED, 0)
        await office.until_quiet()
        assert (await office.eye.fetchval(PENDING), await office.eye.fetchval(REFRESHED)) == (2, before)
        await office.world.company("Acme", instant("2024-01-03T12:00"))
        await office.until("SELECT count(*) FROM rollup.company_flow_base", 3)
        await office.until(PENDING, 0)


async def test_groups_that_change_again_and_again_are_one_change_each(office: Office) -> None:
    async with office.worker(replace(QUICK, refresh_groups=3)):
        await office.until_quiet()
        before = await office.eye.fetchval(REFRESHED)
        for _ in range(5):
            await office.world.company("Acme")
            await office.until(UNFOLDED, 0)
        await office.until_quiet()
        assert (await office.eye.fetchval(PENDING), await office.eye.fetchval(REFRESHED)) == (1, before)


async def test_the_night_refreshes_what_has_changed_and_nothing_else(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = [False, False, True]
    monkeypatch.setattr(Nightly, "has_come", lambda _: nights.pop() if nights else False)
    await office.world.company("Acme")
    before = dict(await office.eye.fetch("SELECT name, last_refresh FROM rollup.registry"))
    async with office.worker():
        await office.until(PENDING, 0)
        await office.until("SELECT count(*) FROM rollup.company_flow_base", 1)
        await office.until_quiet()
    after = dict(await office.eye.fetch("SELECT name, last_refresh FROM rollup.registry"))
    assert [name for name in after if after[name] != before[name]] == ["company_flow"]


async def test_a_restored_dump_is_refreshed_at_the_start_without_an_alarm(office: Office) -> None:
    await office.world.company("Acme")
    async with office.worker():
        await office.until(PENDING, 1)
    # As pg_restore leaves it: the base is filled anew, what was pending comes beside it.
    await office.eye.execute("REFRESH MATERIALIZED VIEW rollup.company_flow_base")
    await office.eye.execute("UPDATE rollup.registry SET home = 'elsewhere' WHERE name = 'company_flow'")
    with capture_logs() as logs:
        async with office.worker():
            await office.until("SELECT home = rollup.home(name) FROM rollup.registry WHERE name = 'company_flow'", True)
            await office.until("SELECT differing FROM rollup.registry WHERE name = 'company_flow'", 0)
    assert "rollup was restored from a dump: refreshing it" in said(logs)
    assert "rollup differs" not in said(logs)
    assert await office.eye.fetchval("SELECT sum(created) FROM rollup.company_flow_base") == 1


async def test_a_difference_is_an_alarm(office: Office) -> None:
    await office.eye.execute("INSERT INTO rollup.company_flow_delta VALUES (1, '2024-01-01', 5)")
    with capture_logs() as logs:
        async with office.worker(replace(QUICK, refresh_groups=1)):
            await office.until("SELECT differing FROM rollup.registry WHERE name = 'company_flow'", 1)
            await office.until_quiet()
    (alarm,) = [line for line in logs if line["event"] == "rollup differs"]
    assert (alarm["rollup"], alarm["live"], alarm["truth"]) == ("company_flow", {"created": 5}, {"created": 0})


async def test_a_rollup_that_fails_does_not_keep_the_others_from_being_folded(office: Office) -> None:
    await office.eye.execute("ALTER TABLE rollup.deal_state_pending RENAME TO mislaid")
    with capture_logs() as logs:
        async with office.worker(replace(QUICK, retry_seconds_limit=60.0)):
            await office.world.company("Acme")
            await office.until(PENDING, 1)
            await office.world.deal("2024-05-01T12:00", amount="5")
            await office.until("SELECT count(*) FROM rollup.deal_flow_pending", 1)
            await office.eye.execute("ALTER TABLE rollup.mislaid RENAME TO deal_state_pending")
            await office.until("SELECT count(*) FROM rollup.deal_state_pending", 1)
    failed = [line for line in logs if line["event"] == "rollup cannot be kept"]
    assert {line["rollup"] for line in failed} == {"deal_state"}
    waits = [line["retry_seconds"] for line in failed]
    assert waits == [0.02 * 2**number for number in range(len(waits))]


async def test_a_rollup_that_another_session_refreshes_is_put_off(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT_SECONDS", 0.05)
    with capture_logs() as logs:
        async with office.worker():
            async with office.eye.transaction():
                await office.eye.execute("LOCK TABLE rollup.company_flow_pending IN EXCLUSIVE MODE")
                await office.world.company("Acme")
                await office.world.activity("call", instant("2024-05-01T12:00"))
                await office.until("SELECT count(*) FROM rollup.activity_flow_pending", 1)
                await until(_says(logs, "rollup is locked by another session: put off"))
            await office.until(PENDING, 1)
    assert "rollup cannot be kept" not in said(logs)


async def test_a_base_is_vacuumed_again_once_an_older_snapshot_is_let_go(office: Office) -> None:
    async with office.database.as_owner() as reader, office.worker(replace(QUICK, refresh_groups=1)):
        await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_snapshot()")
        await office.world.company("Acme")
        await office.until("SELECT count(*) FROM rollup.company_flow_base", 1)
        await office.until(f"SELECT relpages FROM pg_class WHERE {BASE}", 1)
        assert await office.eye.fetchval(SEEN) == 0
        await reader.execute("COMMIT")
        await office.until(SEEN, 1)
        await office.until_quiet()


async def test_an_older_snapshot_that_is_held_does_not_make_it_vacuum_all_the_time(office: Office) -> None:
    pace = replace(QUICK, refresh_groups=1, retry_seconds=600.0, retry_seconds_limit=600.0)
    async with office.database.as_owner() as reader, office.worker(pace):
        await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_snapshot()")
        await office.world.company("Acme")
        await office.until(f"SELECT relpages FROM pg_class WHERE {BASE}", 1)
        await office.until_quiet()
        assert await office.eye.fetchval(SEEN) == 0


async def test_an_old_snapshot_slows_the_folds_and_is_warned_of(office: Office) -> None:
    pace = replace(QUICK, old_snapshot_seconds=0.0001, patient_fold_seconds=600)
    async with office.database.as_owner() as reader:
        await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM deals")
        with capture_logs() as logs:
            async with office.worker(pace):
                await until(_says(logs, "an old snapshot is held: folding less often"))
                await office.world.company("Acme")
                await office.until_quiet()
                assert await office.eye.fetchval(UNFOLDED) == 1
        (warning,) = [line for line in logs if line["event"] == "an old snapshot is held: folding less often"]
        assert "age_seconds" in warning


def _says(logs: Sequence[EventDict], event: str) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return event in said(logs)

    return holds


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            "ALTER ROLE worker NOBYPASSRLS",
            "Role `worker` cannot bypass row-level security, so it cannot keep rollups: ",
        ),
        (
            "REVOKE rollup_owner FROM worker",
            "Role `worker` is no member of `rollup_owner`, so it cannot keep rollups: ",
        ),
        ("ALTER ROLE rollup_owner NOBYPASSRLS", "Role `rollup_owner` cannot bypass row-level security, so a refresh "),
        ("UPDATE alembic_version SET version_num = '0005'", "The schema is at 0005, this version needs "),
        ("DROP TABLE alembic_version", "The schema is at no revision, this version needs "),
    ],
)
async def test_a_role_or_a_schema_that_will_not_do_ends_it(office: Office, spoil: str, sentence: str) -> None:
    mend = "ALTER ROLE worker BYPASSRLS; ALTER ROLE rollup_owner BYPASSRLS; GRANT rollup_owner TO worker"
    await office.eye.execute(spoil)
    try:
        async with office.worker() as task:
            await asyncio.wait([task], timeout=10)
            with pytest.raises(ConfigurationError) as raised:
                task.result()
    finally:
        await office.eye.execute(mend)
    assert str(raised.value).startswith(sentence)


async def test_a_wrong_password_ends_it(office: Office) -> None:
    dsn = office.database.worker_dsn.replace(PASSWORDS.worker, "guess")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await Worker(dsn, head_revision(), ROLLUPS, Observer(CollectorRegistry())).run()
