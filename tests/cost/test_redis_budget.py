"""Budgets that processes share: the script is the algorithm, nothing is spent twice, and Redis may go away."""

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from gateway.cost.budget import GRACE_SECONDS, SETTLED_SECONDS, Account, Standing, microseconds
from gateway.cost.redis_budget import MOST_UNSETTLED, SCRIPT, RedisBudget
from gateway.observe import Observer
from gateway.redis_link import RedisLink
from gateway.terms import Bucket
from tests.cost.fire import REQUESTS, TENANT
from tests.pipeline.acme import until
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
BUCKET = Bucket(size=100, rate=0.001)
SHARE = 0.25

Told = list[str | float]


@pytest.fixture
async def budget(redis_url: str) -> AsyncIterator[RedisBudget]:
    async for made in linked(redis_url):
        yield made


async def linked(url: str, *, timeout_seconds: float = 2.0) -> AsyncIterator[RedisBudget]:
    link = RedisLink(url, Observer(CollectorRegistry()), timeout_seconds=timeout_seconds)
    yield RedisBudget(link, fallback_share=SHARE)
    await link.close()


# ── the script and the algorithm ──────────────────────────────────────────────────────────────────

steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "look"]),
        st.integers(0, 7),  # which reservation
        st.integers(0, 60),  # points
        st.integers(-2_000_000, 30_000_000),  # how far the clock goes on, in microseconds
    ),
    max_size=25,
)
buckets = st.builds(Bucket, st.integers(1, 200), st.floats(0.001, 50))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, buckets)
async def test_the_script_does_what_the_algorithm_does(
    redis_url: str, history: list[tuple[str, int, int, int]], bucket: Bucket
) -> None:
    """By the same clock, which is passed to the script here; budgets pass none, so that it asks Redis for its own."""
    account, now, lifetime = Account(), 1_700_000_000_000_000, microseconds(2 + GRACE_SECONDS)
    async with Redis.from_url(redis_url) as redis:
        await redis.flushall()
        for what, number, points, passed in history:
            now += passed
            # A reservation's name begins with its points: 10 for each.
            key, kept = f"{10 * number}:{number}", {"reserve": lifetime}.get(what, microseconds(SETTLED_SECONDS))
            said = points if what == "settle" else 10 * number
            arguments = [what, bucket.size, bucket.rate, now, 100, key, said, kept]
            admitted, spent, held = await redis.eval(SCRIPT, 3, "account", "open", "settled", *map(str, arguments))
            expected = False
            account.advance(bucket.rate, now)
            if what == "reserve":
                expected = account.reserve(bucket, key, 10 * number, now + lifetime)
            elif what == "settle":
                account.settle(key, points, now)
            assert (bool(admitted), float(spent), float(held)) == (expected, account.spent, account.held)


# ── one process after another ─────────────────────────────────────────────────────────────────────


async def test_what_one_process_spends_another_lacks(budget: RedisBudget, redis_url: str) -> None:
    verdict = await budget.reserve(1, BUCKET, 60, 5.0)
    assert verdict.reservation is not None
    async for other in linked(redis_url):
        assert (await other.reserve(1, BUCKET, 41, 5.0)).reservation is None
        assert (await other.reserve(2, BUCKET, 100, 5.0)).reservation is not None
        await budget.settle(verdict.reservation, 10)
        standing = await other.look(1, BUCKET)
        assert (round(standing.spent, 2), standing.held, standing.alone) == (10, 0, False)


async def test_what_is_said_twice_counts_once(budget: RedisBudget) -> None:
    verdict = await budget.reserve(1, BUCKET, 60, 5.0)
    assert verdict.reservation is not None
    for _ in range(2):
        standing = await budget.settle(verdict.reservation, 30)
    assert (round(standing.spent, 2), standing.held) == (30, 0)


async def test_answers_that_were_kept_are_paid_together(budget: RedisBudget) -> None:
    for _ in range(50):
        budget.charge(1, BUCKET, 1)
    budget.charge(2, BUCKET, 5)
    assert (await budget.look(1, BUCKET)).spent == 0
    await budget.flush()
    await budget.flush()
    assert [round((await budget.look(tenant, BUCKET)).spent, 2) for tenant in (1, 2)] == [50, 5]


@pytest.mark.parametrize(("dropped", "held"), [("open", 30), ("account", 70)])
async def test_what_is_held_is_what_is_open_whichever_key_redis_drops(
    budget: RedisBudget, redis_url: str, dropped: str, held: int
) -> None:
    first = await budget.reserve(1, BUCKET, 40, 5.0)
    async with Redis.from_url(redis_url) as redis:
        await redis.delete(f"gateway:budget:{{1}}:{dropped}")
    second = await budget.reserve(1, BUCKET, 30, 5.0)
    assert second.standing.held == held
    for verdict in (first, second):
        assert verdict.reservation is not None
        await budget.settle(verdict.reservation, 1)
    assert (await budget.look(1, BUCKET)).held == 0


BUSY = """
local function now() local time = redis.call('TIME') return time[1] * 1000000 + time[2] end
local begun = now()
while now() < begun + 300000 do end
"""


async def test_what_is_reserved_for_who_has_gone_away_is_given_back(budget: RedisBudget, redis_url: str) -> None:
    async def heard_of() -> bool:
        return (await budget.look(1, BUCKET)).held == 90

    await budget.look(1, BUCKET)
    async with Redis.from_url(redis_url) as redis:
        busy = asyncio.ensure_future(redis.eval(BUSY, 0))
        await asyncio.sleep(0.05)
        leaving = asyncio.create_task(budget.reserve(1, BUCKET, 90, 5.0))
        await asyncio.sleep(0.05)  # it is sent, and not answered yet
        leaving.cancel()
        await asyncio.wait({leaving, busy})
    await until(heard_of)
    await budget.flush()
    assert await budget.look(1, BUCKET) == Standing(BUCKET, spent=0, held=0)


async def test_an_account_goes_when_nobody_has_touched_it_for_a_day(budget: RedisBudget, redis_url: str) -> None:
    await budget.reserve(1, BUCKET, 60, 5.0)
    async with Redis.from_url(redis_url) as redis:
        keys = await redis.keys("*")
        assert sorted(keys) == [b"gateway:budget:{1}:account", b"gateway:budget:{1}:open"]
        assert [86_390 <= await redis.ttl(key) <= 86_400 for key in keys] == [True, True]


# ── Redis gone ────────────────────────────────────────────────────────────────────────────────────


async def test_without_redis_a_process_goes_by_a_share_of_its_own_and_says_so() -> None:
    async for alone in linked(f"redis://127.0.0.1:{free_port()}/0"):
        verdict = await alone.reserve(1, BUCKET, 20, 5.0)
        smaller = Bucket(BUCKET.size * SHARE, BUCKET.rate * SHARE)
        assert verdict.standing == Standing(smaller, spent=0, held=20, alone=True)
        assert (await alone.reserve(1, BUCKET, 6, 5.0)).reservation is None
        assert verdict.reservation is not None
        assert (await alone.settle(verdict.reservation, 3)).held == 0


async def test_what_is_dearer_than_the_share_is_admitted_when_nothing_else_is_spent() -> None:
    async for alone in linked(f"redis://127.0.0.1:{free_port()}/0"):
        assert (await alone.reserve(1, BUCKET, 90, 5.0)).reservation is not None
        assert (await alone.reserve(1, BUCKET, 90, 5.0)).reservation is None


async def test_what_could_not_be_settled_in_time_is_settled_once_when_redis_is_back(redis_url: str) -> None:
    """Redis carries out what it was told before, too: it is told twice."""
    async for budget in linked(redis_url, timeout_seconds=0.2):
        verdict = await budget.reserve(1, BUCKET, 60, 5.0)
        assert verdict.reservation is not None
        async with Redis.from_url(redis_url) as redis:
            await redis.client_pause(600)
            assert (await budget.settle(verdict.reservation, 30)).alone
            await redis.ping()
        await budget.flush()
        standing = await budget.look(1, BUCKET)
        assert (round(standing.spent, 2), standing.held, standing.alone) == (30, 0, False)


async def test_what_waits_to_be_paid_while_redis_is_gone_pushes_out_nothing_that_is_to_be_settled(
    redis_url: str,
) -> None:
    tenants = range(2, MOST_UNSETTLED + 3)
    async for budget in linked(redis_url, timeout_seconds=0.2):
        verdict = await budget.reserve(1, BUCKET, 60, 5.0)
        assert verdict.reservation is not None
        async with Redis.from_url(redis_url) as redis:
            await redis.client_pause(600)
            assert (await budget.settle(verdict.reservation, 30)).alone
            for tenant in tenants:
                budget.charge(tenant, BUCKET, 1)
            await budget.flush()
            await redis.ping()
        await budget.flush()
        spent = [round((await budget.look(tenant, BUCKET)).spent) for tenant in (1, tenants[0], tenants[-1])]
        assert spent == [30, 1, 1]


# ── under fire ────────────────────────────────────────────────────────────────────────────────────


async def fire(url: str, bucket: Bucket, what: str, number: float) -> Process:
    words = ["-m", "tests.cost.fire", url, str(bucket.size), str(bucket.rate), what, str(number)]
    return await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdin=PIPE, stdout=PIPE)


async def told(process: Process) -> list[Told]:
    out, _ = await process.communicate(b"\n")
    return [json.loads(line) for line in out.splitlines()]


async def all_at_once(running: list[Process]) -> tuple[float, list[list[Told]]]:
    """When they began, which is when all are ready, and what each of them told."""
    for process in running:
        assert process.stdout is not None
        assert json.loads(await process.stdout.readline()) == ["ready"]
    return time.time(), await asyncio.gather(*map(told, running))


def check_bound(events: list[Told], bucket: Bucket, began: float) -> None:
    """Never was more spent and held than there was, but for what cost more than its price."""
    paid, excess = 0.0, 0.0
    for what, moment, _, points, *cost in sorted(events, key=_moment):
        change = float(points) if what == "admitted" else float(cost[0]) - float(points)
        paid += change
        excess += max(0.0, change) if what == "settled" else 0.0
        assert paid <= bucket.size + bucket.rate * (float(moment) - began) + excess


def _moment(event: Told) -> float:
    return float(event[1])


def paid_in_the_end(events: list[Told]) -> float:
    return sum(float(event[-1]) for event in events if event[0] == "settled")


async def check_under_fire(url: str, budget: RedisBudget, bucket: Bucket, *, processes: int, requests: int) -> None:
    running = [await fire(url, bucket, "spend", requests) for _ in range(processes)]
    began, each_told = await all_at_once(running)
    events = [event for each in each_told for event in each]
    assert [process.returncode for process in running] == [0] * processes
    check_bound(events, bucket, began)
    refused = processes * requests - sum(event[0] == "admitted" for event in events)
    assert 0 < refused < processes * requests
    standing = await budget.look(TENANT, bucket)
    assert standing.held == 0
    if bucket.rate < 1e-6:
        assert standing.spent == pytest.approx(paid_in_the_end(events), abs=1e-3)


@pytest.mark.parametrize("bucket", [Bucket(1000, 1e-9), Bucket(300, 400)], ids=["nothing restored", "restored fast"])
async def test_processes_at_once_spend_no_more_than_there_is(
    redis_url: str, budget: RedisBudget, bucket: Bucket
) -> None:
    await check_under_fire(redis_url, budget, bucket, processes=3, requests=60)


EIGHT = pytest.mark.parametrize(
    "bucket", [Bucket(9000, 1e-9), Bucket(1000, 2000)], ids=["nothing restored", "restored fast"]
)


@pytest.mark.slow
@EIGHT
async def test_eight_processes_at_once_spend_no_more_than_there_is(
    redis_url: str, budget: RedisBudget, bucket: Bucket
) -> None:
    await check_under_fire(redis_url, budget, bucket, processes=8, requests=REQUESTS)


@pytest.mark.slow
@EIGHT
async def test_what_one_of_eight_held_when_it_was_killed_under_fire_comes_back_when_it_expires_and_no_earlier(
    redis_url: str, budget: RedisBudget, bucket: Bucket
) -> None:
    lifetime = 12.0
    running = [await fire(redis_url, bucket, "spend", REQUESTS) for _ in range(7)]
    running.append(await fire(redis_url, bucket, "fall", lifetime - GRACE_SECONDS))
    began, (*survivors, fallen) = await all_at_once(running)
    assert [process.returncode for process in running] == [0] * 7 + [-signal.SIGKILL]
    ended = time.time()
    held, settled = await reservations(redis_url)
    # What it told last may not have reached Redis any more.
    events = [event for each in (*survivors, fallen) for event in each if event[0] == "admitted" or event[2] in settled]
    check_bound(events, bucket, began)
    assert held.keys() >= {key for what, _, key, *_ in fallen if what == "admitted"} - settled > set()
    assert held.keys().isdisjoint(key for each in survivors for _, _, key, *_ in each)
    assert all(began + lifetime <= expiry <= ended + lifetime for _, expiry in held.values())
    await check_expiring(budget, bucket, list(held.values()))
    if bucket.rate < 1e-6:
        spent = (await budget.look(TENANT, bucket)).spent
        assert spent == pytest.approx(paid_in_the_end(events), abs=1e-3)


async def reservations(url: str) -> tuple[dict[str, tuple[int, float]], set[str]]:
    """By their keys: those that are open, each with its points and the second when it expires, and those settled."""
    async with Redis.from_url(url, decode_responses=True) as redis:
        account = f"gateway:budget:{{{TENANT}}}"
        held: Any = await redis.zrange(f"{account}:open", 0, -1, withscores=True)
        settled: Any = await redis.zrange(f"{account}:settled", 0, -1)
    named = ((*name.split(":"), expiry) for name, expiry in held)
    return {key: (int(points), expiry / 1e6) for points, key, expiry in named}, {name.split(":")[1] for name in settled}


async def check_expiring(budget: RedisBudget, bucket: Bucket, held: list[tuple[int, float]]) -> None:
    """Until nothing is held, what is held is what has not expired."""

    def left(moment: float) -> int:
        return sum(points for points, expiry in held if expiry > moment)

    found = 1.0
    while found:
        asked = time.time()
        found = (await budget.look(TENANT, bucket)).held
        assert left(time.time()) <= found <= left(asked)
        await asyncio.sleep(0.05)


async def test_what_a_killed_process_held_comes_back_when_it_expires_and_no_earlier(
    redis_url: str, budget: RedisBudget
) -> None:
    lifetime = 1.5
    process = await fire(redis_url, BUCKET, "hold", lifetime - GRACE_SECONDS)
    assert process.stdout is not None
    _, before, after = json.loads(await process.stdout.readline())
    process.kill()
    await process.wait()
    while True:
        asked = time.time()
        held = (await budget.look(TENANT, BUCKET)).held
        if held == 0:
            break
        assert (held, asked <= after + lifetime) == (30, True)
        await asyncio.sleep(0.05)
    assert time.time() >= before + lifetime
