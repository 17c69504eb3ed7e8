"""Changes that can be undone without a trace: deals are given to other owners, and back."""

from dataclasses import dataclass

import asyncpg

from gateway.rollups.declared import ROLLUPS
from gateway.rollups.maintain import fold_rollup
from gateway.rollups.names import delta, pending

# By a digest of the id: spread over tenants, stages and days, and the same ones in each run.
CHOSEN = """
SELECT d.tenant_id, d.id, d.owner_id, next.id AS other_id
  FROM (SELECT tenant_id, id, owner_id FROM deals
         WHERE deleted_at IS NULL AND ($2::bigint IS NULL OR tenant_id = $2)
         ORDER BY md5(id::text) LIMIT $1) AS d
 CROSS JOIN LATERAL (SELECT id FROM members WHERE tenant_id = d.tenant_id AND id <> d.owner_id
                      ORDER BY id <= d.owner_id, id LIMIT 1) AS next
"""
GIVE = "UPDATE deals SET owner_id = $3 WHERE tenant_id = $1 AND id = $2"


@dataclass(frozen=True)
class Reassignments:
    """Each is a statement of its own, as single writers make them: (tenant, deal, its owner, another one)."""

    deals: list[tuple[int, int, int, int]]

    @classmethod
    async def of(cls, owner: asyncpg.Connection, count: int, *, tenant_id: int | None = None) -> "Reassignments":
        """Of so many deals, of all tenants without a `tenant_id`."""
        return cls([tuple(row) for row in await owner.fetch(CHOSEN, count, tenant_id)])

    async def make(self, owner: asyncpg.Connection) -> None:
        await owner.executemany(GIVE, [(tenant, deal, other) for tenant, deal, _, other in self.deals])

    async def undo(self, owner: asyncpg.Connection) -> None:
        await owner.executemany(GIVE, [(tenant, deal, before) for tenant, deal, before, _ in self.deals])


async def fold_all(worker: asyncpg.Connection) -> None:
    for rollup in ROLLUPS:
        await fold_rollup(worker, rollup)


async def clear(worker: asyncpg.Connection) -> None:
    """Folds, and removes what undone changes leave: groups of nothing but zeros, and the space they took."""
    await fold_all(worker)
    for rollup in ROLLUPS:
        zeros = " AND ".join(f"{name} = 0" for name in rollup.measures)
        await worker.execute(f"DELETE FROM {pending(rollup)} WHERE {zeros}")
        await worker.execute(f"VACUUM (ANALYZE) {pending(rollup)}, {delta(rollup)}")
