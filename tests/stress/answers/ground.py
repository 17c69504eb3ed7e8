"""What the stress stands on: tenants with lanes of records that show one number, and a canary in every text."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import asyncpg

from gateway.api.ids import encode_id
from gateway.commands.add_member import NewMember, add_member
from gateway.commands.create_tenant import NewTenant, create_tenant
from gateway.postgres.faults import is_unavailable
from tests.conftest import Database
from tests.stress.answers.ledger import LaneLedger
from tests.world import INSERT_DEAL, instant

TENANTS = ("heron", "finch", "raven")
LANES = 3
DEALS_OF_A_LANE = 2
ROLES = ("viewer", "rep", "manager", "admin")

INSERT_TASK = "INSERT INTO tasks (tenant_id, title, owner_id) VALUES ($1, $2, $3) RETURNING id"
TRUTH = """
SELECT min(amount)::int AS number, max(amount)::int AS most,
       (SELECT title FROM tasks WHERE tenant_id = $1 AND id = $3) AS title
  FROM deals WHERE tenant_id = $1 AND id = ANY ($2::bigint[])
"""


@dataclass(frozen=True)
class Lane:
    """Some deals and a task of one member. Whoever writes to them holds `turn`."""

    tenant_id: int
    mark: str
    owner: int
    deals: Sequence[int]
    task: int
    ledger: LaneLedger = field(default_factory=LaneLedger)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def title(self, number: int) -> str:
        return f"{self.mark}:{number}"

    @property
    def deal_ids(self) -> list[str]:
        return [encode_id("Deal", key) for key in self.deals]


@dataclass(frozen=True)
class Tenant:
    """`canary`: in every text of the tenant, and in no other tenant's. `tokens`: by role."""

    slug: str
    tenant_id: int
    canary: str
    lanes: Sequence[Lane]
    tokens: Mapping[str, str]


@dataclass
class Ground:
    """`crashes`: of the database; `known`: whether anybody knows what it holds."""

    database: Database
    tenants: Sequence[Tenant]
    crashes: int = 0
    known: bool = True

    @property
    def narrow(self) -> "Ground":
        """One tenant alone: what has to come together does so sooner."""
        return Ground(self.database, self.tenants[:1])

    @property
    def lanes(self) -> list[Lane]:
        return [lane for tenant in self.tenants for lane in tenant.lanes]

    @asynccontextmanager
    async def all_turns(self) -> AsyncIterator[None]:
        """Nobody writes during the block."""
        for lane in self.lanes:
            await lane.turn.acquire()
        try:
            yield
        finally:
            for lane in self.lanes:
                lane.turn.release()

    async def read_truth(self) -> int:
        """Begins the ledgers anew with what the database holds; nobody may write. Gives how many numbers were lost."""
        lost = 0
        async with self.database.as_owner() as owner:
            for lane in self.lanes:
                row = await owner.fetchrow(TRUTH, lane.tenant_id, lane.deals, lane.task)
                assert row["number"] == row["most"], "the database itself is torn"
                lost += sum(commit.number > row["number"] for commit in lane.ledger.commits)
                lane.ledger.restart(row["number"], int(row["title"].rpartition(":")[2]), time.monotonic())
        return lost


@contextmanager
def unless_gone() -> Iterator[None]:
    """Whoever uses a database that goes away in the block leaves it there."""
    try:
        yield
    except Exception as error:
        if not is_unavailable(error):
            raise


async def prepare(database: Database) -> Ground:
    """Fills a migrated, empty database."""
    async with database.as_owner() as owner:
        tenants = [await _tenant(database, owner, slug) for slug in TENANTS]
    ground = Ground(database, tenants)
    await ground.read_truth()
    return ground


async def _tenant(database: Database, owner: asyncpg.Connection, slug: str) -> Tenant:
    canary = f"{slug}-{secrets.token_hex(6)}"
    tenant_id = await create_tenant(owner, NewTenant(slug, f"{canary} tenant", "enterprise"))
    for role in ROLES:
        await add_member(owner, NewMember(slug, f"{role}@{canary}.example", f"{canary} {role}", role))
    lanes = [await _lane(owner, slug, tenant_id, f"{canary}/{number}") for number in range(LANES)]
    tokens = {role: await database.token(slug, role) for role in ROLES}
    return Tenant(slug, tenant_id, canary, lanes, tokens)


async def _lane(owner: asyncpg.Connection, slug: str, tenant_id: int, mark: str) -> Lane:
    member = await add_member(owner, NewMember(slug, f"{mark}@lane.example", mark, "rep"))
    keys = tenant_id, "Lead", member, None
    created = instant("2026-01-05T10:00")
    deals = [await owner.fetchval(INSERT_DEAL, *keys, mark, "0", created) for _ in range(DEALS_OF_A_LANE)]
    task = await owner.fetchval(INSERT_TASK, tenant_id, f"{mark}:0", member)
    return Lane(tenant_id, mark, member, deals, task)
