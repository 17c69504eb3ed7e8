"""Periods: what a caller may ask for, and the tenant-local days that it means."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Self

import strawberry

from gateway.errors import BadUserInputError
from loaders.periods import ALL_DAYS, Days
from loaders.tenants import Moment

LONGEST_PERIOD_YEARS = 10


@strawberry.enum(
    description="A period around the tenant's local today. A week, a month, a quarter or a year is a whole one."
)
class PeriodPreset(Enum):
    TODAY = strawberry.enum_value("today", description="Today.")
    LAST_7_DAYS = strawberry.enum_value("last_7_days", description="Seven days, today the last of them.")
    LAST_30_DAYS = strawberry.enum_value("last_30_days", description="Thirty days, today the last of them.")
    LAST_90_DAYS = strawberry.enum_value("last_90_days", description="Ninety days, today the last of them.")
    THIS_MONTH = strawberry.enum_value("this_month", description="The present calendar month.")
    LAST_MONTH = strawberry.enum_value("last_month", description="The calendar month before the present one.")
    THIS_QUARTER = strawberry.enum_value("this_quarter", description="The present calendar quarter.")
    LAST_QUARTER = strawberry.enum_value("last_quarter", description="The calendar quarter before the present one.")
    THIS_YEAR = strawberry.enum_value("this_year", description="The present calendar year.")
    LAST_YEAR = strawberry.enum_value("last_year", description="The calendar year before the present one.")


@strawberry.enum(description="The length of one point of a trend. Weeks are ISO weeks, from Monday.")
class Interval(Enum):
    DAY = strawberry.enum_value("day", description="A day.")
    WEEK = strawberry.enum_value("week", description="An ISO week.")
    MONTH = strawberry.enum_value("month", description="A calendar month.")
    QUARTER = strawberry.enum_value("quarter", description="A calendar quarter.")

    @property
    def unit(self) -> str:
        """The unit's name in PostgreSQL."""
        return self.name.lower()


@strawberry.input(description="Days of the tenant's calendar, half-open: `from` is in, `to` is not. At most ten years.")
class DateRangeInput:
    from_: date = strawberry.field(name="from", description="The first day.")
    to: date = strawberry.field(description="The day after the last one.")


@strawberry.input(one_of=True, description="A period: either a preset or a range of days.")
class PeriodInput:
    preset: PeriodPreset | None = strawberry.field(default=strawberry.UNSET, description="A period around today.")
    range: DateRangeInput | None = strawberry.field(default=strawberry.UNSET, description="A range of days.")


@strawberry.type(description="The days that a report covers, half-open: `from` is in, `to` is not.")
class Period:
    from_: date = strawberry.field(name="from", description="The first day.")
    to: date = strawberry.field(description="The day after the last one.")
    preset: PeriodPreset | None = strawberry.field(description="The preset that was asked for; null for a range.")


@dataclass(frozen=True, slots=True)
class Window:
    """A period as loaders take it. Without one, `days` are all days and `shown` is None."""

    days: Days
    shown: Period | None

    @classmethod
    def of(cls, period: PeriodInput | None, moment: Moment) -> Self:
        """The days that a period means at a moment. Raises BAD_USER_INPUT for a reversed, empty or too long range."""
        if period is None:
            return cls(ALL_DAYS, None)
        if period.preset:
            from_day, to_day = moment.presets[period.preset.name.lower()]
            return cls(Days(from_day, to_day), Period(from_=from_day, to=to_day, preset=period.preset))
        if not period.range:
            raise _bad_range("A period wants a preset or a range.", "period")
        days = days_of_range(period.range, "period")
        return cls(days, Period(from_=days.from_day, to=days.to_day, preset=None))


def days_of_range(wanted: DateRangeInput, argument: str) -> Days:
    """The days of a range. Raises BAD_USER_INPUT for a reversed, empty or too long one."""
    if wanted.from_ >= wanted.to:
        raise _bad_range("A range is half-open: `to` must come after `from`.", argument)
    if wanted.to > _years_later(wanted.from_, LONGEST_PERIOD_YEARS):
        raise _bad_range(f"A period may cover at most {LONGEST_PERIOD_YEARS} years.", argument)
    return Days(wanted.from_, wanted.to)


def _years_later(day: date, years: int) -> date:
    if day.year + years > date.max.year:
        return date.max
    return date(day.year + years, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)


def _bad_range(message: str, argument: str) -> BadUserInputError:
    return BadUserInputError(message, extensions={"path": [argument]})
