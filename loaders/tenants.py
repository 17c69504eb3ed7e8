"""The tenant itself, and the moment at which its snapshot was taken."""

from dataclasses import dataclass
from datetime import date, datetime

from loaders.reads import Reads, statements

SQL = statements("tenants")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a snapshot was taken, and the tenant's calendar around it.

    `presets`: name of a preset → its half-open range of tenant-local days.
    """

    as_of: datetime
    today: date
    tenant_id: int
    slug: str
    tenant_name: str
    plan: str
    currency: str
    time_zone: str
    presets: dict[str, tuple[date, date]]


async def moment(reads: Reads) -> Moment | None:
    """The moment of the snapshot that `reads` stands on; None when its tenant does not exist. Source: tenants."""
    for row in await reads.fetch(SQL["moment"]):
        as_of, today, tenant_id, slug, name, plan, currency, time_zone, names, from_days, to_days = row
        presets = dict(zip(names, zip(from_days, to_days, strict=True), strict=True))
        return Moment(as_of, today, tenant_id, slug, name, plan, currency, time_zone, presets)
    return None
