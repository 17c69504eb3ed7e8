"""A tenant's time: when people work, when business is brisk. Instants are whole seconds since 1970 in UTC."""

from bisect import bisect
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random

HOUR = 3_600
DAY = 24 * HOUR
DEAL_DAYS = 3 * 365
COMPANY_DAYS = 4 * 365

# How much new business each month brings: quarters end briskly, summer and the turn of the year are quiet.
MONTH_WEIGHTS = (0.85, 1.0, 1.2, 0.95, 1.05, 1.2, 0.75, 0.6, 1.25, 1.05, 1.15, 0.9)
WEEKEND_WEIGHT = 0.06
GROWTH = 1.0
QUARTER_END_DAYS = 20


class Calendar:
    """Working time up to the anchor, on the tenant's clock.

    `midnight` is the instant at which the tenant's `today` began. Other days are counted from it in steps of
    24 hours: an hour off around a change of the clock only makes someone start late.
    """

    def __init__(self, anchor: datetime, today: date, midnight: datetime, random: Random) -> None:
        self.now = int(anchor.timestamp())
        self.midnight = int(midnight.timestamp())
        self.today = today
        self._weekday = today.weekday()
        self._random = random.random
        days = [today - timedelta(days=DEAL_DAYS - 1 - index) for index in range(DEAL_DAYS)]
        self._weights = list(accumulate(_weight(day, index) for index, day in enumerate(days)))
        self._to_quarter_end = [_days_to_quarter_end(day) for day in days]

    def days_ago(self, days: float) -> int:
        return self.now - int(days * DAY)

    def day(self, instant: int) -> date:
        """The local day of an instant."""
        return self.today + timedelta(days=(instant - self.midnight) // DAY)

    def at_work(self, instant: int, after: int) -> int:
        """A working hour of that day, if one is after `after` and not in the future; else the instant."""
        day = (instant - self.midnight) // DAY
        weekday = (day + self._weekday) % 7
        if weekday > 4 and self._random() > WEEKEND_WEIGHT:
            day -= weekday - 4
        moved = self.midnight + day * DAY + 8 * HOUR + int(self._random() * 10 * HOUR)
        return moved if after < moved <= self.now else instant

    def new_business(self) -> int:
        """An instant at which a deal is created: by season, at work, within the last three years."""
        index = bisect(self._weights, self._random() * self._weights[-1])
        began = self.midnight + (index - DEAL_DAYS + 1) * DAY
        instant = began + 8 * HOUR + int(self._random() * 10 * HOUR)
        return instant if instant <= self.now else self.earlier_today()

    def closing(self, instant: int) -> int:
        """A close that would come shortly before a quarter's end is often held until its last days."""
        # counted from the list's end, which is today
        left = self._to_quarter_end[(instant - self.midnight) // DAY - 1]
        if left > QUARTER_END_DAYS or self._random() > 0.4:
            return instant
        later = instant + int(left * (1 - 0.3 * self._random())) * DAY
        return later if later <= self.now else instant

    def earlier_today(self) -> int:
        return self.midnight + int(self._random() * (self.now - self.midnight))


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _weight(day: date, index: int) -> float:
    growth = 1 + GROWTH * index / DEAL_DAYS
    return growth * MONTH_WEIGHTS[day.month - 1] * (WEEKEND_WEIGHT if day.weekday() > 4 else 1)


def _days_to_quarter_end(day: date) -> int:
    quarter = (day.month - 1) // 3
    following = date(day.year + quarter // 3, (quarter * 3 + 3) % 12 + 1, 1)
    return (following - day).days - 1
