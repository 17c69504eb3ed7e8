"""Tasks: what members have to do."""

from datetime import datetime
from typing import Self

import strawberry

from gateway.api import companies, deals, members
from gateway.api.companies import Company
from gateway.api.connections import NODES
from gateway.api.context import Info
from gateway.api.deals import Deal
from gateway.api.enums import TaskPriority
from gateway.api.ids import encode_id
from gateway.api.members import Member
from gateway.api.node import Node
from loaders import lists
from loaders.tasks import TaskCounts, TaskRow


@strawberry.type(description="Something that a member has to do.")
class Task(Node):
    key: strawberry.Private[int]
    owner_key: strawberry.Private[int]
    company_key: strawberry.Private[int | None]
    deal_key: strawberry.Private[int | None]
    title: str = strawberry.field(description="What is to be done.")
    priority: TaskPriority = strawberry.field(description="How much it matters.")
    due_at: datetime | None = strawberry.field(description="When it must be done by; null for no such time.")
    completed_at: datetime | None = strawberry.field(description="When it was done; null while it is open.")
    created_at: datetime = strawberry.field(description="When it was added.")

    @strawberry.field(description="The member who has to do it.")
    async def owner(self, info: Info) -> Member:
        return await members.owner(info, self.owner_key)

    @strawberry.field(description="The company that it concerns; null for none or a deleted one.")
    async def company(self, info: Info) -> Company | None:
        return await companies.company(info, self.company_key)

    @strawberry.field(description="The deal that it concerns; null for none or a deleted one.")
    async def deal(self, info: Info) -> Deal | None:
        return await deals.deal(info, self.deal_key)

    @classmethod
    def of(cls, row: TaskRow) -> Self:
        return cls(
            id=strawberry.ID(encode_id("Task", row.id)),
            key=row.id,
            owner_key=row.owner_id,
            company_key=row.company_id,
            deal_key=row.deal_id,
            title=row.title,
            priority=TaskPriority(row.priority),
            due_at=row.due_at,
            completed_at=row.completed_at,
            created_at=row.created_at,
        )


@strawberry.type(description="Tasks that are not done yet, as of now. Deleted ones do not count.")
class TaskSummary:
    open: int = strawberry.field(description="Tasks not done yet.")
    overdue: int = strawberry.field(description="Open tasks whose due instant has passed.")
    due_today: int = strawberry.field(
        description="Open tasks due on the tenant's local day, whether or not the hour has passed."
    )

    @classmethod
    def of(cls, counts: TaskCounts) -> Self:
        return cls(open=counts.open, overdue=counts.overdue, due_today=counts.due_today)


NODES[lists.TASKS.name] = Task.of
