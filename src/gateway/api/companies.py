"""Companies that the tenant sells to."""

from datetime import datetime
from typing import Self

import strawberry

from gateway.api import members
from gateway.api.connections import NODES
from gateway.api.context import Info
from gateway.api.ids import encode_id
from gateway.api.lists import ACTIVITIES, CONTACTS, DEALS, TASKS, list_field
from gateway.api.members import Member
from gateway.api.node import Node
from loaders import lists
from loaders.companies import CompanyRow


@strawberry.type(description="A company that the tenant sells to.")
class Company(Node):
    key: strawberry.Private[int]
    owner_key: strawberry.Private[int | None]
    name: str = strawberry.field(description="Name.")
    industry: str | None = strawberry.field(description="Industry; null when unknown.")
    region: str | None = strawberry.field(description="Region; null when unknown.")
    website: str | None = strawberry.field(description="Website; null when unknown.")
    employees: int | None = strawberry.field(description="Number of employees; null when unknown.")
    created_at: datetime = strawberry.field(description="When it was added.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    @strawberry.field(description="The member who looks after it; null for nobody.")
    async def owner(self, info: Info) -> Member | None:
        return await members.member(info, self.owner_key)

    deals = list_field(DEALS, "Its deals.", under="company")
    contacts = list_field(CONTACTS, "The people there.", under="company")
    activities = list_field(ACTIVITIES, "Activities that concerned it.", under="company")
    tasks = list_field(TASKS, "Tasks that concern it.", under="company")

    @classmethod
    def of(cls, row: CompanyRow) -> Self:
        return cls(
            id=strawberry.ID(encode_id("Company", row.id)),
            key=row.id,
            owner_key=row.owner_id,
            name=row.name,
            industry=row.industry,
            region=row.region,
            website=row.website,
            employees=row.employees,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


async def company(info: Info, key: int | None) -> Company | None:
    """The company of a key; None for no key, no such company or a deleted one."""
    row = None if key is None else await info.context.loaders.company.load(key)
    return row and Company.of(row)


NODES[lists.COMPANIES.name] = Company.of
