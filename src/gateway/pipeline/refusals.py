"""Refusals in a torrent are told late.

Each takes a process as long as several kept answers. Who asks again at once, whatever it is told, would take all of it
from everybody else; so it is told with a pause, and its connections ask so much less. Nor is it advised any more.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from gateway.observe import Observer

AT_ONCE_A_SECOND = 10
"""Of one tenant, that are told without a pause."""
PAUSE_SECONDS = 0.5


class Refusals:
    """`clock`: seconds that only go forward; `pause`: waits for so many."""

    def __init__(
        self,
        observer: Observer,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._observer = observer
        self._clock = clock
        self._pause = pause
        self._second = 0
        self._counted: Counter[int] = Counter()

    def are_many(self, tenant_id: int) -> bool:
        """Whether as many were told within this second as are told at once."""
        return self._of_this_second()[tenant_id] >= AT_ONCE_A_SECOND

    async def told(self, tenant_id: int) -> None:
        """To be awaited before a refusal is told."""
        is_late = self.are_many(tenant_id)
        self._of_this_second()[tenant_id] += 1
        if is_late:
            self._observer.refusal_paused()
            await self._pause(PAUSE_SECONDS)

    def _of_this_second(self) -> Counter[int]:
        second = int(self._clock())
        if second != self._second:
            self._second, self._counted = second, Counter()
        return self._counted
