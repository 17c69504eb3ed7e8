"""Requests of several tenants in turn on the same connections: none sees what another left behind."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import httpx
import pytest

from tests.conftest import Client, Database, Serve
from tests.tenancy.conftest import Twins
from tests.tenancy.test_http import timeless
from tests.tenancy.twins import CANARY_IDS, TENANTS

QUERY = """{
  me { name } pipelines { name stages { name } }
  dashboard { overview { deals { total wonValue } } recent { tasks { title owner { name } } } leaderboard { wonValue } }
}"""
FAILING = f"""{{ me {{ name }} dashboard(ownerId: "{CANARY_IDS["Deal"]}") {{ asOf }} }}"""
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gateway' AND datname = $1 LIMIT 1"
UNANSWERABLE = {"DATABASE_UNAVAILABLE", "POOL_EXHAUSTED", "TENANT_BUSY"}
SOME, MANY = 100, pytest.param(2_000, marks=pytest.mark.slow)


class Callers:
    """One caller a tenant, of one gateway, with what each was answered when it was alone."""

    def __init__(self, client: Client, tokens: dict[str, str]) -> None:
        self.client = client
        self.tokens = tokens
        self.alone: dict[str, object] = {}

    async def post(self, tenant: str, query: str) -> httpx.Response:
        return await self.client.post(query, headers={"Authorization": f"Bearer {self.tokens[tenant]}"})

    async def ask(self, tenant: str) -> None:
        response = await self.post(tenant, QUERY)
        assert not any(other in response.text for other in TENANTS.keys() - {tenant})
        answer = response.json()
        if "errors" in answer:
            assert {error["extensions"]["code"] for error in answer["errors"]} <= UNANSWERABLE
        else:
            assert timeless(answer) == self.alone.setdefault(tenant, timeless(answer))

    async def fail(self, tenant: str) -> None:
        response = await self.post(tenant, FAILING)
        assert not any(other in response.text for other in TENANTS.keys() - {tenant})
        assert "errors" in response.json()

    async def leave(self, tenant: str) -> None:
        asking = asyncio.create_task(self.post(tenant, QUERY))
        await asyncio.sleep(random.uniform(0, 0.03))  # noqa: S311 - no secret hangs on it
        asking.cancel()
        await asyncio.wait([asking])


@pytest.fixture
async def callers(twins: Twins, serve: Serve) -> Callers:
    database: Database = twins.database
    client = await serve(database, pool_size=2, pool_wait_seconds=60, request_deadline_seconds=60)
    callers = Callers(client, {tenant: await database.token(tenant) for tenant in TENANTS})
    for tenant in TENANTS:
        await callers.ask(tenant)
    assert callers.alone.keys() == TENANTS.keys()
    return callers


async def storm(callers: Callers, requests: int, ways: Sequence[Callable[[str], Awaitable[None]]]) -> None:
    """So many requests, sixteen at once, of tenants and ways at random."""
    at_once = asyncio.Semaphore(16)
    dice = random.Random(7)  # noqa: S311 - no secret hangs on it

    async def one(tenant: str, way: Callable[[str], Awaitable[None]]) -> None:
        async with at_once:
            await way(tenant)

    async with asyncio.timeout(600), asyncio.TaskGroup() as group:
        for _ in range(requests):
            group.create_task(one(dice.choice(list(TENANTS)), dice.choice(ways)))
    for tenant in TENANTS:
        await callers.ask(tenant)


@pytest.mark.parametrize("requests", [SOME, MANY])
async def test_tenants_never_mix_among_errors_and_cancellations(callers: Callers, requests: int) -> None:
    await storm(callers, requests, [callers.ask, callers.ask, callers.fail, callers.leave])


@pytest.mark.parametrize("requests", [SOME, MANY])
async def test_tenants_never_mix_while_connections_are_cut(callers: Callers, twins: Twins, requests: int) -> None:
    superuser = await asyncpg.create_pool(twins.database.server.superuser_dsn, min_size=0, max_size=1)

    async def cut(tenant: str) -> None:
        await superuser.fetch(CUT, twins.database.name)
        await callers.ask(tenant)

    async with superuser:
        await storm(callers, requests, [callers.ask] * 10 + [callers.leave, cut])
