"""Periods and intervals of the plain server."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Self

import strawberry

ALL_DAYS = (date.min, date.max)


@strawberry.enum
class PeriodPreset(Enum):
    LAST_30_DAYS = 30
    LAST_90_DAYS = 90


@strawberry.enum
class Interval(Enum):
    WEEK = "week"
    MONTH = "month"

    def start_of(self, day: date) -> date:
        return day - timedelta(days=day.weekday()) if self is Interval.WEEK else day.replace(day=1)

    def after(self, start: date) -> date:
        return start + timedelta(days=7) if self is Interval.WEEK else (start + timedelta(days=31)).replace(day=1)

    def before(self, start: date) -> date:
        return self.start_of(start - timedelta(days=1))


@strawberry.input
class PeriodInput:
    preset: PeriodPreset


@strawberry.type
class Period:
    from_: date = strawberry.field(name="from")
    to: date


def days_of(period: PeriodInput | None, today: date) -> tuple[date, date]:
    """The half-open range of days that a period covers; all days without one."""
    if period is None:
        return ALL_DAYS
    to = today + timedelta(days=1)
    return to - timedelta(days=period.preset.value), to


def trend_days(days: tuple[date, date], interval: Interval, today: date) -> tuple[date, date]:
    """The days of a trend: those of the period, or of the last twelve intervals without one."""
    if days != ALL_DAYS:
        return days
    start = interval.start_of(today)
    end = interval.after(start)
    for _ in range(11):
        start = interval.before(start)
    return start, end


@strawberry.type
class TrendPoint:
    start: date
    created: int
    won: int
    lost: int
    won_value: Decimal

    @classmethod
    def of(cls, rows: Iterable[Any], interval: Interval, days: tuple[date, date]) -> list[Self]:
        """A point for every interval, whether anything happened in it or not."""
        found, points = {row["start"]: row for row in rows}, []
        start = interval.start_of(days[0])
        while start < days[1]:
            row = found.get(start)
            points.append(cls(**row) if row else cls(start=start, created=0, won=0, lost=0, won_value=Decimal(0)))
            start = interval.after(start)
        return points
