"""Writers: transactions of every isolation level, with savepoints, pauses, rollbacks; tried again after a conflict."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from itertools import count

import asyncpg

from tests.stress.ground import Ground
from tests.stress.tally import Tally
from tests.stress.writes import WRITES

LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
LONG_PAUSE_SECONDS, SHORT_PAUSE_SECONDS = 1.2, 0.01
TRIES = 5


@dataclass(frozen=True)
class Step:
    """`kind`: the write that this is, or None for a savepoint's words."""

    kind: str | None
    sql: str
    pause_seconds: float


@dataclass(frozen=True)
class Plan:
    """One transaction, thought out beforehand so that it can be tried again."""

    level: str
    steps: tuple[Step, ...]
    ending: str


class Planner:
    """Thinks out transactions of its own dice."""

    def __init__(self, dice: random.Random, ground: Ground) -> None:
        self._dice = dice
        self._tenants = ground.tenants

    def transaction(self) -> Plan:
        """Any level, up to five parts, now and then a rollback at the end."""
        parts = [self._part() for _ in range(self._dice.choice((1, 1, 2, 3, 5)))]
        ending = "ROLLBACK" if self._dice.random() < 0.15 else "COMMIT"
        return Plan(self._dice.choice(LEVELS), tuple(step for part in parts for step in part), ending)

    def _part(self) -> list[Step]:
        """A write; or writes in a savepoint, which is given up half of the time and then written after."""
        if self._dice.random() < 0.7:
            return [self._write()]
        ending = self._dice.choice(("RELEASE", "ROLLBACK TO"))
        begin, end = (Step(None, f"{words} inner_part", 0) for words in ("SAVEPOINT", ending))
        return [begin, self._write(), self._write(), end, self._write()]

    def _write(self) -> Step:
        kind = self._dice.choice(list(WRITES))
        tenant, other = self._dice.sample(self._tenants, 2)
        rows = self._dice.choice((1, 1, 2, 5, 20, 300 if "move" in kind or "insert" in kind else 10))
        sql = WRITES[kind].format(tenant=tenant, other=other, rows=rows, dice=self._dice.getrandbits(31))
        longest = LONG_PAUSE_SECONDS if self._dice.random() < 0.02 else SHORT_PAUSE_SECONDS
        return Step(kind, sql, self._dice.uniform(0, longest))


async def write(ground: Ground, dice: random.Random, tally: Tally) -> None:
    """Writes until cancelled."""
    planner = Planner(dice, ground)
    async with ground.database.as_owner() as connection:
        while True:
            await _carry_out(connection, planner.transaction(), tally)


async def _carry_out(connection: asyncpg.Connection, plan: Plan, tally: Tally) -> None:
    for tried in count(1):
        outcome = await _try(connection, plan)
        tally.transactions[f"{plan.level.lower()} {outcome}"] += 1
        if outcome == "commit":
            tally.writes.update(_kept(plan))
        if outcome != "conflict" or tried == TRIES:
            return


async def _try(connection: asyncpg.Connection, plan: Plan) -> str:
    """How it ended: `commit`, `rollback`, `conflict` or `refused`."""
    try:
        await connection.execute(f"BEGIN ISOLATION LEVEL {plan.level}")
        for step in plan.steps:
            await connection.execute(step.sql)
            await asyncio.sleep(step.pause_seconds)
        await connection.execute(plan.ending)
    except CONFLICTS:
        await connection.execute("ROLLBACK")
        return "conflict"
    except asyncpg.IntegrityConstraintViolationError:
        await connection.execute("ROLLBACK")
        return "refused"
    return plan.ending.lower()


def _kept(plan: Plan) -> Counter[str]:
    """The writes of a committed transaction by kind, without those of savepoints that were given up."""
    kept: list[str] = []
    before = 0
    for step in plan.steps:
        if step.sql.startswith("SAVEPOINT"):
            before = len(kept)
        elif step.sql.startswith("ROLLBACK TO"):
            del kept[before:]
        elif step.kind:
            kept.append(step.kind)
    return Counter(kept)
