"""`dealAggregates` against the oracle: every key, pairs and triples of them, every ordering, every filter."""

from itertools import combinations, permutations
from typing import Any

import pytest

from gateway.api.ids import encode_id
from tests.aggregates.conftest import Room
from tests.aggregates.oracle import KEYS, MEASURES, RECORDS, Deals
from tests.conftest import Client, Database
from tests.lists.conditions import CONDITIONS, values_of
from tests.lists.room import seeded
from tests.lists.rows import Rows

pytestmark = pytest.mark.same_lines

NUMBERS = "labels count won lost value wonValue winRate averageDealSize averageCycleDays"
FIELDS = {
    key: "".join(part.capitalize() if place else part for place, part in enumerate(key.lower().split("_")))
    for key in KEYS
}
Json = dict[str, Any]


def query(keys: tuple[str, ...]) -> str:
    chosen = " ".join(FIELDS[key] + (" { id }" if key in RECORDS else "") for key in keys)
    return f"""query ($by: [DealGroupKey!]!, $filter: DealFilter, $order: DealAggregateOrder, $first: Int = 1000) {{
      dealAggregates(groupBy: $by, filter: $filter, orderBy: $order, first: $first) {{
        keys {{ {chosen} }} {NUMBERS} }} }}"""


async def answered(client: Client, keys: tuple[str, ...], **variables: Any) -> list[Json]:
    rows: list[Json] = (await client.data(query(keys), by=keys, **variables))["dealAggregates"]
    return rows


@pytest.fixture(scope="module")
def deals(room: Room) -> Deals:
    return Deals(room.rows)


@pytest.mark.parametrize("keys", [(key,) for key in KEYS], ids=str)
async def test_one_key(room: Room, deals: Deals, keys: tuple[str, ...]) -> None:
    answer = await answered(room.client, keys)
    assert answer == deals.answer(keys)
    assert len(answer) > 1


@pytest.mark.parametrize("keys", list(combinations(KEYS, 2)), ids="-".join)
async def test_two_keys(room: Room, deals: Deals, keys: tuple[str, ...]) -> None:
    assert await answered(room.client, keys) == deals.answer(keys)


async def test_three_keys(room: Room, deals: Deals) -> None:
    for keys in combinations(KEYS, 3):
        assert await answered(room.client, keys) == deals.answer(keys), keys


async def test_keys_in_another_order_are_the_same_groups(room: Room, deals: Deals) -> None:
    for keys in permutations(("PRODUCT", "TEAM", "CLOSED_MONTH")):
        assert await answered(room.client, keys) == deals.answer(keys), keys


@pytest.mark.parametrize("descending", [True, False], ids=["DESC", "ASC"])
@pytest.mark.parametrize("measure", MEASURES)
async def test_groups_ordered_by_a_measure(room: Room, deals: Deals, measure: str, descending: bool) -> None:
    order = {"measure": measure, "direction": "DESC" if descending else "ASC"}
    for keys in (("OWNER",), ("COMPANY",), ("CLOSED_MONTH", "INDUSTRY"), ("PRODUCT", "OUTCOME", "STAGE")):
        assert await answered(room.client, keys, order=order) == deals.answer(
            keys, by=measure, descending=descending
        ), keys


@pytest.mark.parametrize("descending", [True, False], ids=["DESC", "ASC"])
@pytest.mark.parametrize("key", KEYS)
async def test_groups_ordered_by_a_key(room: Room, deals: Deals, key: str, descending: bool) -> None:
    order = {"key": key, "direction": "DESC" if descending else "ASC"}
    for keys in ((key,), tuple(dict.fromkeys((key, "OUTCOME"))), tuple(dict.fromkeys(("CREATED_MONTH", "TEAM", key)))):
        assert await answered(room.client, keys, order=order) == deals.answer(keys, by=key, descending=descending), keys


async def test_a_direction_is_descending_unless_asked_otherwise(room: Room, deals: Deals) -> None:
    assert await answered(room.client, ("OWNER",), order={"measure": "COUNT"}) == deals.answer(("OWNER",), by="COUNT")


@pytest.mark.parametrize("first", [0, 1, 7, 1000])
async def test_no_more_groups_than_asked_for(room: Room, deals: Deals, first: int) -> None:
    assert await answered(room.client, ("COMPANY",), first=first) == deals.answer(("COMPANY",), first=first)


async def test_a_hundred_groups_unless_asked_for_more(room: Room, deals: Deals) -> None:
    keys = ("COMPANY", "STAGE", "OWNER")
    assert len(deals.groups(keys)) > 50
    assert await answered(room.client, keys, first=None) == deals.answer(keys, first=100)


@pytest.mark.parametrize("condition", sorted(CONDITIONS["deals"]))
async def test_every_filter_of_deals(room: Room, deals: Deals, condition: str) -> None:
    for value in values_of("Deal", condition):
        for keys in (("OUTCOME",), ("PRODUCT", "TEAM")):
            wanted = {condition: value}
            assert await answered(room.client, keys, filter=wanted) == deals.answer(keys, wanted), (value, keys)


async def test_keys_filters_and_orderings_together(room: Room, deals: Deals) -> None:
    dice = seeded(5)
    for _ in range(150):
        keys = tuple(dice.sample(KEYS, dice.choice((1, 2, 3))))
        names = dice.sample(sorted(CONDITIONS["deals"]), 2)
        wanted = {name: dice.choice(values_of("Deal", name)[1:]) for name in names}
        by, descending = dice.choice((*MEASURES, *keys)), dice.choice((True, False))
        order = {"measure" if by in MEASURES else "key": by, "direction": "DESC" if descending else "ASC"}
        answer = await answered(room.client, keys, filter=wanted, order=order)
        assert answer == deals.answer(keys, wanted, by=by, descending=descending), (keys, wanted, order)


async def test_won_value_by_industry_and_month_for_team_east(room: Room) -> None:
    wanted = {"teams": ["East"], "outcomes": ["WON"]}
    answer = await answered(room.client, ("INDUSTRY", "CLOSED_MONTH"), filter=wanted, order={"measure": "WON_VALUE"})
    assert [(row["labels"], row["count"], row["wonValue"]) for row in answer] == [
        (["(none)", "2024-04"], 4, "12345678901234.5678"),
        (["Retail", "2024-04"], 1, "0.0001"),
    ]


async def test_an_analysts_question_of_the_demo(demo: Database, aurora: Client) -> None:
    async with demo.as_owner() as owner:
        deals = Deals(await Rows.read(owner, "aurora"))
    team = next(row["team"] for row in deals.rows.alive("members") if row["team"])
    keys, wanted = ("INDUSTRY", "CLOSED_MONTH"), {"teams": [team], "outcomes": ["WON"]}
    answer = await answered(aurora, keys, filter=wanted, order={"measure": "WON_VALUE"})
    assert answer == deals.answer(keys, wanted, by="WON_VALUE")
    assert len(answer) > 10


async def test_deleted_deals_count_in_no_group(room: Room, deals: Deals) -> None:
    total = sum(row["count"] for row in await answered(room.client, ("STAGE",)))
    assert total == len(room.rows.alive("deals")) < len(room.rows.tables["deals"])
    assert len(deals.groups(("STAGE",))) > 1


async def test_a_deleted_company_keeps_its_name_and_is_no_record(room: Room) -> None:
    rows = {
        row["labels"][0]: row["keys"]
        for row in await answered(room.client, ("COMPANY",))
        if row["keys"]["company"] is None
    }
    deleted = {row["name"] for row in room.rows.tables["companies"].values() if row["deleted_at"]}
    assert rows.keys() - {"(none)"}
    assert rows.keys() <= deleted | {"(none)"}


async def test_a_deleted_product_keeps_its_name_and_is_no_record(room: Room) -> None:
    (row,) = [row for row in await answered(room.client, ("PRODUCT",)) if row["labels"] == [" product 5"]]
    assert row["keys"] == {"product": None}
    assert row["count"] > 0


async def test_a_deal_counts_under_each_product_with_the_amount_of_its_line(room: Room) -> None:
    deal, lines = next((key, lines) for key, lines in room.rows.lines.items() if len(lines) == 2 and key % 12)
    answer = await answered(
        room.client,
        ("PRODUCT",),
        filter={"ids": [encode_id("Deal", deal)]},
        order={"key": "PRODUCT", "direction": "ASC"},
    )
    assert [(row["count"], row["value"]) for row in answer] == [
        (1, f"{(line['amount'] or 0):.4f}".rstrip("0").rstrip("."))
        for line in sorted(lines, key=lambda line: line["product_id"])
    ]
