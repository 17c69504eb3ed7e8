"""The rows of one tenant as the owner sees them: what answers are checked against, in plain Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import asyncpg

TABLES = ("members", "companies", "contacts", "pipelines", "stages", "products", "deals", "activities", "tasks")


@dataclass(frozen=True)
class Rows:
    """Each table's rows by key, deleted ones among them. Days are local ones, computed from instants."""

    tenant_id: int
    zone: ZoneInfo
    tables: Mapping[str, Mapping[int, asyncpg.Record]]
    lines: Mapping[int, list[asyncpg.Record]]

    @classmethod
    async def read(cls, owner: asyncpg.Connection, slug: str) -> "Rows":
        tenant = await owner.fetchrow("SELECT id, time_zone FROM tenants WHERE slug = $1", slug)
        every = "SELECT * FROM {} WHERE tenant_id = $1 ORDER BY id"
        found = {table: await owner.fetch(every.format(table), tenant["id"]) for table in TABLES}
        lines: dict[int, list[asyncpg.Record]] = {}
        for line in await owner.fetch("SELECT * FROM deal_products WHERE tenant_id = $1", tenant["id"]):
            lines.setdefault(line["deal_id"], []).append(line)
        by_key = {table: {row["id"]: row for row in rows} for table, rows in found.items()}
        return cls(tenant["id"], ZoneInfo(tenant["time_zone"]), by_key, lines)

    def alive(self, table: str) -> list[asyncpg.Record]:
        return [row for row in self.tables[table].values() if row.get("deleted_at") is None]

    def day(self, instant: datetime | None) -> date | None:
        return None if instant is None else instant.astimezone(self.zone).date()
