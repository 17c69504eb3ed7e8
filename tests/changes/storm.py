"""Everybody at once: members at two gateways, writers beside them, folds and refreshes, and who watches all of it."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from gateway.api.ids import decode_id
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.maintain import fold_rollup, refresh_rollup
from tests.changes.arena import Arena, Dice, callers
from tests.changes.heard import Heard, wrong_answers
from tests.changes.scribblers import scribble
from tests.changes.strokes import Stroke, any_stroke
from tests.changes.traces import read_traces, wrong_traces
from tests.conftest import Client
from tests.stress.checks import check
from tests.stress.ground import Ground
from tests.stress.run import settle
from tests.stress.tally import Tally

LONGEST_PAUSE_SECONDS = 0.1


@dataclass
class Storm:
    """`others`: changes of each deal beside the gateway. `tally`: what was found while it lasted, and afterwards."""

    heard: list[Heard] = field(default_factory=list)
    others: Counter[int] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)

    def statuses(self) -> Counter[str]:
        payloads = (payload for each in self.heard for payload in each.payloads)
        return Counter(result["status"] for payload in payloads for result in payload["results"])

    def codes(self) -> Counter[str]:
        return Counter(code for each in self.heard for code in each.codes)


async def raise_storm(arena: Arena, owner: asyncpg.Connection, seed: int, rounds: int, scribblers: int = 0) -> Storm:
    """Each member sends so many requests, each scribbler as many transactions; then everything is compared.

    Members stop when something is wrong.
    """
    storm = Storm()
    ground = Ground(arena.database, (arena.tenant_id,))
    async with callers(arena) as clients, asyncio.TaskGroup() as watchers:
        watching = [
            watchers.create_task(task)
            for task in (
                check(ground, Dice(f"{seed} check"), storm.tally),
                _maintain(arena, Dice(f"{seed} maintain")),
                _watch(arena, storm, alone=not scribblers),
            )
        ]
        players: list[Coroutine[Any, Any, None]] = [
            _play(arena, role, client, f"{seed} {number}", rounds, storm)
            for number, (role, client) in enumerate(clients)
        ]
        players += [
            scribble(arena, Dice(f"{seed} scribble {number}"), rounds, storm.others) for number in range(scribblers)
        ]
        await asyncio.gather(*players)
        for task in watching:
            task.cancel()
    traces = await read_traces(owner, arena.tenant_id)
    storm.tally.wrong += wrong_traces(traces, storm.others)
    storm.tally.wrong += wrong_answers(storm.heard, traces, alone=not scribblers)
    storm.tally.wrong += await settle(ground, exact=True)
    return storm


async def _play(arena: Arena, role: str, client: Client, seed: str, rounds: int, storm: Storm) -> None:
    dice = Dice(seed)
    for number in range(rounds):
        if storm.tally.wrong:
            return
        stroke = any_stroke(arena, dice, f"{seed} {number}")
        storm.heard.append(await _send(arena, role, client, stroke))


async def _send(arena: Arena, role: str, client: Client, stroke: Stroke) -> Heard:
    sent = [client.post(stroke.text, stroke.variables) for _ in range(1 + stroke.twice)]
    answers = [response.json() for response in await asyncio.gather(*sent)]
    errors = [error["extensions"]["code"] for answer in answers for error in answer.get("errors", [])]
    payloads = [answer["data"]["answer"] for answer in answers if "errors" not in answer]
    for payload in payloads:
        if payload["operationId"]:
            arena.operations.append(payload["operationId"])
        for result in payload["results"]:
            if result["deal"]:
                arena.seen[decode_id(result["dealId"])[1]] = result["deal"]["version"]
    return Heard(arena.world.members[role], stroke, payloads, errors)


async def _maintain(arena: Arena, dice: Dice) -> None:
    """Folds and refreshes until cancelled."""
    worker = await asyncpg.connect(arena.database.worker_dsn)
    try:
        while True:
            await dice.choice((fold_rollup, refresh_rollup))(worker, dice.choice(ROLLUPS))
            await asyncio.sleep(dice.uniform(0, LONGEST_PAUSE_SECONDS))
    finally:
        worker.terminate()


async def _watch(arena: Arena, storm: Storm, *, alone: bool) -> None:
    """Compares the traces in one snapshot after another until cancelled."""
    async with arena.database.as_owner() as owner:
        while True:
            traces = await read_traces(owner, arena.tenant_id)
            storm.tally.wrong += wrong_traces(traces, Counter() if alone else None)
            storm.tally.checks += 1
            await asyncio.sleep(LONGEST_PAUSE_SECONDS)
