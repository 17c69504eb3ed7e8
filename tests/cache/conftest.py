"""A tenant with a member of each role, and gateways that keep answers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import httpx
import pytest
from redis.asyncio import Redis

from gateway.app import create_app
from gateway.commands.add_member import NewMember, add_member
from gateway.postgres.embedded import EmbeddedPostgres
from tests.changes.arena import Dice
from tests.conftest import Client, Database, fresh_database, serving
from tests.pipeline.acme import until
from tests.stress.answers.wire import Wire
from tests.world import World

ROLES = ("viewer", "rep", "manager", "admin")
DASHBOARD = "{ dashboard { overview { deals { total open pipelineValue } } } }"


@dataclass(frozen=True)
class Shop:
    """A tenant, written to past the gateway by its owner. Each role is also the name of the one member who has it."""

    database: Database
    world: World

    async def sees(self, client: Client, query: str = DASHBOARD, **headers: str) -> str:
        """What the cache did for a request, which must succeed."""
        response = await ask(client, query, **headers)
        assert "errors" not in response.json(), response.text
        return response.headers["X-Cache"]

    async def keeps(self, client: Client, query: str = DASHBOARD) -> None:
        """Asks until the answer is kept: at first the gateway does not hear of changes yet."""
        await until(lambda: self._hit(client, query))

    async def _hit(self, client: Client, query: str) -> bool:
        return await self.sees(client, query) == "HIT"


async def ask(client: Client, query: str = DASHBOARD, **headers: str) -> httpx.Response:
    return await client.post(query, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture(scope="module")
async def shop(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Shop]:
    database = await fresh_database(postgres, template)
    async with database.as_owner() as owner:
        world = await World.create(owner, "shop")
        keys = [await add_member(owner, NewMember("shop", f"{role}@shop.example", role, role)) for role in ROLES]
        world = replace(world, members={**world.members, **dict(zip(ROLES, keys, strict=True))})
        for _ in range(3):
            await world.deal("2026-01-05T10:00", owner="rep", amount="100")
        yield Shop(database, world)


Open = Callable[..., Awaitable[Client]]
"""(role="viewer", tenant="shop", **settings) to a client of one more gateway that keeps answers."""


@pytest.fixture
async def opened(shop: Shop) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def start(role: str = "viewer", tenant: str = "shop", **settings: object) -> Client:
            app = create_app(shop.database.settings(**{"cache_max_age_seconds": 3600, **settings}))
            token = await shop.database.token(tenant, role)
            return await stack.enter_async_context(serving(app, token))

        yield start


@pytest.fixture
async def viewer(opened: Open) -> Client:
    """A viewer whose answers are kept."""
    return await opened()


@pytest.fixture
async def wire(shop: Shop) -> AsyncIterator[Wire]:
    """Leads to the shop's database. To be asked for before the gateways that listen through it."""
    wire = Wire(Dice(1))
    async with wire.to(shop.database.server.port):
        yield wire


async def beside(shop: Shop, client: Client, role: str) -> Client:
    """Another member who calls the same gateway."""
    return Client(client.app, client.http, await shop.database.token("shop", role))


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the Redis that a test's gateways share."""
    async with Redis.from_url(redis_url) as client:
        yield client
