"""Texts kept in Redis: verified, bounded, and never a condition for an answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from gateway.app import redis_client
from gateway.documents.shared import INDEX, PREFIX, SharedTexts
from gateway.documents.texts import digest
from gateway.observe import Observer
from gateway.settings import load_settings
from tests.servers import free_port, redis_server

TEXT = "{ me { id } } # Zoë"
HASH = digest(TEXT)


def observer() -> Observer:
    return Observer(CollectorRegistry())


def faults(observer: Observer) -> float:
    return observer.registry.get_sample_value("gateway_redis_faults_total", {"use": "documents"}) or 0


def client(url: str) -> Redis:
    redis = redis_client(load_settings(redis_url=url))
    assert redis is not None
    return redis


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with client(redis_url) as redis:
        yield redis


def texts(
    redis: Redis, observer_: Observer | None = None, *, most: int = 10, lifetime_seconds: int = 60
) -> SharedTexts:
    return SharedTexts(redis, observer_ or observer(), most=most, lifetime_seconds=lifetime_seconds)


async def test_what_one_process_keeps_another_finds(redis: Redis, redis_url: str) -> None:
    await texts(redis).keep(HASH, TEXT)
    async with client(redis_url) as other:
        assert await texts(other).get(HASH) == TEXT
        assert await texts(other).get(digest("{ other }")) is None


async def test_a_text_lives_from_its_last_use(redis: Redis) -> None:
    await texts(redis, lifetime_seconds=60).keep(HASH, TEXT)
    assert 0 < await redis.ttl(PREFIX + HASH) <= 60
    await texts(redis, lifetime_seconds=3600).get(HASH)
    assert 60 < await redis.ttl(PREFIX + HASH) <= 3600


async def test_the_least_recently_used_texts_leave_when_there_are_too_many(redis: Redis) -> None:
    few = texts(redis, most=2)
    for text in ("{ a }", "{ b }"):
        await few.keep(digest(text), text)
    assert await few.get(digest("{ a }")) == "{ a }"
    await few.keep(digest("{ c }"), "{ c }")
    assert [await few.get(digest(text)) for text in ("{ a }", "{ b }", "{ c }")] == ["{ a }", None, "{ c }"]
    assert (await redis.zcard(INDEX), await redis.dbsize()) == (2, 3)


@pytest.mark.parametrize("value", [b"{ other }", b"", TEXT.encode()[:-1], b"\xff\xfe"])
async def test_a_text_that_is_not_of_its_hash_is_unknown(redis: Redis, value: bytes) -> None:
    await redis.set(PREFIX + HASH, value)
    assert await texts(redis).get(HASH) is None


async def test_a_key_of_another_type_is_unknown_and_is_written_over(redis: Redis) -> None:
    watched = observer()
    await redis.lpush(PREFIX + HASH, "something else")
    assert await texts(redis, watched).get(HASH) is None
    assert faults(watched) == 1
    await texts(redis).keep(HASH, TEXT)
    assert await texts(redis).get(HASH) == TEXT


async def test_a_redis_that_is_not_there_is_a_miss() -> None:
    watched = observer()
    async with client(f"redis://127.0.0.1:{free_port()}/0") as nowhere:
        await texts(nowhere, watched).keep(HASH, TEXT)
        assert await texts(nowhere, watched).get(HASH) is None
    assert faults(watched) == 2


async def test_a_redis_that_does_not_answer_in_time_is_a_miss_and_is_used_again_later(
    redis: Redis, redis_url: str
) -> None:
    watched = observer()
    await texts(redis).keep(HASH, TEXT)
    async with Redis.from_url(redis_url) as operator:
        await operator.client_pause(600)
    assert await texts(redis, watched).get(HASH) is None
    assert faults(watched) == 1
    await asyncio.sleep(0.7)
    assert await texts(redis, watched).get(HASH) == TEXT
    assert faults(watched) == 1


async def test_a_caller_who_gives_up_leaves_no_answer_for_the_next_one(redis: Redis, redis_url: str) -> None:
    await texts(redis).keep(HASH, TEXT)
    async with Redis.from_url(redis_url) as operator:
        await operator.client_pause(300)
    waiting = asyncio.ensure_future(texts(redis).get(digest("{ other }")))
    await asyncio.sleep(0.02)
    waiting.cancel()
    await asyncio.wait([waiting])
    await asyncio.sleep(0.4)
    assert waiting.cancelled()
    assert await texts(redis).get(HASH) == TEXT


async def test_a_redis_that_is_back_is_used_at_once(tmp_path: Path) -> None:
    watched = observer()
    with redis_server(tmp_path) as url:
        redis = client(url)
        await texts(redis, watched).keep(HASH, TEXT)
        await redis.client_kill_filter(_type="normal", skipme=False)
        assert await texts(redis, watched).get(HASH) == TEXT
    assert await texts(redis, watched).get(HASH) is None
    await redis.aclose()
    assert faults(watched) == 1
