"""What operations cost: their price, what was paid in the end, and the milliseconds that they took, uncached.

Through HTTP against a gateway in a process of its own, which counts prices and refuses nothing.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from benchmarks.costs_page import Cost, CostFigures, draw_chart, write_markdown
from benchmarks.data import databases
from benchmarks.lists import NESTED
from benchmarks.machine import describe
from benchmarks.pricing import time_pricing
from benchmarks.queries import OPERATIONS, Tenant, bodies, find_tenants, headers
from benchmarks.rollups.dashboards import QUERIES
from benchmarks.rollups.subject import Scale, database_of
from benchmarks.servers import HOST, Server, gateway, respond
from benchmarks.tables import print_tables, wide_console
from gateway.demo.shape import Size
from gateway.settings import Settings

DOCS = Path(__file__).parent.parent / "docs"
ROUNDS, QUICK_ROUNDS = 15, 2
RANKS = (1, 2, 50)
"""Of those who ask: the largest, and the last one that there is."""
EXECUTE_MS = re.compile(r"execute;dur=([\d.]+)")

MORE = {
    **dict(list(QUERIES.items())[1:]),
    "50 companies with 5 deals each": NESTED,
    "100 deals with owner and company": "{ deals(first: 100) { nodes { id name owner { name } company { name } } } }",
    "length of a list": "{ deals(first: 1) { totalCount } }",
    "search": '{ deals(first: 10, filter: { search: "north" }) { nodes { id name } } }',
    "groups by stage": "{ dealAggregates(groupBy: [STAGE]) { count value } }",
    "groups by industry": "{ dealAggregates(groupBy: [INDUSTRY]) { count value } }",
    "pipelines": "{ pipelines { id name stages { id name } } }",
    "me": "{ me { name email } }",
}
"""Beside the three operations of the other benchmarks."""


async def measure(settings: Settings, rounds: int) -> CostFigures:
    """By the largest tenant and by one in the middle, in turns."""
    largest, *others = await find_tenants(settings, ranks=RANKS)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as logs, gateway(settings, Path(logs) / "log") as server:
        costs = await asyncio.to_thread(_measure, server, (largest, others[-1]), rounds)
    return CostFigures(await describe(settings), costs, time_pricing())


def _measure(server: Server, tenants: Sequence[Tenant], rounds: int) -> list[Cost]:
    return [
        _cost(name, tenant is tenants[0], [_ask(server, tenant, name) for _ in range(rounds)])
        for name in (*OPERATIONS, *MORE)
        for tenant in tenants
    ]


@dataclass(frozen=True)
class _Asked:
    requested: int
    paid: int
    ms: float


def _cost(name: str, largest: bool, asked: Sequence[_Asked]) -> Cost:
    """The first one plans its statements."""
    timed = asked[1:] or asked
    return Cost(name, largest, asked[0].requested, timed[-1].paid, median(each.ms for each in timed))


def _ask(server: Server, tenant: Tenant, name: str) -> _Asked:
    body = bodies(name, tenant)[0] if name in OPERATIONS else json.dumps({"query": MORE[name]})
    told, answer = respond(f"http://{HOST}:{server.port}/graphql", headers(tenant), body.encode())
    read = json.loads(answer)
    if "errors" in read:
        raise RuntimeError(f"{name}: {read['errors'][0]['message']}")
    found = EXECUTE_MS.search({key.lower(): value for key, value in told.items()}["server-timing"])
    assert found is not None
    cost = read["extensions"]["cost"]
    return _Asked(cost["requestedQueryCost"], cost["actualQueryCost"], float(found[1]))


async def measure_alone(directory: Path, shape: Size | Scale, rounds: int) -> CostFigures:
    """On the made-up data that is kept in `directory`, which must exist. Nothing of it is changed."""
    with databases(directory) as running:
        return await measure(await running.load(database_of(shape), shape, wide_console()), rounds)


def main(
    data: Annotated[Path, typer.Option(help="Where the database is kept.")],
    size: Annotated[Size, typer.Option(help="How much data; it is loaded once.")] = Size.MEDIUM,
    quick: Annotated[bool, typer.Option("--quick", help="Twice each; docs stay as they are.")] = False,
) -> None:
    """Measure what operations cost beside what they take. A full run writes docs/cost.md and docs/cost.svg."""
    data.mkdir(parents=True, exist_ok=True)
    figures = asyncio.run(measure_alone(data, size, QUICK_ROUNDS if quick else ROUNDS))
    print_tables([figures.table()], figures.sentences(), wide_console())
    if not quick:
        write_markdown(figures, DOCS / "cost.md")
        draw_chart(figures, DOCS / "cost.svg")


if __name__ == "__main__":
    typer.run(main)
