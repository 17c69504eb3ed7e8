"""Activities: calls, emails, meetings and notes."""

from datetime import datetime
from typing import Self

import strawberry

from gateway.api import companies, contacts, costs, deals, members
from gateway.api.companies import Company
from gateway.api.connections import NODES
from gateway.api.contacts import Contact
from gateway.api.context import Info
from gateway.api.deals import Deal
from gateway.api.enums import ActivityKind
from gateway.api.ids import encode_id
from gateway.api.members import Member
from gateway.api.node import Node
from loaders import lists
from loaders.activities import ActivityCounts, ActivityRow


@strawberry.type(description="Something that a member did, about a company, a contact or a deal.")
class Activity(Node):
    key: strawberry.Private[int]
    owner_key: strawberry.Private[int]
    company_key: strawberry.Private[int | None]
    contact_key: strawberry.Private[int | None]
    deal_key: strawberry.Private[int | None]
    kind: ActivityKind = strawberry.field(description="What was done.")
    subject: str = strawberry.field(description="In a few words.")
    body: str | None = strawberry.field(description="In full; null for nothing more.")
    occurred_at: datetime = strawberry.field(description="When it was done.")

    @strawberry.field(description="The member who did it.")
    async def owner(self, info: Info) -> Member:
        return await members.owner(info, self.owner_key)

    @strawberry.field(description="The company that it concerned; null for none or a deleted one.")
    async def company(self, info: Info) -> Company | None:
        return await companies.company(info, self.company_key)

    @strawberry.field(description="The person whom it concerned; null for none or a deleted one.")
    async def contact(self, info: Info) -> Contact | None:
        return await contacts.contact(info, self.contact_key)

    @strawberry.field(description="The deal that it concerned; null for none or a deleted one.")
    async def deal(self, info: Info) -> Deal | None:
        return await deals.deal(info, self.deal_key)

    @classmethod
    def of(cls, row: ActivityRow) -> Self:
        return cls(
            id=strawberry.ID(encode_id("Activity", row.id)),
            key=row.id,
            owner_key=row.owner_id,
            company_key=row.company_id,
            contact_key=row.contact_id,
            deal_key=row.deal_id,
            kind=ActivityKind(row.kind),
            subject=row.subject,
            body=row.body,
            occurred_at=row.occurred_at,
        )


@strawberry.type(description="How many activities of one kind there were.")
class ActivityKindCount:
    kind: ActivityKind = strawberry.field(description="The kind.")
    count: int = strawberry.field(description="Activities of this kind in the period, or ever without one.")


@strawberry.type(description="How many activities there were. Deleted ones do not count.")
class ActivitySummary:
    total: int = strawberry.field(description="Activities in the period, or ever without one.")
    today: int = strawberry.field(description="Activities of the tenant's local day, whatever the period.")
    week: int = strawberry.field(description="Activities of the present ISO week, whatever the period.")
    by_kind: list[ActivityKindCount] = strawberry.field(
        description="The total by kind; every kind is listed.", directives=[costs.at_most(len(ActivityKind))]
    )

    @classmethod
    def of(cls, counts: ActivityCounts) -> Self:
        by_kind = [
            ActivityKindCount(kind=kind, count=count) for kind, count in zip(ActivityKind, counts[:4], strict=True)
        ]
        return cls(total=sum(counts[:4]), today=counts.today, week=counts.week, by_kind=by_kind)


NODES[lists.ACTIVITIES.name] = Activity.of
