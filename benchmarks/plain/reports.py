"""The plain server's reports: one statement for each field that needs the database."""

from datetime import date, datetime, timedelta
from typing import Any

import strawberry

from benchmarks.plain import sql
from benchmarks.plain.context import Info, global_id
from benchmarks.plain.engagement import Engagement
from benchmarks.plain.numbers import (
    ActivitySummary,
    CompanySummary,
    DealSummary,
    Stage,
    StageStats,
    TaskSummary,
    ratio,
)
from benchmarks.plain.periods import ALL_DAYS, Interval, Period, TrendPoint, trend_days
from benchmarks.plain.records import Activity, ActivityKind, Company, LeaderboardEntry, Task

Days = tuple[date, date]


def week_of(today: date) -> date:
    return Interval.WEEK.start_of(today)


@strawberry.type
class DashboardOverview:
    days: strawberry.Private[Days]
    today: strawberry.Private[date]

    @strawberry.field
    async def deals(self, info: Info) -> DealSummary:
        return DealSummary.of(await info.context.fetch_row(sql.DEALS, *self.days), in_period=self.days != ALL_DAYS)

    @strawberry.field
    async def activities(self, info: Info) -> ActivitySummary:
        row = await info.context.fetch_row(sql.ACTIVITIES, *self.days, self.today, week_of(self.today))
        return ActivitySummary.of(row)

    @strawberry.field
    async def companies(self, info: Info) -> CompanySummary:
        last_30_days = self.today - timedelta(days=29), self.today + timedelta(days=1)
        days = self.days if self.days != ALL_DAYS else last_30_days
        return CompanySummary(**await info.context.fetch_row(sql.COMPANIES, *days))

    @strawberry.field
    async def tasks(self, info: Info) -> TaskSummary:
        return TaskSummary(**await info.context.fetch_row(sql.TASKS, self.today))

    @strawberry.field
    async def pipeline(self, info: Info) -> list[StageStats]:
        return StageStats.all_of(await info.context.fetch(sql.STAGES, *self.days, self.today))


@strawberry.type
class DashboardRecent:
    @strawberry.field
    async def activities(self, info: Info, first: int = 10) -> list[Activity]:
        rows = await info.context.fetch(sql.RECENT_ACTIVITIES, first)
        return [
            Activity(row=row, kind=ActivityKind(row["kind"]), subject=row["subject"], occurred_at=row["occurred_at"])
            for row in rows
        ]

    @strawberry.field
    async def tasks(self, info: Info, first: int = 5) -> list[Task]:
        rows = await info.context.fetch(sql.NEXT_TASKS, first)
        return [Task(row=row, title=row["title"], due_at=row["due_at"]) for row in rows]


@strawberry.type
class Dashboard:
    days: strawberry.Private[Days]
    today: strawberry.Private[date]
    as_of: datetime
    period: Period | None

    @strawberry.field
    def overview(self) -> DashboardOverview:
        return DashboardOverview(days=self.days, today=self.today)

    @strawberry.field
    def recent(self) -> DashboardRecent:
        return DashboardRecent()

    @strawberry.field
    async def trend(self, info: Info, interval: Interval = Interval.WEEK) -> list[TrendPoint]:
        days = trend_days(self.days, interval, self.today)
        return TrendPoint.of(await info.context.fetch(sql.TREND, *days, interval.value), interval, days)

    @strawberry.field
    async def leaderboard(self, info: Info, first: int = 10) -> list[LeaderboardEntry]:
        return [_entry(row) for row in await info.context.fetch(sql.LEADERBOARD, *self.days, first)]


@strawberry.type
class Pipeline:
    key: strawberry.Private[int]
    id: strawberry.ID
    name: str
    is_default: bool

    @strawberry.field
    async def stages(self, info: Info) -> list[Stage]:
        return [Stage.of(row) for row in await info.context.fetch(sql.PIPELINE_STAGES, [self.key])]

    @classmethod
    def of(cls, row: Any) -> "Pipeline":
        return cls(key=row["id"], id=global_id("Pipeline", row["id"]), name=row["name"], is_default=row["is_default"])


@strawberry.type
class PipelineStats:
    days: strawberry.Private[Days]
    today: strawberry.Private[date]
    as_of: datetime
    pipeline: Pipeline

    @strawberry.field
    async def deals(self, info: Info) -> DealSummary:
        row = await info.context.fetch_row(sql.PIPELINE_DEALS, *self.days, self.pipeline.key)
        return DealSummary.of(row, in_period=self.days != ALL_DAYS)

    @strawberry.field
    async def stages(self, info: Info) -> list[StageStats]:
        rows = await info.context.fetch(sql.ONE_PIPELINES_STAGES, *self.days, self.today, self.pipeline.key)
        return StageStats.all_of(rows)

    @strawberry.field
    async def trend(self, info: Info, interval: Interval = Interval.MONTH) -> list[TrendPoint]:
        days = trend_days(self.days, interval, self.today)
        rows = await info.context.fetch(sql.PIPELINE_TREND, *days, interval.value, self.pipeline.key)
        return TrendPoint.of(rows, interval, days)


@strawberry.type
class CompanyAnalytics:
    days: strawberry.Private[Days]
    today: strawberry.Private[date]
    key: strawberry.Private[int]
    as_of: datetime
    company: Company

    @strawberry.field
    async def deals(self, info: Info) -> DealSummary:
        row = await info.context.fetch_row(sql.COMPANY_DEALS, *self.days, self.key)
        return DealSummary.of(row, in_period=self.days != ALL_DAYS)

    @strawberry.field
    async def activities(self, info: Info) -> ActivitySummary:
        arguments = (*self.days, self.today, week_of(self.today), self.key)
        return ActivitySummary.of(await info.context.fetch_row(sql.COMPANY_ACTIVITIES, *arguments))

    @strawberry.field
    async def engagement(self, info: Info) -> Engagement:
        contact = await info.context.fetch_row(sql.LAST_CONTACT, self.key)
        facts = await info.context.fetch_row(sql.ENGAGEMENT, self.key, self.today)
        created = self.company.row["created_day"]
        return Engagement.of(facts, contact["occurred_day"] if contact else None, created, self.today)

    @strawberry.field
    async def last_contact_at(self, info: Info) -> datetime | None:
        row = await info.context.fetch_row(sql.LAST_CONTACT, self.key)
        return row["occurred_at"] if row else None

    @strawberry.field
    async def trend(self, info: Info, interval: Interval = Interval.MONTH) -> list[TrendPoint]:
        days = trend_days(self.days, interval, self.today)
        rows = await info.context.fetch(sql.COMPANY_TREND, *days, interval.value, self.key)
        return TrendPoint.of(rows, interval, days)


def shown(days: Days) -> Period | None:
    return None if days == ALL_DAYS else Period(from_=days[0], to=days[1])


def _entry(row: Any) -> LeaderboardEntry:
    won = row["won"]
    return LeaderboardEntry(
        owner_id=row["owner_id"],
        won=won,
        won_value=row["won_value"],
        win_rate=ratio(won, won + row["lost"]),
        open_value=row["open_value"],
    )
