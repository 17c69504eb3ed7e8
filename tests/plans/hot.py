"""The written statements with arguments as callers ask, of the tenant whose plans are looked at."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import product

from loaders.periods import ALL_DAYS
from tests.plans.listed import FIRST_ID, IDS

FIRST = 10
TODAY, NOW = date(2024, 6, 1), datetime(2024, 6, 1, tzinfo=UTC)
MONTH = (date(2024, 3, 1), date(2024, 4, 1))
OWNER = PIPELINE = COMPANY = FIRST_ID + 1

OWNERS = (None, OWNER)
PERIODS = (MONTH, tuple(ALL_DAYS))
OWNERS_AND_PERIODS = [(owner, *days) for owner, days in product(OWNERS, PERIODS)]

ARGUMENTS: Mapping[str, Sequence[Sequence[object]]] = {
    "recent_activities": [(owner, FIRST) for owner in OWNERS],
    "activity_summary": [(*given, TODAY) for given in OWNERS_AND_PERIODS],
    "company_summary": [(*given, counted) for given, counted in product(OWNERS_AND_PERIODS, (True, False))],
    "company_engagement": [(COMPANY, TODAY)],
    "deal_board": [
        (one, PIPELINE if one else None, *given, counted)
        for one, given, counted in product((True, False), OWNERS_AND_PERIODS, (True, False))
    ],
    "stage_passages": [
        (one, PIPELINE if one else None, *given) for one, given in product((True, False), OWNERS_AND_PERIODS)
    ],
    "company_totals": [(COMPANY, *days, TODAY) for days in PERIODS],
    "deal_trend": [
        (pipeline, owner, unit, *days, TODAY)
        for pipeline, owner, unit, days in product((None, PIPELINE), OWNERS, ("week", "month"), (MONTH, (None, None)))
    ],
    "company_deal_trend": [(COMPANY, "month", *days, TODAY) for days in (MONTH, (None, None))],
    "deal_forecast": [
        (PIPELINE, owner, "month", *days, TODAY) for owner, days in product(OWNERS, (MONTH, (None, None)))
    ],
    "leaderboard": [(*given, FIRST) for given in OWNERS_AND_PERIODS],
    "pipelines": [()],
    "rollups": [()],
    "stages_by_pipeline": [([PIPELINE],)],
    "next_tasks": [(owner, FIRST) for owner in OWNERS],
    "task_summary": [(owner, NOW, TODAY) for owner in OWNERS],
    "moment": [()],
}
"""Name → sets of arguments, without the tenant."""


def arguments_of(name: str) -> Sequence[Sequence[object]]:
    """The sets of arguments of a statement; those of records by id all take ids."""
    return [(IDS,)] if name.endswith("_by_id") else ARGUMENTS[name]


MOST_ROWS: Mapping[str, int] = {
    "recent_activities": FIRST,
    "next_tasks": FIRST,
    "company_totals": 50,
    "company_deal_trend": 50,
}
"""Rows of large tables that a statement may touch: as many as it answers with, or as a company has. Records by id: one
a key. All others aggregate over a tenant: each scan touches at most the tenant's rows, and once."""


def most_rows_of(name: str) -> int | None:
    return len(IDS) if name.endswith("_by_id") else MOST_ROWS.get(name)
