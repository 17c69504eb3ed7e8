"""What the triggers of rollups add to a write: the same moves of deals with them and without, all rolled back."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg

from benchmarks.rollups.subject import Subject, connected, median

BULK = 1_000
TABLES = ("deals", "deal_stage_history")
EVENTS = ("insert", "update", "delete")

# Open deals of the default pipeline, and the open stage where most of them are not.
CHOSEN = """
SELECT d.id FROM deals d JOIN pipelines p ON p.tenant_id = d.tenant_id AND p.id = d.pipeline_id AND p.is_default
 WHERE d.tenant_id = $1 AND d.outcome = 'open' AND d.deleted_at IS NULL AND d.stage_id <> $2
 ORDER BY md5(d.id::text) LIMIT $3
"""
STAGE = """
SELECT s.id FROM stages s JOIN pipelines p ON p.tenant_id = s.tenant_id AND p.id = s.pipeline_id AND p.is_default
 WHERE s.tenant_id = $1 AND s.kind = 'open' ORDER BY s.position DESC LIMIT 1
"""
MOVE = "UPDATE deals SET stage_id = $2 WHERE tenant_id = $1 AND id = ANY($3::bigint[])"


@dataclass(frozen=True)
class Write:
    """Medians of one statement that moves so many deals, in milliseconds."""

    rows: int
    with_ms: float
    without_ms: float

    @property
    def surcharge(self) -> float:
        """What the triggers add, as a share of the write without them."""
        return self.with_ms / self.without_ms - 1


async def write_in_turns(subject: Subject, rounds: int) -> list[Write]:
    """A bulk move, of fewer deals where the tenant has not enough, and a move of a single deal."""
    async with connected(subject.settings, "owner") as owner:
        stage_id = await owner.fetchval(STAGE, subject.tenant_id)
        ids = [row["id"] for row in await owner.fetch(CHOSEN, subject.tenant_id, stage_id, 2 * BULK)]
    found = [await _write(subject, stage_id, ids, rows, rounds) for rows in (len(ids) // 2, 1)]
    async with connected(subject.settings, "owner") as owner:
        await owner.execute(f"VACUUM {', '.join(TABLES)}")  # of the rows that were rolled back
    return found


async def _write(subject: Subject, stage_id: int, ids: Sequence[int], rows: int, rounds: int) -> Write:
    times: Mapping[bool, list[float]] = defaultdict(list)
    # A session for each, else what one prepares would be thrown away by the other's ALTER TABLE.
    async with AsyncExitStack() as stack:
        owners = {kept: await stack.enter_async_context(connected(subject.settings, "owner")) for kept in (True, False)}
        for _ in range(rounds):
            for kept, owner in owners.items():
                times[kept].append(await _move_ms(owner, (subject.tenant_id, stage_id), ids, rows, triggers=kept))
    return Write(rows, median(times[True]), median(times[False]))


async def _move_ms(
    owner: asyncpg.Connection, place: tuple[int, int], ids: Sequence[int], rows: int, *, triggers: bool
) -> float:
    transaction = owner.transaction()
    await transaction.start()
    try:
        if not triggers:
            for table in TABLES:
                for event in EVENTS:
                    await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER rollup_{event}")
        await owner.execute(MOVE, *place, ids[:rows])  # plans are made here
        begun = time.perf_counter()
        await owner.execute(MOVE, *place, ids[rows : 2 * rows])
        return (time.perf_counter() - begun) * 1000
    finally:
        await transaction.rollback()
