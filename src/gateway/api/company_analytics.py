"""One company in numbers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

import strawberry

from gateway.api import costs
from gateway.api.activities import ActivitySummary
from gateway.api.arguments import TrendInterval
from gateway.api.companies import Company
from gateway.api.context import CompanyKey, EngagementKey, Info
from gateway.api.deal_totals import DealSummary, TrendPoint
from gateway.api.engagement import Engagement
from gateway.api.periods import Interval, PeriodInput, Window
from loaders.companies import CompanyRow
from loaders.deal_totals import company_deal_trend
from loaders.tenants import Moment


@dataclass(frozen=True, slots=True)
class Scope:
    """What all parts of one company's analytics share."""

    company: CompanyRow
    window: Window
    moment: Moment

    @property
    def key(self) -> CompanyKey:
        return CompanyKey(self.company.id, self.window.days, self.moment.today)

    @property
    def engagement_key(self) -> EngagementKey:
        return EngagementKey(self.company.id, self.moment.today)


@strawberry.type(description="A company in numbers, all of one moment.")
class CompanyAnalytics:
    scope: strawberry.Private[Scope]
    as_of: datetime = strawberry.field(description="The moment that every number of this answer is of.")
    company: Company = strawberry.field(description="The company.")

    @strawberry.field(description="Its deals, of all pipelines.", directives=costs.COMPANY_TOTALS)
    async def deals(self, info: Info) -> DealSummary:
        totals = await info.context.loaders.company_totals.load(self.scope.key)
        return DealSummary.of(totals.deals, in_period=self.scope.window.shown is not None)

    @strawberry.field(description="Activities that concerned it.", directives=costs.COMPANY_TOTALS)
    async def activities(self, info: Info) -> ActivitySummary:
        return ActivitySummary.of((await info.context.loaders.company_totals.load(self.scope.key)).activities)

    @strawberry.field(description="How engaged it is, as of now, whatever the period.", directives=costs.ENGAGEMENT)
    async def engagement(self, info: Info) -> Engagement:
        facts = await info.context.loaders.engagement.load(self.scope.engagement_key)
        created = self.scope.company.created_day
        return Engagement.of(facts, company_created=created, today=self.scope.moment.today)

    @strawberry.field(
        description="When it was last called, mailed or met; null for never.", directives=costs.ENGAGEMENT
    )
    async def last_contact_at(self, info: Info) -> datetime | None:
        return (await info.context.loaders.engagement.load(self.scope.engagement_key)).last_contact_at

    @strawberry.field(
        description="Its deals by interval, oldest first, without gaps; without a period, the last 12 intervals.",
        directives=costs.trend("7"),
    )
    async def trend(self, info: Info, interval: TrendInterval = Interval.MONTH) -> list[TrendPoint]:
        scope = self.scope
        days, today = scope.window.days, scope.moment.today
        rows = await company_deal_trend(info.context.snapshot, scope.company.id, interval.unit, days, today)
        return TrendPoint.of(rows)

    @classmethod
    async def read(cls, info: Info, company_id: int, period: PeriodInput | None) -> Self | None:
        """The company's numbers; None when there is no such company or it is deleted."""
        moment = await info.context.moment()
        window = Window.of(period, moment)
        row = await info.context.loaders.company.load(company_id)
        if row is None:
            return None
        return cls(scope=Scope(row, window, moment), as_of=moment.as_of, company=Company.of(row))
