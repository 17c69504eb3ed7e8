"""A gateway whose database is not there, does not answer, or throws it out."""

import asyncio
import socket

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from gateway.app import create_app
from gateway.postgres.embedded import HOST
from tests.conftest import Database, Serve
from tests.pipeline.acme import MEMBER, found_acme, locked, until, until_waiting
from tests.pipeline.listening import calling
from tests.servers import free_port

ME = "{ me { email } }"
OPEN_TASKS = "{ dashboard { overview { tasks { open } } } }"
UNAVAILABLE = "The database cannot be reached or is restarting. Retry after the time in `Retry-After`."


def address(port: int) -> SecretStr:
    return SecretStr(f"postgresql://gateway:secret@{HOST}:{port}/none")


def assert_retryable(response: httpx.Response, code: str) -> None:
    extensions = response.json()["errors"][0]["extensions"]
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert (extensions["code"], extensions["retryable"]) == (code, True)


async def test_a_gateway_starts_without_its_database_and_says_so(demo: Database) -> None:
    settings = demo.settings(database_url=address(free_port()))
    async with calling(create_app(settings), await demo.token("aurora")) as http:
        live, ready = await http.get("/health/live"), await http.get("/health/ready")
        assert (live.status_code, live.json()) == (200, {"status": "live"})
        assert (ready.status_code, ready.json()) == (503, {"status": "unready", "checks": {"database": UNAVAILABLE}})
        assert_retryable(await http.post("/graphql", json={"query": ME}), "DATABASE_UNAVAILABLE")
        metrics = (await http.get("/metrics")).text
        assert 'gateway_requests_total{operation="(anonymous)",outcome="DATABASE_UNAVAILABLE"} 1.0' in metrics


async def test_a_database_that_accepts_and_never_answers_is_unavailable(demo: Database, serve: Serve) -> None:
    with socket.create_server((HOST, 0)) as silent:
        settings = {"database_url": address(silent.getsockname()[1]), "pool_wait_seconds": 0.3}
        client = await serve(demo, "aurora", **settings)
        assert_retryable(await client.post(ME), "DATABASE_UNAVAILABLE")
        ready = await client.http.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]) == (503, {"database": UNAVAILABLE})


async def test_a_login_without_the_database_is_retryable_and_not_a_failed_login(demo: Database, serve: Serve) -> None:
    client = await serve(demo, database_url=address(free_port()))
    login = 'mutation { login(tenant: "aurora", email: "a", password: "b") { token } }'
    assert_retryable(await client.post(login), "DATABASE_UNAVAILABLE")


@pytest.mark.parametrize("table", ["members", "tasks"])
async def test_a_database_that_stalls_ends_with_the_deadline_and_is_used_again_after(
    database: Database, serve: Serve, table: str
) -> None:
    await found_acme(database)
    client = await serve(database, "acme", pool_size=1, request_deadline_seconds=0.5)
    async with locked(database, table):
        response = await client.post(OPEN_TASKS)
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (504, "DEADLINE_EXCEEDED")
        await until_waiting(database, 0)

    async def answers() -> bool:
        return (await client.post(ME)).status_code == 200

    await until(answers)


async def test_a_backend_terminated_in_a_statement_is_retryable_and_the_next_request_succeeds(
    database: Database, serve: Serve
) -> None:
    await found_acme(database)
    client = await serve(database, "acme", pool_size=1)
    async with locked(database, "tasks"):
        query = asyncio.create_task(client.post(OPEN_TASKS))
        await until_waiting(database)
        superuser = await asyncpg.connect(database.server.superuser_dsn)
        await superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gateway' AND datname = $1",
            database.name,
        )
        await superuser.close()
        assert_retryable(await query, "DATABASE_UNAVAILABLE")
    assert await client.data(ME) == {"me": {"email": MEMBER}}
