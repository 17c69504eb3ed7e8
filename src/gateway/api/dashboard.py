"""The dashboard: a tenant's sales at a glance, or one member's, all of one moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import strawberry

from gateway.api import costs
from gateway.api.activities import Activity, ActivitySummary
from gateway.api.arguments import First, TrendInterval
from gateway.api.context import BoardKey, Info
from gateway.api.deal_totals import DealSummary, LeaderboardEntry, StageStats, TrendPoint, moves_wanted
from gateway.api.pages import page_size
from gateway.api.periods import Interval, Period, PeriodInput, Window
from gateway.api.selection import selected_names
from gateway.api.tasks import Task, TaskSummary
from loaders.activities import activity_counts, recent_activities
from loaders.companies import company_counts
from loaders.deal_totals import Moves, WhichPipelines, deal_trend, leaderboard
from loaders.periods import Days
from loaders.tasks import next_tasks, task_counts
from loaders.tenants import Moment


@dataclass(frozen=True, slots=True)
class Scope:
    """What all parts of one dashboard share. `owner_id`: None for the whole tenant."""

    owner_id: int | None
    window: Window
    moment: Moment
    moves: Moves

    @property
    def board(self) -> BoardKey:
        return BoardKey(WhichPipelines(one=False, id=None), self.owner_id, self.window.days, self.moves)


@strawberry.type(description="Companies in numbers. Deleted ones do not count.")
class CompanySummary:
    total: int = strawberry.field(description="Companies; with `ownerId`, those that the member looks after.")
    with_deals: int = strawberry.field(
        description="Those of them that have at least one deal, whoever owns it.",
        directives=costs.COMPANIES_WITH_DEALS,
    )
    new: int = strawberry.field(description="Those of them added in the period; without one, in the last 30 days.")


@strawberry.type(description="The totals of a dashboard.")
class DashboardOverview:
    scope: strawberry.Private[Scope]

    @strawberry.field(description="Deals of all pipelines.", directives=costs.BOARD)
    async def deals(self, info: Info) -> DealSummary:
        board = await info.context.loaders.board.load(self.scope.board)
        return DealSummary.of_board(board, in_period=self.scope.window.shown is not None)

    @strawberry.field(description="Activities; with `ownerId`, those of the member.", directives=costs.ACTIVITY_COUNTS)
    async def activities(self, info: Info) -> ActivitySummary:
        scope = self.scope
        counts = await activity_counts(info.context.snapshot, scope.owner_id, scope.window.days, scope.moment.today)
        return ActivitySummary.of(counts)

    @strawberry.field(
        description="Companies; with `ownerId`, those that the member looks after.", directives=costs.COMPANY_COUNTS
    )
    async def companies(self, info: Info) -> CompanySummary:
        scope = self.scope
        created_in = scope.window.days if scope.window.shown else Days(*scope.moment.presets["last_30_days"])
        wanted = "withDeals" in selected_names(info._raw_info)
        counts = await company_counts(info.context.snapshot, scope.owner_id, created_in, with_deals=wanted)
        return CompanySummary(total=counts.total, with_deals=counts.with_deals, new=counts.new)

    @strawberry.field(
        description="Tasks that are not done yet, as of now, whatever the period.", directives=costs.TASK_COUNTS
    )
    async def tasks(self, info: Info) -> TaskSummary:
        scope = self.scope
        counts = await task_counts(info.context.snapshot, scope.owner_id, scope.moment.as_of, scope.moment.today)
        info.context.ends_at(counts.next_due_at)
        return TaskSummary.of(counts)

    @strawberry.field(
        description="Every stage of every pipeline, the default pipeline first, in order of position: they add "
        "up to `deals`.",
        directives=[*costs.BOARD, costs.at_most(30)],
    )
    async def pipeline(self, info: Info) -> list[StageStats]:
        board = await info.context.loaders.board.load(self.scope.board)
        return StageStats.of_board(board, self.scope.moment.today)


@strawberry.type(description="What happened last and what comes next, whatever the period.")
class DashboardRecent:
    scope: strawberry.Private[Scope]

    @strawberry.field(description="The newest activities, newest first.", directives=[costs.sized_by("first")])
    async def activities(self, info: Info, first: First = 10) -> list[Activity]:
        size = page_size(info, first, default=10)
        rows = await recent_activities(info.context.snapshot, self.scope.owner_id, size)
        return [Activity.of(row) for row in rows]

    @strawberry.field(
        description="The open tasks that are due first, overdue ones before all; those without a due time last.",
        directives=[costs.sized_by("first")],
    )
    async def tasks(self, info: Info, first: First = 5) -> list[Task]:
        size = page_size(info, first, default=5)
        return [Task.of(row) for row in await next_tasks(info.context.snapshot, self.scope.owner_id, size)]


@strawberry.type(description="Sales at a glance. All numbers are of one moment, `asOf`, and add up.")
class Dashboard:
    scope: strawberry.Private[Scope]
    as_of: datetime = strawberry.field(description="The moment that every number of this answer is of.")
    period: Period | None = strawberry.field(description="The days that it covers; null for all time.")

    @strawberry.field(description="Totals.")
    def overview(self) -> DashboardOverview:
        return DashboardOverview(scope=self.scope)

    @strawberry.field(description="Single activities and tasks.")
    def recent(self) -> DashboardRecent:
        return DashboardRecent(scope=self.scope)

    @strawberry.field(
        description="Deals of all pipelines by interval, oldest first, without gaps; without a period, the last "
        "12 intervals.",
        directives=costs.trend("2"),
    )
    async def trend(self, info: Info, interval: TrendInterval = Interval.WEEK) -> list[TrendPoint]:
        scope = self.scope
        days, today = scope.window.days, scope.moment.today
        rows = await deal_trend(info.context.snapshot, None, scope.owner_id, interval.unit, days, today)
        return TrendPoint.of(rows)

    @strawberry.field(
        description="Members by won value, best first: those who won, lost or have open deals. With `ownerId`, "
        "that member alone.",
        directives=[*costs.LEADERBOARD, costs.sized_by("first")],
    )
    async def leaderboard(self, info: Info, first: First = 10) -> list[LeaderboardEntry]:
        size = page_size(info, first, default=10)
        rows = await leaderboard(info.context.snapshot, self.scope.owner_id, self.scope.window.days, size)
        return [LeaderboardEntry.of(row) for row in rows]

    @classmethod
    async def read(cls, info: Info, owner_id: int | None, period: PeriodInput | None) -> Self:
        moment = await info.context.moment()
        window = Window.of(period, moment)
        moves = moves_wanted(selected_names(info._raw_info))
        scope = Scope(owner_id, window, moment, moves)
        return cls(scope=scope, as_of=moment.as_of, period=window.shown)
