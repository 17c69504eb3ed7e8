"""A tenant with its own terms, and gateways that hold it to them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest

from gateway.app import create_app
from gateway.commands.add_member import NewMember, add_member
from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import Client, Database, fresh_database, serving
from tests.world import World

AGREE = """
INSERT INTO tenant_terms (tenant_id, bucket_points, points_per_second, most_points, stale_instead, mode)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id) DO UPDATE SET (bucket_points, points_per_second, most_points, stale_instead, mode)
   = (EXCLUDED.bucket_points, EXCLUDED.points_per_second, EXCLUDED.most_points, EXCLUDED.stale_instead, EXCLUDED.mode)
"""


@dataclass(frozen=True)
class Payer:
    """A tenant that pays, beside tenant `other`; `manager` and `admin` are the members who may write."""

    database: Database
    world: World

    async def agree(
        self, *, size: int, rate: int = 1, most: int | None = None, stale_instead: bool = False, mode: str | None = None
    ) -> None:
        """Its terms, for gateways that begin from now on."""
        terms = (size, rate, size if most is None else most, stale_instead, mode)
        await self.world.owner.execute(AGREE, self.world.tenant_id, *terms)


@pytest.fixture(scope="module")
async def payer(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Payer]:
    database = await fresh_database(postgres, template)
    async with database.as_owner() as owner:
        world = await World.create(owner, "payer")
        roles = ("manager", "admin")
        keys = [await add_member(owner, NewMember("payer", f"{role}@payer.example", role, role)) for role in roles]
        world = replace(world, members={**world.members, **dict(zip(roles, keys, strict=True))})
        await World.create(owner, "other")
        for _ in range(3):
            await world.deal("2026-01-05T10:00", owner="ann", amount="100")
        yield Payer(database, world)


Open = Callable[..., Awaitable[Client]]
"""(role="viewer", **settings) to a client of one more gateway that goes by prices."""


@pytest.fixture
async def opened(payer: Payer) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def start(role: str = "viewer", **settings: object) -> Client:
            app = create_app(payer.database.settings(**{"cost_mode": "enforce", **settings}))
            return await stack.enter_async_context(serving(app, await payer.database.token("payer", role)))

        yield start
