"""Every condition of every filter against its meaning, alone and combined."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType

from gateway.api.ids import encode_id
from gateway.api.schema import graphql_schema
from tests.lists.catalogue import COMPANIES, CONTACTS, DEALS, LISTS, TASKS, Listed, keys_of
from tests.lists.conditions import CONDITIONS, chosen, values_of
from tests.lists.conftest import Room
from tests.lists.room import seeded

pytestmark = pytest.mark.same_lines

COMBINATIONS = 120
SELECTION = "nodes { id } totalCount"
EACH = [
    (listed, condition, value)
    for listed in LISTS
    for condition in CONDITIONS[listed.name]
    for value in values_of(listed.type_name, condition)
]


async def found(room: Room, listed: Listed, wanted: Any) -> tuple[set[int], int]:
    """The keys that a filter finds, and how many it counts."""
    answer = (await room.client.data(listed.query(SELECTION), first=100, filter=wanted))[listed.name]
    return set(keys_of(answer)), answer["totalCount"]


@pytest.mark.parametrize("listed", LISTS, ids=str)
def test_every_condition_of_the_schema_is_tried(listed: Listed) -> None:
    given = graphql_schema().type_map[f"{listed.type_name}Filter"]
    assert isinstance(given, GraphQLInputObjectType)
    assert given.fields.keys() == CONDITIONS[listed.name].keys()


@pytest.mark.parametrize(("listed", "condition", "value"), EACH, ids=str)
async def test_a_condition_finds_what_it_says(room: Room, listed: Listed, condition: str, value: Any) -> None:
    expected = chosen(room.rows, listed.name, {condition: value})
    assert await found(room, listed, {condition: value}) == (expected, len(expected))


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_conditions_are_joined_by_and(room: Room, listed: Listed) -> None:
    dice, hits = seeded(11), 0
    for _ in range(COMBINATIONS):
        names = dice.sample(sorted(CONDITIONS[listed.name]), dice.choice((2, 2, 3, len(CONDITIONS[listed.name]))))
        wanted = {name: dice.choice(values_of(listed.type_name, name)[1:] or [True]) for name in names}
        expected = chosen(room.rows, listed.name, wanted)
        assert await found(room, listed, wanted) == (expected, len(expected)), wanted
        hits += bool(expected)
    assert hits > COMBINATIONS / 20, "nearly all were empty: this shows little"


@pytest.mark.parametrize("listed", LISTS, ids=str)
@pytest.mark.parametrize("nothing", [None, {}])
async def test_a_filter_without_conditions_finds_everything(room: Room, listed: Listed, nothing: Any) -> None:
    everything = chosen(room.rows, listed.name, {})
    assert await found(room, listed, nothing) == (everything, len(everything))
    nulls = dict.fromkeys(CONDITIONS[listed.name])
    assert await found(room, listed, nulls) == (everything, len(everything))


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_deleted_rows_are_found_by_no_filter(room: Room, listed: Listed) -> None:
    gone = room.rows.tables[listed.name].keys() - {row["id"] for row in room.rows.alive(listed.name)}
    ids = [encode_id(listed.type_name, key) for key in gone]
    assert await found(room, listed, {"ids": ids}) == (set(), 0)


async def test_a_day_is_the_tenants_own(room: Room) -> None:
    """Midnight in Tokyo is 15:00 UTC: the last instant before it and the first after it are of two days."""
    days = {"from": "2024-04-01", "to": "2024-04-02"}
    keys, _ = await found(room, COMPANIES, {"created": days})
    times = {room.rows.tables["companies"][key]["created_at"].strftime("%d %H:%M:%S") for key in keys}
    assert times <= {"31 15:00:00", "31 23:59:59", "01 00:00:00", "01 14:59:59"}
    assert {"31 15:00:00", "01 14:59:59"} & times


async def test_amounts_at_both_ends_are_in_and_unknown_ones_are_not(room: Room) -> None:
    keys, _ = await found(room, DEALS, {"amount": {"min": "99.99", "max": "100"}})
    assert {str(room.rows.tables["deals"][key]["amount"]) for key in keys} == {"99.9900", "100.0000"}
    all_known, _ = await found(room, DEALS, {"amount": {"min": "0"}})
    assert all_known == {row["id"] for row in room.rows.alive("deals") if row["amount"] is not None}


async def test_the_page_after_a_cursor_keeps_to_the_filter(room: Room) -> None:
    wanted = {"outcomes": ["OPEN"], "amount": {"max": "100"}}
    expected, met, cursor, more = chosen(room.rows, "deals", wanted), [], None, True
    while more:
        query = DEALS.query("nodes { id } pageInfo { hasNextPage endCursor }")
        page = (await room.client.data(query, first=2, after=cursor, filter=wanted))["deals"]
        met += keys_of(page)
        more, cursor = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
    assert len(expected) > 2
    assert sorted(met) == sorted(expected)


@pytest.mark.parametrize(("listed", "condition"), [(CONTACTS, "ownerIds"), (TASKS, "dealIds"), (DEALS, "ids")], ids=str)
async def test_a_thousand_ids_are_taken(room: Room, listed: Listed, condition: str) -> None:
    type_name = {"ownerIds": "Member", "dealIds": "Deal", "ids": "Deal"}[condition]
    ids = [encode_id(type_name, key) for key in range(1, 1001)]
    expected = chosen(room.rows, listed.name, {condition: ids})
    assert await found(room, listed, {condition: ids}) == (expected, len(expected))
