"""What a caller may get wrong about `dealAggregates`, and the statements that it issues."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.app import create_app
from tests.aggregates.conftest import Room
from tests.api.test_statements import Counted
from tests.conftest import serving
from tests.lists.room import NORTH

QUERY = """query ($by: [DealGroupKey!]!, $filter: DealFilter, $order: DealAggregateOrder, $first: Int) {
  dealAggregates(groupBy: $by, filter: $filter, orderBy: $order, first: $first) { labels count } }"""


async def refusals(room: Room, **variables: Any) -> list[tuple[str, Any]]:
    answer = (await room.client.post(QUERY, variables)).json()
    return [(error["extensions"]["code"], error["extensions"].get("path")) for error in answer.get("errors", [])]


@pytest.mark.parametrize(
    "by",
    [[], ["OWNER", "OWNER"], ["TEAM", "OWNER", "TEAM"], ["OWNER", "TEAM", "REGION", "STAGE"], ["OWNER"] * 100],
    ids=["none", "a pair of one", "one twice", "four", "a hundred"],
)
async def test_one_to_three_keys_each_once(room: Room, by: list[str]) -> None:
    assert await refusals(room, by=by) == [("BAD_USER_INPUT", ["groupBy"])]


@pytest.mark.parametrize("first", [-1, 1001, 2**31 - 1, -(2**31)])
async def test_from_none_to_a_thousand_groups(room: Room, first: int) -> None:
    assert await refusals(room, by=["OWNER"], first=first) == [("BAD_USER_INPUT", ["first"])]


@pytest.mark.parametrize(
    "order", [{}, {"measure": "COUNT", "key": "OWNER"}, {"key": "TEAM"}, {"measure": None, "key": None}], ids=str
)
async def test_an_order_is_by_a_measure_or_by_a_key_grouped_by(room: Room, order: dict[str, Any]) -> None:
    assert await refusals(room, by=["OWNER"], order=order) == [("BAD_USER_INPUT", ["orderBy"])]


@pytest.mark.parametrize(
    "variables",
    [{"by": None}, {"by": ["NAME"]}, {"by": [None]}, {"by": ["OWNER"], "first": 2**31}, {"by": ["OWNER"], "order": 1}],
    ids=str,
)
async def test_wrong_types_are_refused_as_variables(room: Room, variables: dict[str, Any]) -> None:
    assert [code for code, _ in await refusals(room, **variables)] == ["VARIABLES_INVALID"]


@pytest.mark.parametrize(
    ("wanted", "condition"),
    [
        ({"search": "x" * 201}, "search"),
        ({"ids": ["TWVtYmVyOjE"]}, "ids"),
        ({"expectedClose": {"from": "2024-02-01", "to": "2024-01-01"}}, "expectedClose"),
    ],
    ids=["search", "ids", "days"],
)
async def test_its_filter_is_refused_as_that_of_deals(room: Room, wanted: dict[str, Any], condition: str) -> None:
    assert await refusals(room, by=["OWNER"], filter=wanted) == [("BAD_USER_INPUT", ["filter", condition])]


@pytest.fixture(scope="module")
async def counted(room: Room) -> AsyncIterator[Counted]:
    async with serving(create_app(room.database.settings()), None) as gateway:
        yield Counted(gateway)


@pytest.mark.parametrize(
    ("by", "selection", "names"),
    [
        ("OWNER", "labels count value", ""),
        ("OWNER", "keys { owner { name } }", "members_by_id"),
        ("TEAM, CLOSED_MONTH", "keys { team closedMonth owner { name } }", ""),
        ("COMPANY", "keys { company { name owner { name } } }", "companies_by_id members_by_id"),
        ("STAGE, PIPELINE", "keys { stage { name } pipeline { name } }", "stages_by_id pipelines_by_id"),
        ("PRODUCT, OWNER", "keys { product { name } owner { name } }", "products_by_id members_by_id"),
    ],
)
@pytest.mark.parametrize("first", [8, 1000])
async def test_a_statement_for_the_groups_and_one_for_each_kind_of_record(
    room: Room, counted: Counted, by: str, selection: str, names: str, first: int
) -> None:
    query = f"{{ dealAggregates(groupBy: [{by}], first: {first}) {{ {selection} }} }}"
    issued = await counted.issued(query, token=await room.database.token(NORTH))
    assert issued == Counter(["moment", "deal_groups", *names.split()])
