"""One process of several that spend one tenant's budget in Redis at once. Tells on standard output what it did.

A line is JSON: `["admitted", seconds, points]`, `["settled", seconds, points, cost]`. An admission is told by a moment
after it, a settlement by one before it, so that what is told is never less than what was spent or held by then.
"""

import asyncio
import json
import random
import sys
import time

from prometheus_client import CollectorRegistry

from gateway.cost.redis_budget import RedisBudget
from gateway.observe import Observer
from gateway.redis_link import RedisLink
from gateway.terms import Bucket

TENANT = 7
AT_ONCE = 8
PATIENCE_SECONDS = 30.0


async def spend(budget: RedisBudget, bucket: Bucket, choices: random.Random) -> None:
    """One request: refused, or run for a moment and settled at less or more than it was to cost."""
    points = choices.randint(1, 40)
    verdict = await budget.reserve(TENANT, bucket, points, 60.0)
    if verdict.reservation is None:
        assert verdict.standing.spent + verdict.standing.held + points > bucket.size
        return
    tell("admitted", time.time(), points)
    await asyncio.sleep(choices.uniform(0, 0.02))
    cost = choices.choice([points // 2, points, points + 3])
    tell("settled", time.time(), points, cost)
    await budget.settle(verdict.reservation, cost)


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


async def spend_all(budget: RedisBudget, bucket: Bucket, requests: int) -> None:
    """Some at a time."""
    choices, gate = random.Random(), asyncio.Semaphore(AT_ONCE)  # noqa: S311 - no secret

    async def one() -> None:
        async with gate:
            await spend(budget, bucket, choices)

    await asyncio.gather(*(one() for _ in range(requests)))


async def main(url: str, size: float, rate: float, what: str, number: float) -> None:
    link = RedisLink(url, Observer(CollectorRegistry()), timeout_seconds=PATIENCE_SECONDS)
    budget, bucket = RedisBudget(link, fallback_share=0.25), Bucket(size, rate)
    await (hold(budget, bucket, number) if what == "hold" else spend_all(budget, bucket, int(number)))
    await link.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4], float(sys.argv[5])))
