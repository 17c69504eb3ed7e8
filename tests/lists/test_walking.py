"""All pages of every list, in every ordering, both directions, from either end."""

import pytest

from tests.conftest import Client, Database
from tests.lists.catalogue import DEALS, LISTS, MEMBERS, ORDERINGS, Listed, Page, Walk, keys_of, on_from, page_of
from tests.lists.conftest import Room

pytestmark = pytest.mark.same_lines

DIRECTIONS = ("ASC", "DESC")


async def walked(client: Client, walk: Walk) -> list[Page]:
    """Every page from the walk's end of the list to the other."""
    pages = [await page_of(client, walk, None)]
    while (cursor := on_from(walk, pages[-1])) is not None:
        pages.append(await page_of(client, walk, cursor))
    return pages


async def wanted(database: Database, tenant_id: int, walk: Walk) -> list[int]:
    async with database.as_owner() as owner:
        return [row["id"] for row in await owner.fetch(walk.sql(), tenant_id)]


def in_list_order(walk: Walk, pages: list[Page]) -> list[int]:
    return [key for page in (reversed(pages) if walk.backwards else pages) for key in page.keys]


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(("listed", "ordering"), ORDERINGS, ids=str)
async def test_all_pages_are_the_list_in_its_order(
    room: Room, listed: Listed, ordering: str, direction: str, backwards: bool, size: int
) -> None:
    walk = Walk(listed, ordering, direction, size, backwards)
    pages = await walked(room.client, walk)
    rows = await wanted(room.database, room.rows.tenant_id, walk)
    assert in_list_order(walk, pages) == rows
    assert [len(page.keys) for page in pages] == [
        len(rows[start : start + size]) for start in range(0, len(rows), size)
    ]
    ahead, behind = ("hasPreviousPage", "hasNextPage") if backwards else ("hasNextPage", "hasPreviousPage")
    assert [page.info[ahead] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert [page.info[behind] for page in pages] == [False] + [True] * (len(pages) - 1)


@pytest.mark.parametrize("listed", [listed for listed in LISTS if listed is not MEMBERS], ids=str)
async def test_a_long_list_is_walked_whole(aurora: Client, demo: Database, listed: Listed) -> None:
    ordering = list(listed.orderings)[-1]
    async with demo.as_owner() as owner:
        tenant_id = await owner.fetchval("SELECT id FROM tenants WHERE slug = 'aurora'")
    for direction, backwards in (("DESC", False), ("ASC", True)):
        walk = Walk(listed, ordering, direction, 100, backwards)
        assert in_list_order(walk, await walked(aurora, walk)) == await wanted(demo, tenant_id, walk)


@pytest.mark.parametrize(("listed", "ordering"), ORDERINGS, ids=str)
async def test_rows_of_one_value_are_ordered_by_id_in_the_orderings_direction(
    room: Room, listed: Listed, ordering: str
) -> None:
    column = listed.orderings[ordering]
    for direction, factor in (("ASC", 1), ("DESC", -1)):
        keys = (await page_of(room.client, Walk(listed, ordering, direction, 100), None)).keys
        values = [room.rows.tables[listed.name][key][column] for key in keys]
        known = [value for value in values if value is not None]
        assert values == [*known, *[None] * (len(values) - len(known))]
        assert len(set(values)) < len(values), "no ties: this shows nothing"
        by_value: dict[object, list[int]] = {}
        for key, value in zip(keys, values, strict=True):
            by_value.setdefault(value, []).append(key)
        assert all(same == sorted(same, key=lambda key: factor * key) for same in by_value.values())


DEFAULTS = {
    "deals": ("CREATED_AT", "DESC"),
    "companies": ("NAME", "ASC"),
    "contacts": ("NAME", "ASC"),
    "activities": ("OCCURRED_AT", "DESC"),
    "tasks": ("DUE_AT", "ASC"),
    "members": ("NAME", "ASC"),
}


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_a_bare_list_has_twenty_entries_in_its_default_order(room: Room, listed: Listed) -> None:
    answer = (await room.client.data(f"{{ {listed.name} {{ nodes {{ id }} totalCount }} }}"))[listed.name]
    ordering, direction = DEFAULTS[listed.name]
    rows = await wanted(room.database, room.rows.tenant_id, Walk(listed, ordering, direction, 20))
    assert (keys_of(answer), answer["totalCount"]) == (rows[:20], len(rows))


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
async def test_a_page_of_none_is_empty_and_knows_that_more_follow(room: Room, backwards: bool) -> None:
    page = await page_of(room.client, Walk(DEALS, "AMOUNT", "ASC", 0, backwards), None)
    assert page.keys == []
    assert page.info == {
        "hasNextPage": not backwards,
        "hasPreviousPage": backwards,
        "startCursor": None,
        "endCursor": None,
    }


async def test_a_page_after_the_last_entry_is_empty(room: Room) -> None:
    walk = Walk(DEALS, "AMOUNT", "ASC", 100)
    last = (await page_of(room.client, walk, None)).info["endCursor"]
    page = await page_of(room.client, walk, last)
    assert (page.keys, page.info["hasNextPage"], page.info["hasPreviousPage"]) == ([], False, True)
