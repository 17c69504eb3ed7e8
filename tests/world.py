"""Tenants made by hand, small enough to count on paper: every row is written here, through plain SQL as the owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from gateway.commands.add_member import NewMember, add_member
from gateway.commands.create_tenant import NewTenant, create_tenant

TOKYO, NEW_YORK = "Asia/Tokyo", "America/New_York"

INSERT_DEAL = """
INSERT INTO deals (tenant_id, pipeline_id, stage_id, owner_id, company_id, name, amount, created_at)
SELECT $1, s.pipeline_id, s.id, $3, $4, $5, $6::numeric, $7 FROM stages s WHERE s.tenant_id = $1 AND s.name = $2
RETURNING id
"""
MOVE_DEAL = """
UPDATE deals d SET stage_id = s.id, stage_entered_at = $4::timestamptz,
       closed_at = CASE WHEN s.kind <> 'open' THEN $4 END
  FROM stages s WHERE s.tenant_id = $1 AND s.name = $3 AND d.tenant_id = $1 AND d.id = $2
"""
INSERT_COMPANY = "INSERT INTO companies (tenant_id, name, created_at) VALUES ($1, $2, $3) RETURNING id"
INSERT_ACTIVITY = """
INSERT INTO activities (tenant_id, kind, subject, owner_id, company_id, occurred_at) VALUES ($1, $2, $2, $3, $4, $5)
"""


@dataclass(frozen=True)
class World:
    """One tenant of a database, written to as its owner. Stages are those of a new tenant's pipeline."""

    owner: asyncpg.Connection
    slug: str
    tenant_id: int
    members: Mapping[str, int]

    @classmethod
    async def create(cls, owner: asyncpg.Connection, slug: str, time_zone: str = "UTC") -> "World":
        """A tenant with its default pipeline and three members: ann, bob and idle."""
        tenant_id = await create_tenant(owner, NewTenant(slug, slug.title(), "enterprise", time_zone=time_zone))
        members = {
            name: await add_member(owner, NewMember(slug, f"{name}@{slug}.example", name, "viewer"))
            for name in ("ann", "bob", "idle")
        }
        return cls(owner, slug, tenant_id, members)

    async def company(self, name: str, created: datetime | None = None) -> int:
        """A company, old unless told otherwise."""
        created = created or instant("2024-01-15T03:00")
        return int(await self.owner.fetchval(INSERT_COMPANY, self.tenant_id, name, created))

    async def deal(
        self, created: str, *, owner: str = "ann", company: int | None = None, amount: str | None, stage: str = "Lead"
    ) -> int:
        """A deal created at an instant of UTC; in a stage that is won or lost, it was closed just now."""
        keys = self.tenant_id, stage, self.members[owner], company
        return int(await self.owner.fetchval(INSERT_DEAL, *keys, "a deal", amount, instant(created)))

    async def move(self, deal: int, stage: str, at: str) -> None:
        await self.owner.execute(MOVE_DEAL, self.tenant_id, deal, stage, instant(at))

    async def activity(self, kind: str, at: datetime, company: int | None = None) -> None:
        await self.owner.execute(INSERT_ACTIVITY, self.tenant_id, kind, self.members["ann"], company, at)

    async def task(self, due: str, *, done: bool = False, deleted: bool = False) -> None:
        """`due`: an SQL expression."""
        await self.owner.execute(
            f"""INSERT INTO tasks (tenant_id, title, owner_id, due_at, completed_at, deleted_at)
                VALUES ($1, 'to do', $2, {due}, CASE WHEN $3 THEN now() END, CASE WHEN $4 THEN now() END)""",
            *(self.tenant_id, self.members["ann"], done, deleted),
        )

    async def delete(self, table: str, key: int) -> None:
        await self.owner.execute(
            f"UPDATE {table} SET deleted_at = now() WHERE tenant_id = $1 AND id = $2", self.tenant_id, key
        )


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def tokyo(owner: asyncpg.Connection) -> World:
    """A tenant nine hours ahead of UTC. Seven deals, awkward ones; what happens at T03:00 is noon there.

    first   Mar 31 Lead                                            ann, Acme,  1000    a second before midnight
    second  Apr  1 Lead                                            ann, Acme,  unknown at midnight
    swift   Apr 10 Lead, Won                                       bob, Acme,   500.50 won the same day
    wanderer Apr 1 Lead, Apr 3 Qualified, Apr 6 Lead, Apr 10 Qualified, Apr 20 Won   bob, no company, 0
    leaper  Apr  2 Lead, Apr 12 Proposal                           ann, a deleted company, 200
    risen   Apr  5 Lead, Apr 8 Lost, Apr 9 Qualified               bob, Acme,   300
    fallen  Apr  5 Lead, Apr 25 Lost                               ann, Acme,    70
    deleted Apr  5 Lead, Apr 6 Won                                 ann, Acme,  9999
    """
    world = await World.create(owner, "tokyo", TOKYO)
    acme, gone = await world.company("Acme"), await world.company("Gone")
    await world.deal("2024-03-31T14:59:59", company=acme, amount="1000")
    await world.deal("2024-03-31T15:00", company=acme, amount=None)
    swift = await world.deal("2024-04-10T00:00", owner="bob", company=acme, amount="500.50")
    await world.move(swift, "Won", "2024-04-10T14:59:59")
    wanderer = await world.deal("2024-04-01T03:00", owner="bob", amount="0")
    for day, stage in (("03", "Qualified"), ("06", "Lead"), ("10", "Qualified"), ("20", "Won")):
        await world.move(wanderer, stage, f"2024-04-{day}T03:00")
    leaper = await world.deal("2024-04-02T03:00", company=gone, amount="200")
    await world.move(leaper, "Proposal", "2024-04-12T03:00")
    risen = await world.deal("2024-04-05T03:00", owner="bob", company=acme, amount="300")
    await world.move(risen, "Lost", "2024-04-08T03:00")
    await world.move(risen, "Qualified", "2024-04-09T03:00")
    fallen = await world.deal("2024-04-05T03:00", company=acme, amount="70")
    await world.move(fallen, "Lost", "2024-04-25T03:00")
    deleted = await world.deal("2024-04-05T03:00", company=acme, amount="9999")
    await world.move(deleted, "Won", "2024-04-06T03:00")
    await world.delete("deals", deleted)
    await world.delete("companies", gone)
    return world


async def new_york(owner: asyncpg.Connection) -> World:
    """A tenant that changes its clocks. Deals at the last second and the first instant of days around both nights."""
    world = await World.create(owner, "york", NEW_YORK)
    for night in ("03-10T05:00", "03-11T04:00", "11-03T04:00", "11-04T05:00"):
        midnight = instant(f"2024-{night}").timestamp()
        for second in (midnight - 1, midnight):
            created = datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()
            deal = await world.deal(created, amount="10")
            await world.move(deal, "Won", f"2024-{night}")
    return world


async def office(owner: asyncpg.Connection) -> World:
    """A tenant of tasks and activities, around now: four open tasks; companies only noted, only
    planned, only added; a call a day from eight days ago to eight days ahead."""
    world = await World.create(owner, "office", TOKYO)
    now = datetime.now(UTC)
    last_moment_of_today = f"date_trunc('day', now(), '{TOKYO}') + interval '1 day' - interval '1 microsecond'"
    for due in ("now() - interval '1 day'", last_moment_of_today, "NULL", "now() + interval '2 days'"):
        await world.task(due)
    await world.task("now() - interval '3 days'", done=True)
    await world.task("now() - interval '3 days'", deleted=True)
    noted, planned = await world.company("Noted"), await world.company("Planned")
    await world.company("Added", now)
    for days in (0, 40):
        await world.activity("note", now - timedelta(days=days), noted)
    await world.activity("meeting", now + timedelta(days=7), planned)
    for days in range(-8, 9):
        await world.activity("call", now + timedelta(days=days))
    return world
