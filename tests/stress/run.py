"""The runs: the engine under stress, then quiet; then each control under the same stress until it is caught."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import asyncpg

from gateway.rollups.audit import audit_rollup
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.maintain import fold_rollup, refresh_rollup
from gateway.rollups.names import delta, pending
from tests.stress.checks import check
from tests.stress.controls import Control
from tests.stress.ground import Ground
from tests.stress.readers import hold
from tests.stress.tally import Tally
from tests.stress.workers import keep_one_working, terminate_sessions
from tests.stress.writers import CONFLICTS, write

WRITERS, WORKERS, READERS, CHECKERS = 6, 2, 2, 2
PROGRESS_SECONDS = 5
MEANWHILE_SECONDS = 0.1

Player = Callable[[Ground, random.Random, Tally], Coroutine[Any, Any, None]]


async def stress_engine(
    ground: Ground, seed: int, seconds: float, tell: Callable[[str], None], *, enough_checks: int | None = None
) -> Tally:
    """The main run, ended after `seconds`, or when there are `enough_checks` and every player has played."""
    tally = Tally()
    players: list[Player] = [*[keep_one_working] * WORKERS, terminate_sessions]
    await _play(
        ground,
        seed,
        players,
        tally,
        seconds,
        lambda: enough_checks is not None and _is_enough(tally, enough_checks),
        tell,
    )
    tally.wrong += await settle(ground, exact=True)
    return tally


async def stress_control(ground: Ground, seed: int, seconds: float, control: Control) -> Tally:
    """The same stress upon a control, until something is wrong or `seconds` are over. Leaves the database right."""
    tally = Tally()

    async def maintain(ground: Ground, dice: random.Random, tally: Tally) -> None:
        await _maintain_wrongly(ground, control, dice, tally)

    await _play(ground, seed, [maintain] * WORKERS, tally, seconds, lambda: bool(tally.wrong), lambda _: None)
    if left := await settle(ground, exact=False):
        raise AssertionError(f"a refresh did not heal what {control.__name__} had done: {left}")
    return tally


async def settle(ground: Ground, *, exact: bool) -> list[str]:
    """Folds and refreshes everything when all is quiet; gives what is wrong then, and before that, if `exact`."""
    worker = await asyncpg.connect(ground.database.worker_dsn)
    wrong: list[str] = []
    try:
        for rollup in ROLLUPS:
            await fold_rollup(worker, rollup)
            before = await refresh_rollup(worker, rollup)
            if exact and before.differing:
                wrong.append(f"{rollup.name}: the last refresh found {before.listed}")
            wrong += [
                f"{rollup.name}: {audit.listed}" async for _, audit in audit_rollup(worker, rollup) if audit.differing
            ]
            for relation in (delta(rollup), pending(rollup)):
                if await worker.fetchval(f"SELECT EXISTS (SELECT FROM {relation})"):
                    wrong.append(f"{relation} is not empty")
    finally:
        await worker.close()
    return wrong


async def _play(
    ground: Ground,
    seed: int,
    maintainers: Sequence[Player],
    tally: Tally,
    seconds: float,
    is_over: Callable[[], bool],
    tell: Callable[[str], None],
) -> None:
    players: list[Player] = [*[write] * WRITERS, *[hold] * READERS, *[check] * CHECKERS, *maintainers]
    clock = asyncio.get_running_loop().time
    begun = told = clock()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(play(ground, random.Random(f"{seed} {number}"), tally))  # noqa: S311 - dice, no secret
            for number, play in enumerate(players)
        ]
        while clock() < begun + seconds and not is_over():
            await asyncio.sleep(0.1)
            if clock() >= told + PROGRESS_SECONDS:
                told = clock()
                tell(f"{told - begun:4.0f} s: {tally.line()}")
        for task in tasks:
            task.cancel()


def _is_enough(tally: Tally, checks: int) -> bool:
    played = (tally.heard["folds"], tally.heard["refreshes"], tally.deaths["processes killed"])
    return tally.checks >= checks and all(played)


async def _maintain_wrongly(ground: Ground, control: Control, dice: random.Random, tally: Tally) -> None:
    async def meanwhile() -> None:
        await asyncio.sleep(dice.uniform(0, MEANWHILE_SECONDS))

    worker = await asyncpg.connect(ground.database.worker_dsn)
    try:
        while True:
            try:
                await control(worker, dice.choice(ROLLUPS), meanwhile)
            except CONFLICTS as error:
                tally.wrong.append(f"maintenance failed: {error}")
    finally:
        await worker.close()
