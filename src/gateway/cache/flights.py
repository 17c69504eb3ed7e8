"""Identical questions asked at once are answered by one execution."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Found = TypeVar("Found")


@dataclass(slots=True)
class _Flight(Generic[Found]):
    task: asyncio.Task[Found]
    number: int
    waiting: int = 0


class Flights(Generic[Found]):
    """At most one execution of a key takes newcomers. It is cancelled when the last who waits for it has left."""

    def __init__(self) -> None:
        self._flights: dict[bytes, _Flight[Found]] = {}
        self._begun = 0

    async def join(
        self,
        key: bytes,
        execute: Callable[[], Coroutine[Any, Any, Found]],
        *,
        sound: Callable[[Found], bool],
        late_enough: Callable[[Found], bool],
    ) -> Found:
        """What one execution found: one under way where it is sound and read late enough, else one begun after arrival.

        That has read late enough by itself. Where others' executions fail, one's own decides; raises what that raises.
        """
        begun_before = self._begun
        for _ in range(2):
            flight = self._flights.get(key)
            if flight is None:
                return await self._begin(key, execute)
            # It may fail for its own reasons, such as a shorter deadline.
            with suppress(Exception):
                found = await self._await(key, flight)
                if sound(found) and (flight.number > begun_before or late_enough(found)):
                    return found
            self._land(key, flight)
        return await execute()

    async def _begin(self, key: bytes, execute: Callable[[], Coroutine[Any, Any, Found]]) -> Found:
        self._begun += 1
        flight = self._flights[key] = _Flight(asyncio.ensure_future(execute()), self._begun)
        flight.task.add_done_callback(lambda _: self._land(key, flight))
        return await self._await(key, flight)

    async def _await(self, key: bytes, flight: _Flight[Found]) -> Found:
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._land(key, flight)
                flight.task.cancel()
                # Until it has put everything in order.
                await asyncio.wait({flight.task})

    def _land(self, key: bytes, flight: _Flight[Found]) -> None:
        """It takes nobody more."""
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.task.done() and not flight.task.cancelled():
            flight.task.exception()
