"""The pool of serving connections: bounded waits, and requests that never hold two connections."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.deadline import Deadline
from gateway.errors import DatabaseUnavailableError, PoolExhaustedError
from gateway.observe import Observer
from gateway.postgres.places import Share
from gateway.postgres.pool import Pool
from gateway.web.default_query import DEFAULT_QUERY
from tests.conftest import DEMO_PASSWORD, Client, Database, Serve
from tests.pipeline.acme import found_acme, locked, until_waiting

LOGIN = """mutation ($email: String!, $password: String!) {
  login(tenant: "aurora", email: $email, password: $password) { token refreshToken member { email } }
}"""
ME = "{ me { email } }"
SHARE = Share(1, most=2)


def make_pool(dsn: str, wait_seconds: float) -> Pool:
    observer = Observer(CollectorRegistry())
    return Pool(dsn, observer, size=1, wait_seconds=wait_seconds, statement_cache_size=16)


@asynccontextmanager
async def small_pool(dsn: str, wait_seconds: float = 0.2) -> AsyncIterator[Pool]:
    pool = make_pool(dsn, wait_seconds)
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


async def one(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT 1"))


@pytest.fixture
async def login(aurora: Client) -> dict[str, Any]:
    """Variables of a login that succeeds."""
    return {"email": (await aurora.data(ME))["me"]["email"], "password": DEMO_PASSWORD}


async def test_an_exhausted_pool_refuses_after_its_bounded_wait(demo: Database) -> None:
    async with small_pool(demo.gateway_dsn) as pool:
        held, _ = await pool.acquire(SHARE, Deadline.after(30), one)
        with pytest.raises(PoolExhaustedError) as caught:
            await pool.run(SHARE, Deadline.after(30), one)
        await pool.release(held)
        assert (caught.value.retry_after_seconds, caught.value.extensions) == (1, {"retryable": True})
        assert await pool.run(SHARE, Deadline.after(30), one) == 1


async def test_a_database_that_never_answers_is_unavailable_and_not_a_full_pool() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://gateway@127.0.0.1:{silent.getsockname()[1]}/none"
        async with small_pool(address) as pool:
            with pytest.raises(DatabaseUnavailableError):
                await pool.run(SHARE, Deadline.after(30), one)


async def test_work_that_fails_gives_its_connection_back(demo: Database) -> None:
    async def fail(connection: asyncpg.Connection) -> None:
        await connection.execute("SELECT 1 / 0")

    async with small_pool(demo.gateway_dsn) as pool:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await pool.run(SHARE, Deadline.after(30), fail)
        assert await pool.run(SHARE, Deadline.after(30), one) == 1


async def test_a_pool_that_is_not_open_or_no_longer_has_no_connections(demo: Database) -> None:
    pool = make_pool(demo.gateway_dsn, 1)
    assert (pool.busy(), pool.idle()) == (0, 0)
    await pool.open()
    await pool.run(SHARE, Deadline.after(30), one)
    assert (pool.busy(), pool.idle()) == (0, 1)
    await pool.close()
    assert (pool.busy(), pool.idle()) == (0, 0)


async def test_a_request_on_an_exhausted_pool_is_a_503_that_says_when_to_retry(
    database: Database, serve: Serve
) -> None:
    await found_acme(database)
    client = await serve(database, "acme", pool_size=1, pool_wait_seconds=0.2)
    async with locked(database, "tasks"):
        slow = asyncio.create_task(client.post("{ dashboard { overview { tasks { open } } } }"))
        await until_waiting(database)
        refused = await client.post(ME)
    extensions = refused.json()["errors"][0]["extensions"]
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert (extensions["code"], extensions["retryable"]) == ("POOL_EXHAUSTED", True)
    assert [(await slow).status_code, (await client.post(ME)).status_code] == [200, 200]


async def test_logins_and_queries_race_for_the_last_connection_and_all_are_answered(
    demo: Database, serve: Serve, login: dict[str, Any]
) -> None:
    client = await serve(demo, "aurora", pool_size=1, pool_wait_seconds=30)
    logins = [client.post(LOGIN, login) for _ in range(12)]
    queries = [client.post(ME) for _ in range(12)] + [client.post(DEFAULT_QUERY) for _ in range(4)]
    answers = [response.json() for response in await asyncio.gather(*logins, *queries)]
    assert [answer["data"]["login"]["member"]["email"] for answer in answers[:12]] == [login["email"]] * 12
    assert [answer["data"]["me"]["email"] for answer in answers[12:24]] == [login["email"]] * 12
    assert [list(answer) for answer in answers[24:]] == [["data"]] * 4


async def test_several_logins_in_one_mutation_never_hold_two_connections(
    demo: Database, serve: Serve, login: dict[str, Any]
) -> None:
    client = await serve(demo, pool_size=1, pool_wait_seconds=0.5)
    field = 'login(tenant: "aurora", email: $email, password: $password) { member { email } refreshToken }'
    mutation = f"mutation ($email: String!, $password: String!) {{ a: {field} b: {field} c: {field} }}"
    data = await client.data(mutation, **login)
    assert [data[name]["member"]["email"] for name in "abc"] == [login["email"]] * 3


async def test_every_kind_of_operation_works_on_a_single_connection(
    demo: Database, serve: Serve, login: dict[str, Any]
) -> None:
    client = await serve(demo, "aurora", pool_size=1, pool_wait_seconds=0.5)
    session = (await client.data(LOGIN, **login))["login"]
    refresh = "mutation ($token: String!) { refreshToken(token: $token) { member { email } } }"
    refreshed = await client.data(refresh, token=session["refreshToken"])
    assert refreshed["refreshToken"]["member"]["email"] == login["email"]
    assert await client.codes(DEFAULT_QUERY) == []
    assert await client.codes("{ a: pipelineStats { asOf } b: dashboard { asOf } pipelines { id } me { id } }") == []
    assert await client.codes("{ __schema { queryType { name } } __typename }") == []
    ready = await client.http.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


async def test_a_query_that_reads_nothing_needs_no_database(serve: Serve, demo: Database) -> None:
    nowhere = SecretStr("postgresql://gateway@127.0.0.1:1/none")
    client = await serve(demo, database_url=nowhere)
    response: httpx.Response = await client.post("{ __typename }")
    assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})
