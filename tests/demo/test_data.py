import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from gateway.demo.load import load_demo
from gateway.demo.shape import Size, tenant_specs
from gateway.postgres.bootstrap import RolePasswords, bootstrap
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.migrate import migrate
from tests.servers import postgres_server

ANCHOR = datetime(2024, 3, 20, 15, 30, tzinfo=UTC)  # a Wednesday, past: a default `now()` would show
PASSWORD = "demo"
HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g"

# Each table with the order of its rows.
TABLES = {
    "tenants": "id",
    "deal_products": "tenant_id, deal_id, product_id",
    **dict.fromkeys(("members", "companies", "contacts", "pipelines", "stages"), "tenant_id, id"),
    **dict.fromkeys(("products", "deals", "deal_stage_history", "activities", "tasks"), "tenant_id, id"),
}


class Killed(Exception):  # noqa: N818 - not an error of the load but its end
    """Ends a load from outside."""


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with postgres_server() as it:
        yield it


async def migrated(server: EmbeddedPostgres, database: str) -> str:
    """A fresh database's DSN of the role `owner`."""
    passwords = RolePasswords(owner=PASSWORD, worker=PASSWORD, gateway=PASSWORD)
    await bootstrap(server.superuser_dsn, database=database, passwords=passwords)
    dsn = server.dsn("owner", PASSWORD, database)
    await migrate(dsn)
    return dsn


@pytest.fixture(scope="module")
async def small(server: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the small demo."""
    dsn = await migrated(server, "small")
    await load_demo(dsn, Size.SMALL, anchor=ANCHOR, password_hash=HASH)
    connection = await asyncpg.connect(dsn)
    yield connection
    await connection.close()


async def fingerprint(connection: asyncpg.Connection) -> dict[str, str]:
    """A digest of each table's rows, but for the subjects, which are random."""
    digests = {}
    for table, order in TABLES.items():
        found = await connection.fetch(f"SELECT to_jsonb(t) - 'subject' FROM {table} t ORDER BY {order}")
        digests[table] = hashlib.sha256("\n".join(row[0] for row in found).encode()).hexdigest()
    return digests


async def counts(connection: asyncpg.Connection) -> dict[str, int]:
    return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}


async def load_and_connect(dsn: str, seed: int) -> asyncpg.Connection:
    await load_demo(dsn, Size.SMALL, seed=seed, anchor=ANCHOR, password_hash=HASH)
    return await asyncpg.connect(dsn)


async def rows(connection: asyncpg.Connection, query: str, *arguments: object) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(query, *arguments)]


async def test_the_same_seed_and_anchor_make_the_same_data(small: asyncpg.Connection, server: EmbeddedPostgres) -> None:
    again = await load_and_connect(await migrated(server, "again"), seed=1)
    other = await load_and_connect(await migrated(server, "other"), seed=2)
    try:
        expected = await fingerprint(small)
        assert await fingerprint(again) == expected
        assert (await fingerprint(other))["deals"] != expected["deals"]
    finally:
        await again.close()
        await other.close()


async def test_the_small_demo_has_three_tenants_and_its_deals(small: asyncpg.Connection) -> None:
    assert await rows(
        small,
        """SELECT slug, plan, currency, time_zone, (SELECT count(*) FROM deals d WHERE d.tenant_id = t.id)
             FROM tenants t ORDER BY id""",
    ) == [
        ("aurora", "enterprise", "EUR", "Europe/Berlin", 3146),
        ("birch", "professional", "USD", "America/New_York", 1685),
        ("cobalt", "standard", "JPY", "Asia/Tokyo", 1169),
    ]


async def test_there_are_about_three_activities_to_a_deal(small: asyncpg.Connection) -> None:
    assert 17_000 < (await counts(small))["activities"] < 19_000


@pytest.mark.parametrize("size", Size)
def test_a_sizes_tenants_are_distinct_and_share_out_its_deals(size: Size) -> None:
    specs = tenant_specs(size)
    assert len({spec.slug for spec in specs}) == size.tenants
    assert sum(spec.deals for spec in specs) == size.deals
    assert [spec.deals for spec in specs] == sorted((spec.deals for spec in specs), reverse=True)


async def test_every_tenant_has_an_active_login_of_each_role(small: asyncpg.Connection) -> None:
    logins = await rows(
        small,
        """SELECT m.email, m.role FROM members m JOIN tenants t ON t.id = m.tenant_id
            WHERE m.active AND m.password_hash = $1 AND m.email = m.role || '@' || t.slug || '.example'""",
        HASH,
    )
    assert sorted(logins) == sorted(
        (f"{role}@{slug}.example", role)
        for slug in ("aurora", "birch", "cobalt")
        for role in ("viewer", "rep", "manager", "admin")
    )


async def test_the_funnel_narrows_in_every_tenant(small: asyncpg.Connection) -> None:
    entered = await rows(
        small,
        """SELECT p.tenant_id, array_agg(s.name ORDER BY s.position), array_agg(
                    (SELECT count(DISTINCT h.deal_id) FROM deal_stage_history h
                      WHERE h.tenant_id = s.tenant_id AND h.to_stage_id = s.id) ORDER BY s.position)
             FROM pipelines p JOIN stages s ON s.tenant_id = p.tenant_id AND s.pipeline_id = p.id
            WHERE p.is_default AND s.kind <> 'lost' GROUP BY p.tenant_id""",
    )
    assert len(entered) == 3
    for _, names, deals in entered:
        assert names == ["Lead", "Qualified", "Proposal", "Negotiation", "Won"]
        assert deals == sorted(set(deals), reverse=True)


async def test_sellers_differ_in_their_win_rate(small: asyncpg.Connection) -> None:
    rates = await small.fetchrow(
        """SELECT min(rate), max(rate) FROM (
             SELECT avg((outcome = 'won')::int) AS rate FROM deals WHERE outcome <> 'open'
              GROUP BY tenant_id, owner_id HAVING count(*) >= 100) AS sellers"""
    )
    assert rates[1] > 2 * rates[0] > 0


async def test_the_history_leads_from_a_deals_creation_to_its_present_stage(
    small: asyncpg.Connection,
) -> None:
    ends = """
        SELECT d.id FROM deals d CROSS JOIN LATERAL (
          SELECT array_agg(to_stage_id ORDER BY moved_at) AS stages,
                 min(moved_at) AS first, max(moved_at) AS last, max(moved_day) AS last_day
            FROM deal_stage_history h WHERE h.tenant_id = d.tenant_id AND h.deal_id = d.id) AS way
         WHERE (d.created_at, d.stage_id, d.stage_entered_at, d.stage_entered_day)
               IS DISTINCT FROM (first, stages[cardinality(stages)], last, last_day)
            OR d.closed_at <> last"""
    assert await rows(small, ends) == []


async def test_each_move_continues_the_one_before_on_local_days(small: asyncpg.Connection) -> None:
    breaks = """
        SELECT deal_id FROM (
          SELECT h.*, timezone(t.time_zone, moved_at)::date AS local_day,
                 lag(to_stage_id) OVER moves AS stage_before, lag(moved_at) OVER moves AS moved_before,
                 moved_day - lag(moved_day) OVER moves AS days
            FROM deal_stage_history h JOIN tenants t ON t.id = h.tenant_id
          WINDOW moves AS (PARTITION BY h.tenant_id, h.deal_id ORDER BY h.id)) AS move
         WHERE (from_stage_id, days_in_stage, moved_day) IS DISTINCT FROM (stage_before, days, local_day)
            OR moved_at <= moved_before OR to_stage_id = stage_before"""
    assert await rows(small, breaks) == []


async def test_nothing_has_happened_after_the_anchor(small: asyncpg.Connection) -> None:
    columns = await rows(
        small,
        """SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type = 'timestamp with time zone'
              AND table_name = ANY ($1) AND column_name <> 'due_at'""",
        list(TABLES),
    )
    assert len(columns) > 20
    for table, column in columns:
        assert await rows(small, f"SELECT {column} FROM {table} WHERE {column} > $1 LIMIT 1", ANCHOR) == []


async def test_the_products_of_a_deal_add_up_to_its_amount(small: asyncpg.Connection) -> None:
    itemised = """
        SELECT d.amount, sum(p.amount), count(*) FROM deals d
          JOIN deal_products p ON p.tenant_id = d.tenant_id AND p.deal_id = d.id GROUP BY d.tenant_id, d.id"""
    deals = await rows(small, itemised)
    assert [deal for deal in deals if deal[0] != deal[1]] == []
    assert {lines for _, _, lines in deals} == {1, 2, 3}
    assert 0.65 < len(deals) / Size.SMALL.deals < 0.75


async def test_contacts_of_activities_are_at_their_company(small: asyncpg.Connection) -> None:
    strays = """
        SELECT a.id FROM activities a JOIN contacts c ON c.tenant_id = a.tenant_id AND c.id = a.contact_id
         WHERE c.company_id IS DISTINCT FROM a.company_id"""
    assert await rows(small, strays) == []


async def test_a_dashboard_of_every_tenant_has_something_to_show_today(small: asyncpg.Connection) -> None:
    shown = await rows(
        small,
        """WITH open_tasks AS (SELECT * FROM tasks WHERE completed_at IS NULL)
           SELECT slug,
             EXISTS (SELECT FROM activities a WHERE a.tenant_id = t.id AND occurred_day = today),
             EXISTS (SELECT FROM open_tasks k WHERE k.tenant_id = t.id AND due_day = today),
             EXISTS (SELECT FROM open_tasks k WHERE k.tenant_id = t.id AND due_at < $1),
             EXISTS (SELECT FROM open_tasks k WHERE k.tenant_id = t.id AND due_day IS NULL),
             EXISTS (SELECT FROM companies c WHERE c.tenant_id = t.id AND $1 - interval '90 days' >
               (SELECT max(occurred_at) FROM activities a WHERE a.tenant_id = t.id AND a.company_id = c.id)),
             EXISTS (SELECT FROM companies c
                      WHERE c.tenant_id = t.id AND created_at > $1 - interval '30 days')
           FROM tenants t CROSS JOIN LATERAL (SELECT timezone(time_zone, $1)::date AS today) AS local
           ORDER BY t.id""",
        ANCHOR,
    )
    assert shown == [(slug, *[True] * 6) for slug in ("aurora", "birch", "cobalt")]


async def test_an_interrupted_load_goes_on_with_the_missing_tenants(
    small: asyncpg.Connection, server: EmbeddedPostgres
) -> None:
    dsn = await migrated(server, "interrupted")
    told: list[tuple[int, int]] = []

    def stop_in_the_second_tenant(done: int, total: int) -> None:
        told.append((done, total))
        if len(told) == 2:
            raise Killed

    with pytest.raises(Killed):
        await load_demo(dsn, Size.SMALL, anchor=ANCHOR, password_hash=HASH, progress=stop_in_the_second_tenant)
    connection = await asyncpg.connect(dsn)
    assert await rows(connection, "SELECT slug FROM tenants") == [("aurora",)]
    await load_demo(dsn, Size.SMALL, anchor=ANCHOR, password_hash=HASH, progress=lambda *now: told.append(now))
    assert told == [(3146, 6000), (4831, 6000), (4831, 6000), (6000, 6000)]
    assert await counts(connection) == await counts(small)
    await connection.close()


async def test_a_deal_made_after_the_load_gets_an_id_and_a_history_of_its_own(
    small: asyncpg.Connection,
) -> None:
    transaction = small.transaction()
    await transaction.start()
    try:
        deal_id = await small.fetchval(
            """INSERT INTO deals (tenant_id, pipeline_id, stage_id, owner_id, name)
               SELECT tenant_id, pipeline_id, stage_id, owner_id, 'New' FROM deals WHERE outcome = 'open'
                LIMIT 1 RETURNING id"""
        )
        assert deal_id > await small.fetchval("SELECT max(id) FROM deals WHERE name <> 'New'")
        recorded = "SELECT count(*) FROM deal_stage_history WHERE deal_id = $1"
        assert await small.fetchval(recorded, deal_id) == 1
    finally:
        await transaction.rollback()
