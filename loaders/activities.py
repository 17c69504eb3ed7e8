"""Activities: calls, emails, meetings and notes, and how many of them there are."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from loaders.periods import Days
from loaders.reads import Reads, in_key_order, statements

SQL = statements("activities")


class ActivityRow(NamedTuple):
    id: int
    kind: str
    subject: str
    body: str | None
    owner_id: int
    company_id: int | None
    contact_id: int | None
    deal_id: int | None
    occurred_at: datetime


class ActivityCounts(NamedTuple):
    """Activities of a period by kind; those of the tenant's today and of its ISO week, whatever the period."""

    calls: int
    emails: int
    meetings: int
    notes: int
    today: int
    week: int


async def activities_by_id(reads: Reads, ids: Sequence[int]) -> list[ActivityRow | None]:
    """Activities in the order of `ids`; None where there is none or it is deleted. Source: activities."""
    rows = [ActivityRow(*row) for row in await reads.fetch(SQL["activities_by_id"], ids)]
    return in_key_order(ids, rows, lambda row: row.id)


async def recent_activities(reads: Reads, owner_id: int | None, first: int) -> list[ActivityRow]:
    """The newest activities of an owner, or of all; newest first. Source: activities."""
    return [ActivityRow(*row) for row in await reads.fetch(SQL["recent_activities"], owner_id, first)]


async def activity_counts(reads: Reads, owner_id: int | None, days: Days, today: date) -> ActivityCounts:
    """Counts of an owner's activities, or of all. Source: analytics.activity_flow, .owner_activity_flow."""
    (row,) = await reads.fetch(SQL["activity_summary"], owner_id, *days, today)
    return ActivityCounts(*row)
