"""Open, overdue and due today, of any moment: also where clocks are put back past midnight, and a day comes twice."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta

import asyncpg
import pytest

from loaders.tasks import SQL, TaskCounts
from tests.conftest import Database
from tests.world import TOKYO, World, instant

AROUND, TASKS_EVERY, ASKED_EVERY = timedelta(hours=78), timedelta(minutes=29), timedelta(minutes=97)
NIGHTS = {
    TOKYO: "2024-05-01T15:00",
    "America/St_Johns": "2010-11-07T02:31",  # a minute past midnight, by an hour
    "Pacific/Kwajalein": "1969-09-30T13:00",  # by 23 hours
    "America/Juneau": "1867-10-19T00:31:13",  # by a whole day, the most there ever was
    "Pacific/Apia": "2011-12-30T10:00",  # a day ahead
}
"""Zone → an instant of UTC at which its clocks are changed, or a day begins."""

INSERT = """
INSERT INTO tasks (tenant_id, title, owner_id, due_at, completed_at, deleted_at)
SELECT $1, 'to do', $2, due, CASE done WHEN 1 THEN now() END, CASE done WHEN 2 THEN now() END
  FROM unnest($3::timestamptz[]) AS due, generate_series(0, 2) AS done
"""
OPEN = "SELECT owner_id, due_at, due_day FROM tasks WHERE completed_at IS NULL AND deleted_at IS NULL"


def times(middle: datetime, step: timedelta) -> list[datetime]:
    return [middle + step * number for number in range(-(AROUND // step), AROUND // step + 1)]


def counted(tasks: Sequence[asyncpg.Record], owner: int | None, now: datetime, today: date) -> TaskCounts:
    """As the words say, task by task."""
    found = [task for task in tasks if owner in (None, task["owner_id"])]
    overdue = [task for task in found if task["due_at"] is not None and task["due_at"] < now]
    later = [task["due_at"] for task in found if task["due_at"] is not None and task["due_at"] >= now]
    due_today = sum(task["due_day"] == today for task in found)
    return TaskCounts(len(found), len(overdue), due_today, min(later, default=None))


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The serving role."""
    connection = await asyncpg.connect(database.gateway_dsn)
    yield connection
    await connection.close()


@pytest.mark.parametrize(("zone", "night"), NIGHTS.items(), ids=NIGHTS)
async def test_counts_are_those_of_single_tasks_at_every_moment(
    database: Database, reader: asyncpg.Connection, zone: str, night: str
) -> None:
    async with database.as_owner() as owner:
        world = await World.create(owner, "acme", zone)
        for name in ("ann", "bob"):
            due = [None, *times(instant(night), TASKS_EVERY)]
            await owner.execute(INSERT, world.tenant_id, world.members[name], due)
        tasks = await owner.fetch(OPEN)
    await reader.execute(f"SET app.tenant_id = '{world.tenant_id}'")
    for now in times(instant(night), ASKED_EVERY):
        today = await reader.fetchval("SELECT app.local_day($1, $2)", world.tenant_id, now)
        for member in (None, world.members["bob"]):
            row = await reader.fetchrow(SQL["task_summary"].sql, world.tenant_id, member, now, today)
            assert TaskCounts(*row) == counted(tasks, member, now, today), now
