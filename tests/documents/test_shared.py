"""Texts kept in Redis: verified, bounded, and never a condition for an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from gateway.documents.shared import INDEX, PREFIX, SharedTexts
from gateway.documents.texts import digest
from gateway.observe import Observer
from gateway.redis_link import FAULTS_BEFORE_REST, REST_SECONDS, RedisLink
from tests.servers import free_port, redis_server

TEXT = "{ me { id } } # Zoë"
HASH = digest(TEXT)


def observer() -> Observer:
    return Observer(CollectorRegistry())


def faults(observer: Observer) -> float:
    return observer.registry.get_sample_value("gateway_redis_faults_total", {"use": "documents"}) or 0


@asynccontextmanager
async def linked(url: str, watched: Observer | None = None) -> AsyncIterator[RedisLink]:
    link = RedisLink(url, watched or observer(), timeout_seconds=0.1)
    yield link
    await link.close()


@pytest.fixture
async def watched() -> Observer:
    return observer()


@pytest.fixture
async def link(redis_url: str, watched: Observer) -> AsyncIterator[RedisLink]:
    async with linked(redis_url, watched) as link:
        yield link


def texts(link: RedisLink, *, most: int = 10, lifetime_seconds: int = 60) -> SharedTexts:
    return SharedTexts(link, most=most, lifetime_seconds=lifetime_seconds)


async def test_what_one_process_keeps_another_finds(link: RedisLink, redis_url: str) -> None:
    await texts(link).keep(HASH, TEXT)
    async with linked(redis_url) as other:
        assert await texts(other).get(HASH) == TEXT
        assert await texts(other).get(digest("{ other }")) is None


async def test_a_text_lives_from_its_last_use(link: RedisLink) -> None:
    await texts(link, lifetime_seconds=60).keep(HASH, TEXT)
    assert 0 < await link.client.ttl(PREFIX + HASH) <= 60
    await texts(link, lifetime_seconds=3600).get(HASH)
    assert 60 < await link.client.ttl(PREFIX + HASH) <= 3600


async def test_the_least_recently_used_texts_leave_when_there_are_too_many(link: RedisLink) -> None:
    few = texts(link, most=2)
    for text in ("{ a }", "{ b }"):
        await few.keep(digest(text), text)
    assert await few.get(digest("{ a }")) == "{ a }"
    await few.keep(digest("{ c }"), "{ c }")
    assert [await few.get(digest(text)) for text in ("{ a }", "{ b }", "{ c }")] == ["{ a }", None, "{ c }"]
    assert (await link.client.zcard(INDEX), await link.client.dbsize()) == (2, 3)


@pytest.mark.parametrize("value", [b"{ other }", b"", TEXT.encode()[:-1], b"\xff\xfe"])
async def test_a_text_that_is_not_of_its_hash_is_unknown(link: RedisLink, value: bytes) -> None:
    await link.client.set(PREFIX + HASH, value)
    assert await texts(link).get(HASH) is None


async def test_a_key_of_another_type_is_unknown_and_is_written_over(link: RedisLink, watched: Observer) -> None:
    await link.client.lpush(PREFIX + HASH, "something else")
    assert await texts(link).get(HASH) is None
    assert faults(watched) == 1
    await texts(link).keep(HASH, TEXT)
    assert await texts(link).get(HASH) == TEXT


async def test_a_redis_that_is_not_there_is_a_miss(watched: Observer) -> None:
    async with linked(f"redis://127.0.0.1:{free_port()}/0", watched) as nowhere:
        await texts(nowhere).keep(HASH, TEXT)
        assert await texts(nowhere).get(HASH) is None
    assert faults(watched) == 2


async def test_a_redis_that_does_not_answer_in_time_is_a_miss_and_is_used_again_later(
    link: RedisLink, redis_url: str, watched: Observer
) -> None:
    await texts(link).keep(HASH, TEXT)
    async with Redis.from_url(redis_url) as operator:
        await operator.client_pause(600)
    assert await texts(link).get(HASH) is None
    assert faults(watched) == 1
    await asyncio.sleep(0.7)
    assert await texts(link).get(HASH) == TEXT
    assert faults(watched) == 1


async def test_a_caller_who_gives_up_leaves_no_answer_for_the_next_one(link: RedisLink, redis_url: str) -> None:
    await texts(link).keep(HASH, TEXT)
    async with Redis.from_url(redis_url) as operator:
        await operator.client_pause(300)
    waiting = asyncio.ensure_future(texts(link).get(digest("{ other }")))
    await asyncio.sleep(0.02)
    waiting.cancel()
    await asyncio.wait([waiting])
    await asyncio.sleep(0.4)
    assert waiting.cancelled()
    assert await texts(link).get(HASH) == TEXT


async def test_a_redis_that_is_back_is_used_at_once(tmp_path: Path, watched: Observer) -> None:
    with redis_server(tmp_path) as url:
        link = RedisLink(url, watched, timeout_seconds=0.1)
        await texts(link).keep(HASH, TEXT)
        await link.client.client_kill_filter(_type="normal", skipme=False)
        assert await texts(link).get(HASH) == TEXT
    assert await texts(link).get(HASH) is None
    await link.close()
    assert faults(watched) == 1


async def test_after_several_faults_none_is_tried_for_a_while(watched: Observer) -> None:
    async with linked(f"redis://127.0.0.1:{free_port()}/0", watched) as nowhere:
        for _ in range(FAULTS_BEFORE_REST):
            await texts(nowhere).get(HASH)
        tried: list[str] = []

        async def work(_redis: object) -> None:
            tried.append("tried")

        await nowhere.trip("documents", work)
        assert tried == []
        await asyncio.sleep(REST_SECONDS + 0.1)
        await nowhere.trip("documents", work)
        assert tried == ["tried"]
