"""Another time zone of a tenant: its local days are written anew, and the rollups follow by their triggers."""

from collections.abc import Callable

import asyncpg

from gateway.commands.refusals import CommandRefusedError
from gateway.commands.time_zones import check_time_zone

LOCK_TIMEOUT_SECONDS = 10

IMPOSSIBLE = """
SELECT id FROM deals WHERE tenant_id = $1 AND timezone($2, closed_at)::date < timezone($2, created_at)::date
 ORDER BY id LIMIT 5
"""

SET_ZONE = "UPDATE tenants SET time_zone = $2 WHERE slug = $1 RETURNING id"

# In the order in which a writer of a deal takes them. A day that a writer found by the old zone must not come after.
LOCK = """
LOCK TABLE companies, deals, deal_stage_history, activities, tasks IN SHARE ROW EXCLUSIVE MODE
"""

REWRITES = {
    "companies": """
UPDATE companies SET created_day = timezone($2, created_at)::date
 WHERE tenant_id = $1 AND created_day <> timezone($2, created_at)::date
""",
    "deals": """
UPDATE deals SET created_day = timezone($2, created_at)::date, closed_day = timezone($2, closed_at)::date,
       stage_entered_day = timezone($2, stage_entered_at)::date
 WHERE tenant_id = $1 AND (created_day, stage_entered_day, closed_day) IS DISTINCT FROM
       (timezone($2, created_at)::date, timezone($2, stage_entered_at)::date, timezone($2, closed_at)::date)
""",
    # Days in a stage that were no distance between two moves are left as somebody wrote them.
    "deal_stage_history": """
WITH moves AS (
  SELECT id, moved_day, days_in_stage, timezone($2, moved_at)::date AS new_day,
         lag(moved_day) OVER earlier AS entered_day, lag(timezone($2, moved_at)::date) OVER earlier AS new_entered_day
    FROM deal_stage_history WHERE tenant_id = $1 WINDOW earlier AS (PARTITION BY deal_id ORDER BY moved_at, id)
), dated AS (
  SELECT id, new_day, CASE WHEN days_in_stage = greatest(moved_day - entered_day, 0)
                           THEN greatest(new_day - new_entered_day, 0) ELSE days_in_stage END AS new_days
    FROM moves
)
UPDATE deal_stage_history AS h SET moved_day = d.new_day, days_in_stage = d.new_days
  FROM dated AS d
 WHERE h.tenant_id = $1 AND h.id = d.id
   AND (h.moved_day, h.days_in_stage) IS DISTINCT FROM (d.new_day, d.new_days)
""",
    "activities": """
UPDATE activities SET occurred_day = timezone($2, occurred_at)::date
 WHERE tenant_id = $1 AND occurred_day <> timezone($2, occurred_at)::date
""",
    "tasks": """
UPDATE tasks SET due_day = timezone($2, due_at)::date
 WHERE tenant_id = $1 AND due_day <> timezone($2, due_at)::date
""",
}
"""By table: writes the days of tenant `$1` in zone `$2`, where they differ."""

# The history's days are written as triggers would: deals whose moves followed one upon the other still do.
KEEP_WAYS = "SET LOCAL app.ways_kept = 'on'"
FIND_STRAIGHT_WAYS = "SELECT app.find_straight_ways($1)"


async def set_time_zone(owner: asyncpg.Connection, slug: str, zone: str, told: Callable[[str, int], None]) -> None:
    """Sets it, all or nothing; `owner` is a connection of that role.

    Writers of the tables with local days wait meanwhile, of other tenants too. `told` is, of each table, how many rows
    had other days. Said again, it writes what still differs: a writer in REPEATABLE READ that had begun
    before may have found days by the old zone.
    """
    try:
        async with owner.transaction():
            await owner.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
            tenant_id = await _set_zone(owner, slug, zone)
            await owner.execute(f"{LOCK}; {KEEP_WAYS}")
            await _check_closes(owner, tenant_id, zone)
            rewritten = {
                table: _rows(await owner.execute(rewrite, tenant_id, zone)) for table, rewrite in REWRITES.items()
            }
            await owner.execute(FIND_STRAIGHT_WAYS, tenant_id)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        raise CommandRefusedError(
            "Others are writing, and do not let go of the tables: try again when no import runs."
        ) from None
    for table, rows in rewritten.items():
        told(table, rows)


async def _check_closes(owner: asyncpg.Connection, tenant_id: int, zone: str) -> None:
    """A deal may have closed hours before it was created, on one day; in another zone it would be the day before."""
    if impossible := [str(row["id"]) for row in await owner.fetch(IMPOSSIBLE, tenant_id, zone)]:
        raise CommandRefusedError(
            f"In {zone}, deals would close the day before they were created: {', '.join(impossible)} (at most five are "
            "named). Set their `closed_at` to `created_at` or later."
        )


async def _set_zone(owner: asyncpg.Connection, slug: str, zone: str) -> int:
    """The tenant's key."""
    await check_time_zone(owner, zone)
    tenant_id = await owner.fetchval(SET_ZONE, slug, zone)
    if tenant_id is None:
        raise CommandRefusedError(f"There is no tenant `{slug}`: create it with `gateway tenant create`.")
    return int(tenant_id)


def _rows(status: str) -> int:
    """Of a command's status such as `UPDATE 3`."""
    return int(status.rpartition(" ")[2])
