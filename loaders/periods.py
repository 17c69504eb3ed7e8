"""Ranges of tenant-local days, as every aggregate takes them."""

from datetime import date
from typing import NamedTuple


class Days(NamedTuple):
    """A half-open range of tenant-local days. The driver sends `date.min` and `date.max` as −infinity and infinity."""

    from_day: date
    to_day: date


ALL_DAYS = Days(date.min, date.max)
