"""Nothing of the other tenant is ever listed, counted, searched or summed: its rows have the same keys."""

import json
from typing import Any

import pytest

from gateway.api.ids import encode_id
from tests.lists.catalogue import LISTS, ORDERINGS, Listed
from tests.lists.conditions import CONDITIONS
from tests.lists.conftest import Room
from tests.lists.room import KEYS, MARK

AMOUNT = "31337"
EVERYTHING = """
  deals(first: 100) { totalCount nodes { id name amount owner { name team } company { name } stage { name }
    activities { totalCount nodes { subject body contact { name email } } } tasks { nodes { title } } } }
  companies(first: 100) { totalCount nodes { name industry region owner { name }
    deals { totalCount nodes { name amount } } contacts { nodes { name email activities { nodes { subject } } } }
    activities { totalCount nodes { subject } } tasks { totalCount nodes { title } } } }
  contacts(first: 100) { totalCount nodes { name email company { name } owner { name } } }
  activities(first: 100) { totalCount nodes { subject body owner { name } company { name } deal { name } } }
  tasks(first: 100) { totalCount nodes { title owner { name } company { name } deal { name } } }
  members(first: 100) { totalCount nodes { name email team region deals { totalCount nodes { name } }
    companies { nodes { name } } activities { nodes { subject } } tasks { nodes { title } } } }
"""


async def test_everything_listed_is_ones_own(room: Room) -> None:
    query = f"{{ {EVERYTHING} }}"
    shown, others = [json.dumps(await client.data(query)) for client in (room.client, room.south)]
    assert MARK not in shown
    assert AMOUNT not in shown
    assert MARK in others
    assert AMOUNT in others


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_the_others_texts_are_found_by_no_search(room: Room, listed: Listed) -> None:
    query = listed.query("nodes { id } totalCount")
    for text in (MARK, MARK.lower(), f"{MARK}Alpha"):
        assert (await room.client.data(query, filter={"search": text}))[listed.name] == {"nodes": [], "totalCount": 0}
    assert (await room.south.data(query, filter={"search": MARK}))[listed.name]["totalCount"] > 0


@pytest.mark.parametrize("condition", ["teams", "regions", "industries"])
async def test_the_others_words_select_nothing(room: Room, condition: str) -> None:
    words = [f"{MARK}{word}" for word in ("East", "West", "North", "Süd", "Energy", "Retail")]
    for listed in LISTS:
        if condition in CONDITIONS[listed.name]:
            query = listed.query("totalCount")
            assert (await room.client.data(query, filter={condition: words}))[listed.name] == {"totalCount": 0}
            assert (await room.south.data(query, filter={condition: words}))[listed.name]["totalCount"] > 0


@pytest.mark.parametrize(("listed", "ordering"), ORDERINGS, ids=str)
async def test_no_ordering_reaches_the_others_rows(room: Room, listed: Listed, ordering: str) -> None:
    text = {"deals": "name", "activities": "subject", "tasks": "title"}.get(listed.name, "name")
    for size in ("first", "last"):
        variables: dict[str, Any] = {size: 100, "orderBy": {"field": ordering, "direction": "DESC"}}
        answer = await room.client.data(listed.query(f"nodes {{ {text} }}"), **variables)
        assert len(answer[listed.name]["nodes"]) == len(room.rows.alive(listed.name))
        assert MARK not in json.dumps(answer)


IDS = {
    "pipelineIds": ("Pipeline", 2),
    "stageIds": ("Stage", 7),
    "ownerIds": ("Member", KEYS["members"]),
    "companyIds": ("Company", KEYS["companies"]),
    "contactIds": ("Contact", KEYS["contacts"]),
    "dealIds": ("Deal", KEYS["deals"]),
}


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_keys_that_both_tenants_have_find_ones_own_rows(room: Room, listed: Listed) -> None:
    text = {"activities": "subject", "tasks": "title"}.get(listed.name, "name")
    for condition in CONDITIONS[listed.name].keys() & {*IDS, "ids"}:
        type_name, last = IDS.get(condition, (listed.type_name, KEYS[listed.name]))
        ids = [encode_id(type_name, key) for key in range(1, last + 1)]
        answer = await room.client.data(listed.query(f"nodes {{ {text} }}"), first=100, filter={condition: ids})
        assert answer[listed.name]["nodes"]
        assert MARK not in json.dumps(answer)


KEY_FIELDS = """keys { owner { name } team region stage { name } pipeline { name } company { name } industry
  product { name } outcome createdMonth closedMonth } labels value wonValue"""


@pytest.mark.parametrize("key", ["OWNER", "TEAM", "REGION", "STAGE", "PIPELINE", "COMPANY", "INDUSTRY", "PRODUCT"])
async def test_no_group_holds_anything_of_the_others(room: Room, key: str) -> None:
    query = f"{{ dealAggregates(groupBy: [{key}], first: 1000) {{ {KEY_FIELDS} }} }}"
    shown, others = [json.dumps(await client.data(query)) for client in (room.client, room.south)]
    assert MARK not in shown
    assert AMOUNT not in shown
    assert MARK in others


async def test_the_others_words_make_no_group(room: Room) -> None:
    query = "query ($filter: DealFilter) { dealAggregates(groupBy: [OUTCOME], filter: $filter) { count } }"
    for wanted in ({"search": MARK}, {"teams": [f"{MARK}East"]}, {"amount": {"min": "31337", "max": "31338"}}):
        assert await room.client.data(query, filter=wanted) == {"dealAggregates": []}
        assert (await room.south.data(query, filter=wanted))["dealAggregates"]


async def test_the_two_rooms_have_the_same_keys(room: Room) -> None:
    query = "{ deals { totalCount } companies { totalCount } members { totalCount } }"
    assert await room.client.data(query) == await room.south.data(query)
