"""The price under GraphiQL's editor, in a real browser, against what the gateway tells of the same operations."""

import asyncio
from typing import Any

import httpx
from pydantic import SecretStr

from gateway.app import create_app
from tests.browser.conftest import Visit
from tests.conftest import Database
from tests.pipeline.listening import listening

SLOW = """
INSERT INTO tenant_terms (tenant_id, bucket_points, points_per_second, most_points)
SELECT id, 2000, 10, 2000 FROM tenants WHERE slug = 'aurora'
"""
DEALS = "{ deals(first: %d) { nodes { name } } }"


async def told(gateway_url: str, token: str, query: str) -> list[str]:
    """What the panel is to show: the price, and the five dearest paths with what each adds."""
    headers = {"Authorization": f"Bearer {token}", "GraphQL-Cost": "dry-run"}
    async with httpx.AsyncClient(headers=headers) as client:
        answer = await client.post(f"{gateway_url}/graphql", json={"query": query})
    cost: dict[str, Any] = answer.json()["extensions"]["cost"]
    paths = [f"{'.'.join(field['path'])} {field['cost']:g}" for field in cost["fields"][:5]]
    return [f"{cost['requestedQueryCost']} points", *paths]


async def test_the_price_and_its_dearest_paths_follow_what_is_typed(visit: Visit, gateway_url: str) -> None:
    seen = visit("cost.mjs")
    token, default_query = seen["config"]["token"], seen["config"]["defaultQuery"]
    assert seen["first"] == await told(gateway_url, token, default_query)
    assert seen["ten"] == await told(gateway_url, token, DEALS % 10) == ["11 points", "deals.nodes 10", "deals 1"]
    assert seen["fifty"] == seen["commented"] == ["51 points", "deals.nodes 50", "deals 1"]
    assert seen["broken"] == seen["unknown"] == ["–"]
    assert seen["decided"] == ["91 points", "deals.nodes 90", "deals 1"]
    assert (seen["two"], seen["underCursor"]) == (await told(gateway_url, token, DEALS % 30), ["1 point", "me 1"])
    assert seen["notSignedIn"] == ["Not signed in: put a token into the headers to see prices."]
    assert (seen["executed"], seen["mostAtOnce"]) == (["IntrospectionQuery"], 1)
    assert (seen["problems"], seen["sameHeight"]) == ([], True)


async def test_a_run_drains_the_budget_and_time_fills_it_again(visit: Visit, demo: Database) -> None:
    async with demo.as_owner() as owner:
        await owner.execute(SLOW)
        token = SecretStr(await demo.token("aurora"))
        with listening(create_app(demo.settings(graphiql_token=token, cost_mode="enforce"))) as url:
            seen = await asyncio.to_thread(visit, "budget.mjs", url)
        await owner.execute("DELETE FROM tenant_terms")
    assert (seen["maximum"], seen["problems"]) == (2000, [])
    assert seen["after"] < seen["before"] - 300
    assert seen["after"] < seen["later"] < seen["before"]
    assert "Asked 540, cost" in seen["outcome"]
