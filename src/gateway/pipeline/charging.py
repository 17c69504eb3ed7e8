"""The step around an execution: its price is held before, what it cost is paid after."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from gateway.cost.budget import Reservation, Standing, Verdict
from gateway.cost.estimate import LEAST_POINTS
from gateway.cost.limits import throttled
from gateway.deadline import Deadline
from gateway.identity.identify import Identity
from gateway.observe import Observer
from gateway.pipeline.bill import Account, Bill, Payer
from gateway.pipeline.caching import Executed
from gateway.pipeline.tabs import Tab, Tabs
from gateway.terms import Bucket, Mode

UNPAID_POINTS = 50
"""Of an operation of somebody who is not signed in, which no budget pays: enough for a few sign-ins, and for who signed
in."""


class Budget(Protocol):
    """The accounts of all tenants; see `cost/memory_budget.py` and `cost/redis_budget.py`."""

    async def reserve(self, tenant_id: int, bucket: Bucket, points: int, left_seconds: float, /) -> Verdict: ...

    async def settle(self, reservation: Reservation, points: int, /) -> Standing: ...

    async def look(self, tenant_id: int, bucket: Bucket, /) -> Standing: ...

    def recent(self, tenant_id: int, bucket: Bucket, /) -> Standing: ...

    def charge(self, tenant_id: int, bucket: Bucket, points: int, /) -> Standing: ...

    async def flush(self) -> None: ...


class Charging:
    """`mode`: of tenants whose terms say none. `clock`: seconds that only go forward."""

    def __init__(
        self, budget: Budget, observer: Observer, *, mode: Mode, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._budget = budget
        self._observer = observer
        self._mode = mode
        self._tabs = Tabs(self._charge, clock=clock)
        self._settling: set[asyncio.Task[Standing]] = set()

    def open(self, identity: Identity | None) -> Bill:
        """The bill of a request that begins."""
        payer = self._payer(identity)
        if payer is not None:
            most = payer.terms.most_points if payer.mode is Mode.ENFORCE else None
            return Bill(payer, most, self._recent(payer))
        return Bill(most=UNPAID_POINTS if identity is None and self._mode is Mode.ENFORCE else None)

    async def account(self, identity: Identity | None) -> Account | None:
        """The caller's budget; None where prices are off."""
        payer = self._payer(identity)
        return None if payer is None else Account(payer, await self._look(payer))

    async def price(self, bill: Bill) -> None:
        """Of what is not to be executed. Raises COST_LIMIT_EXCEEDED as its execution would."""
        if (payer := bill.payer) is not None:
            bill.standing = await self._look(payer)
        bill.check()

    async def executed(self, bill: Bill, deadline: Deadline, execute: Callable[[], Awaitable[Executed]]) -> Executed:
        """Raises COST_LIMIT_EXCEEDED or THROTTLED before anything is done, and what `execute` raises. Of what was
        begun and did not end, the whole price is paid."""
        payer, order = bill.payer, bill.order
        bill.check()
        if payer is None or order is None:
            return await execute()
        reservation = await self._reserve(payer, bill, deadline)
        bill.paid = bill.requested
        try:
            executed = await execute()
            bill.paid = order.actual_points(executed.ran)
            return executed
        finally:
            paid = 0 if bill.given_up else bill.paid
            self._observer.paid(bill.requested, paid)
            standing = await self._settle(payer, reservation, paid)
            if not bill.given_up:
                bill.standing = standing

    def kept(self, identity: Identity, requested: int) -> Tab | None:
        """Of an answer that was there, which is on the tab then; None where prices are off. `requested`: what it would
        have been to cost."""
        tab = self._tabs.add(identity.tenant_id, requested)
        if tab is None and (payer := self._payer(identity)) is not None:
            return self._tabs.open(payer, requested)
        return tab

    def charge_kept(self, bill: Bill) -> None:
        """Of an answer that was there, or that somebody else was reading."""
        if (payer := bill.payer) is not None:
            bill.paid = LEAST_POINTS
            bill.standing = self._pay(payer, LEAST_POINTS)

    async def flush(self) -> None:
        """To be called about once a second, and in the end: what is owed is paid, wherever budgets are kept."""
        await self._paid_budget().flush()

    def _payer(self, identity: Identity | None) -> Payer | None:
        """None for a caller of no tenant, or where prices are off."""
        if identity is None:
            return None
        mode = identity.terms.mode or self._mode
        return None if mode is Mode.OFF else Payer(identity.tenant_id, identity.terms, mode)

    async def _reserve(self, payer: Payer, bill: Bill, deadline: Deadline) -> Reservation | None:
        """None: what does not fit is let through where nothing is enforced."""
        tenant_id, bucket = payer.tenant_id, payer.terms.bucket
        verdict = await self._paid_budget().reserve(tenant_id, bucket, bill.requested, deadline.left_seconds())
        bill.standing = verdict.standing
        if verdict.reservation is None:
            self._observer.over_budget(payer.mode.value)
            if payer.mode is Mode.ENFORCE:
                raise throttled(bill.requested, verdict.standing)
        return verdict.reservation

    async def _settle(self, payer: Payer, reservation: Reservation | None, points: int) -> Standing:
        """To its end, whoever leaves meanwhile."""
        if reservation is None:
            return self._pay(payer, points)
        settling = asyncio.ensure_future(self._paid_budget().settle(reservation, points))
        self._settling.add(settling)
        settling.add_done_callback(self._settling.discard)
        return await asyncio.shield(settling)

    def _paid_budget(self) -> Budget:
        """The budget with all in it that is owed."""
        self._tabs.pay()
        return self._budget

    def _pay(self, payer: Payer, points: int) -> Standing:
        self._tabs.pay()
        return self._charge(payer, points)

    def _charge(self, payer: Payer, points: int) -> Standing:
        return self._budget.charge(payer.tenant_id, payer.terms.bucket, points)

    async def _look(self, payer: Payer) -> Standing:
        return await self._paid_budget().look(payer.tenant_id, payer.terms.bucket)

    def _recent(self, payer: Payer) -> Standing:
        return self._paid_budget().recent(payer.tenant_id, payer.terms.bucket)
