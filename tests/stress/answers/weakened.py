"""A gateway from which one safeguard is taken away: `python -m tests.stress.answers.weakened CONTROL serve …`.

The checks must find each of them wrong.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gateway.cache.shared
import gateway.postgres.transactions
from gateway.cache.changes import Changes, Known, Stamp
from gateway.cache.flights import Flights
from gateway.cache.listener import Listener
from gateway.cache.responses import ResponseCache
from gateway.cache.shared import SharedStore
from gateway.cli import app


def instead(owner: object, name: str, by: object) -> None:
    """From here on that is what the name means."""
    setattr(owner, name, by)


def unchecked() -> None:
    """Whatever is kept is taken to hold."""
    for owner in (Changes, Known):
        instead(owner, "holds", lambda *_: True)


def unmarked() -> None:
    """A change is not in doubt before it is committed, and no other process is told: notices alone tell of it."""

    async def acknowledge(*_: object) -> None: ...

    instead(ResponseCache, "in_doubt", lambda *_: None)
    instead(ResponseCache, "acknowledge", acknowledge)


def untold() -> None:
    """A change is acknowledged before other processes know of it."""

    async def acknowledge(*_: object) -> None: ...

    instead(ResponseCache, "acknowledge", acknowledge)


def late() -> None:
    """Who comes late takes what an execution under way has read, however long ago."""
    join = Flights.join

    async def take_any(*given: Any, **checks: Any) -> Any:
        return await join(*given, **checks | {"late_enough": lambda _: True})

    instead(Flights, "join", take_any)


def credulous() -> None:
    """A Redis that has just lost everything is believed."""
    instead(SharedStore, "_remembers", lambda *_: True)


def trusting() -> None:
    """A listener that has heard nothing for long is taken to know everything."""
    instead(Listener, "trusted", property(lambda _: True))


def torn() -> None:
    """Each statement of an answer has a snapshot of its own."""
    begin = gateway.postgres.transactions.begin

    async def begin_read_committed(pool: Any, connection: Any, text: str) -> None:
        await begin(pool, connection, text.replace("REPEATABLE READ", "READ COMMITTED"))

    instead(gateway.postgres.transactions, "begin", begin_read_committed)


def immortal() -> None:
    """A database that lost commits in a crash, and gives their ids to others, is taken for the same one."""
    holds = Known.holds

    def of_any_life(known: Known, stamp: Stamp) -> bool:
        return holds(replace(known, incarnation=stamp.incarnation), stamp)

    instead(Known, "holds", of_any_life)
    instead(gateway.cache.shared, "_short", lambda _: "any")


CONTROLS: dict[str, Callable[[], None]] = {
    control.__name__: control for control in (unchecked, unmarked, untold, late, credulous, trusting, torn, immortal)
}

if __name__ == "__main__":
    CONTROLS[sys.argv.pop(1)]()
    app()
