"""What would bring the dearest of an operation under a limit, and what would not do alone."""

from typing import Any

import pytest

from gateway.cost.limits import check_price
from gateway.errors import CostLimitExceededError
from gateway.web.default_query import DEFAULT_QUERY
from tests.cost.priced import gateway

NESTED = "{ companies(first: 50) { nodes { deals(last: 40) { edges { node { owner { name } } } } } } }"
STAGES = "query ($p: PeriodInput) { dashboard(period: $p) { overview { pipeline { conversionToNext entered } } } }"
TREND = "query ($p: PeriodInput, $i: Interval!) { dashboard(period: $p) { trend(interval: $i) { won } } }"
DELETE = "mutation ($ids: [ID!]) { deleteDeals(input: { dealIds: $ids }) { results { dealId } } }"
AMONG = "query ($ids: [ID!]) { deals(filter: { ids: $ids }, first: 5) { nodes { name } } }"
GROUPS = "query ($by: [DealGroupKey!]!, $of: DealFilter) { dealAggregates(groupBy: $by, filter: $of) { count } }"
YEAR = {"preset": "LAST_YEAR"}


def remedies(text: str, most: int, variables: dict[str, Any] | None = None) -> dict[str, str]:
    """By path."""
    return {".".join(one.path): one.remedy for one in gateway().advice(text, most, variables)}


def dearest(text: str, most: int, variables: dict[str, Any] | None = None) -> str:
    """The remedy of the dearest path."""
    return gateway().advice(text, most, variables)[0].remedy


def ids(count: int) -> dict[str, Any]:
    return {"ids": [str(number) for number in range(count)]}


def test_a_smaller_page_is_advised_the_nearest_first() -> None:
    # 50 × (1 + 1 + 3 × entries) + 1 is at most 1000 up to 5 entries.
    assert set(remedies(NESTED, 1000).values()) == {
        "A smaller `last` of `companies.nodes.deals` would do: at most 5.",
    }
    # 122 × companies + 1; with one deal each it is 251.
    assert dearest(NESTED, 250) == "A smaller `first` of `companies` would do: at most 2."
    assert gateway().points(NESTED.replace("50", "2")) <= 250 < gateway().points(NESTED.replace("50", "3"))


def test_of_three_alike_none_is_said_to_do_alone() -> None:
    list_ = "companies(first: 100) { nodes { name owner { name } } }"
    three = f"{{ a: {list_} b: {list_} c: {list_} }}"
    assert gateway().points(three) == 603
    alone = "A smaller `first` of `%s` would not do alone: ask for less of others too."
    assert remedies(three, 150) == {"a.nodes": alone % "a", "a.nodes.owner": alone % "a", "b.nodes": alone % "b"}
    assert dearest(three, 450) == "A smaller `first` of `a` would do: at most 23."


def test_a_shorter_period_is_advised_for_what_goes_by_it() -> None:
    # Dashboard, DashboardOverview, stages: 32; and 3300 of all time, 330 of 90 days.
    assert dearest(STAGES, 600) == "A shorter `period` of `dashboard` would do: at most 153 days."
    asked = [{"p": {"range": {"from": "2025-01-01", "to": end}}} for end in ("2025-06-03", "2025-06-04")]
    assert gateway().points(STAGES, asked[0]) <= 600 < gateway().points(STAGES, asked[1])


def test_a_longer_interval_or_a_shorter_period_is_advised_for_a_list_of_intervals() -> None:
    asked = {"p": YEAR, "i": "DAY"}
    assert dearest(TREND, 40, asked) == "A longer `interval` of `dashboard.trend` would do: MONTH."
    assert gateway().points(TREND, {**asked, "i": "MONTH"}) <= 40 < gateway().points(TREND, {**asked, "i": "WEEK"})
    assert dearest(TREND, 9, asked) == "A shorter `period` of `dashboard` would do: at most 4 days."


def test_fewer_ids_are_advised_where_they_are_what_costs() -> None:
    assert dearest(DELETE, 500, ids(1000)) == "Fewer `input.dealIds` of `deleteDeals` would do: at most 244."
    assert gateway().points(DELETE, ids(244)) <= 500 < gateway().points(DELETE, ids(245))
    assert dearest(AMONG, 100, ids(5000)) == "Fewer `filter.ids` of `deals` would do: at most 930."
    assert gateway().points(AMONG, ids(930)) <= 100 < gateway().points(AMONG, ids(931))


@pytest.mark.parametrize(
    ("by", "of", "without"),
    [
        (["COMPANY", "STAGE"], None, "`groupBy.COMPANY`"),
        (["STAGE"], {"industries": ["x"], "search": "y"}, "`filter.industries` and `filter.search`"),
        (["COMPANY"], {"amount": {"min": 1}}, "`groupBy.COMPANY` and `filter.amount`"),
    ],
)
def test_it_is_advised_to_go_without_all_that_has_more_read(by: list[str], of: dict[str, Any], without: str) -> None:
    asked = {"by": by, "of": of}
    assert dearest(GROUPS, 200, asked) == f"Going without {without} of `dealAggregates` would do."
    assert gateway().points(GROUPS, {"by": ["STAGE"]}) <= 200


def test_it_is_advised_to_go_without_an_owner_that_fields_below_go_by() -> None:
    of_owner = '{ dashboard(ownerId: "1", period: { preset: TODAY }) { overview { companies { total } } } }'
    assert dearest(of_owner, 10) == "Going without `ownerId` of `dashboard` would do."


def test_what_no_argument_makes_cheaper_is_to_be_left_out() -> None:
    text = "{ dashboard { overview { companies { withDeals } tasks { open } } } }"
    assert dearest(text, 30) == "Leaving it out would do."
    assert dearest(text, 20) == "Leaving it out would not do alone: ask for less of others too."


def test_what_is_read_together_is_not_to_be_left_out_alone() -> None:
    both = "{ dashboard(period: { preset: TODAY }) { overview { pipeline { conversionToNext medianDaysInStage } } } }"
    assert gateway().points(both) == gateway().points(both.replace("conversionToNext", "")) == 70
    alone = "Leaving it out would not do alone: ask for less of others too."
    assert remedies(both, 50)["dashboard.overview.pipeline.conversionToNext"] == alone


def test_an_operation_above_its_limit_is_refused_with_the_dearest_and_the_remedy() -> None:
    price = gateway().price(DEFAULT_QUERY)
    assert check_price(price, {}, 540, may_advise=lambda: True) == 540
    with pytest.raises(CostLimitExceededError) as refused:
        check_price(price, {}, 400, may_advise=lambda: True)
    assert refused.value.extensions == {
        "cost": 540,
        "most": 400,
        "dearest": [
            {
                "path": ["dashboard", "overview", "pipeline", "conversionToNext"],
                "cost": 330,
                "remedy": "A shorter `period` of `dashboard` would do: at most 55 days.",
            },
            {
                "path": ["dashboard", "overview", "pipeline"],
                "cost": 30,
                "remedy": "Leaving it out would do.",
            },
            {
                "path": ["dashboard", "overview", "pipeline", "stage"],
                "cost": 30,
                "remedy": "Leaving it out would not do alone: ask for less of others too.",
            },
        ],
    }
    assert "costs 540 points; 400 are allowed" in refused.value.message
