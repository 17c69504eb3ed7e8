"""Aggregates over deals as a caller sees them, with their formulas: quotients are made here, once, from sums."""

from collections.abc import Iterable, Set
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Self

import strawberry

from gateway.api import costs, members
from gateway.api.context import Info
from gateway.api.members import Member
from gateway.api.pipelines import Stage
from loaders.deal_totals import Board, DealFlow, DealNumbers, ForecastRow, Moves, SellerRow, StageTotals, TrendRow

# Sums stay exact; only a quotient is rounded, to more digits than any currency has.
QUOTIENT_DIGITS = Decimal("0.0001")
DAY_ZERO = date(2000, 1, 1)
COUNTED_MOVES = frozenset({"entered", "left"})
FOLLOWED_MOVES = frozenset({"conversionToNext", "medianDaysInStage"})
"""Fields of StageStats that need the moves: those that sum, and those that read single ones."""


def moves_wanted(selected: Set[str]) -> Moves:
    return Moves(counted=not COUNTED_MOVES.isdisjoint(selected), followed=not FOLLOWED_MOVES.isdisjoint(selected))


def ratio(part: Decimal | int, whole: Decimal | int) -> float | None:
    """A quotient from 0 up; None where there is nothing to divide by."""
    return float(part / whole) if whole else None


def average(total: Decimal, count: int) -> Decimal | None:
    return (total / count).quantize(QUOTIENT_DIGITS, ROUND_HALF_EVEN) if count else None


@strawberry.type(
    description="Deals in numbers. `open`, `pipelineValue` and `weightedValue` are of now; won and lost ones "
    "are of the "
    "period, or of all time without one. Deleted deals do not count; an unknown amount counts as 0."
)
class DealSummary:
    total: int = strawberry.field(description="Deals created in the period; without a period, open + won + lost.")
    open: int = strawberry.field(description="Open deals, as of now.")
    won: int = strawberry.field(description="Deals won in the period.")
    lost: int = strawberry.field(description="Deals lost in the period.")
    pipeline_value: Decimal = strawberry.field(description="Sum of the amounts of the open deals, as of now.")
    weighted_value: Decimal = strawberry.field(
        description="Sum of amount × probability of the stage over the open deals, as of now."
    )
    won_value: Decimal = strawberry.field(description="Sum of the amounts of the deals won in the period.")
    lost_value: Decimal = strawberry.field(description="Sum of the amounts of the deals lost in the period.")
    win_rate: float | None = strawberry.field(description="won ÷ (won + lost), from 0 to 1; null when both are 0.")
    average_deal_size: Decimal | None = strawberry.field(
        description="wonValue ÷ won, rounded to four decimals; null when none was won."
    )
    average_cycle_days: float | None = strawberry.field(
        description="Whole local days from creation to close, averaged over the won deals; null when none was won."
    )

    @classmethod
    def of(cls, deals: DealNumbers, *, in_period: bool) -> Self:
        flow = deals.flow
        return cls(
            total=flow.created if in_period else deals.open + flow.won + flow.lost,
            open=deals.open,
            won=flow.won,
            lost=flow.lost,
            pipeline_value=deals.open_value,
            weighted_value=deals.weighted_value,
            won_value=flow.won_value,
            lost_value=flow.lost_value,
            win_rate=ratio(flow.won, flow.won + flow.lost),
            average_deal_size=average(flow.won_value, flow.won),
            average_cycle_days=ratio(flow.won_cycle_days, flow.won),
        )

    @classmethod
    def of_board(cls, board: Board, *, in_period: bool) -> Self:
        return cls.of(_open_deals(board.stages, board.flow), in_period=in_period)


@strawberry.type(
    description="A stage in numbers. `deals`, values and age are of now; `entered`, `left`, conversion and "
    "median are of the "
    "period, or of all time without one. Deleted deals do not count; an unknown amount counts as 0."
)
class StageStats:
    stage: Stage = strawberry.field(description="The stage.")
    deals: int = strawberry.field(description="Deals in it, as of now.")
    value: Decimal = strawberry.field(description="Sum of their amounts.")
    weighted_value: Decimal = strawberry.field(description="value × probability; 0 for a stage that is won or lost.")
    share: float | None = strawberry.field(
        description="value ÷ value of all open stages listed, from 0 to 1; null for a stage that is won or "
        "lost, and when the "
        "open value is 0."
    )
    average_age_days: float | None = strawberry.field(
        description="Whole local days since creation, averaged over its open deals; null where there are none."
    )
    entered: int = strawberry.field(
        description="How often a deal entered it, new deals included.", directives=costs.MOVES_COUNTED
    )
    left: int = strawberry.field(description="How often a deal left it.", directives=costs.MOVES_COUNTED)
    conversion_to_next: float | None = strawberry.field(
        description="Distinct deals that entered a later stage of the pipeline (lost ones excluded) ÷ distinct "
        "deals that "
        "entered this one; null for a stage that is won or lost, and when none entered.",
        directives=costs.MOVES_FOLLOWED,
    )
    median_days_in_stage: float | None = strawberry.field(
        description="Median of the whole local days that deals had spent in it when they left; null when none left.",
        directives=costs.MOVES_FOLLOWED,
    )

    @classmethod
    def of_board(cls, board: Board, today: date) -> list[Self]:
        """Every stage of a board, in its order."""
        open_value = sum((row.value for row in board.stages if row.stage.kind == "open"), Decimal(0))
        return [cls._of(row, open_value, today) for row in board.stages]

    @classmethod
    def _of(cls, row: StageTotals, open_value: Decimal, today: date) -> Self:
        is_open = row.stage.kind == "open"
        ages = row.deals * (today - DAY_ZERO).days - row.created_days
        return cls(
            stage=Stage.of(row.stage),
            deals=row.deals,
            value=row.value,
            weighted_value=row.value * row.stage.probability if is_open else Decimal(0),
            share=ratio(row.value, open_value) if is_open else None,
            average_age_days=ratio(ages, row.deals) if is_open else None,
            entered=row.entered,
            left=row.left,
            conversion_to_next=ratio(row.later_deals, row.entered_deals) if is_open else None,
            median_days_in_stage=row.median_days,
        )


@strawberry.type(description="What happened to deals in one interval.")
class TrendPoint:
    start: date = strawberry.field(
        description="First day of the interval. It may lie before the period, whose days alone are counted."
    )
    created: int = strawberry.field(description="Deals created.")
    won: int = strawberry.field(description="Deals won.")
    lost: int = strawberry.field(description="Deals lost.")
    won_value: Decimal = strawberry.field(description="Sum of the amounts of the deals won.")

    @classmethod
    def of(cls, rows: Iterable[TrendRow]) -> list[Self]:
        return [
            cls(start=row.start, created=row.created, won=row.won, lost=row.lost, won_value=row.won_value)
            for row in rows
        ]


@strawberry.type(description="Open deals that are expected to close in one interval.")
class ForecastPoint:
    start: date = strawberry.field(
        description="First day of the interval. It may lie before the period, whose days alone are counted."
    )
    deals: int = strawberry.field(description="Number of deals.")
    value: Decimal = strawberry.field(description="Sum of their amounts.")
    weighted_value: Decimal = strawberry.field(description="Sum of amount × probability of the stage.")

    @classmethod
    def of(cls, rows: Iterable[ForecastRow]) -> list[Self]:
        return [
            cls(start=row.start, deals=row.deals, value=row.value, weighted_value=row.weighted_value) for row in rows
        ]


@strawberry.type(description="A seller in numbers. Won and lost deals are of the period, or of all time without one.")
class LeaderboardEntry:
    owner_key: strawberry.Private[int]
    won: int = strawberry.field(description="Deals won.")
    won_value: Decimal = strawberry.field(description="Sum of their amounts.")
    win_rate: float | None = strawberry.field(description="won ÷ (won + lost), from 0 to 1; null when both are 0.")
    open_value: Decimal = strawberry.field(description="Sum of the amounts of the seller's open deals, as of now.")

    @strawberry.field(description="The seller.")
    async def member(self, info: Info) -> Member:
        return await members.owner(info, self.owner_key)

    @classmethod
    def of(cls, row: SellerRow) -> Self:
        return cls(
            owner_key=row.owner_id,
            won=row.won,
            won_value=row.won_value,
            win_rate=ratio(row.won, row.won + row.lost),
            open_value=row.open_value,
        )


def _open_deals(stages: Iterable[StageTotals], flow: DealFlow) -> DealNumbers:
    still_open = [row for row in stages if row.stage.kind == "open"]
    return DealNumbers(
        open=sum(row.deals for row in still_open),
        open_value=sum((row.value for row in still_open), Decimal(0)),
        weighted_value=sum((row.value * row.stage.probability for row in still_open), Decimal(0)),
        flow=flow,
    )
