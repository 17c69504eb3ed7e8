"""One process of several that spend one tenant's budget in Redis at once. Tells on standard output what it did.

A line is JSON: `["admitted", seconds, key, points]`, `["settled", seconds, key, points, cost]`. An admission is told
by a moment after it, a settlement by one before it, so that what is told is never more than was spent or held by then.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from gateway.cost.redis_budget import RedisBudget
from gateway.observe import Observer
from gateway.redis_link import RedisLink
from gateway.terms import Bucket

TENANT = 7
AT_ONCE = 8
REQUESTS = 200
ADMITTED_AT_MOST = 10
PATIENCE_SECONDS = 30.0


@dataclass
class Spender:
    """Makes requests, each with so many seconds until its deadline. `lives`: with none left, it kills itself at once,
    whatever it holds.
    """

    budget: RedisBudget
    bucket: Bucket
    left_seconds: float = 60.0
    lives: int = sys.maxsize

    async def spend(self, choices: random.Random) -> None:
        """One request: refused, or run for a moment and settled at less or more than it was to cost."""
        points = choices.randint(1, 40)
        verdict = await self.budget.reserve(TENANT, self.bucket, points, self.left_seconds)
        if verdict.reservation is None:
            assert verdict.standing.spent + verdict.standing.held + points > self.bucket.size
            return
        key = verdict.reservation.key
        tell("admitted", time.time(), key, points)
        self._lose_a_life()
        await asyncio.sleep(choices.uniform(0, 0.02))
        cost = choices.choice([points // 2, points, points + 3])
        tell("settled", time.time(), key, points, cost)
        await self.budget.settle(verdict.reservation, cost)

    def _lose_a_life(self) -> None:
        self.lives -= 1
        if self.lives == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    async def spend_all(self, requests: int) -> None:
        """Some at a time, from when a line is read: what is started one after another begins at once."""
        choices, gate = random.Random(), asyncio.Semaphore(AT_ONCE)  # noqa: S311 - no secret

        async def one() -> None:
            async with gate:
                await self.spend(choices)

        tell("ready")
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(one() for _ in range(requests)))


async def hold(budget: RedisBudget, bucket: Bucket, left_seconds: float) -> None:
    """Reserves, and waits to be killed."""
    before = time.time()
    verdict = await budget.reserve(TENANT, bucket, 30, left_seconds)
    assert verdict.reservation is not None
    tell("held", before, time.time())
    await asyncio.sleep(PATIENCE_SECONDS)


def tell(*words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def main(url: str, size: float, rate: float, what: str, number: float) -> None:
    """`what`: `spend` with a number of requests; `fall` or `hold` with the seconds until deadlines."""
    link = RedisLink(url, Observer(CollectorRegistry()), timeout_seconds=PATIENCE_SECONDS)
    budget, bucket = RedisBudget(link, fallback_share=0.25), Bucket(size, rate)
    if what == "hold":
        await hold(budget, bucket, number)
    elif what == "fall":
        await Spender(budget, bucket, left_seconds=number, lives=ADMITTED_AT_MOST).spend_all(REQUESTS)
    else:
        await Spender(budget, bucket).spend_all(int(number))
    await link.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4], float(sys.argv[5])))
