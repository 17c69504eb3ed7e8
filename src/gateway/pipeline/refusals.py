"""Refusals in a torrent are told late.

Each takes a process as long as several kept answers. Who asks again at once, whatever it is told, would take all of it
from everybody else; so it is told with a pause, and its connections ask so much less. Advice takes longer still, and is
given less often.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from gateway.observe import Observer

AT_ONCE_A_SECOND = 10
"""Of one tenant, that are told without a pause."""
ADVISED_A_SECOND = 3
"""Of one tenant, that are told what would be cheaper."""
PAUSE_SECONDS = 0.5
NOBODY = 0
"""No tenant's key: all who are not signed in."""


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
        self._counted: tuple[Counter[int], Counter[int]] = (Counter(), Counter())

    def may_advise(self, tenant_id: int) -> bool:
        """Whether one more refusal within this second may tell what would be cheaper. To be asked once of each."""
        advised = self._of_this_second()[1]
        advised[tenant_id] += 1
        return advised[tenant_id] <= ADVISED_A_SECOND

    async def told(self, tenant_id: int) -> None:
        """To be awaited before a refusal is told."""
        told = self._of_this_second()[0]
        told[tenant_id] += 1
        if told[tenant_id] > AT_ONCE_A_SECOND:
            self._observer.refusal_paused()
            await self._pause(PAUSE_SECONDS)

    def _of_this_second(self) -> tuple[Counter[int], Counter[int]]:
        """Those told, and those advised."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._counted = second, (Counter(), Counter())
        return self._counted
