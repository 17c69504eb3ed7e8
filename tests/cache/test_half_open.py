"""A listener's connection that fell silent and was never closed."""

import asyncio

import asyncpg
import pytest
from pydantic import SecretStr

from gateway.cache import listener
from gateway.cache.listener import ECHO_EVERY_SECONDS, TRUST_SECONDS
from tests.cache.conftest import Open, Shop
from tests.pipeline.acme import until
from tests.stress.answers.gateways import through
from tests.stress.answers.wire import Wire

GIVEN_UP_AFTER_SECONDS = 2.0
TOO_LONG_SECONDS = 60.0
LISTENERS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'gateway listener' AND datname = $1"


async def test_a_listener_that_hears_nothing_for_long_is_made_anew(
    shop: Shop, wire: Wire, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "GIVE_UP_SECONDS", GIVEN_UP_AFTER_SECONDS)
    viewer = await opened(listen_database_url=SecretStr(through(wire, shop.database.gateway_dsn)))
    await shop.keeps(viewer)
    before = await listeners(shop)
    await wire.stall(TRUST_SECONDS + 2 * ECHO_EVERY_SECONDS)
    await shop.keeps(viewer)
    assert await listeners(shop) == before
    silent = asyncio.ensure_future(wire.stall(TOO_LONG_SECONDS))

    async def given_up() -> bool:
        return before.isdisjoint(await listeners(shop))

    await until(given_up)
    assert await shop.sees(viewer) == "MISS"
    silent.cancel()
    await shop.keeps(viewer)
    after = await listeners(shop)
    # One connection listens, one sends.
    assert (len(before), len(after), before & after) == (2, 2, set())


async def listeners(shop: Shop) -> set[int]:
    """The server's processes for what listens to it."""
    superuser = await asyncpg.connect(shop.database.server.superuser_dsn)
    try:
        return {pid for (pid,) in await superuser.fetch(LISTENERS, shop.database.name)}
    finally:
        await superuser.close()
