"""Contacts: the people at a company."""

from datetime import datetime
from typing import Self

import strawberry

from gateway.api import companies, members
from gateway.api.companies import Company
from gateway.api.connections import NODES
from gateway.api.context import Info
from gateway.api.ids import encode_id
from gateway.api.lists import ACTIVITIES, list_field
from gateway.api.members import Member
from gateway.api.node import Node
from loaders import lists
from loaders.contacts import ContactRow


@strawberry.type(description="A person at a company.")
class Contact(Node):
    key: strawberry.Private[int]
    company_key: strawberry.Private[int | None]
    owner_key: strawberry.Private[int | None]
    name: str = strawberry.field(description="Full name.")
    email: str | None = strawberry.field(description="Email address; null when unknown.")
    phone: str | None = strawberry.field(description="Telephone number; null when unknown.")
    title: str | None = strawberry.field(description="Job title; null when unknown.")
    created_at: datetime = strawberry.field(description="When the contact was added.")

    @strawberry.field(description="The company that the contact belongs to; null for none.")
    async def company(self, info: Info) -> Company | None:
        return await companies.company(info, self.company_key)

    @strawberry.field(description="The member who looks after the contact; null for nobody.")
    async def owner(self, info: Info) -> Member | None:
        return await members.member(info, self.owner_key)

    activities = list_field(ACTIVITIES, "Activities with this person.", under="contact")

    @classmethod
    def of(cls, row: ContactRow) -> Self:
        return cls(
            id=strawberry.ID(encode_id("Contact", row.id)),
            key=row.id,
            company_key=row.company_id,
            owner_key=row.owner_id,
            name=row.name,
            email=row.email,
            phone=row.phone,
            title=row.title,
            created_at=row.created_at,
        )


async def contact(info: Info, key: int | None) -> Contact | None:
    """The contact of a key; None for no key, no such contact or a deleted one."""
    row = None if key is None else await info.context.loaders.contact.load(key)
    return row and Contact.of(row)


NODES[lists.CONTACTS.name] = Contact.of
