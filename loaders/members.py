"""Members of a tenant: the people who own records."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from loaders.reads import Reads, in_key_order, statements

SQL = statements("members")


class MemberRow(NamedTuple):
    id: int
    email: str
    name: str
    role: str
    team: str | None
    region: str | None
    active: bool
    created_at: datetime


async def members_by_id(reads: Reads, ids: Sequence[int]) -> list[MemberRow | None]:
    """Members in the order of `ids`; None where the tenant has none. Source: members."""
    rows = [MemberRow(*row) for row in await reads.fetch(SQL["members_by_id"], ids)]
    return in_key_order(ids, rows, lambda row: row.id)
