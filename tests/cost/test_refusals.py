"""Who is refused is told what is left, whatever it was refused for; in a torrent, with a pause."""

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from gateway.cost.limits import MOST_ADVISED_FIELDS
from gateway.observe import Observer
from gateway.pipeline.refusals import ADVISED_A_SECOND, AT_ONCE_A_SECOND, PAUSE_SECONDS, Refusals
from tests.cost.conftest import Open, Payer

REFUSED: dict[str, tuple[int, dict[str, Any]]] = {
    "no JSON": (400, {"content": b"{"}),
    "no document": (400, {"json": {}}),
    "a batch": (400, {"json": [{"query": "{ me { name } }"}]}),
    "a wish that is none": (400, {"json": {"query": "{ me { name } }"}, "headers": {"GraphQL-Cost": "all"}}),
    "no GraphQL": (400, {"json": {"query": "{"}}),
    "no field": (400, {"json": {"query": "{ nothing }"}}),
    "another method": (405, {"method": "PUT", "json": {"query": "{ me { name } }"}}),
    "another media type": (406, {"json": {"query": "{ me { name } }"}, "headers": {"Accept": "text/csv"}}),
    "a large body": (413, {"content": b" " * 2_000_000}),
    "another content": (415, {"content": b"a=1", "headers": {"Content-Type": "text/plain"}}),
}


async def sent(opened: Open, **request: Any) -> httpx.Response:
    viewer = await opened()
    headers = {"Authorization": f"Bearer {viewer.token}", "Content-Type": "application/json"}
    headers |= {"Accept": "application/graphql-response+json", **request.pop("headers", {})}
    return await viewer.http.request(request.pop("method", "POST"), "/graphql", headers=headers, **request)


@pytest.mark.parametrize("name", REFUSED)
async def test_whatever_one_is_refused_for_one_is_told_what_is_left(payer: Payer, opened: Open, name: str) -> None:
    await payer.agree(size=1000)
    status, request = REFUSED[name]
    response = await sent(opened, **request)
    assert (response.status_code, response.headers["X-RateLimit-Remaining"]) == (status, "1000")
    assert response.json()["extensions"]["cost"] == {
        "requestedQueryCost": 0,
        "actualQueryCost": 0,
        "throttleStatus": {"maximumAvailable": 1000, "currentlyAvailable": 1000, "restoreRate": 1},
    }


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer none"}, {"X-Tenant": "other"}])
async def test_who_it_is_that_is_refused_has_to_be_certain(payer: Payer, opened: Open, headers: dict[str, str]) -> None:
    await payer.agree(size=1000)
    response = await sent(opened, content=b"{", headers=headers)
    assert response.status_code == 400
    assert "X-RateLimit-Remaining" not in response.headers
    assert "extensions" not in response.json()


async def test_of_many_refusals_within_a_second_the_later_ones_are_told_with_a_pause() -> None:
    pauses: list[float] = []
    now = 100.0

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    refusals = Refusals(Observer(CollectorRegistry()), clock=lambda: now, pause=pause)
    for _ in range(AT_ONCE_A_SECOND):
        await refusals.told(1)
    await refusals.told(2)
    assert pauses == []
    await refusals.told(1)
    assert pauses == [PAUSE_SECONDS]
    now = 101.0
    await refusals.told(1)
    assert pauses == [PAUSE_SECONDS]


async def test_a_torrent_of_refusals_is_paused_where_prices_are_enforced(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000, most=1)
    viewer = await opened()
    answers = await asyncio.gather(*(viewer.post("{ pipelines { name } }") for _ in range(3 * AT_ONCE_A_SECOND)))
    assert await paused(viewer.http)
    errors = [answer.json()["errors"][0] for answer in answers]
    assert {error["extensions"]["code"] for error in errors} == {"COST_LIMIT_EXCEEDED"}
    advised = [error for error in errors if error["extensions"]["dearest"]]
    # They may fall into two seconds.
    assert len(advised) in (ADVISED_A_SECOND, 2 * ADVISED_A_SECOND)
    assert all(error["message"].endswith(" 1 are allowed.") for error in errors if error not in advised)


async def test_who_is_not_signed_in_shares_one_line_of_refusals(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000)
    viewer = await opened()
    asking = [viewer.http.post("/graphql", json={"query": "{ me { name } }"}) for _ in range(3 * AT_ONCE_A_SECOND)]
    assert {answer.status_code for answer in await asyncio.gather(*asking)} == {401}
    assert await paused(viewer.http)


async def test_dry_runs_in_a_torrent_are_told_with_a_pause(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000)
    viewer = await opened()
    headers = {"GraphQL-Cost": "dry-run"}
    await asyncio.gather(*(viewer.post("{ me { name } }", headers=headers) for _ in range(3 * AT_ONCE_A_SECOND)))
    assert await paused(viewer.http)


async def test_what_is_too_large_is_refused_without_advice_and_in_whole_numbers(payer: Payer, opened: Open) -> None:
    await payer.agree(size=1000, most=100)
    viewer = await opened()
    wide = " ".join(f"a{number}: me {{ name }}" for number in range(MOST_ADVISED_FIELDS // 2 + 1))
    deep = "nodes { deals(first: 2000000000) { nodes { company { deals(first: 2000000000) { nodes { id } } } } } }"
    for query, advised in ((f"{{ deals(first: 100) {{ nodes {{ owner {{ id }} }} }} {wide} }}", 0),
                           (f"{{ companies(first: 2000000000) {{ {deep} }} }}", 3)):  # fmt: skip
        (error,) = (await viewer.post(query)).json()["errors"]
        assert (error["extensions"]["code"], len(error["extensions"]["dearest"])) == ("COST_LIMIT_EXCEEDED", advised)


async def paused(http: httpx.AsyncClient) -> bool:
    return "gateway_refusals_paused_total 0.0" not in (await http.get("/metrics")).text
