"""The step around an execution: its price is held before, what it cost is paid after."""

import asyncio
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


class Charging:
    """`mode`: of tenants whose terms say none."""

    def __init__(self, budget: Budget, observer: Observer, *, mode: Mode) -> None:
        self._budget = budget
        self._observer = observer
        self._mode = mode
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
            self._observer.paid(bill.requested, bill.paid)
            bill.standing = await self._settle(payer, reservation, bill.paid)

    def kept(self, identity: Identity, requested: int) -> Bill:
        """The bill of an answer that was there, charged. `requested`: what it would have been to cost."""
        payer = self._payer(identity)
        if payer is None:
            return Bill()
        return Bill(payer, standing=self._charge(payer, LEAST_POINTS), requested=requested, paid=LEAST_POINTS)

    def charge_kept(self, bill: Bill) -> None:
        """Of an answer that was there, or that somebody else was reading."""
        if (payer := bill.payer) is not None:
            bill.paid = LEAST_POINTS
            bill.standing = self._charge(payer, LEAST_POINTS)

    def _payer(self, identity: Identity | None) -> Payer | None:
        """None for a caller of no tenant, or where prices are off."""
        if identity is None:
            return None
        mode = identity.terms.mode or self._mode
        return None if mode is Mode.OFF else Payer(identity.tenant_id, identity.terms, mode)

    async def _reserve(self, payer: Payer, bill: Bill, deadline: Deadline) -> Reservation | None:
        """None: what does not fit is let through where nothing is enforced."""
        tenant_id, bucket = payer.tenant_id, payer.terms.bucket
        verdict = await self._budget.reserve(tenant_id, bucket, bill.requested, deadline.left_seconds())
        bill.standing = verdict.standing
        if verdict.reservation is None:
            self._observer.over_budget(payer.mode.value)
            if payer.mode is Mode.ENFORCE:
                raise throttled(bill.requested, verdict.standing)
        return verdict.reservation

    async def _settle(self, payer: Payer, reservation: Reservation | None, points: int) -> Standing:
        """To its end, whoever leaves meanwhile."""
        if reservation is None:
            return self._charge(payer, points)
        settling = asyncio.ensure_future(self._budget.settle(reservation, points))
        self._settling.add(settling)
        settling.add_done_callback(self._settling.discard)
        return await asyncio.shield(settling)

    def _charge(self, payer: Payer, points: int) -> Standing:
        return self._budget.charge(payer.tenant_id, payer.terms.bucket, points)

    async def _look(self, payer: Payer) -> Standing:
        return await self._budget.look(payer.tenant_id, payer.terms.bucket)

    def _recent(self, payer: Payer) -> Standing:
        return self._budget.recent(payer.tenant_id, payer.terms.bucket)
