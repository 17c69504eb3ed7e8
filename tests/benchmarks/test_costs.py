"""What operations cost, measured on a little data."""

import re
from dataclasses import astuple
from pathlib import Path

from benchmarks.costs import DOCS, MORE, measure
from benchmarks.costs_page import draw_chart
from benchmarks.pricing import VARIABLES, with_variables
from benchmarks.queries import OPERATIONS
from gateway.settings import Settings
from gateway.web.default_query import DEFAULT_QUERY
from tests.cost.priced import gateway

ROW = re.compile(r"^\| ([^|]+) \| ([\d,]+) \| [\d,]+ \| [\d,.]+ \|", re.MULTILINE)
"""Of the page's generated table: an operation and its price."""


async def test_every_operation_has_its_price_what_was_paid_and_its_time(settings: Settings, tmp_path: Path) -> None:
    figures = await measure(settings, rounds=2)
    assert [cost.operation for cost in figures.largest] == [*OPERATIONS, *MORE]
    assert all(0 < cost.paid <= cost.requested and cost.ms > 0 for cost in figures.costs)
    assert all(time_us > 0 for time_us in astuple(figures.pricing))
    assert len(figures.table()[2]) == len(figures.largest)
    draw_chart(figures, tmp_path / "cost.svg")
    assert all(f"<!-- {cost.operation} -->" in (tmp_path / "cost.svg").read_text() for cost in figures.largest)


def test_the_page_tells_what_each_operation_is_priced_at_now() -> None:
    told = {name: int(price.replace(",", "")) for name, price in ROW.findall((DOCS / "cost.md").read_text("utf-8"))}
    assert told == {name: gateway().points(text) for name, text in {**OPERATIONS, **MORE}.items()}


def test_the_dashboard_that_is_priced_with_variables_is_the_dashboard_and_goes_by_each_of_them() -> None:
    text = with_variables()
    assert re.findall(r"\(\w+: [^$].*?\)", DEFAULT_QUERY)
    assert not re.findall(r"\(\w+: [^$].*?\)", text)
    price = gateway().points(text, VARIABLES)
    assert price == gateway().points(DEFAULT_QUERY)
    for other in ({"period": {"preset": "TODAY"}}, {"interval": "DAY"}, {"first": 6}):
        assert gateway().points(text, VARIABLES | other) != price
