"""The database restarted under a gateway: only retryable errors meanwhile, and none once it is back."""

import asyncio

import asyncpg
import httpx
import pytest

from gateway.app import create_app
from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import Database, Serve, fresh_database
from tests.pipeline.acme import MEMBER, found_acme, locked, until_waiting
from tests.pipeline.listening import calling
from tests.servers import kill_postgres

ME = "query Me { me { email } }"
ANSWER = {"data": {"me": {"email": MEMBER}}}
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gateway' AND datname = $1 AND state = 'active'
"""
TASKS = "{ dashboard { overview { tasks { open } deals { open } } } }"


@pytest.fixture(scope="module")
async def acme(server: EmbeddedPostgres) -> Database:
    database = await fresh_database(server)
    await found_acme(database)
    return database


async def ask_until(stop: asyncio.Event, http: httpx.AsyncClient, query: str) -> list[httpx.Response]:
    """One request after the other; the last one begins after `stop`."""
    responses: list[httpx.Response] = []
    while not stop.is_set():
        responses.append(await http.post("/graphql", json={"query": query}))
        await asyncio.sleep(0.005)
    return [*responses, await http.post("/graphql", json={"query": query})]


async def cut_connections(acme: Database, server: EmbeddedPostgres) -> None:
    """Those that a statement of the gateway runs on."""
    superuser = await asyncpg.connect(server.superuser_dsn)
    try:
        await superuser.fetch(CUT, acme.name)
    finally:
        await superuser.close()


def outcome(response: httpx.Response) -> tuple[int, str, str | None, bool | None]:
    error = response.json().get("errors", [{}])[0].get("extensions", {})
    return response.status_code, error.get("code", "ok"), response.headers.get("Retry-After"), error.get("retryable")


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_a_restart_under_load_gives_only_retryable_errors(
    acme: Database, server: EmbeddedPostgres, how: str
) -> None:
    stop = asyncio.Event()
    async with calling(create_app(acme.settings(pool_size=4)), await acme.token("acme")) as http:
        clients = [asyncio.create_task(ask_until(stop, http, query)) for query in (ME, TASKS) * 4]
        await asyncio.sleep(0.3)
        await asyncio.to_thread(kill_postgres, server) if how == "killed" else await asyncio.to_thread(server.stop)
        await asyncio.sleep(0.2)
        await asyncio.to_thread(server.start)
        first = await http.post("/graphql", json={"query": ME})
        stop.set()
        responses = await asyncio.gather(*clients)
    assert outcome(first) == (200, "ok", None, None)
    assert [outcome(of_one[-1]) for of_one in responses] == [(200, "ok", None, None)] * 8
    assert {outcome(response) for of_one in responses for response in of_one} <= {
        (200, "ok", None, None),
        (503, "DATABASE_UNAVAILABLE", "1", True),
        (503, "POOL_EXHAUSTED", "1", True),
        (503, "TENANT_BUSY", "1", True),
    }
    assert any(outcome(response)[1] == "DATABASE_UNAVAILABLE" for of_one in responses for response in of_one)


async def test_with_a_pool_full_of_dead_connections_the_first_request_succeeds(
    acme: Database, server: EmbeddedPostgres, serve: Serve
) -> None:
    client = await serve(acme, "acme", pool_size=4)
    await asyncio.gather(*(client.data(TASKS) for _ in range(12)))
    idle = 'gateway_pool_connections{state="idle"} 4.0'
    assert idle in (await client.http.get("/metrics")).text
    await asyncio.sleep(1)  # so that the caller is looked up anew, on a dead connection too
    server.stop()  # on the event loop's own thread: it learns of no closed connection until it is too late
    server.start()
    assert idle in (await client.http.get("/metrics")).text
    assert (await client.post(ME)).json() == ANSWER


async def test_connections_cut_under_their_requests_give_all_their_places_back(
    acme: Database, server: EmbeddedPostgres, serve: Serve
) -> None:
    client = await serve(acme, "acme", pool_size=3)
    for _ in range(3):
        async with locked(acme, "tasks"):
            asking = [asyncio.create_task(client.post(f"{{ number{number}: {TASKS[2:]}")) for number in range(3)]
            await until_waiting(acme, 3)
            await cut_connections(acme, server)
            ended = [outcome(response) for response in await asyncio.gather(*asking)]
        assert ended == [(503, "DATABASE_UNAVAILABLE", "1", True)] * 3
    assert (await client.post(ME)).json() == ANSWER


async def test_a_gateway_is_ready_again_when_its_database_is(
    acme: Database, server: EmbeddedPostgres, serve: Serve
) -> None:
    client = await serve(acme, "acme")
    statuses = [(await client.http.get("/health/ready")).status_code]
    server.stop()
    statuses.append((await client.http.get("/health/ready")).status_code)
    server.start()
    statuses.append((await client.http.get("/health/ready")).status_code)
    assert statuses == [200, 503, 200]
