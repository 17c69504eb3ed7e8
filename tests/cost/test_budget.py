"""A tenant's budget: what is admitted, what is paid, what comes back. In one process, by a clock that is set."""

import pytest

from gateway.cost.budget import SETTLED_SECONDS, Standing, Verdict
from gateway.cost.limits import throttled
from gateway.cost.memory_budget import ACCOUNTS_BEFORE_SWEEP, MemoryBudget
from gateway.terms import Bucket

BUCKET = Bucket(size=100, rate=10)
TENANT, OTHER = 1, 2


class Clock:
    """Stands still until it is set on."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> MemoryBudget:
    return MemoryBudget(clock=clock)


async def reserve(budget: MemoryBudget, points: int, tenant_id: int = TENANT, left_seconds: float = 5.0) -> Verdict:
    return await budget.reserve(tenant_id, BUCKET, points, left_seconds)


async def standing(budget: MemoryBudget, tenant_id: int = TENANT) -> tuple[float, float]:
    """What is spent and held."""
    found = await budget.look(tenant_id, BUCKET)
    return found.spent, found.held


async def settle(budget: MemoryBudget, verdict: Verdict, points: int) -> Standing:
    assert verdict.reservation is not None
    return await budget.settle(verdict.reservation, points)


async def test_a_request_is_admitted_while_it_fits_to_the_last_point(budget: MemoryBudget) -> None:
    assert (await reserve(budget, 60)).reservation is not None
    refused = await reserve(budget, 41)
    assert (refused.reservation, refused.standing) == (None, Standing(BUCKET, spent=0, held=60))
    assert (await reserve(budget, 40)).standing.available == 0


async def test_one_tenant_does_not_spend_anothers(budget: MemoryBudget) -> None:
    await reserve(budget, 100)
    assert (await reserve(budget, 100, OTHER)).reservation is not None


async def test_what_was_held_is_replaced_by_what_it_cost(budget: MemoryBudget) -> None:
    verdict = await reserve(budget, 60)
    assert await settle(budget, verdict, 25) == Standing(BUCKET, spent=25, held=0)


async def test_what_is_spent_leaks_and_what_is_held_does_not(budget: MemoryBudget, clock: Clock) -> None:
    await settle(budget, await reserve(budget, 50), 50)
    await reserve(budget, 30)
    clock.seconds += 2
    assert await standing(budget) == (50 - 2 * 10, 30)
    clock.seconds += 10
    assert await standing(budget) == (0, 30)


async def test_a_cost_above_its_price_may_pass_the_size(budget: MemoryBudget, clock: Clock) -> None:
    found = await settle(budget, await reserve(budget, 100), 250)
    assert (found.spent, found.available) == (250, 0)
    clock.seconds += 15
    assert (await budget.look(TENANT, BUCKET)).available == 0
    assert (await reserve(budget, 1)).reservation is None
    clock.seconds += 1
    assert (await reserve(budget, 10)).reservation is not None


async def test_a_reservation_expires_ten_seconds_after_its_deadline_and_costs_nothing(
    budget: MemoryBudget, clock: Clock
) -> None:
    await reserve(budget, 70, left_seconds=5)
    clock.seconds += 14.999
    assert await standing(budget) == (0, 70)
    clock.seconds += 0.001
    assert await standing(budget) == (0, 0)


async def test_what_is_settled_late_is_still_paid(budget: MemoryBudget, clock: Clock) -> None:
    verdict = await reserve(budget, 70)
    clock.seconds += 15
    assert await settle(budget, verdict, 40) == Standing(BUCKET, spent=40, held=0)


async def test_what_is_settled_twice_is_paid_once(budget: MemoryBudget) -> None:
    verdict = await reserve(budget, 70)
    await settle(budget, verdict, 40)
    assert await settle(budget, verdict, 40) == Standing(BUCKET, spent=40, held=0)


async def test_an_answer_that_was_kept_is_paid_and_never_refused(budget: MemoryBudget) -> None:
    await reserve(budget, 100)
    for _ in range(3):
        budget.charge(TENANT, BUCKET, 1)
    await budget.flush()
    assert await standing(budget) == (3, 100)


async def test_a_refusal_says_when_what_is_short_will_be_there(budget: MemoryBudget) -> None:
    await settle(budget, await reserve(budget, 90), 90)
    refused = await reserve(budget, 45)
    error = throttled(45, refused.standing)
    assert error.retry_after_seconds == 4  # 90 + 45 - 100 = 35 points, at 10 a second
    assert error.message == "The operation costs 45 points; 10 are available now."
    assert (error.code, error.status, error.extensions) == ("THROTTLED", 429, {"retryable": True})


async def test_another_plan_counts_at_once(budget: MemoryBudget) -> None:
    await settle(budget, await reserve(budget, 90), 90)
    larger = Bucket(size=1000, rate=10)
    assert (await budget.reserve(TENANT, larger, 900, 5.0)).standing == Standing(larger, spent=90, held=900)


async def test_a_clock_that_goes_back_restores_nothing(budget: MemoryBudget, clock: Clock) -> None:
    await settle(budget, await reserve(budget, 90), 90)
    clock.seconds -= 100
    assert await standing(budget) == (90, 0)


async def test_accounts_in_which_nothing_is_left_are_forgotten(budget: MemoryBudget, clock: Clock) -> None:
    for tenant_id in range(ACCOUNTS_BEFORE_SWEEP):
        await settle(budget, await reserve(budget, 1, tenant_id), 1)
    clock.seconds += SETTLED_SECONDS
    await settle(budget, await reserve(budget, 90), 90)
    await budget.look(-1, BUCKET)
    assert len(budget) == 2
    assert await standing(budget) == (90, 0)
