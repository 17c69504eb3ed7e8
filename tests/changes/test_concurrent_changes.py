"""Overlapping changes from all sides: nothing is lost, nothing is half done, and every trace tells the same story."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from gateway.commands.change_deals import SQL
from tests.changes.arena import Arena, open_arena
from tests.changes.storm import Storm, raise_storm
from tests.conftest import Database

DEALS = 10
SCRIBBLERS = 3
SEED = 5
SHORT_ROUNDS, LONG_ROUNDS = 25, 600

LOCK = "FOR NO KEY UPDATE"
GUARD = "AND d.version = w.version"


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.as_owner() as connection:
        yield connection


@pytest.fixture
async def arena(database: Database, owner: asyncpg.Connection) -> Arena:
    """Deadlocks among sessions of its database are found in no time, so that there can be many."""
    superuser = await asyncpg.connect(database.server.superuser_dsn)
    await superuser.execute(f"ALTER DATABASE {database.name} SET deadlock_timeout = '30ms'")
    await superuser.close()
    return await open_arena(database, owner, DEALS)


def assert_all_was_tried(storm: Storm) -> None:
    assert {"UPDATED", "UNCHANGED", "NOT_FOUND", "CONFLICT", "FORBIDDEN", "NOT_APPLIED"} <= storm.statuses().keys()
    assert {each.stroke.verb for each in storm.heard} >= {"updateDealStages", "undoOperation", "restoreDeals"}
    assert any(payload["replayed"] for each in storm.heard for payload in each.payloads)
    assert storm.tally.checks


async def test_of_members_alone_nobody_fails_and_nothing_is_lost(arena: Arena, owner: asyncpg.Connection) -> None:
    storm = await raise_storm(arena, owner, SEED, SHORT_ROUNDS)
    assert storm.tally.wrong == []
    assert_all_was_tried(storm)


async def test_beside_plain_writers_members_may_have_to_retry_and_nothing_is_lost(
    arena: Arena, owner: asyncpg.Connection
) -> None:
    storm = await raise_storm(arena, owner, SEED, SHORT_ROUNDS, SCRIBBLERS)
    assert storm.tally.wrong == []
    assert_all_was_tried(storm)


@pytest.mark.slow
@pytest.mark.parametrize("scribblers", [0, SCRIBBLERS])
async def test_nothing_is_lost_in_the_long_run(arena: Arena, owner: asyncpg.Connection, scribblers: int) -> None:
    storm = await raise_storm(arena, owner, SEED, LONG_ROUNDS, scribblers)
    assert storm.tally.wrong == []
    assert_all_was_tried(storm)


def without(monkeypatch: pytest.MonkeyPatch, statement: str, words: str) -> None:
    """Leaves words out of a statement of the commands."""
    written = SQL[statement]
    assert words in written.sql
    monkeypatch.setitem(SQL, statement, replace(written, sql=written.sql.replace(words, "")))


async def test_rows_that_nobody_locks_or_looks_at_again_lose_changes(
    arena: Arena, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "lock_deals", LOCK)
    without(monkeypatch, "change_deals", GUARD)
    storm = await raise_storm(arena, owner, SEED, LONG_ROUNDS)
    assert [line for line in storm.tally.wrong if "one change went from version" in line]
