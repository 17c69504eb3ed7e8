"""Aggregates over deals: the board by stage, a company's summary, trends and the leaderboard."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from loaders.activities import ActivityCounts
from loaders.periods import ALL_DAYS, Days
from loaders.pipelines import PipelineRow, StageRow
from loaders.reads import Reads, statements

SQL = statements("deal_totals")


class DealFlow(NamedTuple):
    """What happened to deals in a period. Values in the tenant's currency, an unknown amount as 0."""

    created: int
    won: int
    lost: int
    won_value: Decimal
    lost_value: Decimal
    won_cycle_days: int


class Moves(NamedTuple):
    """What is wanted of the moves between stages: how many there were, and where single deals went and when."""

    counted: bool
    followed: bool


class StageTotals(NamedTuple):
    """A stage now (`deals`, `value`, `created_days`: sum of creation days since 2000-01-01) and its moves in a period.

    `entered_deals` and `later_deals`: distinct deals that entered it, or a later stage that is not lost.
    `entered` and `left` are zeros unless moves are counted or followed; the other three 0 and None unless followed.
    """

    pipeline: PipelineRow
    stage: StageRow
    deals: int
    value: Decimal
    created_days: int
    entered: int
    left: int
    entered_deals: int = 0
    later_deals: int = 0
    median_days: float | None = None


class WhichPipelines(NamedTuple):
    """One pipeline (`id`: None for the default one), or all."""

    one: bool
    id: int | None


class Board(NamedTuple):
    """Stages in order of pipeline and position. `pipeline`: the first one, None when there is none."""

    pipeline: PipelineRow | None
    stages: list[StageTotals]
    flow: DealFlow


class DealNumbers(NamedTuple):
    open: int
    open_value: Decimal
    weighted_value: Decimal
    flow: DealFlow


class CompanyTotals(NamedTuple):
    deals: DealNumbers
    activities: ActivityCounts


class TrendRow(NamedTuple):
    """`start`: the first day of the interval, which may lie before the period."""

    start: date
    created: int
    won: int
    lost: int
    won_value: Decimal


class ForecastRow(NamedTuple):
    """Open deals expected to close in an interval; `start` is its first day, which may lie before the period."""

    start: date
    deals: int
    value: Decimal
    weighted_value: Decimal


class SellerRow(NamedTuple):
    owner_id: int
    won: int
    lost: int
    won_value: Decimal
    open_value: Decimal


NOTHING = DealFlow(0, 0, 0, Decimal(0), Decimal(0), 0)


async def deal_board(reads: Reads, pipelines: WhichPipelines, owner_id: int | None, days: Days, moves: Moves) -> Board:
    """The stages of one pipeline or of all. Source: pipelines, stages, analytics.deal_state, .deal_flow,
    .owner_deal_flow, .stage_flow; single moves of deal_stage_history for what does not sum, and for an owner's."""
    single = moves.followed or (moves.counted and owner_id is not None)
    board = _board(await reads.fetch(SQL["deal_board"], *pipelines, owner_id, *days, moves.counted and not single))
    if not single:
        return board
    passages = {
        stage_id: passage
        for stage_id, *passage in await reads.fetch(SQL["stage_passages"], *pipelines, owner_id, *days)
    }
    return board._replace(stages=[_passed(row, passages.get(row.stage.id)) for row in board.stages])


async def company_totals(reads: Reads, company_id: int, days: Days, today: date) -> CompanyTotals:
    """The deals of one company, and its activities. Source: analytics.company_deal_state, .company_deal_flow,
    .company_activity_flow, stages."""
    (row,) = await reads.fetch(SQL["company_totals"], company_id, *days, today)
    open_deals, open_value, weighted_value, *flow = row[:9]
    return CompanyTotals(DealNumbers(open_deals, open_value, weighted_value, DealFlow(*flow)), ActivityCounts(*row[9:]))


async def deal_trend(
    reads: Reads, pipeline_id: int | None, owner_id: int | None, interval: str, days: Days, today: date
) -> list[TrendRow]:
    """A row an interval, oldest first; without a period the last 12. Source: analytics.deal_flow, .owner_deal_flow."""
    rows = await reads.fetch(SQL["deal_trend"], pipeline_id, owner_id, interval, *_range(days), today)
    return [TrendRow(*row) for row in rows]


async def company_deal_trend(reads: Reads, company_id: int, interval: str, days: Days, today: date) -> list[TrendRow]:
    """As `deal_trend`, of one company. Source: analytics.company_deal_flow."""
    rows = await reads.fetch(SQL["company_deal_trend"], company_id, interval, *_range(days), today)
    return [TrendRow(*row) for row in rows]


async def deal_forecast(
    reads: Reads, pipeline_id: int, owner_id: int | None, interval: str, days: Days, today: date
) -> list[ForecastRow]:
    """A row an interval, earliest first; without a period the next 12. Source: analytics.deal_forecast, stages, deals
    (an owner's)."""
    rows = await reads.fetch(SQL["deal_forecast"], pipeline_id, owner_id, interval, *_range(days), today)
    return [ForecastRow(*row) for row in rows]


async def leaderboard(reads: Reads, owner_id: int | None, days: Days, first: int) -> list[SellerRow]:
    """Owners by won value, best first. Source: analytics.owner_deal_flow, analytics.deal_state, stages."""
    return [SellerRow(*row) for row in await reads.fetch(SQL["leaderboard"], owner_id, *days, first)]


def _range(days: Days) -> tuple[date | None, date | None]:
    return (None, None) if days == ALL_DAYS else days


def _board(rows: Sequence[Sequence[Any]]) -> Board:
    if not rows:
        return Board(None, [], NOTHING)
    stages = [_stage_totals(row) for row in rows if row[3] is not None]
    return Board(PipelineRow(*rows[0][:3]), stages, DealFlow(*rows[0][13:]))


def _stage_totals(row: Sequence[Any]) -> StageTotals:
    stage_id, *stage = row[3:8]
    return StageTotals(PipelineRow(*row[:3]), StageRow(stage_id, row[0], *stage), *row[8:13])


def _passed(row: StageTotals, passage: Sequence[Any] | None) -> StageTotals:
    if passage is None:
        return row
    entered, left, entered_deals, later_deals, median_days = passage
    return row._replace(
        entered=entered, left=left, entered_deals=entered_deals, later_deals=later_deals, median_days=median_days
    )
