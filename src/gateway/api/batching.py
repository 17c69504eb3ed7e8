"""Dataloaders that wait for each other, so that a request issues one statement per type and level."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from aiodataloader import DataLoader, Loader, dispatch_queue

Value = TypeVar("Value")

# After the last statement returned, the resolvers that awaited it go on over a few turns of the event loop, and ask for
# more. Dispatching only after this many quiet turns lets all of them ask before one statement answers them together.
QUIET_TURNS = 6


class Source(Protocol):
    """What the loaders read from: tells when no statement of the request runs or waits."""

    on_idle: Callable[[], None] | None

    @property
    def busy(self) -> bool: ...


class Levels:
    """Dispatches the loaders of a request together, whenever its reads have come to rest."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._waiting: list[DataLoader[int, Any]] = []
        self._quiet_turns = 0
        self._ticking = False
        source.on_idle = self._tick_soon

    def enqueue(self, loader: DataLoader[int, Any]) -> None:
        self._waiting.append(loader)
        self._tick_soon()

    def _tick_soon(self) -> None:
        self._quiet_turns = 0
        if self._waiting and not self._ticking and not self._source.busy:
            self._ticking = True
            asyncio.get_running_loop().call_soon(self._tick)

    def _tick(self) -> None:
        self._ticking = False
        if self._source.busy:
            return
        self._quiet_turns += 1
        if self._quiet_turns < QUIET_TURNS:
            self._ticking = True
            asyncio.get_running_loop().call_soon(self._tick)
            return
        waiting, self._waiting = self._waiting, []
        for loader in waiting:
            dispatch_queue(loader)


class LevelLoader(DataLoader[int, Value]):
    """A dataloader by key whose queue is dispatched by its `Levels`."""

    def __init__(self, levels: Levels, batch: Callable[[list[int]], Awaitable[list[Value]]]) -> None:
        async def load(keys: list[int]) -> list[Value]:
            return await batch(keys)

        super().__init__(load)
        self._levels = levels

    def do_resolve_reject(self, key: int, future: "asyncio.Future[Value]") -> None:
        self._queue.append(Loader(key=key, future=future))
        if len(self._queue) == 1:
            self._levels.enqueue(self)
