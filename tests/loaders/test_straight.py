"""Which deals are known to have gone forward only: all rows of a deal say the same, and say it only where it is so."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.commands.set_time_zone import set_time_zone
from gateway.postgres.bootstrap import bootstrap
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.migrate import migrate
from tests.conftest import PASSWORDS, Database, _numbers
from tests.world import NEW_YORK, TOKYO, World, tokyo

STRAIGHT = (
    "SELECT array_agg(straight ORDER BY moved_at, id) FROM deal_stage_history WHERE tenant_id = $1 AND deal_id = $2"
)

# A deal and its name by the world that `tokyo` makes, whose deals are told there.
KNOWN = """
SELECT array_agg(DISTINCT straight) AS straight, array_agg(s.name ORDER BY h.moved_at, h.id) AS way
  FROM deal_stage_history h JOIN stages s ON s.tenant_id = h.tenant_id AND s.id = h.to_stage_id
 WHERE h.tenant_id = $1 GROUP BY h.deal_id ORDER BY h.deal_id
"""
OF_TOKYO = [
    ([True], ["Lead"]),
    ([True], ["Lead"]),
    ([True], ["Lead", "Won"]),
    ([False], ["Lead", "Qualified", "Lead", "Qualified", "Won"]),
    ([True], ["Lead", "Proposal"]),
    ([False], ["Lead", "Lost", "Qualified"]),
    ([True], ["Lead", "Lost"]),
    ([True], ["Lead", "Won"]),
]


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with database.as_owner() as owner:
        yield await World.create(owner, "acme")


async def walked(world: World) -> int:
    """A deal that went forward twice, and would again."""
    deal = await world.deal("2024-04-01T03:00", amount="5")
    await world.move(deal, "Qualified", "2024-04-03T03:00")
    await world.move(deal, "Proposal", "2024-04-06T03:00")
    return deal


async def straight(world: World, deal: int) -> list[bool]:
    """What the deal's rows say, oldest first."""
    said: list[bool] = await world.owner.fetchval(STRAIGHT, world.tenant_id, deal)
    return said


async def known(owner: asyncpg.Connection, world: World) -> list[tuple[list[bool], list[str]]]:
    return [(row["straight"], row["way"]) for row in await owner.fetch(KNOWN, world.tenant_id)]


async def test_a_deal_that_only_goes_forward_is_straight(world: World) -> None:
    deal = await walked(world)
    await world.move(deal, "Won", "2024-04-06T03:00")
    assert await straight(world, deal) == [True] * 4


@pytest.mark.parametrize("back", ["Lead", "Qualified"])
async def test_a_move_back_bends_the_whole_way_for_good(world: World, back: str) -> None:
    deal = await walked(world)
    await world.move(deal, back, "2024-04-08T03:00")
    await world.move(deal, "Won", "2024-04-09T03:00")
    assert await straight(world, deal) == [False] * 5


async def test_a_deal_that_comes_out_of_a_lost_stage_is_not_straight(world: World) -> None:
    await world.owner.execute(
        "UPDATE stages SET kind = 'lost', probability = 0 WHERE tenant_id = $1 AND name = 'Proposal'", world.tenant_id
    )
    deal = await walked(world)
    assert await straight(world, deal) == [True] * 3
    await world.move(deal, "Won", "2024-04-09T03:00")
    assert await straight(world, deal) == [False] * 4


ROWS = "WHERE tenant_id = $1 AND deal_id = $2"
ADD = """
INSERT INTO deal_stage_history (tenant_id, deal_id, to_stage_id, moved_at, moved_day, straight)
SELECT $1, $2, id, '2024-04-02', '2024-04-02', true FROM stages WHERE tenant_id = $1 AND name = 'Lead'
"""


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE deals SET stage_entered_at = '2024-04-07 03:00+00' WHERE tenant_id = $1 AND id = $2",
        f"DELETE FROM deal_stage_history {ROWS} AND days_in_stage = 2",
        f"UPDATE deal_stage_history SET moved_day = '2024-04-05' {ROWS} AND days_in_stage = 3",
        f"UPDATE deal_stage_history SET straight = false {ROWS} AND days_in_stage = 2",
        ADD,
    ],
)
async def test_what_somebody_wrote_by_hand_bends_it_with_the_next_move_at_last(world: World, deed: str) -> None:
    deal, other = await walked(world), await walked(world)
    await world.owner.execute(deed, world.tenant_id, deal)
    await world.move(deal, "Won", "2024-04-09T03:00")
    assert set(await straight(world, deal)) == {False}
    assert await straight(world, other) == [True] * 3


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE deals SET deleted_at = now() WHERE tenant_id = $1 AND id = $2",
        "UPDATE deals SET name = 'another', amount = 7 WHERE tenant_id = $1 AND id = $2",
        "UPDATE deal_stage_history SET member_id = NULL WHERE tenant_id = $1 AND deal_id = $2",
        "UPDATE stages SET position = 100 - position WHERE tenant_id = $1 AND $2::bigint > 0",
    ],
)
async def test_what_moves_nothing_bends_nothing(world: World, deed: str) -> None:
    deal = await walked(world)
    await world.owner.execute(deed, world.tenant_id, deal)
    assert await straight(world, deal) == [True] * 3


async def test_rows_cannot_be_made_straight_by_saying_so(world: World) -> None:
    deal = await walked(world)
    await world.move(deal, "Lead", "2024-04-08T03:00")
    await world.owner.execute("UPDATE deal_stage_history SET straight = true")
    assert await straight(world, deal) == [False] * 4


async def test_a_move_in_an_old_snapshot_is_not_known_to_be_straight(world: World) -> None:
    deal = await walked(world)
    async with world.owner.transaction(isolation="repeatable_read"):
        await world.move(deal, "Won", "2024-04-09T03:00")
    assert await straight(world, deal) == [False] * 4


async def test_straight_ways_are_found_again_but_not_in_an_old_snapshot(world: World) -> None:
    deal = await walked(world)
    await world.owner.execute("UPDATE deal_stage_history SET straight = false")
    with pytest.raises(asyncpg.InvalidTransactionStateError):
        async with world.owner.transaction(isolation="repeatable_read"):
            await world.owner.execute("SELECT app.find_straight_ways($1)", world.tenant_id)
    assert await straight(world, deal) == [False] * 3
    await world.owner.execute("SELECT app.find_straight_ways($1)", world.tenant_id)
    assert await straight(world, deal) == [True] * 3


async def test_another_time_zone_leaves_straight_what_was(database: Database) -> None:
    async with database.as_owner() as owner:
        world = await tokyo(owner)
        assert await known(owner, world) == OF_TOKYO
        for zone in (NEW_YORK, TOKYO):
            await set_time_zone(owner, "tokyo", zone, lambda *_: None)
            assert await known(owner, world) == OF_TOKYO


async def test_the_demo_is_as_triggers_would_have_written_it(demo: Database) -> None:
    counts = "SELECT count(*) FILTER (WHERE straight), count(*) FROM deal_stage_history"
    async with demo.as_owner() as owner:
        before = await owner.fetch("SELECT tenant_id, id, straight FROM deal_stage_history ORDER BY 1, 2")
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute("SELECT app.find_straight_ways(id) FROM tenants")
        assert await owner.fetch("SELECT tenant_id, id, straight FROM deal_stage_history ORDER BY 1, 2") == before
        await transaction.rollback()
        known_straight, rows = await owner.fetchrow(counts)
    assert 0.8 < known_straight / rows < 1


async def test_the_migration_finds_the_ways_of_deals_that_are_there(postgres: EmbeddedPostgres) -> None:
    database = Database(f"walked_{next(_numbers)}", postgres)
    await bootstrap(postgres.superuser_dsn, database=database.name, passwords=PASSWORDS)
    await migrate(database.owner_dsn, "0009")
    async with database.as_owner() as owner:
        world = await tokyo(owner)
        await migrate(database.owner_dsn)
        assert await known(owner, world) == OF_TOKYO
