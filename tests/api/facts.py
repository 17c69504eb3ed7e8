"""The rows of one tenant as the oracle reads them: days are made of instants, outcomes of stages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from zoneinfo import ZoneInfo

import asyncpg

COLUMNS = {
    "members": "id, active",
    "companies": "id, name, owner_id, created_at, deleted_at",
    "contacts": "id, deleted_at",
    "pipelines": "id, name, is_default",
    "stages": "id, pipeline_id, name, position, probability, kind",
    "deals": "id, pipeline_id, stage_id, owner_id, company_id, amount, created_at, closed_at, deleted_at",
    "deal_stage_history": "id, deal_id, from_stage_id, to_stage_id, moved_at",
    "activities": "id, kind, owner_id, company_id, contact_id, deal_id, occurred_at, deleted_at",
    "tasks": "id, owner_id, company_id, deal_id, due_at, completed_at, deleted_at",
}


@dataclass(frozen=True)
class Deal:
    """A deal that is not deleted. `closed`: its local day, None while it is open."""

    id: int
    pipeline_id: int
    stage_id: int
    owner_id: int
    company_id: int | None
    amount: Decimal
    probability: Decimal
    outcome: str
    created: date
    closed: date | None


@dataclass(frozen=True)
class Move:
    """A deal entered a stage. `stay_days`: local days in the stage it left, None for a new deal."""

    deal: Deal
    from_stage: int | None
    to_stage: int
    day: date
    stay_days: int | None


class Facts:
    """The rows of one tenant, without those deleted."""

    def __init__(self, zone: ZoneInfo, rows: dict[str, list[asyncpg.Record]]) -> None:
        self.zone = zone
        self.rows = {table: [row for row in found if row.get("deleted_at") is None] for table, found in rows.items()}
        self.alive = {table: {row["id"] for row in found} for table, found in self.rows.items()}
        self.stages = {row["id"]: row for row in self.rows["stages"]}

    @classmethod
    async def read(cls, owner: asyncpg.Connection, slug: str) -> "Facts":
        tenant = await owner.fetchrow("SELECT id, time_zone FROM tenants WHERE slug = $1", slug)
        rows = {
            table: await owner.fetch(f"SELECT {columns} FROM {table} WHERE tenant_id = $1", tenant["id"])
            for table, columns in COLUMNS.items()
        }
        return cls(ZoneInfo(tenant["time_zone"]), rows)

    def day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    @cached_property
    def deals(self) -> list[Deal]:
        return [self._deal(row) for row in self.rows["deals"]]

    @cached_property
    def moves(self) -> list[Move]:
        deals = {deal.id: deal for deal in self.deals}
        rows = sorted(self.rows["deal_stage_history"], key=lambda row: (row["deal_id"], row["moved_at"], row["id"]))
        return [
            move
            for deal_id, way in groupby(rows, key=lambda row: row["deal_id"])
            if deal_id in deals
            for move in self._way(deals[deal_id], list(way))
        ]

    @cached_property
    def activities(self) -> list[tuple[asyncpg.Record, date]]:
        return [(row, self.day(row["occurred_at"])) for row in self.rows["activities"]]

    def _deal(self, row: asyncpg.Record) -> Deal:
        stage = self.stages[row["stage_id"]]
        keys = {name: row[name] for name in ("id", "pipeline_id", "stage_id", "owner_id", "company_id")}
        return Deal(
            **keys,
            amount=row["amount"] or Decimal(0),
            probability=stage["probability"],
            outcome=stage["kind"],
            created=self.day(row["created_at"]),
            closed=self.day(row["closed_at"]) if row["closed_at"] else None,
        )

    def _way(self, deal: Deal, rows: Sequence[asyncpg.Record]) -> Iterable[Move]:
        previous: date | None = None
        for row in rows:
            day = self.day(row["moved_at"])
            stay = None if previous is None else (day - previous).days
            yield Move(deal, row["from_stage_id"], row["to_stage_id"], day, stay)
            previous = day
