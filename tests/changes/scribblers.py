"""Writers beside the gateway: plain SQL of the owner, on the same deals in any order: there are deadlocks."""

import asyncio
from collections import Counter

import asyncpg

from tests.changes.arena import Arena, Dice

DEAL_WRITES = (
    "UPDATE deals SET amount = coalesce(amount, 0) + 1 WHERE tenant_id = $1 AND id = $2",
    "UPDATE deals SET name = name || '' WHERE tenant_id = $1 AND id = $2",
    "UPDATE deals SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE tenant_id = $1 AND id = $2",
)
MOVE = "UPDATE deals SET stage_id = $3 WHERE tenant_id = $1 AND id = $2"
# The kind of a stage is part of the key by which its deals refer to it: with it, they are rewritten.
STAGE_WRITE = """
UPDATE stages SET kind = CASE kind WHEN 'open' THEN 'won' ELSE 'open' END,
       probability = CASE kind WHEN 'open' THEN 1 ELSE 0.5 END
 WHERE tenant_id = $1 AND id = $2
"""
IN_STAGE = "SELECT id FROM deals WHERE tenant_id = $1 AND stage_id = $2"

LOST = asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.ForeignKeyViolationError
LONGEST_PAUSE_SECONDS = 0.01


async def scribble(arena: Arena, dice: Dice, rounds: int, others: Counter[int]) -> None:
    """So many transactions; `others` counts what they changed of each deal, once it is committed."""
    async with arena.database.as_owner() as owner:
        for _ in range(rounds):
            try:
                async with owner.transaction():
                    written = await _write(owner, arena, dice)
            except LOST:
                continue
            others.update(written)
            await asyncio.sleep(dice.uniform(0, LONGEST_PAUSE_SECONDS))


async def _write(owner: asyncpg.Connection, arena: Arena, dice: Dice) -> list[int]:
    """The deals that were changed, each as often as it was."""
    if dice.random() < 0.1:
        stage = dice.choice(arena.every_stage)
        await owner.execute(STAGE_WRITE, arena.tenant_id, stage)
        return [row[0] for row in await owner.fetch(IN_STAGE, arena.tenant_id, stage)]
    deals = dice.sample(arena.deals, 3)
    for deal in deals:
        if dice.random() < 0.5:
            await owner.execute(MOVE, arena.tenant_id, deal, dice.choice(arena.stages[deal]))
        else:
            await owner.execute(dice.choice(DEAL_WRITES), arena.tenant_id, deal)
        await asyncio.sleep(dice.uniform(0, LONGEST_PAUSE_SECONDS))
    return deals
