"""Writes the demo's data with COPY."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import asyncpg

from gateway.demo.calendar import COMPANY_DAYS, Calendar
from gateway.demo.data import Tables, TenantData
from gateway.demo.dice import Dice
from gateway.demo.funnel import RENEWALS, SALES
from gateway.demo.shape import CONTACTS_PER_COMPANY_MAX, Shape, TenantSpec, tenant_specs
from gateway.demo.tables import COLUMNS, Row
from gateway.demo.tenant import FirstIds, Tenant
from gateway.demo.vocabulary import PRODUCTS

COPIED = [table for table in COLUMNS if table != "demo_moves"]
STAGES = sum(len(spec.stages) + 2 for spec in (SALES, RENEWALS))

CREATE_MOVES = """
CREATE TEMP TABLE demo_moves
  (deal_id bigint, position integer, stage_id bigint, moved_at timestamptz, member_id bigint) ON COMMIT DROP
"""

# Days are PostgreSQL's own, as in the triggers: its time zones may be newer or older than Python's. Nearly all ways are
# straight; those that are not are found at the end.
WRITE_HISTORY = """
INSERT INTO deal_stage_history
  (tenant_id, deal_id, from_stage_id, to_stage_id, moved_at, moved_day, days_in_stage, member_id, straight)
SELECT $1, deal_id, lag(stage_id) OVER moves, stage_id,
       moved_at, moved_day, moved_day - lag(moved_day) OVER moves, member_id, true
  FROM (SELECT *, timezone($2, moved_at)::date AS moved_day FROM demo_moves) AS dated
WINDOW moves AS (PARTITION BY deal_id ORDER BY position)
 ORDER BY deal_id, position
"""

INSERT_TENANT = """
INSERT INTO tenants (slug, name, plan, currency, time_zone, created_at)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
"""

RESERVE = """
SELECT setval(sequence, nextval(sequence) + $2::bigint - 1) - $2 + 1
  FROM CAST(pg_get_serial_sequence($1, 'id') AS regclass) AS sequence
"""

LOCAL_DAY = """
SELECT timezone($1, $2::timestamptz)::date, timezone($1, date_trunc('day', timezone($1, $2::timestamptz)))
"""


async def load_demo(
    dsn: str,
    shape: Shape,
    *,
    seed: int = 1,
    anchor: datetime | None = None,
    password_hash: str,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Loads the tenants that are missing; `dsn` is of the role `owner`.

    Each tenant is one transaction, so it is complete or absent, and a load that was killed goes on when it
    is called again. The same `seed` and `anchor` (aware; default now) make the same data. No instant is later
    than `anchor`, but for due dates and expected closes. All members share the password of `password_hash`.
    `progress` is told how many of how many deals are there. While a tenant is written, `deals` is locked
    against other writers.
    """
    anchor = (anchor or datetime.now(UTC)).replace(microsecond=0)
    connection = await asyncpg.connect(dsn)
    try:
        present = {row["slug"] for row in await connection.fetch("SELECT slug FROM tenants")}
        missing = [spec for spec in tenant_specs(shape) if spec.slug not in present]
        loaded = _Progress(shape.deals, shape.deals - sum(spec.deals for spec in missing), progress)
        for spec in missing:
            async with connection.transaction():
                tenant = await _create_tenant(connection, spec, seed, anchor)
                await _write(connection, tenant, password_hash, loaded.add)
        if missing:
            await connection.execute(f"VACUUM (ANALYZE) tenants, deal_stage_history, {', '.join(COPIED)}")
    finally:
        await connection.close()


class _Progress:
    def __init__(self, total: int, done: int, tell: Callable[[int, int], None] | None) -> None:
        self._total, self._done, self._tell = total, done, tell

    def add(self, deals: int) -> None:
        self._done += deals
        if self._tell:
            self._tell(self._done, self._total)


async def _create_tenant(connection: asyncpg.Connection, spec: TenantSpec, seed: int, anchor: datetime) -> Tenant:
    zone = spec.locale.time_zone
    tenant_id = await connection.fetchval(
        INSERT_TENANT,
        *(spec.slug, spec.name, spec.plan, spec.locale.currency, zone),
        anchor - timedelta(days=COMPANY_DAYS + 60),
    )
    today, midnight = await connection.fetchrow(LOCAL_DAY, zone, anchor)
    dice = Dice(f"{seed}:{spec.slug}")
    calendar = Calendar(anchor, today, midnight, dice.source)
    return Tenant(tenant_id, spec, await _reserve(connection, spec), dice, calendar)


async def _reserve(connection: asyncpg.Connection, spec: TenantSpec) -> FirstIds:
    """Takes the ids from the sequences, so that later inserts do not meet them."""
    counts = {
        "members": spec.members,
        "companies": spec.companies,
        "contacts": spec.companies * CONTACTS_PER_COMPANY_MAX,
        "pipelines": 2,
        "stages": STAGES,
        "products": len(PRODUCTS),
        "deals": spec.deals,
    }
    return FirstIds(**{table: await connection.fetchval(RESERVE, table, count) for table, count in counts.items()})


async def _write(
    connection: asyncpg.Connection, tenant: Tenant, password_hash: str, loaded: Callable[[int], None]
) -> None:
    """Writes all of the tenant's records; `loaded` is told after each batch how many deals it had."""
    data = await asyncio.to_thread(TenantData, tenant, password_hash)
    for table, rows in data.base():
        await _copy(connection, table, rows)
    # It would record deals as created in their present stage; their real way is written instead.
    await connection.execute("ALTER TABLE deals DISABLE TRIGGER record_created_deals; SET LOCAL app.ways_kept = 'on'")
    await connection.execute(CREATE_MOVES)
    async with aclosing(_ahead(data.batches())) as batches:
        async for tables in batches:
            for table, rows in tables.items():
                await _copy(connection, table, rows)
            await connection.execute(WRITE_HISTORY, tenant.id, tenant.spec.locale.time_zone)
            await connection.execute("TRUNCATE demo_moves")
            loaded(len(tables["deals"]))
    await connection.execute("SELECT app.find_straight_ways($1)", tenant.id)
    await connection.execute("ALTER TABLE deals ENABLE TRIGGER record_created_deals; SET LOCAL app.ways_kept = 'off'")


async def _ahead(batches: Iterator[Tables]) -> AsyncGenerator[Tables, None]:
    """Makes the next batch in a thread while PostgreSQL works on this one."""
    upcoming = asyncio.create_task(asyncio.to_thread(next, batches, None))
    try:
        while (batch := await upcoming) is not None:
            upcoming = asyncio.create_task(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        upcoming.cancel()


async def _copy(connection: asyncpg.Connection, table: str, rows: Iterable[Row]) -> None:
    await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table])
