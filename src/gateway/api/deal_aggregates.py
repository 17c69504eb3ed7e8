"""Deals grouped as an analyst asks: by one to three keys, with their measures."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Self

import strawberry

from gateway.api import companies, costs, members, pipelines, products
from gateway.api.companies import Company
from gateway.api.context import Info
from gateway.api.deal_totals import average, ratio
from gateway.api.enums import StageKind
from gateway.api.filters import DealFilter
from gateway.api.members import Member
from gateway.api.orders import Direction
from gateway.api.pages import page_size
from gateway.api.pipelines import Pipeline, Stage
from gateway.api.products import Product
from gateway.errors import BadUserInputError
from loaders.deal_groups import GroupRequest, GroupRow, deal_groups

MOST_KEYS = 3
MOST_GROUPS = 1000
NO_VALUE = "(none)"


@strawberry.enum(description="What deals may be grouped by.")
class DealGroupKey(Enum):
    OWNER = strawberry.enum_value("owner", description="The member who sells.")
    TEAM = strawberry.enum_value("team", description="The seller's team.")
    REGION = strawberry.enum_value("region", description="The seller's region.")
    STAGE = strawberry.enum_value("stage", description="The stage that the deal is in.")
    PIPELINE = strawberry.enum_value("pipeline", description="The pipeline that the deal is in.")
    COMPANY = strawberry.enum_value("company", description="The company that buys.")
    INDUSTRY = strawberry.enum_value("industry", description="That company's industry.")
    PRODUCT = strawberry.enum_value(
        "product",
        description="What is sold. A deal counts under each of its products, with the amount of that line.",
    )
    OUTCOME = strawberry.enum_value("outcome", description="Open, won or lost.")
    CREATED_MONTH = strawberry.enum_value("created_month", description="Month in which the deal was created.")
    CLOSED_MONTH = strawberry.enum_value("closed_month", description="Month in which it was won or lost.")


@strawberry.enum(description="What groups of deals may be ordered by.")
class DealMeasure(Enum):
    COUNT = strawberry.enum_value("count", description="Number of deals.")
    VALUE = strawberry.enum_value("value", description="Sum of the amounts.")
    WON_VALUE = strawberry.enum_value("won_value", description="Sum of the amounts of the deals won.")
    WIN_RATE = strawberry.enum_value("win_rate", description="won ÷ (won + lost).")
    AVERAGE_DEAL_SIZE = strawberry.enum_value("average_deal_size", description="wonValue ÷ won.")
    AVERAGE_CYCLE_DAYS = strawberry.enum_value("average_cycle_days", description="Days from creation to close.")


@strawberry.input(description="How groups are ordered: by a measure, or by one of the keys that are grouped by.")
class DealAggregateOrder:
    measure: DealMeasure | None = strawberry.field(default=None, description="A measure.")
    key: DealGroupKey | None = strawberry.field(default=None, description="A key: by name, month, or stage's position.")
    direction: Direction = strawberry.field(default=Direction.DESC, description="Which way. No value comes last.")

    def name(self, keys: tuple[str, ...]) -> str:
        """The ordering's name. Raises BAD_USER_INPUT unless it names just one, and a key only if it is grouped by."""
        if (self.measure is None) == (self.key is None):
            raise _refused("`orderBy` takes either a measure or a key.", "orderBy")
        if self.measure is not None:
            return str(self.measure.value)
        name = str(self.key.value) if self.key else ""
        if name not in keys:
            raise _refused("`orderBy` can only name a key that is grouped by.", "orderBy")
        return name


@strawberry.type(
    description="The values that a group's deals share. Those not grouped by are null, and those that the deals "
    "do not have."
)
class DealAggregateKeys:
    values: strawberry.Private[dict[str, Any]]
    team: str | None = strawberry.field(description="The seller's team.")
    region: str | None = strawberry.field(description="The seller's region.")
    industry: str | None = strawberry.field(description="The company's industry.")
    outcome: StageKind | None = strawberry.field(description="Open, won or lost.")
    created_month: date | None = strawberry.field(description="First day of the month of creation.")
    closed_month: date | None = strawberry.field(description="First day of the month of the close.")

    @strawberry.field(description="The member who sells.")
    async def owner(self, info: Info) -> Member | None:
        return await members.member(info, self.values.get("owner"))

    @strawberry.field(description="The company that buys; null if it is deleted.")
    async def company(self, info: Info) -> Company | None:
        return await companies.company(info, self.values.get("company"))

    @strawberry.field(description="The stage.")
    async def stage(self, info: Info) -> Stage | None:
        return await pipelines.stage(info, self.values.get("stage"))

    @strawberry.field(description="The pipeline.")
    async def pipeline(self, info: Info) -> Pipeline | None:
        return await pipelines.pipeline(info, self.values.get("pipeline"))

    @strawberry.field(description="The product; null if it is deleted.")
    async def product(self, info: Info) -> Product | None:
        return await products.product(info, self.values.get("product"))

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        outcome = values.get("outcome")
        return cls(
            values=values,
            team=values.get("team"),
            region=values.get("region"),
            industry=values.get("industry"),
            outcome=StageKind(outcome) if outcome else None,
            created_month=values.get("created_month"),
            closed_month=values.get("closed_month"),
        )


@strawberry.type(description="A group of deals in numbers. Deleted deals do not count; an unknown amount counts as 0.")
class DealAggregate:
    as_of: datetime = strawberry.field(description="The moment that every number of this answer is of.")
    keys: DealAggregateKeys = strawberry.field(description="What the group's deals have in common.")
    labels: list[str] = strawberry.field(
        description="The same in words, in the order of `groupBy`; `(none)` where the deals have no such value.",
        directives=[costs.at_most(MOST_KEYS)],
    )
    count: int = strawberry.field(description="Number of deals.")
    won: int = strawberry.field(description="Those won.")
    lost: int = strawberry.field(description="Those lost.")
    value: Decimal = strawberry.field(description="Sum of the amounts.")
    won_value: Decimal = strawberry.field(description="Sum of the amounts of those won.")
    win_rate: float | None = strawberry.field(description="won ÷ (won + lost), from 0 to 1; null when both are 0.")
    average_deal_size: Decimal | None = strawberry.field(
        description="wonValue ÷ won, rounded to four decimals; null when none was won."
    )
    average_cycle_days: float | None = strawberry.field(
        description="Whole local days from creation to close, averaged over those won; null when none was won."
    )

    @classmethod
    def of(cls, names: tuple[str, ...], row: GroupRow, as_of: datetime) -> Self:
        return cls(
            as_of=as_of,
            keys=DealAggregateKeys.of(dict(zip(names, row.values, strict=True))),
            labels=[label or NO_VALUE for label in row.labels],
            count=row.deals,
            won=row.won,
            lost=row.lost,
            value=row.value,
            won_value=row.won_value,
            win_rate=ratio(row.won, row.won + row.lost),
            average_deal_size=average(row.won_value, row.won),
            average_cycle_days=ratio(row.won_cycle_days, row.won),
        )


GroupBy = Annotated[
    list[DealGroupKey], strawberry.argument(description="One to three keys, each once; groups are their combinations.")
]
GroupFilter = Annotated[DealFilter | None, strawberry.argument(name="filter", description="Which deals. Null for all.")]
GroupOrder = Annotated[
    DealAggregateOrder | None,
    strawberry.argument(description="Their order. Null for the highest value first."),
]
GroupFirst = Annotated[int | None, strawberry.argument(description="How many groups at most: from 0 to 1000.")]


async def read_deal_aggregates(
    info: Info,
    group_by: list[DealGroupKey],
    where: DealFilter | None,
    order: DealAggregateOrder | None,
    first: int | None,
) -> list[DealAggregate]:
    """The groups, in order. Raises BAD_USER_INPUT."""
    names = tuple(str(key.value) for key in group_by)
    if not 1 <= len(names) <= MOST_KEYS or len(set(names)) < len(names):
        raise _refused(f"`groupBy` takes one to {MOST_KEYS} keys, each once.", "groupBy")
    chosen = order or DealAggregateOrder(measure=DealMeasure.VALUE)
    size = page_size(info, first, default=100, limit=MOST_GROUPS)
    filters = tuple(where.conditions()) if where else ()
    request = GroupRequest(names, chosen.name(names), chosen.direction is Direction.DESC, size, filters)
    rows = await deal_groups(info.context.snapshot, request)
    info.context.spend(len(rows))
    as_of = (await info.context.moment()).as_of
    return [DealAggregate.of(names, row, as_of) for row in rows]


def _refused(message: str, argument: str) -> BadUserInputError:
    return BadUserInputError(message, extensions={"path": [argument]})
