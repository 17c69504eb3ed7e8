"""One pipeline in numbers."""

from datetime import datetime
from typing import Self

import strawberry

from gateway.api import costs
from gateway.api.arguments import TrendInterval
from gateway.api.context import BoardKey, Info
from gateway.api.deal_totals import DealSummary, ForecastPoint, StageStats, TrendPoint, moves_wanted
from gateway.api.ids import optional_key_of
from gateway.api.periods import Interval, PeriodInput, Window
from gateway.api.pipelines import Pipeline
from gateway.api.selection import selected_names
from loaders.deal_totals import Board, WhichPipelines, deal_forecast, deal_trend
from loaders.tenants import Moment


@strawberry.type(description="A pipeline in numbers, all of one moment.", directives=[costs.BOARD[0]])
class PipelineStats:
    key: strawberry.Private[BoardKey]
    board: strawberry.Private[Board]
    window: strawberry.Private[Window]
    moment: strawberry.Private[Moment]
    as_of: datetime = strawberry.field(description="The moment that every number of this answer is of.")
    pipeline: Pipeline = strawberry.field(description="The pipeline.")

    @strawberry.field(description="Its deals.")
    def deals(self) -> DealSummary:
        return DealSummary.of_board(self.board, in_period=self.window.shown is not None)

    @strawberry.field(description="Its stages, in order of position.", directives=[costs.at_most(10)])
    def stages(self) -> list[StageStats]:
        return StageStats.of_board(self.board, self.moment.today)

    @strawberry.field(
        description="Its deals by interval, oldest first, without gaps; without a period, the last 12 intervals.",
        directives=costs.trend("2"),
    )
    async def trend(self, info: Info, interval: TrendInterval = Interval.MONTH) -> list[TrendPoint]:
        pipeline_id, owner_id = self.pipeline.key, self.key.owner_id
        days, today = self.window.days, self.moment.today
        rows = await deal_trend(info.context.snapshot, pipeline_id, owner_id, interval.unit, days, today)
        return TrendPoint.of(rows)

    @strawberry.field(
        description="Its open deals by expected close, earliest first, without gaps; without a period, twelve "
        "intervals "
        "from the present one on. Deals without an expected close are in none.",
        directives=[*costs.FORECAST, *costs.POINTS],
    )
    async def forecast(self, info: Info, interval: TrendInterval = Interval.MONTH) -> list[ForecastPoint]:
        days, today = self.window.days, self.moment.today
        owner_id = self.key.owner_id
        rows = await deal_forecast(info.context.snapshot, self.pipeline.key, owner_id, interval.unit, days, today)
        return ForecastPoint.of(rows)

    @classmethod
    async def read(
        cls, info: Info, pipeline_id: str | None, owner_id: str | None, period: PeriodInput | None
    ) -> Self | None:
        """The pipeline's numbers, of global ids; None when there is no such pipeline."""
        pipeline_key = optional_key_of("Pipeline", pipeline_id, "pipelineId")
        owner_key = optional_key_of("Member", owner_id, "ownerId")
        moment = await info.context.moment()
        window = Window.of(period, moment)
        moves = moves_wanted(selected_names(info._raw_info))
        key = BoardKey(WhichPipelines(one=True, id=pipeline_key), owner_key, window.days, moves)
        board = await info.context.loaders.board.load(key)
        if board.pipeline is None:
            return None
        pipeline = Pipeline.of(board.pipeline)
        return cls(key=key, board=board, window=window, moment=moment, as_of=moment.as_of, pipeline=pipeline)
