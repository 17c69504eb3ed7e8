"""Turns on a connection that runs one statement at a time."""

import asyncio
from collections import deque


class Turns:
    """Whoever wants what the one before wanted is next: then nothing has to be set in between. Of equals, the first."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: dict[bool, deque[asyncio.Future[None]]] = {True: deque(), False: deque()}

    async def take(self, planned_once: bool) -> None:
        """Waits for a turn."""
        if not self._taken:
            self._taken = True
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting[planned_once].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # Cancelled after the turn was given, before it was used.
            if not turn.cancelled():
                self.give_back(planned_once)
            raise

    def give_back(self, planned_once: bool) -> None:
        """Ends the turn of one who wanted that."""
        for waiting in (self._waiting[planned_once], self._waiting[not planned_once]):
            while waiting:
                turn = waiting.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._taken = False
