"""What a tenant may use: by its plan, with what is agreed with it alone."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """What prices are for: nothing, to be told and counted, or to refuse what does not fit."""

    OFF = "off"
    MEASURE = "measure"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Of a budget: `size` in points, `rate` in points a second that are restored; above 0 both."""

    size: float
    rate: float


@dataclass(frozen=True, slots=True)
class Terms:
    """`most_points`: of one operation; `page_size` and `bulk_size`: entries; `concurrency`: requests at work in one
    process. `stale_instead`: what is over budget is answered with what is kept, overtaken or not. `mode`: None where
    the gateway's settings decide."""

    bucket: Bucket
    most_points: int
    deadline_seconds: int
    page_size: int
    bulk_size: int
    concurrency: int
    stale_instead: bool = False
    mode: Mode | None = None
