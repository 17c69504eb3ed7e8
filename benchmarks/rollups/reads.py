"""Reading one tenant's pipeline: the live view with changes pending and without, and the raw aggregate beside it."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from benchmarks.rollups.changes import Reassignments, clear, fold_all
from benchmarks.rollups.subject import Gateway, Subject, connected, median, rounds_of
from gateway.rollups.declaration import Rollup
from gateway.rollups.declared import DEAL_STATE, ROLLUPS
from gateway.rollups.names import live
from gateway.rollups.render import raw, sums
from loaders.deal_totals import Moves, WhichPipelines, deal_board
from loaders.periods import ALL_DAYS
from loaders.reads import Statement

CHANGES = 1_000
NO_MOVES = Moves(counted=False, followed=False)
STATES = ("none", "not folded", "folded")

BY_STAGE = f"SELECT stage_id, {sums(DEAL_STATE)} FROM {{source}} WHERE tenant_id = $1 GROUP BY stage_id"
TABLE = frozenset({DEAL_STATE.table.name})
LIVE = Statement("live", "benchmarks", BY_STAGE.format(source=live(DEAL_STATE)), TABLE, planned_once=True)
RAW = Statement("raw", "benchmarks", BY_STAGE.format(source=f"({raw(DEAL_STATE, 'tenant_id = $1')}) AS r"), TABLE)

TABLES = frozenset(rollup.table.name for rollup in ROLLUPS)
GROUPS = Statement("groups", "benchmarks", "SELECT name, groups FROM app.rollups() WHERE tenant_id = $1", TABLES)


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
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(Gateway(subject))
        owner = await stack.enter_async_context(connected(subject.settings, "owner"))
        worker = await stack.enter_async_context(connected(subject.settings, "worker"))
        await clear(worker)
        changes = await Reassignments.of(owner, CHANGES, tenant_id=subject.tenant_id)
        found = [await _pipeline(subject, gateway, "none", rounds)]
        await changes.make(owner)
        found.append(await _pipeline(subject, gateway, "not folded", rounds))
        await fold_all(worker)
        found.append(await _pipeline(subject, gateway, "folded", rounds))
        await changes.undo(owner)
        await clear(worker)
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
    for _ in rounds_of(rounds):
        async with gateway.snapshot() as (reads, _now):
            times["trip"].append(await reads.trip())
            times["live"].append(await reads.timed(reads.fetch(LIVE)))
            board = deal_board(reads, WhichPipelines(one=True, id=None), None, ALL_DAYS, NO_MOVES)
            times["board"].append(await reads.timed(board))
            times["raw"].append(await reads.timed(reads.fetch(RAW)))
    middles = (median(times[name]) - median(times["trip"]) for name in ("live", "board", "raw"))
    return PipelineRead(subject.deals, subject.tenant_deals, pending, *middles)


async def _sums(gateway: Gateway, rollup: Rollup, rounds: int) -> Sequence[float]:
    """Milliseconds of the live view and of the table."""
    sources = (live(rollup), f"({raw(rollup, 'tenant_id = $1')}) AS r")
    query = f"SELECT {sums(rollup)} FROM {{}} WHERE tenant_id = $1"
    planned_once = (True, False)  # as the gateway plans what it reads
    table = frozenset({rollup.table.name})
    statements = [
        Statement(rollup.name, "benchmarks", query.format(source), table, planned_once=once)
        for source, once in zip(sources, planned_once, strict=True)
    ]
    trips: list[float] = []
    times: list[list[float]] = [[], []]
    for _ in rounds_of(rounds):
        async with gateway.snapshot() as (reads, _now):
            trips.append(await reads.trip())
            for statement, of_one in zip(statements, times, strict=True):
                of_one.append(await reads.timed(reads.fetch(statement)))
    return [median(of_one) - median(trips) for of_one in times]
