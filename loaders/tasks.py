"""Tasks, and how many of them are open."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from loaders.reads import Reads, in_key_order, statements

SQL = statements("tasks")


class TaskRow(NamedTuple):
    id: int
    title: str
    priority: str
    owner_id: int
    company_id: int | None
    deal_id: int | None
    due_at: datetime | None
    completed_at: datetime | None
    created_at: datetime


class TaskCounts(NamedTuple):
    """Open tasks; those whose due instant has passed; those due on the tenant's today, whatever the hour.

    `next_due_at`: when one more will be overdue; None: never.
    """

    open: int
    overdue: int
    due_today: int
    next_due_at: datetime | None


async def tasks_by_id(reads: Reads, ids: Sequence[int]) -> list[TaskRow | None]:
    """Tasks in the order of `ids`; None where there is none or it is deleted. Source: tasks."""
    rows = [TaskRow(*row) for row in await reads.fetch(SQL["tasks_by_id"], ids)]
    return in_key_order(ids, rows, lambda row: row.id)


async def next_tasks(reads: Reads, owner_id: int | None, first: int) -> list[TaskRow]:
    """Open tasks of an owner, or of all, by due instant; those without one last. Source: tasks."""
    return [TaskRow(*row) for row in await reads.fetch(SQL["next_tasks"], owner_id, first)]


async def task_counts(reads: Reads, owner_id: int | None, now: datetime, today: date) -> TaskCounts:
    """Counts of an owner's open tasks, or of all, at any instant. Source: analytics.task_agenda, .open_tasks."""
    (row,) = await reads.fetch(SQL["task_summary"], owner_id, now, today)
    return TaskCounts(*row)
