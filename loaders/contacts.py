"""Contacts: the people at a company."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from loaders.reads import Reads, in_key_order, statements

SQL = statements("contacts")


class ContactRow(NamedTuple):
    id: int
    company_id: int | None
    owner_id: int | None
    name: str
    email: str | None
    phone: str | None
    title: str | None
    created_at: datetime


async def contacts_by_id(reads: Reads, ids: Sequence[int]) -> list[ContactRow | None]:
    """Contacts in the order of `ids`; None where there is none or it is deleted. Source: contacts."""
    rows = [ContactRow(*row) for row in await reads.fetch(SQL["contacts_by_id"], ids)]
    return in_key_order(ids, rows, lambda row: row.id)
