"""The rollups behind the aggregates, as an admin sees them."""

from datetime import datetime
from typing import Self

import strawberry

from gateway.api.context import Info
from loaders.rollups import RollupRow, rollups


@strawberry.type(
    description="A materialized view that aggregates are read from, together with all that changed since it was made: "
    "what it answers is never stale."
)
class Rollup:
    name: str = strawberry.field(description="Its name.")
    groups: int = strawberry.field(description="The tenant's groups, as of the last refresh.")
    pending_changes: int = strawberry.field(
        description="Rows of changes that reads add to the groups until the next refresh."
    )
    last_fold: datetime | None = strawberry.field(description="When changes were last gathered by group; null: never.")
    last_refresh: datetime = strawberry.field(description="When its groups were last computed anew.")
    last_audit: datetime | None = strawberry.field(
        description="When it was last compared with the records themselves; null: never."
    )

    @classmethod
    def of(cls, row: RollupRow) -> Self:
        return cls(**row._asdict())


async def read_rollups(info: Info) -> list[Rollup]:
    """All of them by name. Raises FORBIDDEN."""
    info.context.require("operate")
    return [Rollup.of(row) for row in await rollups(info.context.snapshot)]
