"""Rows come and go while a list is walked: what stays is seen once, and nothing twice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

import asyncpg
import pytest

from gateway.app import create_app
from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import Client, fresh_database, serving
from tests.lists.catalogue import DEALS, Page, Walk, on_from, page_of
from tests.lists.room import NORTH, add_room, seeded

SIZE = 5
WALKS = [
    Walk(DEALS, ordering, direction, SIZE, backwards)
    for ordering in ("AMOUNT", "NAME", "EXPECTED_CLOSE", "CREATED_AT")
    for direction in ("ASC", "DESC")
    for backwards in (False, True)
]
INSERT = """
INSERT INTO deals (tenant_id, pipeline_id, stage_id, owner_id, name, amount, expected_close, created_at)
SELECT tenant_id, pipeline_id, stage_id, owner_id, name, amount, expected_close, created_at
  FROM deals WHERE tenant_id = $1 AND id = $2 RETURNING id
"""
DELETE = "UPDATE deals SET deleted_at = now() WHERE tenant_id = $1 AND id = ANY($2::bigint[])"
REMOVE = "DELETE FROM deals WHERE tenant_id = $1 AND id = ANY($2::bigint[])"


@dataclass(frozen=True)
class Scene:
    client: Client
    owner: asyncpg.Connection
    tenant_id: int

    async def rows(self, walk: Walk) -> list[int]:
        """Keys in the order in which the walk meets them."""
        rows = [row["id"] for row in await self.owner.fetch(walk.sql(), self.tenant_id)]
        return rows[::-1] if walk.backwards else rows

    async def page(self, walk: Walk, cursor: str | None) -> Page:
        page = await page_of(self.client, walk, cursor)
        return Page(page.keys[::-1], page.info) if walk.backwards else page

    async def twin(self, key: int) -> int:
        """A new row that stands beside another in every ordering."""
        return int(await self.owner.fetchval(INSERT, self.tenant_id, key))

    async def delete(self, *keys: int, statement: str = DELETE) -> None:
        await self.owner.execute(statement, self.tenant_id, keys)


@pytest.fixture
async def scene(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Scene]:
    database = await fresh_database(postgres, template)
    async with database.as_owner() as owner:
        tenant_id = await add_room(owner, NORTH, "UTC", 7)
        await owner.execute("SELECT setval(pg_get_serial_sequence('deals', 'id'), 1000)")
        await owner.execute("DELETE FROM activities WHERE tenant_id = $1", tenant_id)
        await owner.execute("DELETE FROM tasks WHERE tenant_id = $1", tenant_id)
        async with serving(create_app(database.settings()), await database.token(NORTH)) as client:
            yield Scene(client, owner, tenant_id)


def name_of(walk: Walk) -> str:
    return f"{walk.ordering} {walk.direction}{' backwards' if walk.backwards else ''}"


async def test_rows_that_stay_are_seen_once_while_others_come_and_go(scene: Scene) -> None:
    dice = seeded(3)
    for walk in WALKS:
        present = stayed = set(await scene.rows(walk))
        page = await scene.page(walk, None)
        seen = list(page.keys)
        while (cursor := on_from(walk, page)) is not None:
            gone = {*dice.sample(sorted(present), 2), page.keys[-1]} if len(present) > 40 else {page.keys[-1]}
            statement = dice.choice((DELETE, REMOVE))
            await scene.delete(*gone, statement=statement)
            stayed = stayed - gone
            for key in dice.sample(sorted(stayed), 3):
                await scene.twin(key)
            present = set(await scene.rows(walk))
            page = await scene.page(walk, cursor)
            seen += page.keys
        assert len(seen) == len(set(seen)), name_of(walk)
        assert stayed <= set(seen), name_of(walk)


async def test_the_next_page_is_what_stands_beyond_the_cursor_by_then(scene: Scene) -> None:
    for walk in WALKS:
        page = await scene.page(walk, None)
        met, edge = page.keys, page.keys[-1]
        rows = await scene.rows(walk)
        await scene.twin(rows[0])
        for key in (edge, rows[SIZE + 1], rows[-1]):
            await scene.twin(key)
        await scene.delete(rows[1], rows[SIZE])
        by_then = await scene.rows(walk)
        beyond = by_then[by_then.index(edge) + 1 :]
        await scene.delete(edge)
        assert (await scene.page(walk, on_from(walk, page))).keys == beyond[:SIZE], name_of(walk)
        assert not set(met) & set(beyond)


async def test_the_cursor_of_a_deleted_row_stays_good(scene: Scene) -> None:
    walk = Walk(DEALS, "AMOUNT", "ASC", SIZE)
    before = await scene.rows(walk)
    page = await scene.page(walk, None)
    await scene.delete(*page.keys, statement=REMOVE)
    again = await scene.page(walk, on_from(walk, page))
    assert again.keys == before[SIZE : 2 * SIZE]


async def test_a_value_that_is_known_at_last_moves_its_row_and_no_other(scene: Scene) -> None:
    walk = Walk(DEALS, "AMOUNT", "ASC", 100)
    rows = await scene.rows(walk)
    last = rows[-1]
    await scene.owner.execute(
        "UPDATE deals SET amount = $3 WHERE tenant_id = $1 AND id = $2", scene.tenant_id, last, Decimal("0.00005")
    )
    moved = (await scene.page(walk, None)).keys
    assert moved != rows
    assert [key for key in moved if key != last] == rows[:-1]
