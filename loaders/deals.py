"""Deals, one by one."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from loaders.reads import Reads, in_key_order, statements

SQL = statements("deals")


class DealRow(NamedTuple):
    """`amount` is in the tenant's currency, None when unknown."""

    id: int
    pipeline_id: int
    stage_id: int
    owner_id: int
    company_id: int | None
    name: str
    amount: Decimal | None
    outcome: str
    expected_close: date | None
    created_at: datetime
    stage_entered_at: datetime
    closed_at: datetime | None
    updated_at: datetime
    version: int
    external_id: str | None


async def deals_by_id(reads: Reads, ids: Sequence[int]) -> list[DealRow | None]:
    """Deals in the order of `ids`; None where there is none or it is deleted. Source: deals."""
    rows = [DealRow(*row) for row in await reads.fetch(SQL["deals_by_id"], ids)]
    return in_key_order(ids, rows, lambda row: row.id)
