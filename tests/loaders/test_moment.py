"""The moment of a snapshot: which transactions it sees, in which life of the database, until when today is today."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from gateway.deadline import Deadline
from gateway.observe import Observer
from gateway.postgres.places import Share
from gateway.postgres.pool import Pool
from gateway.postgres.transactions import ReadTransaction
from loaders.reads import Statement
from loaders.tenants import Moment, moment
from tests.conftest import Database
from tests.world import TOKYO, World

SEEN = Statement(
    "seen",
    "tests",
    "SELECT pg_current_snapshot()::text, app.incarnation(), name FROM tenants WHERE id = $1",
    frozenset({"tenants"}),
)

DAYS = {
    "an ordinary day": ("Europe/Berlin", "2024-06-01T12:00+02:00", "2024-06-02T00:00+02:00"),
    "the last microsecond of a day": ("Asia/Tokyo", "2024-06-01T23:59:59.999999+09:00", "2024-06-02T00:00+09:00"),
    "midnight, a day's first instant": ("Asia/Tokyo", "2024-06-02T00:00+09:00", "2024-06-03T00:00+09:00"),
    "a day of 23 hours": ("Europe/Berlin", "2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00"),
    "after the clock was put forward": ("Europe/Berlin", "2024-03-31T03:00+02:00", "2024-04-01T00:00+02:00"),
    "a day of 25 hours": ("America/New_York", "2024-11-03T00:00-04:00", "2024-11-04T00:00-05:00"),
    "the hour that comes twice, first": ("America/New_York", "2024-11-03T01:30-04:00", "2024-11-04T00:00-05:00"),
    "the hour that comes twice, again": ("America/New_York", "2024-11-03T01:30-05:00", "2024-11-04T00:00-05:00"),
    "a day before one without a midnight": ("Africa/Cairo", "2024-04-25T20:00+02:00", "2024-04-26T01:00+03:00"),
    "a day that has no midnight": ("Africa/Cairo", "2024-04-26T01:00+03:00", "2024-04-27T00:00+03:00"),
    "a day whose last hour comes twice, first": ("Africa/Cairo", "2024-10-31T23:30+03:00", "2024-11-01T00:00+02:00"),
    "a day whose last hour comes twice, again": ("Africa/Cairo", "2024-10-31T23:30+02:00", "2024-11-01T00:00+02:00"),
    "a day before midnight strikes twice": ("America/Havana", "2024-11-02T23:59-04:00", "2024-11-03T00:00-04:00"),
    "between the two midnights of a day": ("America/Havana", "2024-11-03T00:30-04:00", "2024-11-04T00:00-05:00"),
    "a day that ends by the clock's change": ("America/Nuuk", "2024-03-30T22:59-02:00", "2024-03-31T00:00-01:00"),
    "a change of half an hour": ("Australia/Lord_Howe", "2024-04-07T01:45+11:00", "2024-04-08T00:00+10:30"),
    "a day before one that was left out": ("Pacific/Apia", "2011-12-29T12:00-10:00", "2011-12-31T00:00+14:00"),
}
"""Time zone, an instant, and the first instant that is of another day there."""


@dataclass(frozen=True)
class Read:
    """A read transaction of a tenant, and its owner who writes meanwhile."""

    transaction: ReadTransaction[Moment | None]
    world: World

    async def moment(self) -> Moment:
        found = await self.transaction.opened()
        assert found is not None
        return found


@pytest.fixture
async def read(database: Database) -> AsyncIterator[Read]:
    observer = Observer(CollectorRegistry())
    pool = Pool(database.gateway_dsn, observer, size=1, wait_seconds=5, statement_cache_size=16)
    await pool.open()
    async with database.as_owner() as owner:
        world = await World.create(owner, "tokyo", TOKYO)
        share, deadline = Share(world.tenant_id, most=1), Deadline.after(60)
        transaction = ReadTransaction(pool, share, world.tenant_id, deadline, observer, moment)
        yield Read(transaction, world)
        await transaction.close()
    await pool.close()


async def test_the_snapshot_is_that_of_all_that_is_read_with_it(read: Read) -> None:
    owner, opened = read.world.owner, await read.moment()
    async with owner.transaction():
        xid = await owner.fetchval("SELECT pg_current_xact_id()::text")
        await owner.execute("UPDATE tenants SET name = 'Other'")
        await owner.execute("SELECT app.begin_incarnation()")
    assert [tuple(row) for row in await read.transaction.fetch(SEEN)] == [(opened.snapshot, None, "Tokyo")]
    assert opened == await read.moment()
    visible = "SELECT pg_visible_in_snapshot($1::text::xid8, $2::text::pg_snapshot)"
    assert await owner.fetchval(visible, xid, opened.snapshot) is False


async def test_a_change_under_way_when_a_snapshot_is_taken_is_not_in_it(read: Read) -> None:
    owner = read.world.owner
    before = await owner.fetchval("SELECT pg_current_xact_id()::text")
    async with owner.transaction():
        xid = await owner.fetchval("SELECT pg_current_xact_id()::text")
        opened = await read.moment()
    visible = "SELECT pg_visible_in_snapshot(unnest($1::text[])::xid8, $2::text::pg_snapshot)"
    assert [seen for (seen,) in await owner.fetch(visible, [before, xid], opened.snapshot)] == [True, False]


async def test_a_moment_knows_its_life_and_when_its_day_ends(read: Read) -> None:
    begun = await read.world.owner.fetchval("SELECT app.begin_incarnation()")
    opened = await read.moment()
    assert opened.incarnation == begun
    tomorrow = datetime.combine(opened.today + timedelta(days=1), datetime.min.time()) - timedelta(hours=9)
    assert opened.day_ends_at.replace(tzinfo=None) == tomorrow


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("session_zone", ["UTC", "America/Havana"])
async def test_a_day_ends_with_the_first_instant_of_the_next(read: Read, day: str, session_zone: str) -> None:
    zone, instant, end = DAYS[day]
    owner: asyncpg.Connection = read.world.owner
    await owner.execute(f"SET timezone = '{session_zone}'")
    ends = "SELECT ends_at FROM app.day_at($1, $2)"
    assert await owner.fetchval(ends, zone, datetime.fromisoformat(instant)) == datetime.fromisoformat(end)
