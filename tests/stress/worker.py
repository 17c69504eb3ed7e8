"""One worker as a process of its own: `python -m tests.stress.worker DSN SEED`.

It is the product's worker in a hurry, and beside it folds and refreshes of single rollups at random, on a second
connection. It tells each piece of work in a line of standard output, and ends with its standard input.
"""

import asyncio
import os
import random
import sys
import threading
from contextlib import suppress

import asyncpg
import structlog
from prometheus_client import CollectorRegistry

from gateway.observe import Observer, RollupAudited, RollupFolded, RollupRefreshed
from gateway.postgres.migrate import head_revision
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.maintain import fold_rollup, refresh_rollup
from gateway.rollups.worker import LOST, Pace, Worker

HURRY = Pace(
    fold_seconds=0.05,
    refresh_share=0.02,
    refresh_groups=10,
    retry_seconds=0.1,
    retry_seconds_limit=0.5,
    standby_seconds=0.2,
)


class Teller(Observer):
    """Tells what a worker does as lines."""

    def folded(self, event: RollupFolded) -> None:
        tell(f"folds {event.rollup}")

    def refreshed(self, event: RollupRefreshed) -> None:
        tell(f"refreshes {event.rollup}")

    def audited(self, event: RollupAudited) -> None:
        if event.differing:
            tell(f"differing {event.rollup}")


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def work(dsn: str, seed: int) -> None:
    """Works until cancelled."""
    observer = Teller(CollectorRegistry())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(Worker(dsn, head_revision(), ROLLUPS, observer, HURRY).run())
        dice = random.Random(seed)  # noqa: S311 - dice, no secret
        tasks.create_task(_meddle(dsn, dice, observer))


async def _meddle(dsn: str, dice: random.Random, observer: Observer) -> None:
    """Folds and refreshes any rollup at any time, whatever the worker does meanwhile."""
    while True:
        # A session that was terminated is followed by the next one; other errors stand in the server's log.
        with suppress(*LOST, asyncpg.PostgresError):
            connection = await asyncpg.connect(dsn)
            try:
                await _meddle_on(connection, dice, observer)
            finally:
                connection.terminate()


async def _meddle_on(connection: asyncpg.Connection, dice: random.Random, observer: Observer) -> None:
    while True:
        rollup = dice.choice(ROLLUPS)
        if dice.random() < 0.5:
            await fold_rollup(connection, rollup)
            tell(f"folds {rollup.name}")
        else:
            (await refresh_rollup(connection, rollup)).report(observer, rollup)
            tell(f"refreshes {rollup.name}")
        await asyncio.sleep(dice.uniform(0, 0.2))


def end_with_input() -> None:
    """Ends the process when nobody is left to work for."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(0)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    threading.Thread(target=end_with_input, daemon=True).start()
    asyncio.run(work(sys.argv[1], int(sys.argv[2])))
