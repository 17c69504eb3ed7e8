"""A kept answer, end to end: when it is given out, and when not any more."""

import asyncio

from tests.conftest import Client, Database, Serve

DASHBOARD = "{ dashboard { overview { deals { total open } tasks { open overdue } } } }"


async def status(client: Client, query: str = DASHBOARD, **headers: str) -> str:
    response = await client.post(query, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert "errors" not in response.json(), response.text
    return response.headers["X-Cache"]


async def warm(client: Client) -> None:
    for _ in range(100):
        if client.app.state.parts.listener.trusted:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the listener is not trusted")


async def test_a_second_request_is_a_hit_until_somebody_writes(
    database: Database, demo: Database, serve: Serve
) -> None:
    client = await serve(demo, "aurora")
    await warm(client)
    assert [await status(client) for _ in range(3)] == ["MISS", "HIT", "HIT"]
