"""The database killed with commits that were not on disk yet: their ids come again, and what was read of them lives on
in Redis and in the gateways."""

import asyncio
from pathlib import Path

import asyncpg

from tests.servers import RedisServer
from tests.stress.answers.controls import Control
from tests.stress.answers.ground import Ground
from tests.stress.answers.run import TWO, Scene, play, scene
from tests.stress.answers.tally import Tally

LOSSY = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "1GB"}
"""What was committed in the last seconds is in no file yet."""
BETWEEN_SECONDS = 3.0
PATIENCE_SECONDS = 300.0


async def stress_crashes(
    ground: Ground, directory: Path, redis: RedisServer, seed: str, crashes: int, *, control: Control | None = None
) -> Tally:
    """So many crashes under readers and writers, with time for answers to be kept before and after each; fewer where
    something is wrong before, or the control has done what it must."""

    def enough(tally: Tally) -> bool:
        over = bool(tally.wrong) if control is None else control.caught(tally)
        return over or tally.faults["crash"] >= crashes

    await _save(ground)
    weakness = control.weakness if control else None
    async with scene(ground, directory, f"{seed} crashes", names=TWO, redis=redis, control=weakness) as stage:
        # A refresh takes all that was committed before it to the disk: nothing would be left to be lost.
        players = [*stage.players(refreshing=False), *stage.intruders(), _crash_often(stage)]
        return await play(stage, players, PATIENCE_SECONDS, enough=enough)


async def _save(ground: Ground) -> None:
    """What there is by now is not lost."""
    superuser = await asyncpg.connect(ground.database.server.superuser_dsn)
    try:
        await superuser.execute("CHECKPOINT")
    finally:
        await superuser.close()


async def _crash_often(stage: Scene) -> None:
    while True:
        await asyncio.sleep(BETWEEN_SECONDS)
        await stage.crash()
        await asyncio.sleep(BETWEEN_SECONDS)
        stage.tally.faults["crash"] += 1
