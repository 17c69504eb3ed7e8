"""What operations cost, measured on a little data."""

from pathlib import Path

from benchmarks.costs import MORE, measure
from benchmarks.costs_page import draw_chart
from benchmarks.queries import OPERATIONS
from gateway.settings import Settings


async def test_every_operation_has_its_price_what_was_paid_and_its_time(settings: Settings, tmp_path: Path) -> None:
    figures = await measure(settings, rounds=2)
    assert [cost.operation for cost in figures.largest] == [*OPERATIONS, *MORE]
    assert all(0 < cost.paid <= cost.requested and cost.ms > 0 for cost in figures.costs)
    assert len(figures.table()[2]) == len(figures.largest)
    draw_chart(figures, tmp_path / "cost.svg")
    assert all(f"<!-- {cost.operation} -->" in (tmp_path / "cost.svg").read_text() for cost in figures.largest)
