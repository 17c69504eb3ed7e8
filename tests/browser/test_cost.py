"""The price under GraphiQL's editor, in a real browser, against what the gateway tells of the same operations."""

from typing import Any

import httpx

from tests.browser.conftest import Visit

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
