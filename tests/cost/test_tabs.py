"""Kept answers on a tab: in the end each is paid, and whoever asks the budget finds it so."""

from collections import Counter
from dataclasses import dataclass, field, replace

import orjson
import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from
from prometheus_client import CollectorRegistry

from gateway.cost.memory_budget import MemoryBudget
from gateway.deadline import Deadline
from gateway.errors import GatewayError
from gateway.identity.identify import Identity
from gateway.identity.permissions import Role
from gateway.observe import Observer
from gateway.pipeline.bill import Order
from gateway.pipeline.caching import Executed
from gateway.pipeline.charging import Charging
from gateway.pipeline.tabs import TOLD_SECONDS, Tab
from gateway.terms import Mode
from tests.cost.priced import gateway
from tests.identity.support import TERMS

SIZE = int(TERMS.bucket.size)


async def never() -> Executed:
    raise AssertionError("nothing is executed here")


def member(tenant_id: int = 1) -> Identity:
    return Identity(tenant_id, f"tenant-{tenant_id}", TERMS, "EUR", "UTC", 7, Role.VIEWER)


@dataclass
class Till:
    """Charging at moments that a test sets. Nothing leaks from its budget: that has a clock which stands still."""

    now: float = 0.0
    budget: MemoryBudget = field(default_factory=lambda: MemoryBudget(clock=lambda: 0.0))

    def __post_init__(self) -> None:
        observer = Observer(CollectorRegistry())
        self.charging = Charging(self.budget, observer, mode=Mode.ENFORCE, clock=lambda: self.now)

    def give(self, answers: int, *, tenant_id: int = 1, requested: int = 100) -> int:
        """Gives out kept answers; what is told to be left with the last."""
        for _ in range(answers):
            tab = self.charging.kept(member(tenant_id), requested)
        assert tab is not None
        return left(tab)

    def spent(self, tenant_id: int = 1) -> float:
        return self.budget.recent(tenant_id, TERMS.bucket).spent


def left(tab: Tab) -> int:
    told = orjson.loads(b"{" + tab.end.removeprefix(b","))["extensions"]["cost"]
    assert told == tab.bill.told(by_path=False)
    return int(told["throttleStatus"]["currentlyAvailable"])


def test_for_a_moment_the_same_is_told_and_then_what_is_left_by_all() -> None:
    till = Till()
    assert [till.give(1) for _ in range(5)] == [SIZE - 1] * 5
    till.now = TOLD_SECONDS
    assert till.give(1) == SIZE - 6


def test_tenants_and_prices_have_tabs_of_their_own() -> None:
    till = Till()
    assert [till.give(2, tenant_id=tenant) for tenant in (1, 2)] == [SIZE - 1] * 2
    tabs = [till.charging.kept(member(), requested) for requested in (100, 200)]
    assert [tab.bill.requested for tab in tabs if tab] == [100, 200]


async def test_whoever_asks_the_budget_finds_all_tabs_paid() -> None:
    till, identity = Till(), member()
    till.give(5)
    account = await till.charging.account(identity)
    assert account is not None
    assert account.available == SIZE - 5
    till.give(5, requested=200)
    assert till.charging.open(identity).standing == till.budget.recent(1, TERMS.bucket)
    assert till.spent() == 10
    till.give(5)
    till.charging.charge_kept(bill := till.charging.open(identity))
    assert (bill.standing and bill.standing.spent, till.spent()) == (16, 16)


async def test_what_would_not_fit_beside_what_is_owed_is_refused() -> None:
    till = Till()
    till.give(2)
    bill = till.charging.open(member())
    bill.take(Order(gateway().price("{ me { name } }"), {}))
    bill.requested = SIZE - 1
    with pytest.raises(GatewayError) as refused:
        await till.charging.executed(bill, Deadline.after(9), never)
    assert (refused.value.code, till.spent()) == ("THROTTLED", 2)


async def test_what_is_owed_is_paid_by_and_by() -> None:
    till = Till()
    till.give(5)
    assert till.spent() == 1
    await till.charging.flush()
    assert till.spent() == 5
    await till.charging.flush()
    assert till.spent() == 5


async def test_without_prices_there_is_no_tab() -> None:
    till = Till()
    free = replace(member(), terms=replace(TERMS, mode=Mode.OFF))
    assert till.charging.kept(free, 100) is None
    await till.charging.flush()
    assert len(till.budget) == 0


@given(steps=lists(sampled_from(["give", "give another's", "give at another price", "wait", "ask", "flush"])))
async def test_each_answer_is_paid_once(steps: list[str]) -> None:
    till, given_out = Till(), Counter[int]()
    for step in [*steps, "flush"]:
        match step:
            case "wait":
                till.now += TOLD_SECONDS / 2
            case "ask":
                account = await till.charging.account(member())
                assert (account and account.standing.spent) == given_out[1]
            case "flush":
                await till.charging.flush()
                assert [till.spent(tenant) for tenant in (1, 2)] == [given_out[1], given_out[2]]
            case _:
                tenant_id = 2 if step == "give another's" else 1
                given_out[tenant_id] += 1
                told = till.give(1, tenant_id=tenant_id, requested=200 if step == "give at another price" else 100)
                assert told >= SIZE - given_out[tenant_id]
