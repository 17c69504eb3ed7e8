"""The one way to Redis, which is a help and never a condition: every trip is bounded, and rests follow faults."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from gateway.observe import Observer

Answered = TypeVar("Answered")

FAULTS_BEFORE_REST = 5
REST_SECONDS = 2.0


class RedisLink:
    """A process's connections to Redis, made when they are first used. `run_id`: which run of Redis the newest is of.

    Another run may have lost what the one before knew.
    """

    def __init__(self, url: str, observer: Observer, *, timeout_seconds: float) -> None:
        self.run_id = ""
        self.client = Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            socket_keepalive=True,
            # Once more, at once: a connection of the pool may have been closed by a Redis that is back.
            retry=Retry(NoBackoff(), 1),
            # Only managed services send these, and asking for them costs a round trip for each connection.
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            redis_connect_func=self._connected,
        )
        self._observer = observer
        self._timeout_seconds = timeout_seconds
        # A caller who goes away is no fault of Redis.
        self._breakers = AsyncCircuitBreakerFactory(FAULTS_BEFORE_REST, REST_SECONDS, exclude=[asyncio.CancelledError])

    async def trip(self, use: str, work: Callable[[Redis], Awaitable[Answered]]) -> Answered | None:
        """What it answered; None where it did not in time. `use`: what for, as operators read it."""
        try:
            async with await self._breakers.get_breaker("redis"), asyncio.timeout(self._timeout_seconds):
                return await work(self.client)
        except (RedisError, OSError, TimeoutError, OpenedState) as error:
            self._observer.redis_fault(use, error)
            return None

    async def close(self) -> None:
        await self.client.aclose()

    async def _connected(self, connection: Any) -> None:
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        told = (await connection.read_response()).decode()
        self.run_id = next(line for line in told.splitlines() if line.startswith("run_id:"))
