"""The tenant itself, and the moment at which its snapshot was taken."""

from dataclasses import dataclass
from datetime import date, datetime

from loaders.reads import Reads, statements

SQL = statements("tenants")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a snapshot was taken, and the tenant's calendar around it.

    `snapshot`: which transactions it sees, as `xmin:xmax:xip,…`. `incarnation`: the life of the database in which these
    ids mean what they do; None where they cannot be told from another life's. `day_ends_at`: the first instant that is
    not `today` any more. `presets`: name of a preset → its half-open range of tenant-local days.
    """

    as_of: datetime
    snapshot: str
    incarnation: str | None
    today: date
    day_ends_at: datetime
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
        *values, names, from_days, to_days = row
        presets = dict(zip(names, zip(from_days, to_days, strict=True), strict=True))
        return Moment(*[*values, presets])
    return None
