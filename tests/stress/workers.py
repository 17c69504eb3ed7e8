"""Two workers as real processes, killed at random and started again; their sessions are terminated, too."""

import asyncio
import random
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path

import asyncpg

from tests.stress.ground import Ground
from tests.stress.tally import Tally

PROJECT = Path(__file__).parents[2]
SESSIONS = """
SELECT pid FROM pg_stat_activity WHERE datname = $1 AND usename = 'worker' ORDER BY state <> 'active', pid LIMIT 2
"""


async def keep_one_working(ground: Ground, dice: random.Random, tally: Tally) -> None:
    """One process after another, each killed at random, until cancelled."""
    while True:
        process = await _start(ground, dice.getrandbits(31))
        try:
            if await _ends_within(dice.uniform(1, 8), process, tally):
                tally.wrong.append("a worker's process ended by itself")
            else:
                tally.deaths["processes killed"] += 1
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            rest, _ = await process.communicate()
            _hear(rest, tally)


async def terminate_sessions(ground: Ground, dice: random.Random, tally: Tally) -> None:
    """Ends sessions of workers, rather at work than idle, until cancelled."""
    superuser = await asyncpg.connect(ground.database.server.superuser_dsn)
    try:
        while True:
            await asyncio.sleep(dice.uniform(0.3, 2.5))
            sessions = await superuser.fetch(SESSIONS, ground.database.name)
            if sessions and await superuser.fetchval("SELECT pg_terminate_backend($1)", dice.choice(sessions)["pid"]):
                tally.deaths["sessions terminated"] += 1
    finally:
        await superuser.close()


async def _start(ground: Ground, seed: int) -> Process:
    command = [sys.executable, "-m", "tests.stress.worker", ground.database.worker_dsn, str(seed)]
    return await asyncio.create_subprocess_exec(*command, cwd=PROJECT, stdin=PIPE, stdout=PIPE)


async def _ends_within(seconds: float, process: Process, tally: Tally) -> bool:
    """Hears what it tells; whether it fell silent for good. The time is counted from its first word."""
    assert process.stdout is not None
    _hear(await process.stdout.readline(), tally)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for line in process.stdout:
                _hear(line, tally)
            return True
    return False


def _hear(lines: bytes, tally: Tally) -> None:
    """Counts whole lines; a differing rollup is one too many."""
    for line in lines.decode().splitlines(keepends=True):
        if line.endswith("\n"):
            tally.heard[line.split()[0]] += 1
            if line.startswith("differing"):
                tally.wrong.append(f"a refresh found it: {line.strip()}")
