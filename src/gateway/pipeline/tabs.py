"""What kept answers cost, summed up for a moment: to look into an account and to put it into words takes longer than to
find such an answer.

Only what is told beside kept answers may be so old. Whoever reserves, or asks what there is, finds all tabs paid.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.cost.budget import Standing
from gateway.cost.estimate import LEAST_POINTS
from gateway.pipeline.bill import Bill, Payer
from gateway.pipeline.respond import end_with_extensions

TOLD_SECONDS = 0.01
"""For so long the same is told with each answer."""


@dataclass(slots=True)
class Tab:
    """Of one tenant's kept answers of one price. `bill`: of each of them; `end`: of their bodies, which tells it;
    `owed`: points of those that were given out since the tab was opened, until a moment."""

    payer: Payer
    bill: Bill
    end: bytes
    until_seconds: float
    owed: int = 0


class Tabs:
    """`charge`: takes points from a payer and tells what is left. `clock`: seconds that only go forward."""

    def __init__(
        self, charge: Callable[[Payer, int], Standing], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._charge = charge
        self._clock = clock
        self._tabs: dict[tuple[int, int], Tab] = {}

    def add(self, tenant_id: int, requested: int) -> Tab | None:
        """One more answer to the tab; None where none is open, or where it has been for long enough."""
        tab = self._tabs.get((tenant_id, requested))
        if tab is None or self._clock() >= tab.until_seconds:
            return None
        tab.owed += LEAST_POINTS
        return tab

    def open(self, payer: Payer, requested: int) -> Tab:
        """A tab with one answer, which is paid, and all that was on the tab before."""
        key = (payer.tenant_id, requested)
        before = self._tabs.get(key)
        standing = self._charge(payer, LEAST_POINTS + (before.owed if before else 0))
        bill = Bill(payer, standing=standing, requested=requested, paid=LEAST_POINTS)
        end = end_with_extensions({"cost": bill.told(by_path=False)})
        tab = self._tabs[key] = Tab(payer, bill, end, self._clock() + TOLD_SECONDS)
        return tab

    def pay(self) -> None:
        """All of them, and closes them."""
        tabs, self._tabs = self._tabs, {}
        for tab in tabs.values():
            if tab.owed:
                self._charge(tab.payer, tab.owed)
