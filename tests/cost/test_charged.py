"""What is asked is paid out of the tenant's budget: over HTTP, with PostgreSQL and, where it says so, Redis."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from tests.conftest import Client
from tests.cost.conftest import Open, Payer
from tests.pipeline.acme import locked, until, until_waiting

LIST = "{ deals(first: 20) { nodes { name } } }"
# The connection 1, and for each entry of the page a Deal 1.
LIST_PRICE, LIST_PAID = 21, 4
TOTAL = "{ dashboard { overview { deals { total } } } }"
BUDGET = "{ budget { mode maximumAvailable currentlyAvailable restoreRate mostPoints alone } }"
REFUSED = {"requestedQueryCost": LIST_PRICE, "actualQueryCost": 0}


def cost(response: httpx.Response) -> dict[str, Any]:
    told: dict[str, Any] = response.json()["extensions"]["cost"]
    return told


def available(response: httpx.Response) -> int:
    return int(cost(response)["throttleStatus"]["currentlyAvailable"])


def code(response: httpx.Response) -> str | None:
    errors = response.json().get("errors", [{"extensions": {"code": None}}])
    found: str | None = errors[0]["extensions"]["code"]
    return found


async def test_an_answer_tells_what_was_asked_what_was_paid_and_what_is_left(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000)
    response = await (await opened()).post(LIST)
    status = {"maximumAvailable": 1000, "currentlyAvailable": 1000 - LIST_PAID, "restoreRate": 1}
    assert cost(response) == {
        "requestedQueryCost": LIST_PRICE,
        "actualQueryCost": LIST_PAID,
        "throttleStatus": status,
    }
    assert response.headers["X-RateLimit-Remaining"] == str(1000 - LIST_PAID)


async def test_what_does_not_fit_is_refused_until_it_does(payer: Payer, opened: Open) -> None:
    await payer.agree(size=LIST_PRICE, rate=1)
    viewer = await opened()
    assert code(await viewer.post(LIST)) is None
    refused = await viewer.post(LIST)
    assert (refused.status_code, code(refused)) == (429, "THROTTLED")
    assert "execute" not in refused.headers["Server-Timing"]
    assert {name: cost(refused)[name] for name in REFUSED} == REFUSED
    short = LIST_PRICE - available(refused)
    assert 0 < short <= LIST_PAID
    assert refused.headers["Retry-After"] == str(short)
    assert refused.headers["RateLimit-Policy"] == f'"points";q={LIST_PRICE};w={LIST_PRICE}'
    assert refused.headers["RateLimit"] == f'"points";r={available(refused)};t={short}'
    assert refused.headers["X-RateLimit-Remaining"] == str(available(refused))

    async def fits() -> bool:
        return code(await viewer.post(LIST)) is None

    await until(fits)


async def test_what_is_dearer_than_one_operation_may_be_is_told_how_to_be_cheaper(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000, most=10)
    response = await (await opened()).post(LIST)
    assert (response.status_code, code(response)) == (400, "COST_LIMIT_EXCEEDED")
    told = response.json()["errors"][0]["extensions"]
    assert (told["cost"], told["most"], told["dearest"][0]["path"]) == (LIST_PRICE, 10, ["deals", "nodes"])
    assert told["dearest"][0]["remedy"] == "A smaller `first` of `deals` would do: at most 9."
    assert cost(response)["actualQueryCost"] == 0


async def test_a_price_is_told_without_anything_being_spent(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000, most=10)
    viewer = await opened()
    dear, cheap = [await viewer.post(query, headers={"GraphQL-Cost": "dry-run"}) for query in (LIST, "{ __typename }")]
    assert (code(dear), cost(dear)["requestedQueryCost"]) == ("COST_LIMIT_EXCEEDED", LIST_PRICE)
    assert cost(dear)["fields"][0]["path"] == ["deals", "nodes"]
    assert (cheap.json()["data"], cost(cheap)["actualQueryCost"], available(cheap)) == (None, 0, 1000)


async def test_an_answer_that_was_kept_costs_one_point_and_is_never_refused(payer: Payer, opened: Open) -> None:
    await payer.agree(size=LIST_PRICE + 2)
    viewer = await opened(cache_max_age_seconds=3600)
    await until_kept(viewer)
    before = available(await viewer.post(TOTAL))
    for _ in range(before + 5):
        response = await viewer.post(TOTAL)
        assert (response.headers["X-Cache"], cost(response)["actualQueryCost"]) == ("HIT", 1)
    assert (available(response), code(await viewer.post(LIST))) == (0, "THROTTLED")


async def test_of_those_who_ask_the_same_at_once_one_pays_the_price(payer: Payer, opened: Open) -> None:
    await payer.agree(size=10_000)
    viewer = await opened(cache_max_age_seconds=3600)
    await until_kept(viewer)
    before = available(await viewer.post(BUDGET))
    async with locked(payer.database, "deals"):
        asking = [asyncio.create_task(viewer.post(LIST)) for _ in range(10)]
        await until_waiting(payer.database)
    answers = await asyncio.gather(*asking)
    assert sorted(cost(answer)["actualQueryCost"] for answer in answers) == [1] * 9 + [LIST_PAID]
    assert available(await viewer.post(BUDGET)) == before - LIST_PAID - 9 - 1


async def test_who_goes_away_pays_the_whole_price(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000)
    viewer = await opened(request_deadline_seconds=0.5)
    async with locked(payer.database, "deals"):
        late = await viewer.post(LIST)
    assert (code(late), cost(late)["actualQueryCost"]) == ("DEADLINE_EXCEEDED", LIST_PRICE)
    assert available(await viewer.post("{ __typename }")) == 1000 - LIST_PRICE - 1


async def test_what_is_measured_is_counted_and_never_refused(payer: Payer, opened: Open) -> None:
    await payer.agree(size=10, mode="measure")
    viewer = await opened()
    first, second = [await viewer.post(LIST) for _ in range(2)]
    assert (code(first), code(second)) == (None, None)
    assert (cost(second)["actualQueryCost"], available(second)) == (LIST_PAID, 10 - 2 * LIST_PAID)
    metrics = (await viewer.http.get("/metrics")).text
    assert 'gateway_cost_over_budget_total{mode="measure"} 2.0' in metrics
    assert f'gateway_cost_points_total{{kind="paid"}} {2 * LIST_PAID}.0' in metrics


@pytest.mark.parametrize(("setting", "agreed"), [("off", None), ("enforce", "off")])
async def test_where_prices_are_off_nothing_is_told_unless_it_is_asked_for(
    payer: Payer, opened: Open, setting: str, agreed: str | None
) -> None:
    await payer.agree(size=1, mode=agreed)
    viewer = await opened(cost_mode=setting)
    response = await viewer.post(LIST)
    assert (code(response), "extensions" in response.json()) == (None, False)
    assert "X-RateLimit-Remaining" not in response.headers
    asked = await viewer.post(LIST, headers={"GraphQL-Cost": "dry-run"})
    assert (cost(asked)["requestedQueryCost"], "throttleStatus" in cost(asked)) == (LIST_PRICE, False)
    assert (await viewer.data("{ budget { mode } }"))["budget"] is None


async def test_a_plan_may_let_what_was_kept_stand_in_for_a_refusal(payer: Payer, opened: Open) -> None:
    await payer.agree(size=30, stale_instead=True)
    viewer = await opened(cache_max_age_seconds=3600)
    await until_kept(viewer)
    await drained(viewer)
    await payer.world.owner.execute("UPDATE deals SET amount = amount + 1")

    async def stands_in() -> bool:
        return (await viewer.post(TOTAL)).headers["X-Cache"] == "STALE"

    await until(stands_in)
    await asyncio.sleep(1.1)
    assert code(await viewer.post(TOTAL, headers={"Cache-Control": "max-age=1"})) == "THROTTLED"
    assert code(await viewer.post(TOTAL, headers={"Cache-Control": "no-cache"})) == "THROTTLED"


async def test_what_an_admin_ended_stands_in_for_no_refusal(payer: Payer, opened: Open) -> None:
    await payer.agree(size=30, stale_instead=True)
    viewer, admin = await opened(cache_max_age_seconds=3600), await opened("admin", cost_mode="off")
    await until_kept(viewer)
    await drained(viewer)
    await payer.world.owner.execute("UPDATE deals SET amount = amount + 1")

    async def stands_in() -> bool:
        return (await viewer.post(TOTAL)).headers["X-Cache"] == "STALE"

    async def refused() -> bool:
        return code(await viewer.post(TOTAL)) == "THROTTLED"

    await until(stands_in)
    await admin.data("mutation { purgeCache { tags } }")
    await until(refused)


async def until_kept(viewer: Client) -> None:
    """At first a gateway does not hear of changes yet, and keeps nothing."""

    async def kept() -> bool:
        return (await viewer.post(TOTAL)).headers["X-Cache"] == "HIT"

    await until(kept)


async def drained(viewer: Client) -> None:
    """Nothing is left of the budget."""
    while available(await viewer.post("{ __typename }")):
        pass


async def test_a_change_is_paid_by_what_it_did(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000)
    manager = await opened("manager")
    change = "mutation { deleteDeals(input: { dealIds: [] }) { summary { updated } } }"
    response = await manager.post(change)
    assert cost(response)["requestedQueryCost"] == 13
    assert 0 < cost(response)["actualQueryCost"] <= 13


async def test_a_change_that_fails_on_its_way_pays_the_whole_price(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000)
    manager = await opened("manager", request_deadline_seconds=0.5)
    ids = [deal["id"] for deal in (await manager.data("{ deals(first: 3) { nodes { id } } }"))["deals"]["nodes"]]
    change = "mutation ($ids: [ID!]) { deleteDeals(input: { dealIds: $ids }) { summary { updated } } }"
    async with locked(payer.database, "deals"):
        late = await manager.post(change, {"ids": ids})
    assert (code(late), cost(late)["actualQueryCost"]) == ("DEADLINE_EXCEEDED", cost(late)["requestedQueryCost"])


async def test_what_is_undone_is_priced_as_the_most_that_it_may_be(payer: Payer, opened: Open) -> None:
    await payer.agree(size=10_000)
    manager = await opened("manager")
    ids = [deal["id"] for deal in (await manager.data("{ deals(first: 3) { nodes { id } } }"))["deals"]["nodes"]]
    change = "mutation ($ids: [ID!]) { deleteDeals(input: { dealIds: $ids }) { operationId summary { updated } } }"
    done = (await manager.data(change, ids=ids))["deleteDeals"]
    undo = "mutation ($id: ID!) { undoOperation(operationId: $id) { summary { updated } } }"
    response = await manager.post(undo, {"id": done["operationId"]})
    assert response.json()["data"] == {"undoOperation": {"summary": done["summary"]}}
    assert cost(response)["actualQueryCost"] == cost(response)["requestedQueryCost"] == 1002


async def test_who_is_not_signed_in_may_ask_for_little_since_nobody_pays(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000)
    viewer = await opened()
    anonymous = Client(viewer.app, viewer.http, None)
    sign_in = 'mutation { login(tenant: "payer", email: "nobody", password: "") { member { name %s } } }'
    little = await anonymous.post(sign_in % "")
    much, asked = [
        await anonymous.post(sign_in % "deals(first: 40) { nodes { name } }", headers=headers)
        for headers in ({}, {"GraphQL-Cost": "dry-run"})
    ]
    assert (code(little), code(much), code(asked)) == ("LOGIN_FAILED", "COST_LIMIT_EXCEEDED", "COST_LIMIT_EXCEEDED")


async def test_the_budget_is_a_field_that_is_never_kept(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000, most=500)
    viewer = await opened(cache_max_age_seconds=3600)
    response = await viewer.post(BUDGET)
    assert response.headers["X-Cache"] == "BYPASS"
    # What this very operation holds is not available: the object 1.
    assert response.json()["data"]["budget"] == {
        "mode": "ENFORCE",
        "maximumAvailable": 1000,
        "currentlyAvailable": 999,
        "restoreRate": 1.0,
        "mostPoints": 500,
        "alone": False,
    }


async def test_the_largest_budget_that_can_be_agreed_can_be_told(payer: Payer, opened: Open) -> None:
    largest = 2**31 - 1
    with pytest.raises(asyncpg.CheckViolationError):
        await payer.agree(size=largest + 1, most=1)
    await payer.agree(size=largest)
    told = (await (await opened()).data(BUDGET))["budget"]
    assert (told["maximumAvailable"], told["mostPoints"]) == (largest, largest)


async def test_processes_share_a_budget_in_redis_with_two_trips_a_miss(
    payer: Payer, opened: Open, redis_url: str
) -> None:
    await payer.agree(size=LIST_PRICE + LIST_PAID)
    one, two = [await opened(redis_url=redis_url) for _ in range(2)]
    async with Redis.from_url(redis_url) as redis:
        before = (await redis.info("commandstats")).get("cmdstat_evalsha", {"calls": 0})["calls"]
        assert [code(await client.post(LIST)) for client in (one, two)] == [None, None]
        after = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert after - before <= 2 * 2 + 1  # the script is sent once
    assert [code(await client.post(LIST)) for client in (one, two)] == ["THROTTLED", "THROTTLED"]


async def test_without_redis_each_process_goes_by_a_share_and_says_so(payer: Payer, opened: Open) -> None:
    await payer.agree(size=400)
    viewer = await opened(redis_url="redis://127.0.0.1:1/0", cost_fallback_share=0.25)
    status = cost(await viewer.post(LIST))["throttleStatus"]
    assert status == {
        "maximumAvailable": 100,
        "currentlyAvailable": 100 - LIST_PAID,
        "restoreRate": 0.25,
        "alone": True,
    }


async def test_another_tenant_has_a_budget_of_its_own(payer: Payer, opened: Open) -> None:
    await payer.agree(size=LIST_PRICE)
    viewer = await opened()
    assert [code(await viewer.post(LIST)) for _ in range(2)] == [None, "THROTTLED"]
    other = Client(viewer.app, viewer.http, await payer.database.token("other"))
    assert code(await other.post(LIST)) is None


async def test_without_redis_who_is_refused_is_told_of_the_share_too(payer: Payer, opened: Open) -> None:
    await payer.agree(size=400, most=200)
    viewer = await opened(redis_url="redis://127.0.0.1:1/0", cost_fallback_share=0.25)
    dear = "{ deals(first: 100) { nodes { owner { id } } } }"
    answers = [await viewer.post(query) for query in (LIST, "{ nothing }", dear)]
    assert [code(answer) for answer in answers] == [None, "GRAPHQL_VALIDATION_FAILED", "COST_LIMIT_EXCEEDED"]
    for answer in answers:
        status = cost(answer)["throttleStatus"]
        assert (status["maximumAvailable"], status["restoreRate"], status["alone"]) == (100, 0.25, True)
        assert answer.headers["X-RateLimit-Remaining"] == str(status["currentlyAvailable"])
