"""One request from end to end: one moment, one deadline, and nothing left behind when its caller goes away."""

import asyncio
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from gateway import app
from gateway.app import create_app
from gateway.pipeline import respond
from tests.conftest import Client, Database, Serve, serving
from tests.pipeline.acme import found_acme, locked, until, until_waiting, waiting_for_a_lock
from tests.pipeline.listening import calling, posted

OPEN_TASKS = "{ dashboard { asOf overview { tasks { open } } } }"
NEW_TASK = "INSERT INTO tasks (tenant_id, owner_id, title) SELECT tenant_id, id, 'Call' FROM members"


@pytest.fixture
async def acme(database: Database) -> Database:
    await found_acme(database)
    return database


async def metric(client: Client, sample: str) -> float:
    """The value of a sample of /metrics, by its whole name; 0 where there is none."""
    lines = (await client.http.get("/metrics")).text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == sample), 0.0)


async def test_all_numbers_of_a_query_are_of_one_moment(acme: Database, serve: Serve) -> None:
    client = await serve(acme, "acme")
    async with locked(acme, "tasks") as writer:
        query = asyncio.create_task(client.data(OPEN_TASKS))
        await until_waiting(acme)
        await writer.execute(NEW_TASK)
    assert (await query)["dashboard"]["overview"]["tasks"]["open"] == 0
    assert (await client.data(OPEN_TASKS))["dashboard"]["overview"]["tasks"]["open"] == 1


async def test_the_statements_of_a_query_run_one_at_a_time(acme: Database, serve: Serve) -> None:
    client = await serve(acme, "acme")
    several = "{ a: dashboard { overview { tasks { open } } } b: dashboard { overview { tasks { open } } } }"
    async with locked(acme, "tasks"):
        query = asyncio.create_task(client.data(several))
        await until_waiting(acme)
        await asyncio.sleep(0.1)
        assert await waiting_for_a_lock(acme) == 1
        assert await metric(client, 'gateway_pool_connections{state="busy"}') == 1
    assert await query == {name: {"overview": {"tasks": {"open": 0}}} for name in "ab"}
    assert await metric(client, 'gateway_pool_connections{state="busy"}') == 0


async def test_past_its_deadline_a_request_is_a_504_and_its_statement_ends(acme: Database, serve: Serve) -> None:
    client = await serve(acme, "acme", request_deadline_seconds=0.5, pool_size=1)
    async with locked(acme, "tasks"):
        response = await client.post(OPEN_TASKS, headers={"X-Request-Id": "late"})
        assert await waiting_for_a_lock(acme) == 0
    assert (response.status_code, response.json()) == (
        504,
        {
            "errors": [
                {
                    "message": "The request was not finished within its deadline. "
                    "Ask for less: a shorter period, smaller pages or fewer aggregates.",
                    "extensions": {"code": "DEADLINE_EXCEEDED", "requestId": "late"},
                }
            ]
        },
    )
    assert await client.codes(OPEN_TASKS) == []


async def test_a_request_past_its_deadline_is_counted_under_its_operation(acme: Database, serve: Serve) -> None:
    client = await serve(acme, "acme", request_deadline_seconds=0.5)
    async with locked(acme, "tasks"):
        await client.post(f"query Late {OPEN_TASKS}")
    sample = 'gateway_requests_total{operation="Late",outcome="DEADLINE_EXCEEDED"}'
    assert await metric(client, sample) == 1


async def test_a_caller_who_goes_away_ends_the_statement_on_the_server(acme: Database) -> None:
    token = await acme.token("acme")
    async with calling(create_app(acme.settings(pool_size=1)), token) as http, locked(acme, "tasks"):
        async with posted(str(http.base_url), {"query": f"query Gone {OPEN_TASKS}"}, token):
            await until_waiting(acme)
        await until_waiting(acme, 0)
        answer = await http.post("/graphql", json={"query": "{ me { email } }"})
        assert answer.json() == {"data": {"me": {"email": "ann@acme.test"}}}

        async def counted() -> bool:
            sample = 'gateway_requests_total{operation="Gone",outcome="CLIENT_CLOSED_REQUEST"} 1.0'
            return sample in (await http.get("/metrics")).text

        await until(counted)


async def test_an_error_in_a_field_gives_the_connection_back(acme: Database, serve: Serve) -> None:
    client = await serve(acme, "acme", pool_size=1, pool_wait_seconds=0.5)
    half = "{ me { email } dashboard { recent { tasks(first: 101) { id } } overview { tasks { open } } } }"
    for _ in range(3):
        assert await client.codes(half) == ["BAD_USER_INPUT"]
    assert await metric(client, 'gateway_pool_connections{state="busy"}') == 0


async def test_a_failed_nullable_field_leaves_the_others_their_data(acme: Database, serve: Serve) -> None:
    client = await serve(acme, "acme")
    response = await client.post('{ me { email } company(id: "rubbish") { name } }', headers={"X-Request-Id": "half"})
    assert (response.status_code, response.json()) == (
        200,
        {
            "data": {"me": {"email": "ann@acme.test"}, "company": None},
            "errors": [
                {
                    "message": "`id` is not an id: Ids are opaque: send one exactly as an earlier answer gave it.",
                    "locations": [{"line": 1, "column": 16}],
                    "path": ["company"],
                    "extensions": {"code": "BAD_USER_INPUT", "path": ["id"], "requestId": "half"},
                }
            ],
        },
    )


async def test_the_connection_is_back_before_the_answer_is_encoded(
    acme: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = app._Parts(acme.settings())
    busy: list[int] = []

    def encode(body: Any) -> bytes:
        busy.append(parts.pool.busy())
        return orjson.dumps(body)

    monkeypatch.setattr(respond, "orjson", SimpleNamespace(dumps=encode))
    async with serving(parts.app(), await acme.token("acme")) as client:
        await client.data(OPEN_TASKS)
        assert (busy, parts.pool.idle()) == ([0], 1)
