"""`python -m benchmarks`"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import fairness, notices, screens
from benchmarks.cached import CachedPlan
from benchmarks.changes import ROUNDS
from benchmarks.contenders import NotAHitError
from benchmarks.hits import CONNECTIONS
from benchmarks.hits import PACE as HITS_PACE
from benchmarks.measure import Pace
from benchmarks.peers.node import NoNodeError
from benchmarks.report import print_results, write_markdown
from benchmarks.run import Plan, run
from benchmarks.sameness import DifferentAnswersError
from benchmarks.tables import wide_console, write_json
from gateway.demo.shape import Size
from gateway.postgres.embedded import EmbeddedError

ROOT = Path(__file__).parent
DOCS = ROOT.parent / "docs"
PACE = Pace(rounds=3, warmup_seconds=0.5, seconds=2.0)
QUICK = Pace(rounds=1, warmup_seconds=0.1, seconds=0.4)
QUICK_CONNECTIONS = (1, 16)


def main(
    size: Annotated[Size, typer.Option(help="How much data: 6 000, 1 million or 10 million deals.")] = Size.MEDIUM,
    data: Annotated[Path, typer.Option(help="Where the database is kept.")] = ROOT / ".data",
    results: Annotated[Path, typer.Option(help="Where the results are written as JSON.")] = ROOT
    / "results/latest.json",
    quick: Annotated[
        bool, typer.Option("--quick", help="Half a second a number, up to 16 connections; docs stay as they are.")
    ] = False,
) -> None:
    """Measure the gateway beside a plain Strawberry server on the same tables, in the same run.

    The dashboard, pipelineStats and companyAnalytics, misses all, at 1, 16 and 64 connections, by ten tenants of all
    sizes and by the largest alone; where a request's time goes; how long the demo takes to its first answer; paging
    through a long list; an import beside a bare COPY; a thousand deals moved at once beside a bare UPDATE; what one
    tenant feels of another's flood. Then cached dashboards beside those of two servers of Node, screens that poll
    while somebody writes, the ceiling of writes.

    The first run loads a million deals into an embedded PostgreSQL, which takes minutes; later runs reuse it. Both
    servers must give the same answers, else nothing is measured. A full run also writes docs/benchmarks.md and
    docs/benchmarks.svg.
    """
    data.mkdir(parents=True, exist_ok=True)
    console = wide_console()
    try:
        found = asyncio.run(run(_quick_plan(data, size) if quick else _plan(data, size), console))
    except (DifferentAnswersError, EmbeddedError, NoNodeError, NotAHitError) as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    print_results(found, console)
    write_json(found, results)
    if not quick:
        from benchmarks.chart import draw_chart

        write_markdown(found, DOCS / "benchmarks.md")
        draw_chart(found, DOCS / "benchmarks.svg")


def _plan(data: Path, size: Size) -> Plan:
    cached = CachedPlan(HITS_PACE, CONNECTIONS, screen_seconds=screens.SECONDS, notice_seconds=notices.SECONDS)
    return Plan(
        data,
        size,
        PACE,
        CONNECTIONS,
        100_000,
        imported_deals=100_000,
        change_rounds=ROUNDS,
        fairness=fairness.PACE,
        cached=cached,
    )


def _quick_plan(data: Path, size: Size) -> Plan:
    cached = CachedPlan(QUICK, QUICK_CONNECTIONS, screen_seconds=screens.QUICK_SECONDS, notice_seconds=0.3)
    return Plan(
        data,
        size,
        QUICK,
        QUICK_CONNECTIONS,
        95_000,
        imported_deals=2_000,
        change_rounds=3,
        fairness=fairness.QUICK,
        cached=cached,
    )


if __name__ == "__main__":
    typer.run(main)
