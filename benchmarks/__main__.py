"""`python -m benchmarks`"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.changes import ROUNDS
from benchmarks.measure import Pace
from benchmarks.report import print_results, write_markdown
from benchmarks.run import Plan, run
from benchmarks.sameness import DifferentAnswersError
from benchmarks.tables import write_json
from gateway.demo.shape import Size
from gateway.postgres.embedded import EmbeddedError

ROOT = Path(__file__).parent
DOCS = ROOT.parent / "docs"
PACE = Pace(rounds=3, warmup_seconds=0.5, seconds=2.0)
TABLE_WIDTH = 150
QUICK = Pace(rounds=1, warmup_seconds=0.1, seconds=0.4)


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

    The dashboard, pipelineStats and companyAnalytics, uncached, at 1, 16 and 64 connections, by ten tenants of all
    sizes and by the largest alone; where a request's time goes; how long the demo takes to its first answer; paging
    through a long list; an import beside a bare COPY; a thousand deals moved at once beside a bare UPDATE.

    The first run loads a million deals into an embedded PostgreSQL, which takes minutes; later runs reuse it. Both
    servers must give the same answers, else nothing is measured. A full run also writes docs/benchmarks.md and
    docs/benchmarks.svg.
    """
    data.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, TABLE_WIDTH)
    if quick:
        plan = Plan(data, size, QUICK, (1, 16), companies=95_000, imported_deals=2_000, change_rounds=3)
    else:
        plan = Plan(data, size, PACE, (1, 16, 64), companies=100_000, imported_deals=100_000, change_rounds=ROUNDS)
    try:
        found = asyncio.run(run(plan, console))
    except (DifferentAnswersError, EmbeddedError) as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    print_results(found, console)
    write_json(found, results)
    if not quick:
        from benchmarks.chart import draw_chart

        write_markdown(found, DOCS / "benchmarks.md")
        draw_chart(found, DOCS / "benchmarks.svg")


if __name__ == "__main__":
    typer.run(main)
