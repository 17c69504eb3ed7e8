"""Whatever is done to hide what an operation costs, it is priced in full; what is not executed is not priced."""

import re
from typing import Any

import pytest

from tests.conftest import Client
from tests.cost.conftest import Open, Payer
from tests.cost.priced import Priced, gateway

IDS = [f"id-{number}" for number in range(1000)]


def points(text: str, variables: dict[str, Any] | None = None) -> int:
    return gateway().points(text, variables)


def test_each_alias_is_paid() -> None:
    assert points("{ a: deals(first: 9) { nodes { id } } b: deals(first: 9) { nodes { id } } }") == 2 * (1 + 9)


def test_one_field_that_is_selected_twice_is_paid_once() -> None:
    once = "{ deals(first: 9) { nodes { owner { name } } } }"
    twice = """
    { ...A ...B deals(first: 9) { nodes { owner { id } } } }
    fragment A on Query { deals(first: 9) { nodes { owner { name } } } }
    fragment B on Query { deals(first: 9) { nodes { ... on Deal { owner { team } } ... { owner { name } } } } }
    """
    assert points(once) == points(twice) == 1 + 9 * (1 + 1)


def test_pages_multiply() -> None:
    deals = "deals(first: 100) { nodes { activities(first: 100) { nodes { id } } } }"
    assert points(f"{{ companies(first: 100) {{ nodes {{ {deals} }} }} }}") == 1 + 100 * (1 + 1 + 100 * (1 + 1 + 100))


@pytest.mark.parametrize(("depth", "cost"), [(10, 2**11 - 1), (60, 10**15)])
def test_fragments_that_double_are_paid_in_full_and_compiled_once(depth: int, cost: int) -> None:
    """Spelled out, the deep one has 2^60 fields: that it is compiled at all is the proof. 1 + 2 + 4 + … + 2^60 points
    are more than any price may be."""
    doubling = "".join(
        f"fragment F{level} on Leaf {{ a: leaf {{ ...F{level + 1} }} b: leaf {{ ...F{level + 1} }} }} "
        for level in range(depth)
    )
    schema = Priced.written("type Leaf { leaf: Leaf  end: Int } type Query { leaf: Leaf }")
    assert schema.points(f"{{ leaf {{ ...F0 }} }} {doubling} fragment F{depth} on Leaf {{ end }}") == cost


@pytest.mark.parametrize("size", [101, 5000, 2**31 - 1, 2**31, 10**400])
def test_a_huge_page_costs_no_less_and_no_more_than_a_number_can_say(size: int) -> None:
    text = "query ($n: Int) { companies(first: $n) { nodes { deals(first: $n) { nodes { id } } } } }"
    entries = min(size, 2**31 - 1)
    assert points(text, {"n": size}) == min(1 + entries * (1 + 1 + entries), 10**15)


@pytest.mark.parametrize("size", [-1, -(10**400), 0])
def test_a_negative_page_costs_nothing_less_than_an_empty_one(size: int) -> None:
    assert points("query ($n: Int) { deals(first: $n) { nodes { id } } me { id } }", {"n": size}) == 1 + 0 + 1


@pytest.mark.parametrize("size", [None, "many", True, 1.5, {}, [[]]])
def test_a_size_that_is_none_is_refused_later_and_priced_all_the_same(size: object) -> None:
    assert points("query ($n: Int) { deals(first: $n) { nodes { id } } }", {"n": size}) >= 1


def test_the_larger_of_first_and_last_counts() -> None:
    assert points("{ deals(first: 3, last: 50) { nodes { id } } }") == 1 + 50


def test_edges_and_nodes_are_both_paid() -> None:
    assert points("{ deals(first: 7) { edges { node { id } } nodes { id } } }") == 1 + 7 * (1 + 1) + 7 * 1


@pytest.mark.parametrize("place", ["ids", "ownerIds", "teams"])
def test_each_entry_of_a_list_of_ids_is_paid(place: str) -> None:
    text = "query ($f: DealFilter) { deals(first: 10, filter: $f) { nodes { id } } }"
    assert points(text, {"f": {}}) == 1 + 10 + 1
    assert points(text, {"f": {place: IDS}}) == 1 + 10 + 1 + 1000 // 10
    written = "query ($i: [ID!]) { deals(first: 10, filter: {ids: $i}) { nodes { id } } }"
    assert points(written, {"i": IDS}) == 1 + 10 + 1 + 1000 // 10


def test_each_deal_of_a_change_is_paid_however_it_is_named() -> None:
    text = "mutation ($input: UpdateDealStagesInput!) { updateDealStages(input: $input) { operationId } }"
    changes = [{"dealId": deal, "stageId": "s"} for deal in IDS]
    assert points(text, {"input": {"changes": changes}}) == 10 + 1 + 1000 + 1
    assert points(text, {"input": {"dealIds": IDS, "stageId": "s"}}) == 10 + 1 + 1000 + 1
    with_results = text.replace("operationId", "results { status }")
    assert points(with_results, {"input": {"changes": changes}}) == 10 + 1 + 1000 + 1 + 1000


def test_a_default_costs_what_its_value_costs() -> None:
    text = "query ($n: Int = 40) { deals(first: $n) { nodes { id } } }"
    assert points(text) == points(text, {"n": 40}) == 41
    assert points(text, {"n": None}) == 1 + 20  # null is given: the list's own default


def test_a_variable_that_is_left_out_is_the_arguments_default() -> None:
    text = "query ($n: Int) { dealAggregates(groupBy: [OWNER], first: $n) { count } }"
    assert points(text) == points("{ dealAggregates(groupBy: [OWNER]) { count } }") == 44 + 100


def test_skipping_and_including_go_by_the_values_of_the_request() -> None:
    text = """
    query ($on: Boolean!, $off: Boolean = false) {
      me { id }
      deals(first: 10) @include(if: $on) { nodes { id } totalCount @skip(if: $off) }
      ...Rest @skip(if: $off)
    }
    fragment Rest on Query { tasks(first: 5) { nodes { id } } }
    """
    with_count, deals, tasks = 100, 1 + 10, 1 + 5
    assert points(text, {"on": True}) == 1 + deals + with_count + tasks
    assert points(text, {"on": False}) == 1 + tasks
    assert points(text, {"on": True, "off": True}) == 1 + deals
    assert points(text, {"on": False, "off": True}) == 1


def test_a_field_that_is_skipped_in_one_place_and_not_in_another_is_paid() -> None:
    text = """
    query ($s: Boolean!) { deals(first: 9) @skip(if: $s) { nodes { id } } ...A }
    fragment A on Query { deals(first: 9) { nodes { name } } }
    """
    assert points(text, {"s": True}) == points(text, {"s": False}) == 1 + 9


def test_conditions_on_what_is_written_are_followed() -> None:
    assert points("{ me { id } deals @include(if: false) { nodes { id } } tasks @skip(if: true) { totalCount } }") == 1


def test_a_period_costs_by_its_days_and_none_the_most() -> None:
    text = "query ($p: PeriodInput) { dashboard(period: $p) { overview { pipeline { conversionToNext } } } }"
    rest = 1 + 1 + 4 + 30  # Dashboard, DashboardOverview, the board, stages
    assert points(text, {"p": {"preset": "LAST_90_DAYS"}}) == rest + 2 - 1 + 330
    assert points(text, {"p": {"preset": "TODAY"}}) == rest + 1 + 33
    assert points(text, {"p": {"range": {"from": "2025-01-01", "to": "2025-06-30"}}}) == rest + 2 + 660
    assert points(text, {"p": {"range": {"from": "1990-01-01", "to": "1999-01-01"}}}) == rest + 2 + 3300
    assert points(text, {"p": {"range": {"from": "soon", "to": "late"}}}) == rest + 2 + 3300
    assert points(text) == rest + 3300


def test_a_member_costs_what_single_moves_cost() -> None:
    period = "period: {preset: LAST_90_DAYS}"
    text = f"query ($o: ID) {{ dashboard(ownerId: $o, {period}) {{ overview {{ pipeline {{ entered }} }} }} }}"
    rest = 1 + 1 + 1 + 4 + 30
    assert (points(text), points(text, {"o": "somebody"})) == (rest + 3, rest + 240)


def test_two_periods_are_two_readings() -> None:
    one = "a: dashboard(period: {preset: LAST_90_DAYS}) { ...D }"
    fragment = "fragment D on Dashboard { overview { pipeline { entered left conversionToNext medianDaysInStage } } }"
    both = one + " b: dashboard { ...D }"
    rest = 1 + 1 + 4 + 30
    assert points(f"{{ {one} }} {fragment}") == rest + 1 + 330
    assert points(f"{{ {both} }} {fragment}") == rest + 1 + 330 + rest + 3300


def test_points_of_a_trend_are_the_intervals_of_its_period() -> None:
    text = "query ($i: Interval!, $p: PeriodInput) { dashboard(period: $p) { trend(interval: $i) { won } } }"
    ten_years = {"range": {"from": "2015-01-01", "to": "2025-01-01"}}
    assert points(text, {"i": "MONTH"}) == 1 + 2 + 12
    assert points(text, {"i": "DAY", "p": ten_years}) == 1 + 2 + 2 + 3653


def test_keys_and_filters_that_no_rollup_has_cost_a_scan() -> None:
    rollup, scan = 44 + 1, 440 + 1
    assert points("{ dealAggregates(groupBy: [OWNER, STAGE], first: 1) { count } }") == rollup
    assert points("{ dealAggregates(groupBy: [INDUSTRY], first: 1) { count } }") == scan
    text = "query ($k: [DealGroupKey!]!) { dealAggregates(groupBy: $k, first: 1) { count } }"
    assert (points(text, {"k": "OWNER"}), points(text, {"k": "INDUSTRY"})) == (rollup, scan)
    assert points('{ dealAggregates(groupBy: OWNER, filter: {companyIds: ["x"]}, first: 1) { count } }') == 443
    assert points('{ dealAggregates(groupBy: OWNER, filter: {ownerIds: ["x"]}, first: 1) { count } }') == 47


@pytest.mark.parametrize(
    ("keys", "times"),
    [
        (["OWNER", "STAGE", "OUTCOME"], 1),
        (["INDUSTRY", "STAGE"], 10 * 2),
        (["OWNER", "STAGE", "CLOSED_MONTH"], 10 * 3),
        (["COMPANY"], 10 * 2.5),
        (["OWNER", "PRODUCT"], 10 * 2 * 2.5),
        (["COMPANY", "PRODUCT", "INDUSTRY"], 10 * 3 * 2.5),
    ],
)
def test_a_scan_costs_by_its_keys_and_more_by_company_or_product(keys: list[str], times: float) -> None:
    variable = "query ($k: [DealGroupKey!]!) { dealAggregates(groupBy: $k, first: 1) { count } }"
    written = f"{{ dealAggregates(groupBy: [{' '.join(keys)}], first: 1) {{ count }} }}"
    assert points(written) == points(variable, {"k": keys}) == 44 * times + 1


def test_the_length_of_a_whole_list_is_dearer_than_that_of_one_under_a_record() -> None:
    assert points("{ deals { totalCount } }") == 1 + 100
    assert points("{ companies(first: 20) { nodes { deals { totalCount } } } }") == 1 + 20 * (1 + 1 + 2)


def test_a_node_costs_what_the_dearest_that_it_may_be_costs() -> None:
    text = '{ node(id: "x") { id ... on Company { deals(first: 50) { nodes { id } } } ... on Deal { owner { id } } } }'
    assert points(text) == 1 + 1 + 50


def test_introspection_is_paid_by_its_depth() -> None:
    types = "{ __schema { types { name } } }"
    deep = "{ __schema { types { fields { args { type { fields { name } } } } } } }"
    number = len(gateway().schema.type_map)
    assert points(types) == 2  # 0.01 + 0.01 for each of the types
    assert points("{ a: __schema { types { name } } b: __schema { types { name } } }") == round(
        0.02 * (1 + number) + 0.5
    )
    assert points(deep) == -(-(1 + number * (1 + 5 * (1 + 5 * (1 + 1 + 5)))) // 100)


def test_nothing_costs_less_than_one_point() -> None:
    assert points("{ __typename }") == 1


LITTLE = 40
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "aliases": ("{ a: deals(first: 20) { nodes { id } } b: deals(first: 20) { nodes { id } } }", {}),
    "nested fragments": (
        """
        { companies(first: 10) { ...A } }
        fragment A on CompanyConnection { nodes { ...B } }
        fragment B on Company { deals(first: 10) { nodes { id } } }
        """,
        {},
    ),
    "a variable": ("query ($n: Int) { deals(first: $n) { nodes { id } } }", {"n": 100}),
    "a default": ("query ($n: Int = 100) { deals(first: $n) { nodes { id } } }", {}),
    "a directive": (
        "query ($off: Boolean = false) { deals(first: 1) { nodes { id } totalCount @skip(if: $off) } }",
        {},
    ),
    "ids": ("query ($f: DealFilter) { deals(first: 1, filter: $f) { nodes { id } } }", {"f": {"ids": IDS}}),
}


@pytest.mark.parametrize(("text", "variables"), REFUSED.values(), ids=REFUSED)
async def test_what_hides_its_cost_is_refused_before_anything_is_read(
    payer: Payer, opened: Open, text: str, variables: dict[str, Any]
) -> None:
    await payer.agree(size=1000, most=LITTLE)
    viewer = await opened()
    assert await viewer.codes("{ deals(first: 20) { nodes { id } } }") == []  # there is room for a list
    before = await statements(viewer)
    refused = await viewer.post(text, variables)
    assert refused.json()["errors"][0]["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert refused.json()["extensions"]["cost"]["actualQueryCost"] == 0
    assert "execute" not in refused.headers["Server-Timing"]
    assert await statements(viewer) == before > 0


async def statements(client: Client) -> float:
    """How many the gateway has run."""
    metrics = (await client.http.get("/metrics")).text
    return sum(map(float, re.findall(r"^gateway_statement_seconds_count\{.*\} (\S+)$", metrics, re.MULTILINE)))
