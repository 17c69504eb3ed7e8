"""`gateway tenant set-timezone`: every local day follows, and the rollups with them."""

import asyncio

import asyncpg
import pytest

from gateway.commands import set_time_zone as module
from gateway.commands.refusals import CommandRefusedError
from gateway.commands.set_time_zone import REWRITES, set_time_zone
from gateway.rollups.audit import Audit, audit_rollup
from gateway.rollups.declared import ROLLUPS
from tests.cli.conftest import Command
from tests.conftest import Database
from tests.pipeline.acme import until
from tests.world import NEW_YORK, TOKYO, World, instant

# Every seven hours of two years, so that each hour of the day is met on both sides of each change of the clocks.
SERIES = "generate_series(timestamptz '2024-01-01 00:30+00', '2025-12-31', interval '7 hours') AS t (at)"
FILL = f"""
INSERT INTO companies (tenant_id, name, created_at) SELECT $1, 'a company', at FROM {SERIES};
INSERT INTO activities (tenant_id, kind, subject, owner_id, occurred_at)
SELECT $1, 'call', 'a call', $2, at FROM {SERIES};
INSERT INTO tasks (tenant_id, title, owner_id, due_at) SELECT $1, 'a task', $2, at FROM {SERIES};
INSERT INTO tasks (tenant_id, title, owner_id) VALUES ($1, 'a task without a date', $2);
INSERT INTO deals (tenant_id, pipeline_id, stage_id, owner_id, name, amount, created_at)
SELECT $1, s.pipeline_id, s.id, $2, 'a deal', 7, at FROM stages s, {SERIES} WHERE s.tenant_id = $1 AND s.name = 'Lead';
UPDATE deals d SET stage_id = s.id, stage_entered_at = d.created_at + interval '11 hours' * (d.id % 5 + 1)
  FROM stages s WHERE d.tenant_id = $1 AND s.tenant_id = $1 AND s.name = 'Qualified' AND d.id % 4 > 0;
UPDATE deals d SET stage_id = s.id, closed_at = d.stage_entered_at + interval '17 hours' * (d.id % 9 + 1)
  FROM stages s WHERE d.tenant_id = $1 AND s.tenant_id = $1 AND d.id % 4 = s.position - 3 AND s.position IN (5, 6);
UPDATE deals SET deleted_at = now() WHERE tenant_id = $1 AND id % 13 = 0
"""

BACKDATE = """
UPDATE deals d SET stage_id = s.id, stage_entered_at = d.created_at - interval '9 days'
  FROM stages s WHERE s.tenant_id = d.tenant_id AND s.name = 'Proposal' AND d.id % 8 = 0
"""

WRONG_DAYS = """
SELECT (SELECT count(*) FROM companies WHERE tenant_id = $1 AND created_day <> timezone($2, created_at)::date)
     + (SELECT count(*) FROM activities WHERE tenant_id = $1 AND occurred_day <> timezone($2, occurred_at)::date)
     + (SELECT count(*) FROM tasks WHERE tenant_id = $1 AND due_day IS DISTINCT FROM timezone($2, due_at)::date)
     + (SELECT count(*) FROM deals
         WHERE tenant_id = $1 AND (created_day, stage_entered_day, closed_day) IS DISTINCT FROM
         (timezone($2, created_at)::date, timezone($2, stage_entered_at)::date, timezone($2, closed_at)::date))
     + (SELECT count(*) FROM deal_stage_history WHERE tenant_id = $1 AND moved_day <> timezone($2, moved_at)::date)
     + (SELECT count(*) FROM (
         SELECT days_in_stage, moved_day - lag(moved_day) OVER (PARTITION BY deal_id ORDER BY id) AS days
           FROM deal_stage_history WHERE tenant_id = $1) AS moves WHERE days_in_stage IS DISTINCT FROM days)
"""


async def filled(owner: asyncpg.Connection, slug: str, zone: str) -> World:
    """A tenant with about 2 500 rows of each table."""
    world = await World.create(owner, slug, zone)
    statements = FILL.replace("$1", str(world.tenant_id)).replace("$2", str(world.members["ann"]))
    await owner.execute(statements)
    return world


async def audited(database: Database) -> Audit:
    worker = await asyncpg.connect(database.worker_dsn)
    try:
        found = Audit(0, 0, [])
        for rollup in ROLLUPS:
            async for _, of_tenant in audit_rollup(worker, rollup):
                found += of_tenant
        return found
    finally:
        await worker.close()


async def test_every_day_follows_and_the_rollups_with_them(command: Command, database: Database) -> None:
    async with database.as_owner() as owner:
        world, other = await filled(owner, "acme", NEW_YORK), await filled(owner, "bolt", NEW_YORK)
        assert await owner.fetchval(WRONG_DAYS, world.tenant_id, NEW_YORK) == 0
        assert await owner.fetchval(WRONG_DAYS, world.tenant_id, TOKYO) > 3000
        before = await owner.fetch("SELECT * FROM deals WHERE tenant_id = $1 ORDER BY id", other.tenant_id)
        settings = {"MIGRATION_DATABASE_URL": database.owner_dsn}
        code, out, err = await command("tenant", "set-timezone", "acme", TOKYO, **settings)
        assert (code, err, out.splitlines()[-1]) == (0, "", f"The days of acme begin as in {TOKYO}.")
        assert [line.partition(":")[0] for line in out.splitlines()[:-1]] == list(REWRITES)
        assert await owner.fetchval(WRONG_DAYS, world.tenant_id, TOKYO) == 0
        assert await owner.fetchval(WRONG_DAYS, other.tenant_id, NEW_YORK) == 0
        assert await owner.fetch("SELECT * FROM deals WHERE tenant_id = $1 ORDER BY id", other.tenant_id) == before
    found = await audited(database)
    assert (found.groups > 2000, found.differing) == (True, 0)


async def test_there_and_back_changes_nothing_and_the_same_zone_writes_nothing(database: Database) -> None:
    days = "SELECT id, moved_day, days_in_stage FROM deal_stage_history ORDER BY id"
    rows: list[int] = []
    async with database.as_owner() as owner:
        await filled(owner, "acme", "Europe/Berlin")
        # Whoever moved these deals backdated the move; somebody else corrected the days of others by hand.
        await owner.execute(BACKDATE)
        await owner.execute("UPDATE deal_stage_history SET days_in_stage = 99 WHERE id % 50 = 7 AND days_in_stage > 0")
        before = await owner.fetch(days)
        for zone in (TOKYO, "America/St_Johns", "Europe/Berlin"):
            await set_time_zone(owner, "acme", zone, lambda *_: None)
        await set_time_zone(owner, "acme", "Europe/Berlin", lambda _, count: rows.append(count))
        assert await owner.fetch(days) == before
    assert rows == [0] * len(REWRITES)
    assert (await audited(database)).differing == 0


async def test_writers_wait_and_then_write_days_of_the_new_zone(database: Database) -> None:
    async with database.as_owner() as owner, database.as_owner() as first, database.as_owner() as second:
        world = await World.create(owner, "acme", "UTC")
        late = World(second, "acme", world.tenant_id, world.members)
        transaction = first.transaction()
        await transaction.start()
        await World(first, "acme", world.tenant_id, world.members).activity("call", instant("2024-05-01T20:00"))
        setting = asyncio.create_task(set_time_zone(owner, "acme", TOKYO, lambda *_: None))
        await until(lambda: _waiting(database, 1))
        writing = asyncio.create_task(late.activity("call", instant("2024-05-01T20:00")))
        await until(lambda: _waiting(database, 2))
        assert not setting.done()
        await transaction.commit()
        await asyncio.gather(setting, writing)
        days = await first.fetch("SELECT DISTINCT occurred_day::text FROM activities")
        assert ([day for (day,) in days], await first.fetchval("SELECT count(*) FROM activities")) == (
            ["2024-05-02"],
            2,
        )
    assert (await audited(database)).differing == 0


async def _waiting(database: Database, sessions: int) -> bool:
    async with database.as_owner() as eye:
        waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
        return bool(await eye.fetchval(waiting) == sessions)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("acme", "Mars/Olympus"), "`Mars/Olympus` is not a time zone, such as Europe/Berlin."),
        (("none", TOKYO), "There is no tenant `none`: create it with `gateway tenant create`."),
    ],
)
async def test_what_is_not_known_is_one_sentence(
    command: Command, database: Database, arguments: tuple[str, str], sentence: str
) -> None:
    async with database.as_owner() as owner:
        await World.create(owner, "acme")
        settings = {"MIGRATION_DATABASE_URL": database.owner_dsn}
        assert await command("tenant", "set-timezone", *arguments, **settings) == (1, "", f"{sentence}\n")
        assert await owner.fetchval("SELECT time_zone FROM tenants") == "UTC"


async def test_a_writer_that_does_not_let_go_is_not_waited_for_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT_SECONDS", 0.05)
    async with database.as_owner() as owner, database.as_owner() as writer, writer.transaction():
        await World.create(owner, "acme")
        await writer.execute("LOCK TABLE deals IN ROW EXCLUSIVE MODE")
        with pytest.raises(CommandRefusedError, match="Others are writing"):
            await set_time_zone(owner, "acme", TOKYO, lambda *_: None)
        assert await owner.fetchval("SELECT time_zone FROM tenants") == "UTC"
