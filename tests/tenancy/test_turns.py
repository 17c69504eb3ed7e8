"""Two tenants at one pool: what one of them holds and waits for takes nothing from the other."""

import asyncio

import httpx
import pytest

from gateway.commands.add_member import NewMember, add_member
from gateway.commands.create_tenant import NewTenant, create_tenant
from gateway.commands.plans import set_tenant_plan
from tests.conftest import Client, Database, Serve
from tests.pipeline.acme import found_acme, locked, until_waiting

ME = "{ me { email } }"
CONCURRENCY = 4
"""Of the plan `standard`."""


@pytest.fixture
async def tenants(database: Database) -> Database:
    """`acme`, and `quiet` beside it."""
    await found_acme(database)
    async with database.as_owner() as owner:
        await set_tenant_plan(owner, "acme", "standard")
        await create_tenant(owner, NewTenant("quiet", "Quiet"))
        await add_member(owner, NewMember("quiet", "quiet@quiet.test", "Quiet", "viewer"))
    return database


def tasks(number: int) -> str:
    """Each number asks for itself: equal requests would share an answer."""
    return f"{{ number{number}: dashboard {{ overview {{ tasks {{ open }} }} }} }}"


def hanging(client: Client, requests: int) -> list[asyncio.Task[httpx.Response]]:
    return [asyncio.create_task(client.post(tasks(number))) for number in range(requests)]


def told(response: httpx.Response) -> tuple[int, str, str | None]:
    return response.status_code, response.json()["errors"][0]["extensions"]["code"], response.headers.get("Retry-After")


async def test_a_tenant_whose_requests_all_hang_leaves_a_place_to_another(tenants: Database, serve: Serve) -> None:
    client = await serve(tenants, "acme", pool_size=CONCURRENCY + 1, pool_wait_seconds=0.5)
    quiet = {"Authorization": f"Bearer {await tenants.token('quiet')}"}
    async with locked(tenants, "tasks"):
        asking = hanging(client, CONCURRENCY + 2)
        await until_waiting(tenants, CONCURRENCY)
        answer = await client.post(ME, headers=quiet)
        refused, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    assert answer.json() == {"data": {"me": {"email": "quiet@quiet.test"}}}
    assert {told(task.result()) for task in refused} == {(503, "TENANT_BUSY", "1")}
    statuses = sorted([response.status_code for response in await asyncio.gather(*asking)])
    assert statuses == [200] * CONCURRENCY + [503] * 2
    metrics = (await client.http.get("/metrics")).text
    assert 'gateway_pool_refusals_total{code="TENANT_BUSY"} 2.0' in metrics
    assert "gateway_pool_waiting 0.0" in metrics


async def test_a_request_whose_turn_does_not_come_is_refused_though_its_field_may_be_null(
    tenants: Database, serve: Serve
) -> None:
    client = await serve(tenants, "acme", pool_size=CONCURRENCY + 1, pool_wait_seconds=0.5, cost_mode="enforce")
    async with locked(tenants, "tasks"):
        asking = hanging(client, CONCURRENCY)
        await until_waiting(tenants, CONCURRENCY)
        refused = await client.post("{ pipelineStats { stages { entered } } }")
    await asyncio.gather(*asking)
    assert told(refused) == (503, "TENANT_BUSY", "1")
    assert refused.json()["extensions"]["cost"]["actualQueryCost"] == 1


async def test_while_a_tenant_floods_another_is_answered_before_most_of_it(tenants: Database, serve: Serve) -> None:
    client = await serve(tenants, "acme", pool_size=2, pool_wait_seconds=30)
    quiet = {"Authorization": f"Bearer {await tenants.token('quiet')}"}
    flood = hanging(client, 200)
    await asyncio.sleep(0)
    answer = await client.post(ME, headers=quiet)
    answered = sum(task.done() for task in flood)
    assert (answer.status_code, answered < 20) == (200, True)
    assert {response.status_code for response in await asyncio.gather(*flood)} == {200}
