"""Budgets of one process by itself."""

import time
from collections.abc import Callable
from uuid import uuid4

from gateway.cost.budget import GRACE_SECONDS, Account, Reservation, Standing, Verdict, microseconds
from gateway.terms import Bucket

ACCOUNTS_BEFORE_SWEEP = 1000


class MemoryBudget:
    """Each tenant's, by the id. `clock`: seconds that only go forward. `alone`: it stands in for one that is shared."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, alone: bool = False) -> None:
        self._clock = clock
        self._alone = alone
        self._accounts: dict[int, Account] = {}
        self._most_accounts = ACCOUNTS_BEFORE_SWEEP

    def __len__(self) -> int:
        """How many accounts there are."""
        return len(self._accounts)

    async def reserve(self, tenant_id: int, bucket: Bucket, points: int, left_seconds: float) -> Verdict:
        """`left_seconds`: until the deadline of the request."""
        account, now = self._account(tenant_id, bucket)
        key, expires = uuid4().hex, now + microseconds(left_seconds + GRACE_SECONDS)
        admitted = account.reserve(bucket, key, points, expires)
        reservation = Reservation(tenant_id, key, points, bucket, self._alone) if admitted else None
        return Verdict(reservation, self._standing(bucket, account))

    async def settle(self, reservation: Reservation, points: int) -> Standing:
        """`points`: what it cost after all."""
        account, now = self._account(reservation.tenant_id, reservation.bucket)
        account.settle(reservation.key, points, now)
        return self._standing(reservation.bucket, account)

    async def look(self, tenant_id: int, bucket: Bucket) -> Standing:
        return self.recent(tenant_id, bucket)

    def recent(self, tenant_id: int, bucket: Bucket) -> Standing:
        """As far as it is known without asking anybody: here, all of it."""
        return self._standing(bucket, self._account(tenant_id, bucket)[0])

    def charge(self, tenant_id: int, bucket: Bucket, points: int) -> Standing:
        """Of what is never refused, such as an answer that was kept."""
        account = self._account(tenant_id, bucket)[0]
        account.charge(points)
        return self._standing(bucket, account)

    async def flush(self) -> None:
        """Nothing waits here."""

    def _account(self, tenant_id: int, bucket: Bucket) -> tuple[Account, int]:
        now = microseconds(self._clock())
        account = self._accounts.get(tenant_id)
        if account is None:
            self._sweep(now)
            account = self._accounts[tenant_id] = Account()
        account.advance(bucket.rate, now)
        return account, now

    def _sweep(self, now: int) -> None:
        """An account in which nothing is left is as good as none. Looked for when there are twice as many as were left
        the last time."""
        if len(self._accounts) >= self._most_accounts:
            self._accounts = {key: account for key, account in self._accounts.items() if not account.idle(now)}
            self._most_accounts = max(ACCOUNTS_BEFORE_SWEEP, 2 * len(self._accounts))

    def _standing(self, bucket: Bucket, account: Account) -> Standing:
        return Standing(bucket, account.spent, account.held, self._alone)
