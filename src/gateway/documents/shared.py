"""The texts of documents by their hash in Redis, for all processes. Redis is a help, never a condition.

Every tenant uses the same entries. That is sound: a text holds nothing of anybody's data, whoever knows its hash has
seen the text, and naming it gives no more than sending it: it is run as the caller who names it. A hash is its text's
own, and is compared with it again at every read, so that no one can make a hash mean something else.
"""

import time
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from gateway.documents.texts import digest
from gateway.redis_link import RedisLink

PREFIX = "gateway:document:"
INDEX = "gateway:documents"
"""A sorted set of the hashes by their last use, which bounds how many there are."""
USE = "documents"


class SharedTexts:
    """`most`: how many are kept, each for `lifetime_seconds` after its last use here. Faults are misses."""

    def __init__(self, link: RedisLink, *, most: int, lifetime_seconds: int) -> None:
        self._link = link
        self._most = most
        self._lifetime_seconds = lifetime_seconds

    async def get(self, hash_: str) -> str | None:
        """The text; None as well where what stands there is not of this hash, or Redis is of no use."""

        def ask(pipeline: Pipeline) -> None:
            pipeline.getex(PREFIX + hash_, ex=self._lifetime_seconds)
            pipeline.zadd(INDEX, {hash_: time.time()}, xx=True)

        answers = await self._link.trip(USE, lambda redis: _asked(redis, ask))
        if answers is None or not isinstance(answers[0], bytes):
            return None
        text = answers[0].decode("utf-8", "replace")
        return text if digest(text) == hash_ else None

    async def keep(self, hash_: str, text: str) -> None:
        await self._link.trip(USE, lambda redis: self._keep(redis, hash_, text))

    async def _keep(self, redis: Redis, hash_: str, text: str) -> None:
        def put(pipeline: Pipeline) -> None:
            pipeline.set(PREFIX + hash_, text, ex=self._lifetime_seconds)
            pipeline.zadd(INDEX, {hash_: time.time()})
            pipeline.expire(INDEX, self._lifetime_seconds)
            pipeline.zcard(INDEX)

        *_, kept = await _asked(redis, put)
        if kept > self._most:
            (oldest,) = await _asked(redis, lambda pipeline: pipeline.zpopmin(INDEX, kept - self._most))
            await redis.unlink(*(PREFIX + hash_.decode() for hash_, _ in oldest))


async def _asked(redis: Redis, ask: Callable[[Pipeline], object]) -> list[Any]:
    """The answers to several commands, sent in one round trip."""
    async with redis.pipeline(transaction=False) as pipeline:
        ask(pipeline)
        answers: list[Any] = await pipeline.execute()
    return answers
