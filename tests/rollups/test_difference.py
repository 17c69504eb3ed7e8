"""The database is as declared, what is rendered is reviewed, and what differs is reported and mended."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from gateway.rollups.declaration import Contribution, Key, Rollup, Table, count, total
from gateway.rollups.declared import COMPANY_DEALS, COMPANY_FLOW, DEAL_FLOW, DEALS, LIVE, ROLLUPS
from gateway.rollups.difference import NOTHING, difference, find
from gateway.rollups.maintain import fold_rollup, refresh_rollup
from tests import world
from tests.conftest import Database
from tests.postgres.snapshot import snapshot
from tests.rollups.conftest import OPTION
from tests.rollups.exactness import assert_exact, until

FOLDER = Path(__file__).parent
RENDERED = FOLDER / "rendered.sql"

COMPANY_VALUE = Rollup(
    "company_value",
    DEALS,
    (Key("company_id", absent="0"), Key("day", "date")),
    (Contribution(LIVE, {"value": total("amount"), "deals": count()}, {"day": "created_day"}),),
    "What a company's deals are worth; it's new.",
)
MEMBER_STATE = Rollup(
    "member_state",
    Table("members", frozenset({"role", "active"})),
    (Key("role", "text"),),
    (Contribution("true", {"members": count(), "gone": count("NOT active")}),),
    "Members by role: a table that had no rollup.",
)
COMPANY_DEALS_BY_OUTCOME = replace(COMPANY_DEALS, keys=(*COMPANY_DEALS.keys, Key("outcome", "text")))


def functions(table: str) -> list[str]:
    return [f"rollup.{table}_{event}: differs from the declarations" for event in ("insert", "update", "delete")]


def triggers(table: str) -> list[str]:
    events = ("insert", "update", "delete", "truncate")
    return [f"trigger rollup_{event} of {table}: differs from the declarations" for event in events]


def without(*rollups: Rollup) -> tuple[Rollup, ...]:
    return tuple(rollup for rollup in ROLLUPS if rollup not in rollups)


async def reasons(owner: asyncpg.Connection, rollups: Sequence[Rollup] = ROLLUPS) -> list[str]:
    return difference(await find(owner), rollups).reasons


async def mend(owner: asyncpg.Connection, rollups: Sequence[Rollup] = ROLLUPS) -> None:
    """Runs what the difference asks for, as a migration does."""
    found = difference(await find(owner), rollups)
    async with owner.transaction():
        for statement in found.statements:
            await owner.execute(statement)


async def change(owner: asyncpg.Connection) -> None:
    """Changes every group of every table."""
    await owner.execute("INSERT INTO companies (tenant_id, name) SELECT tenant_id, 'New' FROM companies")
    await owner.execute("UPDATE deals SET amount = coalesce(amount, 0) + 1, created_at = created_at - interval '1 day'")
    await owner.execute("UPDATE deals SET company_id = NULL WHERE owner_id % 2 = 0")
    await owner.execute("DELETE FROM activities WHERE id % 2 = 0")
    await owner.execute("UPDATE deal_stage_history SET moved_day = moved_day - 1 WHERE id % 2 = 0")
    await owner.execute("UPDATE companies SET deleted_at = now() WHERE name <> 'New' AND deleted_at IS NULL")
    await owner.execute("UPDATE tasks SET due_at = coalesce(due_at, now()) + interval '1 day'")
    await owner.execute("UPDATE members SET active = NOT active WHERE id % 2 = 0")


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.as_owner() as connection:
        yield connection


async def test_a_migrated_database_differs_in_nothing(database: Database) -> None:
    async with database.as_owner() as owner:
        assert difference(await find(owner), ROLLUPS).reasons == []
        assert difference(await find(owner), ROLLUPS).statements == []


def test_what_is_rendered_is_as_reviewed(request: pytest.FixtureRequest) -> None:
    rendered = difference(NOTHING, ROLLUPS).script()
    if request.config.getoption(OPTION, default=False):
        RENDERED.write_text(rendered, encoding="utf-8")
    assert rendered == RENDERED.read_text(encoding="utf-8")


async def test_migrations_come_to_what_is_rendered(database: Database) -> None:
    migrated = await snapshot(database.owner_dsn)
    async with database.as_owner() as owner:
        await mend(owner, ())
        assert len(await snapshot(database.owner_dsn)) < len(migrated) - 100
        await mend(owner)
    assert await snapshot(database.owner_dsn) == migrated


def test_in_ci_nothing_is_rewritten() -> None:
    before = RENDERED.read_bytes()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", str(FOLDER), OPTION, "-p", "no:cacheprovider"],
        env={**os.environ, "CI": "1"},
        cwd=FOLDER.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.USAGE_ERROR, run.stdout
    assert "never rewritten" in run.stderr
    assert RENDERED.read_bytes() == before


NEWLY_DECLARED = {
    "a new rollup": ((*ROLLUPS, COMPANY_VALUE), ["company_value: declared, not in the database", *functions("deals")]),
    "the first rollup of a table": (
        (*ROLLUPS, MEMBER_STATE),
        ["member_state: declared, not in the database", *functions("members"), *triggers("members")],
    ),
    "a rollup declared otherwise": (
        (*without(COMPANY_DEALS), COMPANY_DEALS_BY_OUTCOME),
        ["company_deals: declared otherwise", *functions("deals")],
    ),
    "a rollup no longer declared": (without(DEAL_FLOW), ["deal_flow: no longer declared", *functions("deals")]),
    "the last rollup of a table": (
        without(COMPANY_FLOW),
        ["company_flow: no longer declared", "triggers of companies: nothing is declared of it"],
    ),
}


@pytest.mark.parametrize(("rollups", "wanted"), NEWLY_DECLARED.values(), ids=NEWLY_DECLARED)
async def test_a_declaration_that_changed_is_reported_and_brought_into_the_database(
    owner: asyncpg.Connection, rollups: tuple[Rollup, ...], wanted: list[str]
) -> None:
    assert await reasons(owner, rollups) == wanted
    await change(owner)
    await mend(owner, rollups)
    assert await reasons(owner, rollups) == []
    await assert_exact(owner, rollups)
    await change(owner)
    await assert_exact(owner, rollups)


@pytest.mark.parametrize(("rollups", "_wanted"), NEWLY_DECLARED.values(), ids=NEWLY_DECLARED)
async def test_going_back_to_the_old_declarations_leaves_the_database_as_it_was(
    owner: asyncpg.Connection, rollups: tuple[Rollup, ...], _wanted: list[str]
) -> None:
    before = await find(owner)
    await mend(owner, rollups)
    assert await find(owner) != before
    await mend(owner)
    assert await find(owner) == before
    await change(owner)
    await assert_exact(owner)


DAMAGE = {
    "ALTER TABLE deals DISABLE TRIGGER rollup_update": triggers("deals")[1:2],
    "ALTER TABLE deals ENABLE TRIGGER rollup_update": triggers("deals")[1:2],
    "ALTER TABLE activities DISABLE TRIGGER USER": triggers("activities"),
    "DROP TRIGGER rollup_delete ON activities": triggers("activities")[2:3],
    "ALTER TABLE deals DISABLE TRIGGER rollup_truncate": triggers("deals")[3:],
    "ALTER TABLE tasks DISABLE TRIGGER rollup_update": triggers("tasks")[1:2],
    "DROP FUNCTION rollup.companies_insert() CASCADE": [functions("companies")[0], triggers("companies")[0]],
    "ALTER FUNCTION rollup.deals_update() SECURITY INVOKER": functions("deals")[1:2],
    """CREATE OR REPLACE FUNCTION rollup.deals_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
       $$ BEGIN RETURN NULL; END $$""": functions("deals")[1:2],
    """DROP TRIGGER rollup_insert ON companies; CREATE TRIGGER rollup_insert AFTER INSERT ON companies
       REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.activities_insert();
       ALTER TABLE companies ENABLE ALWAYS TRIGGER rollup_insert; ALTER TABLE companies DISABLE TRIGGER rollup_insert;
       ALTER TABLE companies ENABLE ALWAYS TRIGGER rollup_update""": triggers("companies")[:1],
    "DROP VIEW analytics.deal_flow": ["deal_flow: declared otherwise"],
    "DROP MATERIALIZED VIEW rollup.stage_flow_base CASCADE": ["stage_flow: declared otherwise"],
    "DROP TABLE rollup.activity_flow_pending CASCADE": ["activity_flow: declared otherwise"],
}


@pytest.mark.parametrize(("damage", "wanted"), DAMAGE.items(), ids=[" ".join(each.split())[:60] for each in DAMAGE])
async def test_damage_done_by_hand_is_reported_and_mended_with_what_it_missed(
    owner: asyncpg.Connection, writer: asyncpg.Connection, damage: str, wanted: list[str]
) -> None:
    await writer.execute(damage)
    assert await reasons(owner) == wanted
    await change(writer)
    await mend(owner)
    assert await reasons(owner) == []
    await assert_exact(owner)
    await change(owner)
    await assert_exact(owner)


async def test_a_rollup_counted_anew_is_as_if_refreshed(owner: asyncpg.Connection, database: Database) -> None:
    await owner.execute("ALTER TABLE deals DISABLE TRIGGER rollup_insert")
    await mend(owner)
    worker = await asyncpg.connect(database.worker_dsn)
    try:
        assert {await fold_rollup(worker, rollup) for rollup in ROLLUPS if rollup.table == DEALS} == {0}
        audits = [await refresh_rollup(worker, rollup) for rollup in ROLLUPS]
        assert [audit.differing for audit in audits] == [0] * len(ROLLUPS)
    finally:
        await worker.close()


@pytest.mark.parametrize(
    "rollups", [(*ROLLUPS, COMPANY_VALUE), (*without(COMPANY_DEALS), COMPANY_DEALS_BY_OUTCOME), ROLLUPS]
)
async def test_a_writer_who_commits_while_the_statements_wait_is_counted(
    owner: asyncpg.Connection, writer: asyncpg.Connection, rollups: tuple[Rollup, ...]
) -> None:
    await writer.execute("ALTER TABLE deals DISABLE TRIGGER rollup_insert")
    open_world = await world.World.create(writer, "open")
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        transaction = writer.transaction()
        await transaction.start()
        await open_world.deal("2024-05-01T03:00", amount="5")
        mending = tasks.create_task(mend(owner, rollups))
        await until(writer, "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'deals'::regclass AND NOT granted)")
        await change(writer)
        await open_world.deal("2024-05-02T03:00", amount="7")
        assert not mending.done()
        await transaction.commit()
    assert await reasons(owner, rollups) == []
    await assert_exact(owner, rollups)
