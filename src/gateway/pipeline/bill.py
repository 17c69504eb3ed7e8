"""What one request costs, and what its caller is told of that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.cost.actual import Ran, actual_points
from gateway.cost.breakdown import shares
from gateway.cost.budget import Standing
from gateway.cost.estimate import Price
from gateway.cost.limits import check_price, never
from gateway.terms import Mode, Terms


class Payer(NamedTuple):
    """A tenant by its id, and what it may use. `mode`: what prices are for, its terms' or the gateway's."""

    tenant_id: int
    terms: Terms
    mode: Mode


@dataclass(frozen=True, slots=True)
class Order:
    """An operation with a request's variables."""

    price: Price
    variables: Mapping[str, Any]

    def points(self) -> int:
        return self.price.points(self.variables)

    def check(self, most: int, *, may_advise: Callable[[], bool]) -> None:
        """Raises COST_LIMIT_EXCEEDED above so many points."""
        check_price(self.price, self.variables, most, may_advise=may_advise)

    def actual_points(self, ran: Ran) -> int:
        return actual_points(self.price.compiled(self.variables), self.variables, ran)

    def by_path(self) -> list[dict[str, Any]]:
        """What each path adds, dearest first."""
        found = sorted(shares(self.price.compiled(self.variables), self.variables), key=lambda share: -share.points)
        return [{"path": list(share.path), "cost": round(share.points, 2)} for share in found]


@dataclass(slots=True)
class Bill:
    """`payer`: None for a caller of no tenant, or where prices are off. `order`: once the document is read. In points:
    `most` that it may be, None: any number; `requested` before it ran, `paid` in the end. `standing`: of the payer's
    budget, as far as it is known here. `may_advise`: asked when it is refused for its price, whether to tell what would
    be cheaper; `given_up`: it is not waited for any more."""

    payer: Payer | None = None
    most: int | None = None
    standing: Standing | None = None
    order: Order | None = None
    requested: int = 0
    paid: int = 0
    may_advise: Callable[[], bool] = never
    given_up: bool = False

    def give_up(self) -> None:
        """What was begun is not waited for: what was kept stands in, and costs what that does."""
        self.given_up, self.paid = True, 0

    def take(self, order: Order) -> None:
        self.order, self.requested = order, order.points()

    def check(self) -> None:
        """Raises COST_LIMIT_EXCEEDED."""
        if self.order is not None and self.most is not None:
            self.order.check(self.most, may_advise=self.may_advise)

    def told(self, *, by_path: bool) -> dict[str, Any]:
        """As `extensions.cost`."""
        told: dict[str, Any] = {"requestedQueryCost": self.requested, "actualQueryCost": self.paid}
        if self.standing is not None:
            told["throttleStatus"] = _throttle_status(self.standing)
        if by_path and self.order is not None:
            told["fields"] = self.order.by_path()
        return told


@dataclass(frozen=True, slots=True)
class Account:
    """A payer's budget at one moment; rate in points a second."""

    payer: Payer
    standing: Standing

    @property
    def mode(self) -> str:
        return self.payer.mode.value

    @property
    def maximum(self) -> float:
        return self.standing.bucket.size

    @property
    def available(self) -> int:
        return self.standing.available

    @property
    def rate(self) -> float:
        return self.standing.bucket.rate

    @property
    def most_points(self) -> int:
        return self.payer.terms.most_points

    @property
    def alone(self) -> bool:
        return self.standing.alone


def _throttle_status(standing: Standing) -> dict[str, Any]:
    bucket = standing.bucket
    return {
        "maximumAvailable": bucket.size,
        "currentlyAvailable": standing.available,
        "restoreRate": bucket.rate,
        # Redis is gone, and this process goes by a share of the budget.
        **({"alone": True} if standing.alone else {}),
    }
