"""What a caller is told of the price, before anything is done or with the answer: over HTTP."""

from typing import Any

import httpx
import pytest

from tests.conftest import Client, Database, Serve

DASHBOARD = (
    "{ dashboard(period: { preset: LAST_30_DAYS }) { overview { deals { total } } leaderboard(first: 3) { won } } }"
)
MOVE = "mutation { deleteDeals(input: { dealIds: [] }) { summary { updated } } }"


async def asked(client: Client, query: str, wish: str, **variables: Any) -> httpx.Response:
    return await client.post(query, variables, headers={"GraphQL-Cost": wish})


def cost(response: httpx.Response) -> dict[str, Any]:
    told: dict[str, Any] = response.json()["extensions"]["cost"]
    return told


@pytest.fixture
async def viewer(demo: Database, serve: Serve) -> Client:
    return await serve(demo, "aurora", cache_max_age_seconds=3600)


async def test_a_dry_run_tells_the_price_and_does_nothing(viewer: Client) -> None:
    response = await asked(viewer, DASHBOARD, "dry-run")
    assert (response.status_code, response.json()["data"]) == (200, None)
    assert "execute" not in response.headers["Server-Timing"]
    told = cost(response)
    assert told["requestedQueryCost"] > 1
    assert abs(sum(field["cost"] for field in told["fields"]) - told["requestedQueryCost"]) <= 1
    assert told["fields"] == sorted(told["fields"], key=lambda field: -field["cost"])


async def test_a_change_is_priced_without_being_made(viewer: Client) -> None:
    response = await asked(viewer, MOVE, "dry-run")
    # The mutation 10, its input 1, its payload 1, the summary 1.
    assert (response.json()["data"], cost(response)["requestedQueryCost"]) == (None, 13)


async def test_the_price_by_path_comes_with_the_answer_kept_or_not(viewer: Client) -> None:
    dry = cost(await asked(viewer, DASHBOARD, "dry-run"))
    for _ in range(3):
        response = await asked(viewer, DASHBOARD, "fields")
        assert (response.json()["data"]["dashboard"] is not None, cost(response)) == (True, dry)
    assert "extensions" not in (await viewer.post(DASHBOARD)).json()


async def test_a_variable_costs_what_its_value_costs(viewer: Client) -> None:
    query = "query Deals($first: Int) { deals(first: $first) { nodes { name } } }"
    few, many = [cost(await asked(viewer, query, "dry-run", first=first)) for first in (5, 50)]
    assert many["requestedQueryCost"] - few["requestedQueryCost"] >= 45


async def test_a_wish_that_is_none_is_refused_before_anything_is_done(viewer: Client) -> None:
    response = await asked(viewer, DASHBOARD, "guess")
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_what_is_not_valid_or_not_permitted_has_no_price(viewer: Client) -> None:
    wrong = await asked(viewer, "{ nothing }", "dry-run")
    assert wrong.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    nobody = Client(viewer.app, viewer.http, None)
    assert (await asked(nobody, DASHBOARD, "dry-run")).status_code == 401
