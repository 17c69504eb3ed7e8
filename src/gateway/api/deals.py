"""Deals: what may be sold, to whom, by whom, for how much."""

from datetime import date, datetime
from decimal import Decimal
from typing import Self

import strawberry

from gateway.api import companies, members
from gateway.api.companies import Company
from gateway.api.connections import NODES
from gateway.api.context import Info
from gateway.api.enums import StageKind
from gateway.api.ids import encode_id
from gateway.api.lists import ACTIVITIES, TASKS, list_field
from gateway.api.members import Member
from gateway.api.node import Node
from gateway.api.pipelines import Stage
from loaders import lists
from loaders.deals import DealRow


@strawberry.type(description="A sale that may happen, happened or did not.")
class Deal(Node):
    key: strawberry.Private[int]
    stage_key: strawberry.Private[int]
    owner_key: strawberry.Private[int]
    company_key: strawberry.Private[int | None]
    name: str = strawberry.field(description="What it is about.")
    amount: Decimal | None = strawberry.field(
        description="Value in the tenant's currency; null when unknown, which counts as 0 in every sum."
    )
    outcome: StageKind = strawberry.field(description="Whether it is open, won or lost: the kind of its stage.")
    expected_close: date | None = strawberry.field(
        description="Day on which it is expected to close; null when unknown."
    )
    created_at: datetime = strawberry.field(description="When it was added.")
    stage_entered_at: datetime = strawberry.field(description="When it entered its present stage.")
    closed_at: datetime | None = strawberry.field(description="When it was won or lost; null while it is open.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    version: int = strawberry.field(
        description="Counts its changes, from 1: for updates that must not overwrite another's."
    )
    external_id: str | None = strawberry.field(description="Its id in the system it was imported from; null for none.")

    @strawberry.field(description="The stage that it is in.")
    async def stage(self, info: Info) -> Stage:
        row = await info.context.loaders.stage.load(self.stage_key)
        if row is None:
            raise LookupError(f"stage {self.stage_key} is referred to and missing")
        return Stage.of(row)

    @strawberry.field(description="The member who sells it.")
    async def owner(self, info: Info) -> Member:
        return await members.owner(info, self.owner_key)

    @strawberry.field(description="The company that would buy; null when unknown or deleted.")
    async def company(self, info: Info) -> Company | None:
        return await companies.company(info, self.company_key)

    activities = list_field(ACTIVITIES, "Activities that concerned it.", under="deal")
    tasks = list_field(TASKS, "Tasks that concern it.", under="deal")

    @classmethod
    def of(cls, row: DealRow) -> Self:
        return cls(
            id=strawberry.ID(encode_id("Deal", row.id)),
            key=row.id,
            stage_key=row.stage_id,
            owner_key=row.owner_id,
            company_key=row.company_id,
            name=row.name,
            amount=row.amount,
            outcome=StageKind(row.outcome),
            expected_close=row.expected_close,
            created_at=row.created_at,
            stage_entered_at=row.stage_entered_at,
            closed_at=row.closed_at,
            updated_at=row.updated_at,
            version=row.version,
            external_id=row.external_id,
        )


async def deal(info: Info, key: int | None) -> Deal | None:
    """The deal of a key; None for no key, no such deal or a deleted one."""
    row = None if key is None else await info.context.loaders.deal.load(key)
    return row and Deal.of(row)


NODES[lists.DEALS.name] = Deal.of
