"""Whoever writes, in whatever way: what a row says of itself follows from its instants and its stage."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import Database, fresh_database
from tests.world import TOKYO, World, instant

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def written(postgres: EmbeddedPostgres, template: str) -> Database:
    """A database for this module's tenants."""
    return await fresh_database(postgres, template)


@pytest.fixture
async def world(written: Database) -> AsyncIterator[World]:
    """A tenant of one's own, in Tokyo."""
    async with written.as_owner() as owner:
        yield await World.create(owner, f"world-{next(_numbers)}", TOKYO)


async def test_a_deal_that_starts_in_a_won_stage_is_won_now(world: World) -> None:
    async with world.owner.transaction():
        now = await world.owner.fetchval("SELECT now()")
        deal = await world.deal("2024-04-01T15:00", amount="5", stage="Won")
    row = await read(world, deal)
    assert (row["outcome"], row["created_day"], row["version"]) == ("won", date(2024, 4, 2), 1)
    assert row["closed_at"] == row["stage_entered_at"] == now
    assert row["closed_day"] == row["stage_entered_day"] == tokyo_day(now)
    assert await history(world, deal) == [(None, "Won", now, None)]


async def test_a_deal_that_is_won_then_lost_then_reopened_says_so_each_time(world: World) -> None:
    deal = await world.deal("2024-04-01T03:00", amount="5")
    said = []
    for stage, day in (("Won", "03"), ("Lost", "07"), ("Proposal", "08")):
        await world.move(deal, stage, f"2024-04-{day}T15:00")
        row = await read(world, deal)
        said.append((row["outcome"], row["closed_day"], row["stage_entered_day"], row["version"]))
    assert said == [
        ("won", date(2024, 4, 4), date(2024, 4, 4), 2),
        ("lost", date(2024, 4, 8), date(2024, 4, 8), 3),
        ("open", None, date(2024, 4, 9), 4),
    ]
    assert await history(world, deal) == [
        (None, "Lead", instant("2024-04-01T03:00"), None),
        ("Lead", "Won", instant("2024-04-03T15:00"), 3),
        ("Won", "Lost", instant("2024-04-07T15:00"), 4),
        ("Lost", "Proposal", instant("2024-04-08T15:00"), 1),
    ]


async def test_a_move_without_an_instant_happens_now(world: World) -> None:
    deal = await world.deal("2024-04-01T03:00", amount="5")
    async with world.owner.transaction():
        now = await world.owner.fetchval("SELECT now()")
        await update(world, deal, "stage_id = (SELECT id FROM stages WHERE tenant_id = $1 AND name = 'Won')")
    row = await read(world, deal)
    assert (row["outcome"], row["closed_at"], row["stage_entered_at"]) == ("won", now, now)


async def test_a_deal_closed_otherwise_at_the_same_instant_is_so_a_microsecond_later(world: World) -> None:
    deal = await world.deal("2024-04-01T03:00", amount="5")
    won, lost = (
        f"stage_id = (SELECT id FROM stages WHERE tenant_id = $1 AND name = '{name}')" for name in ("Won", "Lost")
    )
    async with world.owner.transaction():
        now = await world.owner.fetchval("SELECT now()")
        await update(world, deal, won)
        await update(world, deal, lost)
    row = await read(world, deal)
    assert (row["outcome"], row["closed_at"]) == ("lost", now + timedelta(microseconds=1))
    assert row["stage_entered_at"] == row["closed_at"]
    await update(world, deal, f"{won}, closed_at = '{now.isoformat()}'")
    row = await read(world, deal)
    assert (row["outcome"], row["closed_at"]) == ("won", now)


@pytest.mark.parametrize("given", ["closed_at", "stage_entered_at"])
async def test_a_deal_closes_when_it_enters_its_stage_whichever_was_given(world: World, given: str) -> None:
    deal = await world.deal("2024-04-01T03:00", amount="5")
    won = "stage_id = (SELECT id FROM stages WHERE tenant_id = $1 AND name = 'Won')"
    await update(world, deal, f"{won}, {given} = '2024-04-09 15:00+00'")
    row = await read(world, deal)
    assert row["closed_at"] == row["stage_entered_at"] == instant("2024-04-09T15:00")
    assert row["closed_day"] == row["stage_entered_day"] == date(2024, 4, 10)


async def test_a_change_of_a_stages_kind_rewrites_its_deals_and_no_others(world: World) -> None:
    inside = [await world.deal("2024-04-01T03:00", amount="5", stage="Proposal") for _ in range(3)]
    outside = await world.deal("2024-04-01T03:00", amount="5")
    await change_kind(world, "Proposal", "won", 1)
    assert [(await read(world, deal))["outcome"] for deal in inside] == ["won"] * 3
    assert {(await read(world, deal))["closed_day"] for deal in inside} != {None}
    await change_kind(world, "Proposal", "open", 0.5)
    assert [tuple(await read(world, deal))[:2] for deal in inside] == [("open", None)] * 3
    assert (await read(world, outside))["version"] == 1
    assert len(await history(world, inside[0])) == 1


async def test_a_new_instant_of_creation_brings_its_day_along(world: World) -> None:
    deal = await world.deal("2024-04-01T03:00", amount="5")
    await update(world, deal, "created_at = '2024-02-28 15:00+00'")
    assert (await read(world, deal))["created_day"] == date(2024, 2, 29)


async def test_a_bulk_update_writes_one_row_of_history_a_deal_that_moved(world: World) -> None:
    deals = [await world.deal("2024-04-01T03:00", amount="5") for _ in range(200)]
    stayed = await world.deal("2024-04-01T03:00", amount="5", stage="Proposal")
    await world.owner.execute(
        """UPDATE deals SET stage_id = (SELECT id FROM stages WHERE tenant_id = $1 AND name = 'Proposal')
            WHERE tenant_id = $1""",
        world.tenant_id,
    )
    assert [len(await history(world, deal)) for deal in deals] == [2] * 200
    assert len(await history(world, stayed)) == 1


async def test_an_upsert_is_recorded_like_an_insert_or_an_update(world: World) -> None:
    upsert = """
    INSERT INTO deals (tenant_id, pipeline_id, stage_id, owner_id, name, external_id)
    SELECT $1, s.pipeline_id, s.id, $3, 'a deal', 'x' FROM stages s WHERE s.tenant_id = $1 AND s.name = $2
        ON CONFLICT (tenant_id, external_id) DO UPDATE SET stage_id = excluded.stage_id RETURNING id"""
    keys = [await world.owner.fetchval(upsert, world.tenant_id, name, world.members["ann"]) for name in ("Lead", "Won")]
    assert keys[0] == keys[1]
    assert [(came, went) for came, went, *_ in await history(world, keys[0])] == [(None, "Lead"), ("Lead", "Won")]
    assert (await read(world, keys[0]))["outcome"] == "won"


@pytest.mark.parametrize(
    "lie",
    [
        "outcome = 'won'",
        "outcome = 'lost', closed_at = now(), closed_day = current_date",
        "closed_at = now()",
        "closed_day = current_date",
        "created_day = '1999-01-01'",
        "stage_entered_day = '1999-01-01'",
        "version = 77",
    ],
)
async def test_a_lie_about_an_open_deal_is_overruled(world: World, lie: str) -> None:
    deal = await world.deal("2024-04-01T15:00", amount="5")
    await update(world, deal, lie)
    row = await read(world, deal)
    assert (row["outcome"], row["closed_at"], row["closed_day"], row["version"]) == ("open", None, None, 2)
    assert (row["created_day"], row["stage_entered_day"]) == (date(2024, 4, 2), date(2024, 4, 2))


@pytest.mark.parametrize("lie", ["closed_at = NULL", "closed_day = '1999-01-01'", "outcome = 'open'"])
async def test_a_lie_about_a_closed_deal_is_overruled(world: World, lie: str) -> None:
    deal = await world.deal("2024-04-01T15:00", amount="5")
    await world.move(deal, "Won", "2024-04-09T15:00")
    await update(world, deal, lie)
    row = await read(world, deal)
    assert (row["outcome"], row["closed_day"]) == ("won", date(2024, 4, 10))


async def test_a_new_row_that_lies_is_overruled(world: World) -> None:
    deal = await world.owner.fetchval(
        """INSERT INTO deals (tenant_id, pipeline_id, stage_id, owner_id, name, created_at, outcome, created_day,
                              closed_at, closed_day, stage_entered_day)
           SELECT $1, pipeline_id, id, $2, 'a deal', '2024-04-01 15:00+00', 'lost', '1999-01-01', now(), current_date,
                  '1999-01-01' FROM stages WHERE tenant_id = $1 AND name = 'Lead' RETURNING id""",
        *(world.tenant_id, world.members["ann"]),
    )
    row = await read(world, deal)
    assert (row["outcome"], row["closed_at"], row["closed_day"]) == ("open", None, None)
    assert (row["created_day"], row["stage_entered_day"]) == (date(2024, 4, 2), date(2024, 4, 2))


@pytest.mark.parametrize(
    ("table", "columns", "at", "day"),
    [
        ("companies", "name, created_at, created_day", "created_at", "created_day"),
        ("tasks", "title, due_at, due_day", "due_at", "due_day"),
        ("activities", "subject, occurred_at, occurred_day", "occurred_at", "occurred_day"),
    ],
)
async def test_days_of_other_records_follow_their_instants(
    world: World, table: str, columns: str, at: str, day: str
) -> None:
    kind = ("kind, ", "'call', ") if table == "activities" else ("", "")
    key = await world.owner.fetchval(
        f"""INSERT INTO {table} (tenant_id, owner_id, {kind[0]}{columns})
            VALUES ($1, $2, {kind[1]}'x', '2024-04-01 15:00+00', '1999-01-01') RETURNING id""",
        *(world.tenant_id, world.members["ann"]),
    )
    days = [await world.owner.fetchval(f"SELECT {day} FROM {table} WHERE id = $1", key)]
    for change in (f"{at} = '2024-04-02 15:00+00'", f"{day} = '1999-01-01'"):
        await world.owner.execute(f"UPDATE {table} SET {change} WHERE id = $1", key)
        days.append(await world.owner.fetchval(f"SELECT {day} FROM {table} WHERE id = $1", key))
    assert days == [date(2024, 4, 2), date(2024, 4, 3), date(2024, 4, 3)]


async def read(world: World, deal: int) -> asyncpg.Record:
    return await world.owner.fetchrow(
        """SELECT outcome, closed_at, closed_day, created_day, stage_entered_at, stage_entered_day, version
             FROM deals WHERE id = $1""",
        deal,
    )


async def history(world: World, deal: int) -> list[tuple[Any, ...]]:
    """From, to, when, days in the stage it left; oldest first."""
    rows = await world.owner.fetch(
        """SELECT f.name AS came, t.name AS went, h.moved_at, h.days_in_stage
             FROM deal_stage_history h
             LEFT JOIN stages f ON f.id = h.from_stage_id JOIN stages t ON t.id = h.to_stage_id
            WHERE h.deal_id = $1 ORDER BY h.id""",
        deal,
    )
    return [tuple(row) for row in rows]


async def update(world: World, deal: int, change: str) -> None:
    await world.owner.execute(f"UPDATE deals SET {change} WHERE tenant_id = $1 AND id = $2", world.tenant_id, deal)


async def change_kind(world: World, stage: str, kind: str, probability: float) -> None:
    await world.owner.execute(
        "UPDATE stages SET kind = $3, probability = $4::float8 WHERE tenant_id = $1 AND name = $2",
        *(world.tenant_id, stage, kind, probability),
    )


def tokyo_day(at: datetime) -> date:
    return (at.astimezone(UTC) + timedelta(hours=9)).date()
