"""Companies, how many there are, and what a company's engagement is scored from."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from loaders.periods import Days
from loaders.reads import Reads, in_key_order, statements

SQL = statements("companies")


class CompanyRow(NamedTuple):
    id: int
    owner_id: int | None
    name: str
    industry: str | None
    region: str | None
    website: str | None
    employees: int | None
    created_at: datetime
    created_day: date
    updated_at: datetime


class CompanyCounts(NamedTuple):
    """Companies in all, those with at least one deal, those created in a period."""

    total: int
    with_deals: int
    new: int


class EngagementFacts(NamedTuple):
    """A contact is a call, an email or a meeting. Windows are tenant-local days that end with today."""

    last_contact_at: datetime | None
    last_contact_day: date | None
    contacts_30_days: int
    typical_contacts_30_days: float | None
    people_90_days: int
    open_deals: int
    won: int
    lost: int


async def companies_by_id(reads: Reads, ids: Sequence[int]) -> list[CompanyRow | None]:
    """Companies in the order of `ids`; None where there is none or it is deleted. Source: companies."""
    rows = [CompanyRow(*row) for row in await reads.fetch(SQL["companies_by_id"], ids)]
    return in_key_order(ids, rows, lambda row: row.id)


async def company_counts(reads: Reads, owner_id: int | None, created_in: Days, *, with_deals: bool) -> CompanyCounts:
    """Counts of an owner's companies, or of all; without `with_deals`, 0 of those with deals. Source:
    analytics.company_flow, .company_deals, .owner_company_flow, .companies_with_deals, companies."""
    (row,) = await reads.fetch(SQL["company_summary"], owner_id, *created_in, with_deals)
    return CompanyCounts(*row)


async def engagement_facts(reads: Reads, company_id: int, today: date) -> EngagementFacts:
    """What the engagement of one company is scored from. Source: activities, analytics.company_deal_state, stages."""
    (row,) = await reads.fetch(SQL["company_engagement"], company_id, today)
    return EngagementFacts(*row)
