"""`python -m tests.stress.answers [--seconds 60] [--seed N]`: the stress proof of kept answers.

Ends with 1 when anything was wrong, or when a control was not caught wrong.
"""

import asyncio
import random
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import fresh_database
from tests.servers import RedisServer, postgres_server
from tests.stress.answers.controls import CONTROLS, IMMORTAL, Control, stress_control
from tests.stress.answers.crashes import LOSSY, stress_crashes
from tests.stress.answers.ground import Ground, prepare
from tests.stress.answers.run import ALONE, THREE, stress_answers, stress_redis
from tests.stress.answers.tally import Tally

CONTROL_SECONDS = 60.0
CRASHES, MOST_CRASHES = 4, 20


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def empty_redis(directory: Path) -> Iterator[RedisServer]:
    redis = RedisServer(directory)
    redis.start()
    try:
        yield redis
    finally:
        redis.kill()


async def prove(seed: str, seconds: float) -> bool:
    """Whether all runs were as they should be."""
    with tempfile.TemporaryDirectory(prefix="gateway-stress-") as name:
        directory = Path(name)
        with empty_redis(directory) as redis:
            with postgres_server(data_dir=directory / "postgres") as server:
                ground = await prepare(await fresh_database(server))
                good = await _prove_promise(ground, directory, redis, seed, seconds)
            with postgres_server(data_dir=directory / "lossy", settings=LOSSY) as server:
                ground = await prepare(await fresh_database(server))
                return await _prove_crashes(ground, directory, redis, seed) and good


async def _prove_promise(ground: Ground, directory: Path, redis: RedisServer, seed: str, seconds: float) -> bool:
    good = True
    for names, shared in ((ALONE, None), (THREE, redis)):
        say(f"{len(names)} process{'' if shared is None else 'es with Redis'}:")
        tally = await stress_answers(ground, directory, seed, seconds, names=names, redis=shared, tell=say)
        say(tally.report())
        good &= not tally.wrong
    say("3 processes with Redis, of which nothing but Redis fails, and its timeout is the default:")
    tally = await stress_redis(ground, directory, redis, seed, seconds, tell=say)
    say(tally.report())
    good &= not tally.wrong
    for control in CONTROLS:
        tally = await stress_control(control, ground, directory, redis, seed, CONTROL_SECONDS)
        good &= _caught(control, tally)
    return good


async def _prove_crashes(ground: Ground, directory: Path, redis: RedisServer, seed: str) -> bool:
    tally = await stress_crashes(ground, directory, redis, seed, CRASHES)
    say("2 processes with Redis, the database killed:")
    say(tally.report())
    control = await stress_crashes(ground, directory, redis, seed, MOST_CRASHES, control=IMMORTAL)
    return _caught(IMMORTAL, control) and not tally.wrong


def _caught(control: Control, tally: Tally) -> bool:
    """Whether it broke what it must."""
    caught, broken = control.caught(tally), ", ".join(sorted(tally.broken)) or "nothing"
    found = "caught" if caught else f"NOT CAUGHT, which must break {', '.join(control.breaks)},"
    say(f"control {control}: {found} after {tally.checks} checks, it broke {broken}")
    for story in tally.wrong[:1]:
        say(story)
    return caught


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.stress.answers", description="The stress proof of kept answers.")
    parser.add_argument("--seconds", type=float, default=60, help="length of each of the three long runs")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all dice")  # noqa: S311
    given = parser.parse_args()
    say(f"SEED={given.seed}, SECONDS={given.seconds:g}")
    good = asyncio.run(prove(str(given.seed), given.seconds))
    say("All as it should be." if good else "WRONG: see above.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
