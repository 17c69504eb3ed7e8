"""What an operation cost in the end: by its answer, and at least by what was read."""

from typing import Any

import pytest

from gateway.cost.actual import Ran
from tests.cost.priced import gateway

LIST = "{ deals(first: 50) { nodes { name owner { name } company { name } } totalCount } }"
DASHBOARD = "{ dashboard { overview { pipeline { deals conversionToNext } companies { withDeals } } } }"


def actual(text: str, data: dict[str, Any] | None, **counted: Any) -> int:
    return gateway().actual(text, Ran(data, **counted))


def deals(*nodes: Any) -> dict[str, Any]:
    return {"deals": {"nodes": list(nodes), "totalCount": len(nodes)}}


def test_entries_that_are_there_are_paid_not_those_that_were_asked_for() -> None:
    one = {"name": "a", "owner": {"name": "b"}, "company": {"name": "c"}}
    # The connection 1, its length 100, and for each entry Deal 1 + Member 1 + Company 1.
    assert actual(LIST, deals(one, one)) == 1 + 100 + 2 * 3
    assert actual(LIST, deals()) == 1 + 100
    assert gateway().points(LIST) == 1 + 100 + 50 * 3


def test_what_is_null_was_not_made() -> None:
    without_company = {"name": "a", "owner": {"name": "b"}, "company": None}
    assert actual(LIST, deals(without_company)) == 1 + 100 + 2


def test_what_an_error_made_null_costs_what_it_was_to_cost() -> None:
    data = {"deals": None}
    assert actual("{ deals(first: 50) { nodes { id } } }", data) == 1
    assert actual("{ deals(first: 50) { nodes { id } } }", data, failed=[["deals", "nodes", 3]]) == 51


def test_readings_are_paid_however_many_rows_they_gave() -> None:
    stage = {"deals": 1, "conversionToNext": 0.5}
    data = {"dashboard": {"overview": {"pipeline": [stage, stage], "companies": {"withDeals": 3}}}}
    # Dashboard, DashboardOverview, the board, two stages; single moves of all time; companies 3 + 19, and the object.
    assert actual(DASHBOARD, data) == 1 + 1 + 4 + 2 + 3300 + 3 + 19 + 1


def test_what_was_read_is_paid_even_if_it_is_not_answered() -> None:
    assert actual("{ me { name } }", {"me": {"name": "a"}}, statements=2, rows=2) == 1
    assert actual("{ me { name } }", {"me": {"name": "a"}}, statements=2, rows=498) == 50


def test_without_an_answer_the_whole_price_is_paid_if_anything_was_read() -> None:
    assert actual(LIST, None, statements=1) == gateway().points(LIST)
    assert actual(LIST, None) == 1


@pytest.mark.parametrize(
    ("node", "cost"),
    [({"id": "x", "owner": {"id": "m"}}, 2), ({"id": "x", "deals": {"nodes": [{"id": "d"}] * 3}}, 1 + 1 + 3)],
)
def test_a_node_costs_what_it_turned_out_to_be(node: dict[str, Any], cost: int) -> None:
    text = '{ node(id: "x") { id ... on Company { deals(first: 50) { nodes { id } } } ... on Deal { owner { id } } } }'
    assert actual(text, {"node": node}) == cost


def test_a_change_costs_its_items_and_the_results_that_are_answered() -> None:
    text = 'mutation { deleteDeals(input: {dealIds: ["a", "b", "c"]}) { results { status } } }'
    # A deletion 10, its input 1 and 3 × 1; the payload 1, two results.
    assert actual(text, {"deleteDeals": {"results": [{"status": "UPDATED"}] * 2}}) == 10 + 1 + 3 + 1 + 2
