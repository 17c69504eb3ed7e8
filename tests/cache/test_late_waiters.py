"""Who asks while the same is being read already: that reading will do only where it is late enough."""

import asyncio

import httpx
from pydantic import SecretStr

from gateway.cache.listener import TRUST_SECONDS
from tests.cache.conftest import Open, Shop, ask
from tests.changes.arena import Dice
from tests.conftest import Client
from tests.pipeline.acme import locked, until_waiting
from tests.stress.answers.gateways import through
from tests.stress.answers.wire import Wire

DEALS_THEN_TASKS = "{ dashboard { overview { deals { total } tasks { open } } } }"


def total(response: httpx.Response) -> int:
    return int(response.json()["data"]["dashboard"]["overview"]["deals"]["total"])


async def begun(shop: Shop, client: Client) -> asyncio.Task[httpx.Response]:
    """A reading that has its snapshot, and waits."""
    reading = asyncio.create_task(ask(client, DEALS_THEN_TASKS))
    await until_waiting(shop.database)
    return reading


async def test_who_comes_after_a_change_that_nobody_has_heard_of_yet_does_not_take_what_was_read_before_it(
    shop: Shop, opened: Open
) -> None:
    wire = Wire(Dice(1))
    async with wire.to(shop.database.server.port):
        dsn = SecretStr(through(wire, shop.database.gateway_dsn))
        viewer = await opened(listen_database_url=dsn)
        await shop.keeps(viewer, DEALS_THEN_TASKS)
        before = total(await ask(viewer, DEALS_THEN_TASKS))
        await shop.world.deal("2026-01-06T10:00", amount="1")
        await asyncio.sleep(TRUST_SECONDS)
        async with locked(shop.database, "tasks"):
            early = await begun(shop, viewer)
            stall = asyncio.create_task(wire.stall(2 * TRUST_SECONDS + 1))
            await shop.world.deal("2026-01-07T10:00", amount="1")
            await asyncio.sleep(TRUST_SECONDS + 0.1)
            late = asyncio.create_task(ask(viewer, DEALS_THEN_TASKS))
            await asyncio.sleep(0.1)
        assert [total(await early), total(await late)] == [before + 1, before + 2]
        await stall
