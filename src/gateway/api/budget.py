"""The tenant's budget, as its members see it."""

from enum import Enum
from typing import Self

import strawberry

from gateway.api.context import Funds, Info


@strawberry.enum(description="What prices of operations are for.")
class BudgetMode(Enum):
    MEASURE = strawberry.enum_value("measure", description="They are told and counted; nothing is refused.")
    ENFORCE = strawberry.enum_value("enforce", description="What does not fit into the budget is refused.")


@strawberry.type(
    description="What operations of the tenant may cost, in points. Every operation that is executed costs its actual "
    "price, an answer that was kept 1."
)
class Budget:
    mode: BudgetMode = strawberry.field(description="What prices are for.")
    maximum_available: int = strawberry.field(description="Points of a full budget.")
    currently_available: int = strawberry.field(
        description="Points that an operation may cost now. What is held for operations under way is not among them, "
        "the price of this one included."
    )
    restore_rate: float = strawberry.field(description="Points that are restored in a second.")
    most_points: int = strawberry.field(description="Points that one operation may cost at most.")
    alone: bool = strawberry.field(
        description="Whether this process goes by a share of the budget, since it cannot reach the others."
    )

    @classmethod
    def of(cls, funds: Funds) -> Self:
        return cls(
            mode=BudgetMode(funds.mode),
            maximum_available=int(funds.maximum),
            currently_available=funds.available,
            restore_rate=funds.rate,
            most_points=funds.most_points,
            alone=funds.alone,
        )


async def read_budget(info: Info) -> Budget | None:
    funds = await info.context.read_funds()
    return None if funds is None else Budget.of(funds)
