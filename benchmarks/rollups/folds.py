"""What folding costs for a change, over databases of different sizes in turns."""

import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg

from benchmarks.rollups.changes import Reassignments, clear, fold_all
from benchmarks.rollups.subject import Subject, connected, median

CHANGES = 1_000


@dataclass(frozen=True)
class Fold:
    """`change_ms`: milliseconds of a fold of all rollups, for each of the changes that it found; the median."""

    deals: int
    change_ms: float


async def fold_in_turns(subjects: Sequence[Subject], rounds: int) -> list[Fold]:
    """Each round gives a thousand deals of all tenants to other owners, or back, and folds that."""
    times: defaultdict[int, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        sides = [await _open(stack, subject) for subject in subjects]
        for _ in range(rounds):
            for deals, owner, worker, changes in sides:
                await changes.make(owner)
                times[deals].append(await _fold_ms(worker))
                await changes.undo(owner)
                times[deals].append(await _fold_ms(worker))
        for _, _, worker, _ in sides:
            await clear(worker)
    return [Fold(subject.deals, median(times[subject.deals]) / CHANGES) for subject in subjects]


async def _open(
    stack: AsyncExitStack, subject: Subject
) -> tuple[int, asyncpg.Connection, asyncpg.Connection, Reassignments]:
    owner = await stack.enter_async_context(connected(subject.settings, "owner"))
    worker = await stack.enter_async_context(connected(subject.settings, "worker"))
    await clear(worker)
    return subject.deals, owner, worker, await Reassignments.of(owner, CHANGES)


async def _fold_ms(worker: asyncpg.Connection) -> float:
    begun = time.perf_counter()
    await fold_all(worker)
    return (time.perf_counter() - begun) * 1000
