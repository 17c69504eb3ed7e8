"""The dearest of an operation, and what would bring it under a limit."""

from typing import Any

import pytest

from gateway.cost.breakdown import Advice, advice
from gateway.cost.limits import check_price
from gateway.errors import CostLimitExceededError
from gateway.web.default_query import DEFAULT_QUERY
from tests.cost.priced import gateway

NESTED = (
    "{ companies(first: 50) { nodes { name deals(last: 40) { edges { node { name owner { name } } } } } } me { id } }"
)
STAGES = "{ dashboard { overview { pipeline { conversionToNext entered } } } }"


def advised(text: str, most: int, variables: dict[str, Any] | None = None) -> list[Advice]:
    return advice(gateway().shares(text, variables), most)


def test_each_path_has_its_own_share() -> None:
    assert gateway().by_path(NESTED) == {
        "companies": 1,
        "companies.nodes": 50,
        "companies.nodes.deals": 50,
        "companies.nodes.deals.edges": 50 * 40,
        "companies.nodes.deals.edges.node": 50 * 40,
        "companies.nodes.deals.edges.node.owner": 50 * 40,
        "me": 1,
    }


def test_a_smaller_page_is_advised_the_nearest_first() -> None:
    found = advised(NESTED, 1000)
    field = ("companies", "nodes", "deals")
    # 50 × (1 + 1 + 3 × entries) + 2 is at most 1000 up to 5 entries.
    assert found == [
        Advice((*field, "edges"), 2000, field, "last", 5),
        Advice((*field, "edges", "node"), 2000, field, "last", 5),
        Advice((*field, "edges", "node", "owner"), 2000, field, "last", 5),
    ]
    assert found[0].remedy == "`last` of `companies.nodes.deals` of at most 5 would do."


@pytest.mark.parametrize(
    ("most", "advised_field", "at_most"),
    [(3900, "companies.nodes.deals", 37), (150, "companies", 1), (104, "companies", 1)],
)
def test_what_is_advised_does(most: int, advised_field: str, at_most: int) -> None:
    deals = "deals(first: $d) { nodes { owner { name } } }"
    text = f"query ($c: Int, $d: Int) {{ companies(first: $c) {{ nodes {{ {deals} }} }} }}"
    sizes = {"c": 50, "d": 40}
    assert gateway().points(text, sizes) == 1 + 50 * (1 + 1 + 40 * 2)
    (dearest, *_) = advised(text, most, sizes)
    assert (dearest.field, dearest.at_most) == (tuple(advised_field.split(".")), at_most)
    smaller = {**sizes, "c" if advised_field == "companies" else "d": at_most}
    assert gateway().points(text, smaller) <= most


def test_a_shorter_period_is_advised_for_what_goes_by_it() -> None:
    # Dashboard, DashboardOverview, the board, stages: 36; and 3300 of all time, which is that of 900 days.
    (dearest, *_) = advised(STAGES, 600)
    path = ("dashboard", "overview", "pipeline", "conversionToNext")
    assert dearest == Advice(path, 3300, ("dashboard",), "period", 153)
    assert dearest.remedy == "A `period` of `dashboard` of at most 153 days would do."
    period = {"p": {"range": {"from": "2025-01-01", "to": "2025-06-03"}}}
    with_period = STAGES.replace("{ dashboard", "query ($p: PeriodInput) { dashboard(period: $p)", 1)
    assert gateway().points(with_period, period) <= 600


def test_what_no_argument_makes_cheaper_is_to_be_left_out() -> None:
    (dearest, *_) = advised("{ dashboard { overview { companies { withDeals } } } }", 20)
    assert (dearest.points, dearest.field) == (19, None)
    assert dearest.remedy == "Leave it out, or ask for it in a query of its own."


def test_an_operation_above_its_limit_is_refused_with_the_dearest_and_the_remedy() -> None:
    price = gateway().price(DEFAULT_QUERY)
    assert check_price(price, {}, 540) == 540
    with pytest.raises(CostLimitExceededError) as refused:
        check_price(price, {}, 400)
    assert refused.value.extensions == {
        "cost": 540,
        "most": 400,
        "dearest": [
            {
                "path": ["dashboard", "overview", "pipeline", "conversionToNext"],
                "cost": 330,
                "remedy": "A `period` of `dashboard` of at most 51 days would do.",
            },
            {
                "path": ["dashboard", "overview", "pipeline"],
                "cost": 30,
                "remedy": "Leave it out, or ask for it in a query of its own.",
            },
            {
                "path": ["dashboard", "overview", "pipeline", "stage"],
                "cost": 30,
                "remedy": "Leave it out, or ask for it in a query of its own.",
            },
        ],
    }
    assert "costs 540 points; 400 are allowed" in refused.value.message
