"""The rollups, as far as they are the tenant's."""

from datetime import datetime
from typing import NamedTuple

from loaders.reads import Reads, statements

SQL = statements("rollups")


class RollupRow(NamedTuple):
    """`groups`: of the last refresh. `pending_changes`: rows of changes since."""

    name: str
    groups: int
    pending_changes: int
    last_fold: datetime | None
    last_refresh: datetime
    last_audit: datetime | None


async def rollups(reads: Reads) -> list[RollupRow]:
    """All rollups by name. Source: app.rollups(), which counts the session's tenant's groups alone."""
    return [RollupRow(*row) for row in await reads.fetch(SQL["rollups"])]
