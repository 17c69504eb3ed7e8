"""How fast many deals are changed at once: over HTTP, and by a bare UPDATE of the same rows under the same triggers.

Deals of the largest tenant go to another stage and back, in turns. On a copy of the data that is thrown away: what is
undone leaves its history, its audit and its versions.
"""

import asyncio
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from rich.console import Console

from benchmarks.data import databases
from benchmarks.measure import percentile
from benchmarks.moves import SELECTED, STATUSES, Moves, open_moves
from benchmarks.rollups.changes import clear
from benchmarks.rollups.subject import Scale, connected, database_of
from benchmarks.sameness import check_same_answers
from benchmarks.servers import Server, gateway, plain
from gateway.demo.shape import Size
from gateway.settings import Settings
from gateway.web.default_query import DEFAULT_QUERY

DRAGGED = 200
ROUNDS, DRAGS_A_ROUND = 20, 5


@dataclass(frozen=True)
class ChangeFigures:
    """Medians in milliseconds, of `deals` at once. `move_ms`: by what is selected; `drags_ms`: p50, p95 and p99 of
    `DRAGGED` at once; `dashboard_ms`: before a move, and right after it.
    """

    deals: int
    bare_ms: float
    move_ms: dict[str, float]
    drags_ms: tuple[float, float, float]
    dashboard_ms: tuple[float, float]

    def sentences(self) -> list[str]:
        moves = "; ".join(
            f"{selected} selected, {ms:.1f} ms, ratio {ms / self.bare_ms:.2f}" for selected, ms in self.move_ms.items()
        )
        p50, p95, p99 = self.drags_ms
        before, after = self.dashboard_ms
        return [
            f"{self.deals:,} deals moved by a bare UPDATE: {self.bare_ms:.1f} ms; by `updateDealStages`: {moves}.",
            f"{DRAGGED} deals moved by `updateDealStages`: p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms.",
            (
                f"The largest tenant's dashboard right after {self.deals:,} deals were moved: {after:.1f} ms, before "
                f"{before:.1f} ms, ratio {after / before:.2f}; it agreed with the plain server's each time."
            ),
        ]


async def measure(settings: Settings, logs: Path, rounds: int) -> ChangeFigures:
    """Figures of the largest tenant. Raises DifferentAnswersError when a dashboard after a move is not exact."""
    with gateway(settings, logs / "gateway.log") as ours, plain(settings, logs / "plain.log") as theirs:
        async with open_moves(settings, ours) as moves, connected(settings, "worker") as worker:
            bare_ms, move_ms, drags_ms = await _measure_moves(moves, rounds)
            dashboards = [await _dashboards(moves, worker, ours, theirs) for _ in range(rounds)]
    before, after = (statistics.median(times) for times in zip(*dashboards, strict=True))
    p50, p95, p99 = (percentile(drags_ms, share) for share in (0.5, 0.95, 0.99))
    return ChangeFigures(len(moves.ids), bare_ms, move_ms, (p50, p95, p99), (before, after))


async def _measure_moves(moves: Moves, rounds: int) -> tuple[float, dict[str, float], list[float]]:
    bare: list[float] = []
    selecting: defaultdict[str, list[float]] = defaultdict(list)
    drags: list[float] = []
    for number in range(rounds + 1):
        bare.append(await moves.bare_and_undone())
        for selected in SELECTED:
            selecting[selected].append(moves.moved_and_undone(selected))
        firsts = [drag * DRAGGED % len(moves.ids) for drag in range(DRAGS_A_ROUND)]
        drags += [moves.moved_and_undone(STATUSES, first, DRAGGED) for first in firsts if number]
    # The first round is for plans and caches.
    medians = {selected: statistics.median(times[1:]) for selected, times in selecting.items()}
    return statistics.median(bare[1:]), medians, drags


async def _dashboards(moves: Moves, worker: asyncpg.Connection, ours: Server, theirs: Server) -> tuple[float, float]:
    """Milliseconds of a dashboard with nothing pending, and of one right after a move."""
    await clear(worker)
    moves.caller.rest()
    moves.caller.ask(DEFAULT_QUERY)
    before, before_ms = moves.caller.ask(DEFAULT_QUERY)
    operation_id, _ = moves.move(STATUSES)
    after, after_ms = moves.caller.ask(DEFAULT_QUERY)
    if before["dashboard"]["overview"]["pipeline"] == after["dashboard"]["overview"]["pipeline"]:
        raise RuntimeError("a dashboard does not show what was moved right before it")
    await asyncio.to_thread(check_same_answers, [moves.tenant], ours, theirs)
    moves.caller.rest()
    moves.undo(operation_id)
    return before_ms, after_ms


async def measure_alone(directory: Path, shape: Size | Scale, rounds: int, console: Console) -> ChangeFigures:
    """On a copy of the made-up data that is kept in `directory`, which must exist."""
    with databases(directory) as running, tempfile.TemporaryDirectory(prefix="benchmarks-") as logs:
        await running.load(database_of(shape), shape, console)
        async with running.copied(database_of(shape)) as settings:
            return await measure(settings, Path(logs), rounds)


def main(arguments: Sequence[str]) -> None:
    """`python -m benchmarks.changes DIRECTORY [DEALS]`: of the medium data, or of 100 tenants with so many deals."""
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    shape = Scale(Size.MEDIUM.tenants, int(arguments[1])) if arguments[1:] else Size.MEDIUM
    figures = asyncio.run(measure_alone(directory, shape, ROUNDS, Console()))
    print("\n".join(figures.sentences()))


if __name__ == "__main__":
    main(sys.argv[1:])
