"""The database down, killed, cut off from the listener: answers are true, or marked as old, or there are none."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import product

import asyncpg
import httpx
import pytest

from gateway.app import create_app
from gateway.cache.listener import TRUST_SECONDS
from gateway.commands.add_member import NewMember, add_member
from gateway.identity.members import LIFETIME_SECONDS
from gateway.postgres.embedded import EmbeddedPostgres
from tests.cache.conftest import DASHBOARD, Shop, ask
from tests.conftest import Client, Database, fresh_database, serving
from tests.pipeline.acme import until
from tests.servers import frozen_postgres, kill_postgres, postgres_server
from tests.world import World

CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gateway listener' AND datname = $1
"""
PIPELINES = "{ pipelines { name } }"
TENANT = "SELECT id FROM tenants WHERE slug = 'shop'"
ANN = "SELECT id FROM members WHERE name = 'ann'"
DEALS = "SELECT count(*) FROM deals WHERE deleted_at IS NULL"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server of this module's own, to be killed. What was committed last may be lost with it."""
    lossy = {"synchronous_commit": "off"}
    with postgres_server(durable=True, settings=lossy) as server:
        yield server


@pytest.fixture(scope="module")
async def found(server: EmbeddedPostgres) -> Database:
    database = await fresh_database(server)
    async with database.as_owner() as owner:
        world = await World.create(owner, "shop")
        for role in ("viewer", "admin"):
            await add_member(owner, NewMember("shop", f"{role}@shop.example", role, role))
        await world.deal("2026-01-05T10:00", amount="100")
    return database


@pytest.fixture
async def shop(found: Database) -> AsyncIterator[Shop]:
    async with found.as_owner() as owner:
        yield await shop_of(found, owner)


async def shop_of(found: Database, owner: asyncpg.Connection) -> Shop:
    members = {"ann": await owner.fetchval(ANN)}
    return Shop(found, World(owner, "shop", await owner.fetchval(TENANT), members))


@pytest.fixture
async def viewer(shop: Shop) -> AsyncIterator[Client]:
    settings = shop.database.settings(cache_max_age_seconds=3600)
    async with serving(create_app(settings), await shop.database.token("shop")) as client:
        yield client


async def test_while_the_database_is_down_kept_answers_stand_in_marked(
    server: EmbeddedPostgres, shop: Shop, viewer: Client
) -> None:
    await shop.keeps(viewer)
    kept = (await ask(viewer)).json()
    await asyncio.to_thread(server.stop)
    # So long may a listener be believed whose connection just ended.
    await asyncio.sleep(TRUST_SECONDS)
    try:
        down = await ask(viewer)
        assert (down.status_code, down.headers["X-Cache"], down.json()) == (200, "STALE", kept)
        for control in ("no-cache", "max-age=0"):
            refused = await ask(viewer, cache_control=control)
            assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (
                503,
                "DATABASE_UNAVAILABLE",
            )
        unknown = await ask(viewer, PIPELINES)
        assert unknown.status_code == 503
        assert 'gateway_cache_requests_total{status="STALE"} 1.0' in (await viewer.http.get("/metrics")).text
    finally:
        await asyncio.to_thread(server.start)
    await until(lambda: hit(viewer))


async def test_while_the_database_says_nothing_kept_answers_stand_in_long_before_the_deadline(
    server: EmbeddedPostgres, found: Database
) -> None:
    app = create_app(found.settings(cache_max_age_seconds=3600, request_deadline_seconds=60, cost_mode="enforce"))
    async with serving(app, await found.token("shop", "viewer")) as viewer:
        await until(lambda: hit(viewer))
        kept = (await ask(viewer)).json()["data"]
        answers: list[httpx.Response] = []
        async with frozen_postgres(server):
            # At first it is known who asks, then nobody tells.
            for _ in range(2):
                await asyncio.sleep(LIFETIME_SECONDS)
                answers += await asyncio.wait_for(asyncio.gather(*(ask(viewer) for _ in range(20))), 30)
        for silent in answers:
            assert (silent.status_code, silent.headers["X-Cache"], silent.json()["data"]) == (200, "STALE", kept)
            assert silent.json()["extensions"]["cost"]["actualQueryCost"] == 1
        assert 'gateway_cache_requests_total{status="STALE"} 40.0' in (await viewer.http.get("/metrics")).text
        await until(lambda: hit(viewer))


async def test_what_an_admin_ended_does_not_stand_in_while_the_database_is_down(
    server: EmbeddedPostgres, shop: Shop, viewer: Client
) -> None:
    settings = shop.database.settings(cache_max_age_seconds=3600)
    async with serving(create_app(settings), await shop.database.token("shop", "admin")) as elsewhere:
        for client, query in product((viewer, elsewhere), (DASHBOARD, PIPELINES)):
            await shop.keeps(client, query)
        await elsewhere.data("mutation { purgeCache(tags: [DEALS]) { tags } }")
        # Until everybody has heard of it, and nobody believes any more that they hear.
        await asyncio.sleep(TRUST_SECONDS)
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(TRUST_SECONDS)
        try:
            for client in (viewer, elsewhere):
                assert (await ask(client)).status_code == 503
                assert (await ask(client, PIPELINES)).headers["X-Cache"] == "STALE"
        finally:
            await asyncio.to_thread(server.start)
        await until(lambda: hit(viewer))


async def test_what_a_cut_listener_missed_is_seen_within_the_promised_lag(shop: Shop, viewer: Client) -> None:
    for amount in range(3):
        await shop.keeps(viewer)
        before = await total(viewer)
        superuser = await asyncpg.connect(shop.database.server.superuser_dsn)
        await superuser.fetch(CUT, shop.database.name)
        await superuser.close()
        await shop.world.deal("2026-01-06T10:00", amount=str(amount))
        await asyncio.sleep(TRUST_SECONDS)
        assert await total(viewer) == before + 1


async def test_after_a_crash_that_lost_commits_nothing_of_before_is_believed(
    server: EmbeddedPostgres, found: Database, viewer: Client
) -> None:
    """The lost transaction's id comes again: by ids alone, an answer that shows its rows would look true."""
    async with found.as_owner() as owner:
        shop = await shop_of(found, owner)
        await shop.keeps(viewer)
        await shop.world.deal("2026-01-06T10:00", amount="1")
        seen = await total(viewer)
        kill_postgres(server)
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    async with found.as_owner() as owner:
        truth = await owner.fetchval(DEALS)
    assert truth <= seen
    assert await total(viewer) == truth


async def total(client: Client) -> int:
    return int((await client.data(DASHBOARD))["dashboard"]["overview"]["deals"]["total"])


async def hit(client: Client) -> bool:
    return bool((await ask(client)).headers["X-Cache"] == "HIT")
