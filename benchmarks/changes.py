"""How fast many deals are changed at once: over HTTP, and by a bare UPDATE of the same rows under the same triggers.

Deals of the largest tenant go to another stage and back, in turns. On a copy of the data that is thrown away: what is
undone leaves its history, its audit and its versions.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console

from benchmarks.data import databases
from benchmarks.lists import Caller
from benchmarks.measure import percentile
from benchmarks.queries import Tenant, find_tenants
from benchmarks.rollups.changes import clear
from benchmarks.rollups.subject import Scale, connected, database_of
from benchmarks.sameness import check_same_answers
from benchmarks.servers import Server, gateway, plain
from gateway.api.ids import encode_id
from gateway.demo.shape import Size
from gateway.settings import Settings
from gateway.tokens import issue_token
from gateway.web.default_query import DEFAULT_QUERY

DEALS, DRAGGED = 1_000, 200
DRAGS_A_ROUND = 5

# What is selected of the payload besides its summary.
SELECTED = {
    "the summary": "",
    "the status of each": "results { dealId status }",
    "each deal, its stage": "results { dealId status deal { id version stage { id } } }",
}
STATUSES = "the status of each"

MOVE = """
mutation ($input: UpdateDealStagesInput!) {{
  updateDealStages(input: $input) {{ operationId summary {{ updated }} {selected} }}
}}
"""
UNDO = "mutation ($id: ID!) { undoOperation(operationId: $id) { summary { updated } } }"

BARE = """
UPDATE deals d SET stage_id = w.stage_id FROM unnest($2::bigint[], $3::bigint[]) AS w (id, stage_id)
 WHERE d.tenant_id = $1 AND d.id = w.id
"""

# Open deals, by a digest of the id: spread over owners, stages and days; each with another open stage of its pipeline.
CHOSEN = """
SELECT d.id, d.stage_id, s.id AS target_id
  FROM deals d CROSS JOIN LATERAL (
       SELECT id FROM stages WHERE tenant_id = d.tenant_id AND pipeline_id = d.pipeline_id AND kind = 'open'
                               AND id <> d.stage_id ORDER BY position DESC LIMIT 1) AS s
 WHERE d.tenant_id = $1 AND d.outcome = 'open' AND d.deleted_at IS NULL ORDER BY md5(d.id::text) LIMIT $2
"""


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


@dataclass(frozen=True)
class Moves:
    """Deals that go to other stages and back: by a manager, or by a bare UPDATE. `stage_ids`: where they are."""

    tenant: Tenant
    caller: Caller
    serving: asyncpg.Connection
    ids: Sequence[int]
    stage_ids: Sequence[int]
    target_ids: Sequence[int]

    def move(self, selected: str, first: int = 0, count: int = DEALS) -> tuple[str, float]:
        """Moves deals: the operation, and its milliseconds."""
        moved = list(zip(self.ids, self.target_ids, strict=True))[first : first + count]
        changes = [{"dealId": encode_id("Deal", deal), "stageId": encode_id("Stage", stage)} for deal, stage in moved]
        query = MOVE.format(selected=SELECTED[selected])
        data, milliseconds = self.caller.ask(query, {"input": {"changes": changes}})
        return _checked(data["updateDealStages"], len(moved)), milliseconds

    def undo(self, operation_id: str, count: int = DEALS) -> None:
        _checked(self.caller.ask(UNDO, {"id": operation_id})[0]["undoOperation"], min(count, len(self.ids)))

    def moved_and_undone(self, selected: str, first: int = 0, count: int = DEALS) -> float:
        operation_id, milliseconds = self.move(selected, first, count)
        self.undo(operation_id, count)
        return milliseconds

    async def bare_and_undone(self) -> float:
        milliseconds = await self._bare(self.target_ids)
        await self._bare(self.stage_ids)
        return milliseconds

    async def _bare(self, stage_ids: Sequence[int]) -> float:
        begun = time.perf_counter()
        async with self.serving.transaction():
            await self.serving.execute(f"SET LOCAL app.tenant_id = '{self.tenant.id:d}'")
            done = await self.serving.execute(BARE, self.tenant.id, self.ids, stage_ids)
        milliseconds = (time.perf_counter() - begun) * 1000
        if done != f"UPDATE {len(self.ids)}":
            raise RuntimeError(f"{len(self.ids)} deals were to be moved: {done}")
        return milliseconds


async def measure(settings: Settings, logs: Path, rounds: int) -> ChangeFigures:
    """Figures of the largest tenant. Raises DifferentAnswersError when a dashboard after a move is not exact."""
    with gateway(settings, logs / "gateway.log") as ours, plain(settings, logs / "plain.log") as theirs:
        async with _moves(settings, ours) as moves, connected(settings, "worker") as worker:
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


async def _dashboards(
    moves: Moves, worker: asyncpg.Connection, ours: Server, theirs: Server
) -> tuple[float, float]:
    """Milliseconds of a dashboard with nothing pending, and of one right after a move."""
    await clear(worker)
    moves.caller.ask(DEFAULT_QUERY)
    before, before_ms = moves.caller.ask(DEFAULT_QUERY)
    operation_id, _ = moves.move(STATUSES)
    after, after_ms = moves.caller.ask(DEFAULT_QUERY)
    if before["dashboard"]["overview"]["pipeline"] == after["dashboard"]["overview"]["pipeline"]:
        raise RuntimeError("a dashboard does not show what was moved right before it")
    await asyncio.to_thread(check_same_answers, [moves.tenant], ours, theirs)
    moves.undo(operation_id)
    return before_ms, after_ms


def _checked(payload: dict[str, Any], count: int) -> str:
    if payload["summary"]["updated"] != count:
        raise RuntimeError(f"{count} deals were to be changed: {payload['summary']}")
    return str(payload.get("operationId"))


@asynccontextmanager
async def _moves(settings: Settings, server: Server) -> AsyncIterator[Moves]:
    (tenant, *_) = await find_tenants(settings)
    async with connected(settings, "owner") as owner:
        ids, stage_ids, target_ids = zip(*await owner.fetch(CHOSEN, tenant.id, DEALS), strict=True)
    token = (await issue_token(settings, tenant.slug, email=None, role="manager")).token
    serving = await asyncpg.connect(settings.require("database_url"))
    try:
        yield Moves(tenant, Caller(server, token), serving, ids, stage_ids, target_ids)
    finally:
        await serving.close()


async def measure_alone(directory: Path, shape: Size | Scale, rounds: int, console: Console) -> ChangeFigures:
    """On a copy of the made-up data that is kept in `directory`, which must exist."""
    with databases(directory) as running, tempfile.TemporaryDirectory(prefix="benchmarks-") as logs:
        await running.load(database_of(shape), shape, console)
        async with running.copied(database_of(shape)) as settings:
            return await measure(settings, Path(logs), rounds)


def main(arguments: Sequence[str]) -> None:
    """`python -m benchmarks.changes DIRECTORY [DEALS [ROUNDS]]`."""
    directory, deals, rounds = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    directory.mkdir(parents=True, exist_ok=True)
    figures = asyncio.run(measure_alone(directory, Scale(Size.MEDIUM.tenants, deals), rounds, Console()))
    print("\n".join(figures.sentences()))


if __name__ == "__main__":
    main(sys.argv[1:])
