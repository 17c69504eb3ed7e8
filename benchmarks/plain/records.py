"""The plain server's types of single records. What belongs to another table comes by a dataloader."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Self

import strawberry

from benchmarks.plain.context import Info, global_id


@strawberry.enum
class StageKind(Enum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@strawberry.enum
class ActivityKind(Enum):
    CALL = "call"
    EMAIL = "email"
    MEETING = "meeting"
    NOTE = "note"


@strawberry.enum
class Role(Enum):
    VIEWER = "viewer"
    REP = "rep"
    MANAGER = "manager"
    ADMIN = "admin"


@strawberry.type
class Member:
    id: strawberry.ID
    name: str
    email: str
    role: Role
    team: str | None

    @classmethod
    async def load(cls, info: Info, key: int) -> Self:
        row = await info.context.member.load(key)
        return cls(
            id=global_id("Member", key),
            name=row["name"],
            email=row["email"],
            role=Role(row["role"]),
            team=row["team"],
        )


@strawberry.type
class Company:
    row: strawberry.Private[Any]
    id: strawberry.ID
    name: str
    industry: str | None
    region: str | None
    website: str | None
    employees: int | None
    created_at: datetime
    updated_at: datetime

    @strawberry.field
    async def owner(self, info: Info) -> Member | None:
        owner_id = self.row["owner_id"]
        return None if owner_id is None else await Member.load(info, owner_id)

    @classmethod
    async def load(cls, info: Info, key: int | None) -> Self | None:
        row = None if key is None else await info.context.company.load(key)
        if row is None:
            return None
        columns = ("name", "industry", "region", "website", "employees", "created_at", "updated_at")
        return cls(row=row, id=global_id("Company", row["id"]), **{column: row[column] for column in columns})


@strawberry.type
class Deal:
    name: str
    amount: Decimal | None

    @classmethod
    async def load(cls, info: Info, key: int | None) -> Self | None:
        row = None if key is None else await info.context.deal.load(key)
        return None if row is None else cls(name=row["name"], amount=row["amount"])


@strawberry.type
class Related:
    """What activities and tasks share: an owner, and perhaps a company and a deal."""

    row: strawberry.Private[Any]

    @strawberry.field
    async def owner(self, info: Info) -> Member:
        return await Member.load(info, self.row["owner_id"])

    @strawberry.field
    async def company(self, info: Info) -> Company | None:
        return await Company.load(info, self.row["company_id"])

    @strawberry.field
    async def deal(self, info: Info) -> Deal | None:
        return await Deal.load(info, self.row["deal_id"])


@strawberry.type
class Activity(Related):
    kind: ActivityKind
    subject: str
    occurred_at: datetime


@strawberry.type
class Task(Related):
    title: str
    due_at: datetime | None


@strawberry.type
class LeaderboardEntry:
    owner_id: strawberry.Private[int]
    won: int
    won_value: Decimal
    win_rate: float | None
    open_value: Decimal

    @strawberry.field
    async def member(self, info: Info) -> Member:
        return await Member.load(info, self.owner_id)
