"""Several gateways over one Redis: they share what they keep, and none gives out what another has changed."""

import asyncio
import time

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from redis.asyncio import Redis

from gateway.cache.changes import Changes, Stamp, Writers
from gateway.cache.entries import Entry
from gateway.cache.listener import TRUST_SECONDS
from gateway.cache.memory import MemoryStore
from gateway.cache.responses import LONGER_THAN_TRUST_SECONDS, ResponseCache
from gateway.cache.shared import SharedStore
from gateway.cache.snapshots import Snapshot
from gateway.observe import Observer
from gateway.redis_link import RedisLink
from tests.cache.conftest import DASHBOARD, Open, Shop, beside
from tests.conftest import Client
from tests.pipeline.acme import until
from tests.stress.answers.gateways import through
from tests.stress.answers.wire import Wire

AMOUNT = "mutation M($input: UpdateDealsInput!) { updateDeals(input: $input) { operationId } }"
pytestmark = pytest.mark.usefixtures("redis")

UNANSWERED_SECONDS = 1.5
"""Far more than a request takes without Redis, and less than Redis is held up."""


@pytest.fixture
async def one(opened: Open, redis_url: str) -> Client:
    return await opened("manager", redis_url=redis_url)


@pytest.fixture
async def two(opened: Open, redis_url: str) -> Client:
    return await opened("manager", redis_url=redis_url)


async def test_what_one_keeps_the_other_gives_out(shop: Shop, one: Client, two: Client) -> None:
    await shop.keeps(one)
    await shop.keeps(two, "{ me { name } }")
    assert await shop.sees(two) == "HIT"


async def test_none_reads_behind_what_another_has_acknowledged(shop: Shop, one: Client, two: Client) -> None:
    key = (await one.data("{ deals(first: 1) { nodes { id } } }"))["deals"]["nodes"][0]["id"]
    query = f'{{ deal(id: "{key}") {{ amount }} }}'
    for amount in range(20):
        writer, reader = (one, two) if amount % 2 else (two, one)
        await shop.keeps(reader, query)
        await writer.data(AMOUNT, input={"changes": [{"dealId": key, "amount": str(amount)}]})
        assert (await reader.data(query))["deal"]["amount"] == f"{amount}"


async def test_what_an_admin_ends_is_ended_everywhere_at_once(
    shop: Shop, wire: Wire, one: Client, opened: Open, redis_url: str
) -> None:
    admin = await beside(shop, one, "admin")
    listening = SecretStr(through(wire, shop.database.gateway_dsn))
    two = await opened("manager", redis_url=redis_url, listen_database_url=listening)
    # Of two questions, so that neither is given what the other has read since.
    kept = ((two, DASHBOARD), (one, "{ deals(first: 1) { nodes { id } } }"))
    for client, query in kept:
        await shop.keeps(client, query)
    late = asyncio.ensure_future(wire.stall(TRUST_SECONDS / 2))
    await admin.data("mutation { purgeCache(tags: [DEALS]) { tags } }")
    assert [await shop.sees(client, query) for client, query in kept] == ["MISS", "MISS"]
    await late


async def test_what_an_admin_ended_comes_from_redis_as_stale_no_more(
    shop: Shop, one: Client, opened: Open, redis_url: str
) -> None:
    """To processes that began after it."""
    admin = await beside(shop, one, "admin")
    await shop.keeps(one)
    await shop.world.deal("2026-01-06T10:00", owner="rep", amount="5")
    seen = []
    for _ in range(2):
        newcomer = await opened("manager", redis_url=redis_url)
        await shop.keeps(newcomer, "{ pipelines { name } }")
        seen.append(await shop.sees(newcomer, cache_control="max-stale=600, no-store"))
        await admin.data("mutation { purgeCache(tags: [DEALS]) { tags } }")
    assert seen == ["STALE", "MISS"]


async def test_a_redis_that_forgot_everything_is_not_believed_at_once(
    shop: Shop, one: Client, two: Client, redis: Redis
) -> None:
    for client in (one, two):
        await shop.keeps(client)
    await redis.flushall()
    assert await shop.sees(one) == "MISS"
    await shop.keeps(one)


async def test_a_redis_that_does_not_answer_holds_nobody_up(shop: Shop, one: Client, redis: Redis) -> None:
    await shop.keeps(one)
    await redis.client_pause(2000)
    begun = time.monotonic()
    assert {await shop.sees(one) for _ in range(3)} == {"MISS"}
    assert time.monotonic() - begun < UNANSWERED_SECONDS
    await until(lambda: hit(shop, one))


async def test_a_change_is_acknowledged_without_redis_once_all_have_heard_of_it(
    shop: Shop, one: Client, two: Client, redis: Redis
) -> None:
    key = (await one.data("{ deals(first: 1) { nodes { id } } }"))["deals"]["nodes"][0]["id"]
    query = f'{{ deal(id: "{key}") {{ amount }} }}'
    await shop.keeps(two, query)
    await redis.client_pause(1000, all=False)
    await one.data(AMOUNT, input={"changes": [{"dealId": key, "amount": "4711"}]})
    assert (await two.data(query))["deal"]["amount"] == "4711"


async def test_what_is_damaged_or_another_answer_is_read_anew(
    shop: Shop, one: Client, opened: Open, redis: Redis, redis_url: str
) -> None:
    await shop.keeps(one)
    await shop.keeps(one, "{ pipelines { name } }")
    await asyncio.sleep(0.1)
    keys = sorted([key async for key in redis.scan_iter("*:answer:*")])
    first, second = [await kept(redis, key) for key in keys[:2]]
    for wrong in (second, first[:-3], b"", first[:20] + bytes([first[20] ^ 1]) + first[21:]):
        await redis.set(keys[0], wrong)
        await redis.set(keys[1], wrong if wrong != second else first)
        three = await opened("manager", redis_url=redis_url)
        await shop.keeps(three, "{ me { name } }")
        assert await three.data(DASHBOARD) == await one.data(DASHBOARD)
        assert await three.data("{ pipelines { name } }") == await one.data("{ pipelines { name } }")


async def kept(redis: Redis, key: bytes) -> bytes:
    value = await redis.get(key)
    assert isinstance(value, bytes)
    return value


async def hit(shop: Shop, client: Client) -> bool:
    return await shop.sees(client) == "HIT"


async def test_a_change_is_told_of_where_it_was_committed_not_where_changes_are_listened_for(
    redis: Redis, redis_url: str
) -> None:
    """The database was restarted, and the listener has not noticed yet."""
    link = RedisLink(redis_url, Observer(CollectorRegistry()), timeout_seconds=2.0)
    changes, store = Changes(), SharedStore(link)
    changes.begin("before", Snapshot.parse("5:5:"))
    cache = ResponseCache(changes, trusted=lambda: True, memory=MemoryStore(0), shared=store)
    await cache.acknowledge(1, {"deals"}, 7, "after")
    known = await redis.keys("gateway:*:changes:1")
    await store.write("after", 1, {"tasks"}, 8)
    assert len(known) == 1
    assert await redis.keys("gateway:*:changes:1") == known
    await link.close()


async def test_what_a_redis_keeps_that_may_have_forgotten_a_purge_is_not_given_out_as_stale(redis_url: str) -> None:
    link = RedisLink(redis_url, Observer(CollectorRegistry()), timeout_seconds=2.0)
    changes, store, now = Changes(), SharedStore(link), time.time()
    changes.begin("here", Snapshot.parse("6:6:"))
    cache = ResponseCache(changes, trusted=lambda: True, memory=MemoryStore(0), shared=store)
    overtaken = Stamp.of(1, "here", Snapshot.parse("5:5:"), {"deals"})
    await store.put("here", b"a", Entry.of(overtaken, b"1", read_at=now, good_until=now + 60), 60)
    looks = [await cache.look(b"a", 1)]
    await asyncio.sleep(LONGER_THAN_TRUST_SECONDS)
    looks.append(await cache.look(b"a", 1))
    assert [look.entry and look.entry.data for look in looks] == [None, b"1"]
    await link.close()


async def test_those_who_ask_at_once_share_a_trip_and_each_gets_its_own(redis: Redis, redis_url: str) -> None:
    link = RedisLink(redis_url, Observer(CollectorRegistry()), timeout_seconds=2.0)
    store, stamp, now = SharedStore(link), Stamp.of(1, "here", Snapshot.parse("5:5:"), {"deals"}), time.time()
    for key in (b"a", b"b"):
        await store.put("here", key, Entry.of(stamp, key, read_at=now, good_until=now + 60), 60)
    for tenant_id in (1, 2, 3, 4):
        await store.write("here", tenant_id, {"deals"}, tenant_id)
        await store.read("here", tenant_id, None)
    (rubbish,) = await redis.keys("gateway:*:changes:3")
    await redis.hset(rubbish, "tag:deals", "rubbish")
    (other,) = await redis.keys("gateway:*:changes:4")
    await redis.set(other, "of another kind")
    await asyncio.sleep(LONGER_THAN_TRUST_SECONDS)
    before = await trips(redis)
    asked = [("here", 1, b"a"), ("here", 2, b"b"), ("here", 1, None), *(("here", other, b"a") for other in (3, 4))]
    asked += [("there", 1, b"a")]
    found = [one for one in await asyncio.gather(*(store.read(*each) for each in asked)) if one]
    assert await trips(redis) - before == 2  # theirs, and the one that counts them
    assert [one.entry and one.entry.body for one in found] == [
        *(b'{"data":a}', b'{"data":b}', None, b'{"data":a}', b'{"data":a}', None)
    ]
    first, second = {"deals": Writers((1,))}, {"deals": Writers((2,))}
    assert [one.written for one in found] == [first, second, first, None, None, None]
    await link.close()


async def trips(redis: Redis) -> int:
    """How often Redis was turned to, so far."""
    return int((await redis.info("stats"))["total_reads_processed"])
