"""A tenant whose members all want the same few deals, and what its members have noticed of them so far."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random

import asyncpg

from gateway.app import create_app
from tests.changes.conftest import new_world
from tests.conftest import Client, Database, serving
from tests.stress.ground import SECOND_PIPELINE
from tests.world import World

WRITERS = ("rep", "manager", "admin")
GATEWAYS = 2
FIRST_STAGES = ("Lead", "Due")

STAGES_OF_DEALS = """
SELECT d.id, array_agg(s.id ORDER BY s.id) FROM deals d JOIN stages s USING (tenant_id, pipeline_id)
 WHERE d.tenant_id = $1 GROUP BY d.id ORDER BY d.id
"""


_numbers = count(1)


class Dice(Random):
    """Dice of one player: no secret, but the same again for the same seed."""


@dataclass(frozen=True)
class Arena:
    """`stages`: those that each deal may be in; `seen`, `operations`: versions and ids of answers."""

    database: Database
    world: World
    stages: Mapping[int, Sequence[int]]
    seen: dict[int, int] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)

    @property
    def deals(self) -> Sequence[int]:
        return tuple(self.stages)

    @property
    def tenant_id(self) -> int:
        return self.world.tenant_id

    @property
    def every_stage(self) -> Sequence[int]:
        return sorted({stage for stages in self.stages.values() for stage in stages})


async def open_arena(database: Database, owner: asyncpg.Connection, deals: int) -> Arena:
    """A new tenant with two pipelines; its deals, half in each, are a rep's and a manager's by turns."""
    world = await new_world(owner, f"arena-{next(_numbers)}")
    await owner.execute(SECOND_PIPELINE, world.tenant_id)
    for number in range(deals):
        stage = FIRST_STAGES[number % 2]
        await world.deal("2026-01-05T10:00", owner=WRITERS[number // 2 % 2], stage=stage, amount=f"{number}00")
    stages = {row[0]: row[1] for row in await owner.fetch(STAGES_OF_DEALS, world.tenant_id)}
    return Arena(database, world, stages)


@asynccontextmanager
async def callers(arena: Arena) -> AsyncIterator[list[tuple[str, Client]]]:
    """Each writing role at each of two gateways, which know nothing of each other."""
    async with AsyncExitStack() as stack:
        gateways = [
            await stack.enter_async_context(serving(create_app(arena.database.settings()), None))
            for _ in range(GATEWAYS)
        ]
        tokens = {role: await arena.database.token(arena.world.slug, role) for role in WRITERS}
        yield [(role, Client(each.app, each.http, tokens[role])) for each in gateways for role in WRITERS]
