"""Reading one tenant's pipeline: the live view with changes pending and without, and the raw aggregate beside it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.rollups.changes import Reassignments
from benchmarks.rollups.subject import Gateway, Subject, connected, median
from gateway.rollups.declaration import Rollup
from gateway.rollups.declared import DEAL_STATE, ROLLUPS
from gateway.rollups.maintain import fold_rollup
from gateway.rollups.names import live
from gateway.rollups.render import raw, sums
from loaders.deal_totals import Moves, pipeline_board
from loaders.periods import ALL_DAYS
from loaders.reads import Statement

CHANGES = 1_000
NO_MOVES = Moves(counted=False, followed=False)
STATES = ("none", "not folded", "folded")

BY_STAGE = f"SELECT stage_id, {sums(DEAL_STATE)} FROM {{source}} WHERE tenant_id = $1 GROUP BY stage_id"
LIVE = Statement("live", "benchmarks", BY_STAGE.format(source=live(DEAL_STATE)))
RAW = Statement("raw", "benchmarks", BY_STAGE.format(source=f"({raw(DEAL_STATE, 'tenant_id = $1')}) AS r"))

GROUPS = Statement("groups", "benchmarks", "SELECT name, groups FROM app.rollups() WHERE tenant_id = $1")


@dataclass(frozen=True)
class PipelineRead:
    """Medians in the database, in milliseconds: a trip to it and back is taken off.

    `live_ms`: sums by stage from the live view. `board_ms`: the statement behind `pipelineStats` without a period.
    `raw_ms`: the same sums as `live_ms` from the deals themselves. `pending`: one of STATES.
    """

    deals: int
    tenant_deals: int
    pending: str
    live_ms: float
    board_ms: float
    raw_ms: float

    @property
    def ratio(self) -> float:
        """How many times as fast as the raw aggregate the live view is."""
        return self.raw_ms / self.live_ms


@dataclass(frozen=True)
class RollupRead:
    """All sums of the largest tenant, from the live view and from the table. Groups: of all, and of that tenant."""

    name: str
    groups: int
    tenant_groups: int
    live_ms: float
    raw_ms: float


async def read_pipeline(subject: Subject, rounds: int) -> list[PipelineRead]:
    """With nothing pending, with a thousand deals given to other owners, and with those changes folded."""
    async with Gateway(subject) as gateway, connected(subject.settings, "owner") as owner:
        changes = await Reassignments.of(owner, CHANGES, tenant_id=subject.tenant_id)
        found = [await _pipeline(subject, gateway, "none", rounds)]
        await changes.make(owner)
        found.append(await _pipeline(subject, gateway, "not folded", rounds))
        await _fold_all(subject)
        found.append(await _pipeline(subject, gateway, "folded", rounds))
        await changes.undo(owner)
        await _fold_all(subject)
    return found


async def read_rollups(subject: Subject, rounds: int) -> list[RollupRead]:
    """One figure for each rollup."""
    async with Gateway(subject) as gateway:
        async with gateway.snapshot() as (reads, _):
            tenant_groups = {row[0]: row[1] for row in await reads.fetch(GROUPS)}
        async with connected(subject.settings, "worker") as worker:
            rows = await worker.fetch("SELECT name, base_groups FROM rollup.registry")
        groups = {row["name"]: row["base_groups"] for row in rows}
        return [
            RollupRead(
                rollup.name, groups[rollup.name], tenant_groups[rollup.name], *await _sums(gateway, rollup, rounds)
            )
            for rollup in ROLLUPS
        ]


async def _pipeline(subject: Subject, gateway: Gateway, pending: str, rounds: int) -> PipelineRead:
    times: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        async with gateway.snapshot() as (reads, _now):
            trip_ms = await reads.trip()
            for statement in (LIVE, RAW):
                await reads.fetch(statement)
                times[statement.name].append(reads.milliseconds - trip_ms)
            await pipeline_board(reads, None, None, ALL_DAYS, NO_MOVES)
            times["board"].append(reads.milliseconds - trip_ms)
    middles = (median(times[name]) for name in ("live", "board", "raw"))
    return PipelineRead(subject.deals, subject.tenant_deals, pending, *middles)


async def _sums(gateway: Gateway, rollup: Rollup, rounds: int) -> Sequence[float]:
    """Milliseconds of the live view and of the table."""
    sources = (live(rollup), f"({raw(rollup, 'tenant_id = $1')}) AS r")
    query = f"SELECT {sums(rollup)} FROM {{}} WHERE tenant_id = $1"
    statements = [Statement(rollup.name, "benchmarks", query.format(source)) for source in sources]
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        async with gateway.snapshot() as (reads, _now):
            trip_ms = await reads.trip()
            for statement, of_one in zip(statements, times, strict=True):
                await reads.fetch(statement)
                of_one.append(reads.milliseconds - trip_ms)
    return [median(of_one) for of_one in times]


async def _fold_all(subject: Subject) -> None:
    async with connected(subject.settings, "worker") as worker:
        for rollup in ROLLUPS:
            await fold_rollup(worker, rollup)
