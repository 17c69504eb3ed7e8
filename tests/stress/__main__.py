"""`python -m tests.stress [--seconds 60] [--seed N]`: the stress proof, on every PostgreSQL that is at hand.

Ends with 1 when anything was wrong, or when a control was not caught wrong.
"""

import asyncio
import random
import sys
from argparse import ArgumentParser
from pathlib import Path

import structlog

from tests.conftest import fresh_database
from tests.servers import SYSTEM_BIN_DIRS, postgres_server
from tests.stress.controls import CONTROLS
from tests.stress.ground import Ground, prepare
from tests.stress.run import stress_control, stress_engine
from tests.stress.tally import LOG_PREFIX, worker_errors

CONTROL_SECONDS = 30.0
SERVERS = [None, *(path for path in SYSTEM_BIN_DIRS if int(path.parent.name) >= 15)]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def prove(bin_dir: Path | None, seed: int, seconds: float) -> bool:
    """Whether one server's runs were all as they should be."""
    with postgres_server(bin_dir, settings={"log_line_prefix": LOG_PREFIX}) as server:
        ground = await prepare(await fresh_database(server))
        engine = await _prove_engine(ground, seed, seconds)
        return all([engine, *[await _prove_control(ground, seed, number) for number in range(len(CONTROLS))]])


async def _prove_engine(ground: Ground, seed: int, seconds: float) -> bool:
    tally = await stress_engine(ground, seed, seconds, say)
    errors = worker_errors(ground.database.server.data_dir / "postgres.log")
    say(tally.report())
    say(
        f"errors in folds and refreshes: {errors['40001']} serialization failures, {errors['40P01']} deadlocks, "
        f"{errors.total() - errors['40001'] - errors['40P01']} others of {sorted(errors)}"
    )
    return not tally.wrong and not errors


async def _prove_control(ground: Ground, seed: int, number: int) -> bool:
    control = CONTROLS[number]
    tally = await stress_control(ground, seed, CONTROL_SECONDS, control)
    caught = f"caught after {tally.checks} checks: {tally.wrong[0]}" if tally.wrong else "NOT CAUGHT"
    say(f"control {control.__name__}: {caught}")
    return bool(tally.wrong)


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.stress", description="The stress proof of the rollups.")
    parser.add_argument("--seconds", type=float, default=60, help="length of the main run on each server")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all dice")  # noqa: S311
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    good = True
    for bin_dir in SERVERS:
        say(f"{bin_dir or 'embedded PostgreSQL'}, SEED={given.seed}, SECONDS={given.seconds:g}")
        good &= asyncio.run(prove(bin_dir, given.seed, given.seconds))
    say("All as it should be." if good else "WRONG: see above.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
