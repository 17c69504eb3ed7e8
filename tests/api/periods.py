"""The tenant's calendar as the schema describes it: presets, ranges and intervals, in plain Python."""

from datetime import date, timedelta

Days = tuple[date, date]
"""A half-open range of local days."""

Period = str | Days | None
"""The name of a preset, a range, or all time."""

PRESETS = (
    "TODAY",
    "LAST_7_DAYS",
    "LAST_30_DAYS",
    "LAST_90_DAYS",
    "THIS_MONTH",
    "LAST_MONTH",
    "THIS_QUARTER",
    "LAST_QUARTER",
    "THIS_YEAR",
    "LAST_YEAR",
)
MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
DAY = timedelta(days=1)


def argument(period: Period) -> dict[str, object] | None:
    """The period as a GraphQL variable."""
    if period is None:
        return None
    if isinstance(period, str):
        return {"preset": period}
    return {"range": {"from": period[0].isoformat(), "to": period[1].isoformat()}}


def window_of(period: Period, today: date) -> Days | None:
    """The days that a period means; None for all time."""
    if period is None or not isinstance(period, str):
        return period
    if period == "TODAY":
        return today, today + DAY
    if period.endswith("_DAYS"):
        return today + DAY - int(period.split("_")[1]) * DAY, today + DAY
    which, unit = period.split("_")
    start = first_day(unit.lower(), today)
    if which == "LAST":
        start = first_day(unit.lower(), start - DAY)
    return start, following(unit.lower(), start)


def contains(days: Days | None, day: date) -> bool:
    return days is None or days[0] <= day < days[1]


def week_of(day: date) -> Days:
    monday = first_day("week", day)
    return monday, following("week", monday)


def first_day(unit: str, day: date) -> date:
    """The first day of the day, ISO week, month, quarter or year that a day lies in."""
    if unit == "day":
        return day
    if unit == "week":
        return day - day.weekday() * DAY
    months = MONTHS[unit.upper()]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def following(unit: str, start: date) -> date:
    """The first day of the next interval."""
    if unit in ("day", "week"):
        return start + (1 if unit == "day" else 7) * DAY
    months = start.year * 12 + start.month - 1 + MONTHS[unit.upper()]
    return date(months // 12, months % 12 + 1, 1)


def trend_starts(unit: str, days: Days | None, today: date) -> tuple[dict[date, date], Days]:
    """Which interval each covered day lies in, oldest first, and the days covered: the period, or twelve intervals."""
    if days is None:
        start = first_day(unit, today)
        end = following(unit, start)
        for _ in range(11):
            start = first_day(unit, start - DAY)
        days = start, end
    covered = (days[0] + offset * DAY for offset in range((days[1] - days[0]).days))
    return {day: first_day(unit, day) for day in covered}, days
