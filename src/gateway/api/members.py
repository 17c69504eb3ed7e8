"""Members: the people of a tenant, who own its records."""

from datetime import datetime
from typing import Self

import strawberry

from gateway.api.connections import NODES
from gateway.api.context import Info
from gateway.api.enums import Role
from gateway.api.ids import encode_id
from gateway.api.lists import ACTIVITIES, COMPANIES, DEALS, TASKS, list_field
from gateway.api.node import Node
from loaders import lists
from loaders.members import MemberRow


@strawberry.type(description="A person of the tenant, who may own companies, deals, activities and tasks.")
class Member(Node):
    key: strawberry.Private[int]
    email: str = strawberry.field(description="Email address, in lower case; unique within the tenant.")
    name: str = strawberry.field(description="Full name.")
    role: Role = strawberry.field(description="What the member may do.")
    team: str | None = strawberry.field(description="Team; null for none.")
    region: str | None = strawberry.field(description="Region that the member sells in; null for none.")
    active: bool = strawberry.field(
        description="False once deactivated: such a member cannot sign in, their records stay."
    )
    created_at: datetime = strawberry.field(description="When the member was added.")

    deals = list_field(DEALS, "The member's deals.", under="owner")
    companies = list_field(COMPANIES, "Companies that the member looks after.", under="owner")
    activities = list_field(ACTIVITIES, "What the member did.", under="owner")
    tasks = list_field(TASKS, "What the member has to do, and has done.", under="owner")

    @classmethod
    def of(cls, row: MemberRow) -> Self:
        return cls(
            id=strawberry.ID(encode_id("Member", row.id)),
            key=row.id,
            email=row.email,
            name=row.name,
            role=Role(row.role),
            team=row.team,
            region=row.region,
            active=row.active,
            created_at=row.created_at,
        )


async def member(info: Info, key: int | None) -> Member | None:
    """The member of a key; None for no key or no such member."""
    row = None if key is None else await info.context.loaders.member.load(key)
    return row and Member.of(row)


async def owner(info: Info, key: int) -> Member:
    """The member that a foreign key names, which therefore exists."""
    row = await info.context.loaders.member.load(key)
    if row is None:
        raise LookupError(f"member {key} is referred to and missing")
    return Member.of(row)


NODES[lists.MEMBERS.name] = Member.of
