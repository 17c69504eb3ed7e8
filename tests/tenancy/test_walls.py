"""Two walls between tenants: policies and views in the database, a filter in every statement. Each stands alone."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import product

import asyncpg
import pytest

from loaders.identity import identify
from loaders.reads import Statement, every_statement
from tests.postgres.catalogue import OURS, OWN_FUNCTION
from tests.tenancy.composed import COMPOSED, Ask, Recorder
from tests.tenancy.conftest import Twins
from tests.tenancy.plans import answer, unfiltered, weakened
from tests.tenancy.twins import MARK, TENANTS, TWIN_KEYS

pytestmark = pytest.mark.same_lines

RELATIONS = f"""
SELECT n.nspname || '.' || c.relname, has_any_column_privilege('gateway', c.oid, 'SELECT'),
       coalesce((SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0
                    AND has_column_privilege('gateway', c.oid, a.attnum, 'SELECT')),
                (SELECT quote_ident(a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = 1))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND {OURS} AND c.relname <> 'alembic_version' ORDER BY 1
"""

SEARCHED = ("activities", "companies", "contacts", "deals", "members", "tasks")

FUNCTIONS = f"""
SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE {OWN_FUNCTION} AND has_function_privilege('gateway', p.oid, 'EXECUTE') ORDER BY 1
"""

SEARCHES = {f"app.search_{table}": table for table in SEARCHED}
"""Functions that search a table."""

CALLS = {
    **{name: f"SELECT {name}('%')" for name in SEARCHES},
    "app.rollups": "SELECT tenant_id FROM app.rollups()",
    "app.tenant_id": "SELECT app.tenant_id()",
    "app.local_day": "SELECT app.local_day(id, now()) FROM unnest(ARRAY[1, 2, 3]::bigint[]) AS id",
}
"""Functions that read: each must give nothing where no tenant is set."""

CALCULATES = {"app.day_at", "app.intervals", "app.period_presets"}
OF_THE_DATABASE = {"app.incarnation", "app.begin_incarnation"}
"""Functions that know of no tenant."""
SIGN_IN = {"app.credential_lookup", "app.identify", "app.login_lookup"}

TEXTS = f"""
SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid IN ('text'::regtype, 'jsonb'::regtype)
 WHERE c.relkind = 'r' AND n.nspname = 'public' AND {OURS} AND c.relname NOT IN ('alembic_version', 'plans')
 ORDER BY 1, 2
"""

CLOSED_SETS = {"currency", "kind", "mode", "outcome", "plan", "priority", "record_type", "role", "time_zone"}
"""Columns of texts that say nothing of a tenant."""

TODAY = datetime.now(UTC).date()
EVER = (date.min, date.max)
ARGUMENTS: Mapping[str, tuple[object, ...]] = {
    "recent_activities": (None, 100),
    "activity_summary": (None, *EVER, TODAY),
    "company_summary": (None, *EVER, True),
    "company_engagement": (1, TODAY),
    "deal_board": (False, None, None, *EVER, True),
    "stage_passages": (False, None, None, *EVER),
    "company_totals": (1, *EVER, TODAY),
    "deal_forecast": (1, None, "month", None, None, TODAY),
    "deal_trend": (None, None, "month", None, None, TODAY),
    "company_deal_trend": (1, "month", None, None, TODAY),
    "leaderboard": (None, *EVER, 100),
    "pipelines": (),
    "stages_by_pipeline": (TWIN_KEYS,),
    "next_tasks": (None, 100),
    "task_summary": (None, datetime(2100, 1, 1, tzinfo=UTC), TODAY),
    "moment": (),
}
"""What follows the tenant in each statement, but for those by id."""

OF_THE_SESSION = {"rollups"}
"""Statements that read a function, which takes the tenant from the session: their wall is the function."""

STATEMENTS = [
    statement
    for statement in every_statement()
    if statement.source != "identity" and statement.name not in OF_THE_SESSION
]


def arguments(statement: Statement) -> tuple[object, ...]:
    return ([*TWIN_KEYS, 11, 12, 13],) if statement.name.endswith("_by_id") else ARGUMENTS[statement.name]


async def relations(connection: asyncpg.Connection) -> list[tuple[str, bool, str]]:
    return [tuple(row) for row in await connection.fetch(RELATIONS)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM plans",
        "SELECT FROM tenant_terms",
        "SELECT app.terms(1)",
        "UPDATE plans SET bucket_points = 1",
        "UPDATE tenant_terms SET mode = 'off'",
        "UPDATE tenants SET plan = 'enterprise'",
        "INSERT INTO tenant_terms (tenant_id) VALUES (1)",
        "DELETE FROM tenant_terms",
    ],
)
async def test_the_serving_role_neither_reads_nor_sets_what_tenants_may_use(
    gateway_role: asyncpg.Connection, statement: str
) -> None:
    async with gateway_role.transaction():
        await gateway_role.execute("SET LOCAL app.tenant_id = '1'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with gateway_role.transaction():
                await gateway_role.execute(statement)


async def test_each_tenants_terms_are_its_own(twins: Twins, gateway_role: asyncpg.Connection) -> None:
    async with twins.database.as_owner() as owner:
        await owner.execute("UPDATE tenant_terms SET concurrency = tenant_id + 90")
    found = [await identify(gateway_role, slug, f"{slug} subject 1") for slug in TENANTS]
    assert [who and (who.tenant_id, who.agreed.concurrency) for who in found] == [(1, 91), (2, 92), (3, 93)]


async def test_every_text_of_the_canary_carries_its_mark(twins: Twins) -> None:
    async with twins.database.as_owner() as owner:
        for table, column in await owner.fetch(TEXTS):
            if column not in CLOSED_SETS:
                key = "id" if table == "tenants" else "tenant_id"
                texts = f"SELECT {column}::text FROM {table} WHERE {key} = $1"
                found = [text for (text,) in await owner.fetch(texts, twins.keys[MARK])]
                assert found, table
                assert all(MARK in text for text in found), (table, column)


async def test_without_a_tenant_nothing_is_seen(gateway_role: asyncpg.Connection) -> None:
    for setting in (None, ""):
        if setting is not None:
            await gateway_role.execute("SET app.tenant_id = ''")
        for name, readable, _ in await relations(gateway_role):
            if readable:
                assert await gateway_role.fetchval(f"SELECT count(*) FROM {name}") == 0, name
            else:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await gateway_role.fetch(f"SELECT count(*) FROM {name}")


@pytest.mark.parametrize("slug", TENANTS)
async def test_a_condition_of_a_query_sees_no_row_of_another_tenant(
    twins: Twins, gateway_role: asyncpg.Connection, slug: str
) -> None:
    await gateway_role.execute(f"SET app.tenant_id = '{twins.keys[slug]}'")
    views = [name for name, _, _ in await relations(gateway_role) if name.startswith("analytics.")]
    for name, other in product(views, TENANTS.keys() - {slug}):
        # Divides by zero, which would tell, on a row of the other tenant.
        await gateway_role.fetch(f"SELECT FROM {name} WHERE 1 / (tenant_id - {twins.keys[other]}) > -2")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await gateway_role.fetch(f"SELECT FROM {views[0]} WHERE 1 / (tenant_id - {twins.keys[slug]}) > -2")


async def test_without_a_tenant_functions_give_nothing(gateway_role: asyncpg.Connection) -> None:
    names = {name for (name,) in await gateway_role.fetch(FUNCTIONS)}
    assert names == CALLS.keys() | CALCULATES | OF_THE_DATABASE | SIGN_IN
    for name, call in CALLS.items():
        assert {value for (value,) in await gateway_role.fetch(call)} <= {None}, name


@pytest.mark.parametrize("slug", TENANTS)
@pytest.mark.parametrize(("name", "table"), SEARCHES.items())
async def test_a_search_finds_what_its_tenant_has(
    twins: Twins, gateway_role: asyncpg.Connection, name: str, table: str, slug: str
) -> None:
    await gateway_role.execute(f"SET app.tenant_id = '{twins.keys[slug]}'")
    async with twins.database.as_owner() as owner:
        own = await owner.fetch(f"SELECT id FROM {table} WHERE tenant_id = $1", twins.keys[slug])
    for pattern, found in (
        ("%", own),
        (f"%{slug.upper()}%", own),
        *((f"%{other}%", []) for other in TENANTS.keys() - {slug}),
    ):
        assert sorted(await gateway_role.fetch(f"SELECT {name}($1) AS id", pattern)) == sorted(found), pattern


@pytest.mark.parametrize("slug", TENANTS)
async def test_with_a_tenant_only_its_rows_are_seen(twins: Twins, gateway_role: asyncpg.Connection, slug: str) -> None:
    tenant_id = twins.keys[slug]
    await gateway_role.execute(f"SET app.tenant_id = '{tenant_id}'")
    for name, readable, columns in await relations(gateway_role):
        if not readable:
            continue
        rows = await gateway_role.fetch(f"SELECT {columns} FROM {name}")
        key = "id" if name == "public.tenants" else "tenant_id"
        assert {row[key] for row in rows} == {tenant_id}, name
        others = TENANTS.keys() - {slug}
        assert not any(other in str(list(row.values())) for row in rows for other in others), name


async def test_the_serving_role_writes_nothing_but_what_changes_need(
    twins: Twins, gateway_role: asyncpg.Connection
) -> None:
    await gateway_role.execute(f"SET app.tenant_id = '{twins.keys['adler']}'")
    for name, _, columns in await relations(gateway_role):
        column = columns.partition(",")[0]
        for write in (
            f"INSERT INTO {name} DEFAULT VALUES",
            f"UPDATE {name} SET {column} = {column}",
            f"DELETE FROM {name}",
        ):
            if write == "DELETE FROM public.idempotency_keys":
                continue  # old ones go; of the session's tenant alone, as below
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)):
                await gateway_role.execute(write)


OWN_WRITES = {
    "DELETE FROM idempotency_keys": 4,
    "UPDATE idempotency_keys SET answer = NULL": 4,
    "UPDATE deals SET name = 'taken'": 12,
    "UPDATE deals SET deleted_at = now() WHERE deleted_at IS NULL": 12,
}
"""Statements without a condition on the tenant, and how many rows a tenant has for each."""

FORGERIES = (
    "INSERT INTO operations (tenant_id, id, member_id, action) VALUES ($1, gen_random_uuid(), 1, 'forged')",
    "INSERT INTO audit_log (tenant_id, member_id, action, record_type, record_id) VALUES ($1, 1, 'forged', 'Deal', 11)",
    "INSERT INTO idempotency_keys (tenant_id, key, member_id, request_hash) VALUES ($1, 'forged', 1, 'forged')",
)


@pytest.mark.parametrize("write", OWN_WRITES)
async def test_a_write_that_forgets_the_tenant_changes_ones_own_rows_alone(
    twins: Twins, gateway_role: asyncpg.Connection, write: str
) -> None:
    await gateway_role.execute(f"SET app.tenant_id = '{twins.keys['adler']}'")
    transaction = gateway_role.transaction()
    await transaction.start()
    status = await gateway_role.execute(write)
    await transaction.rollback()
    assert int(status.rpartition(" ")[2]) == OWN_WRITES[write]


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_no_row_is_written_into_another_tenant(
    twins: Twins, gateway_role: asyncpg.Connection, forgery: str
) -> None:
    await gateway_role.execute(f"SET app.tenant_id = '{twins.keys['adler']}'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await gateway_role.execute(forgery, twins.keys[MARK])


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.name)
async def test_a_statement_needs_no_wall_behind_it(
    twins: Twins, gateway_role: asyncpg.Connection, unwalled: asyncpg.Connection, statement: Statement
) -> None:
    for slug in ("adler", MARK):
        tenant_id = twins.keys[slug]
        await gateway_role.execute(f"SET app.tenant_id = '{tenant_id}'")
        behind_both = answer(await gateway_role.fetch(statement.sql, tenant_id, *arguments(statement)))
        in_the_open = answer(await unwalled.fetch(statement.sql, tenant_id, *arguments(statement)))
        assert in_the_open == behind_both != []


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.name)
async def test_a_statement_filters_every_table_that_it_scans(
    unwalled: asyncpg.Connection, statement: Statement
) -> None:
    assert await unfiltered(unwalled, statement) == []
    for weaker in weakened(statement):
        assert await unfiltered(unwalled, weaker) != [], weaker.sql


@pytest.mark.parametrize("asks", COMPOSED.values(), ids=COMPOSED)
async def test_composed_statements_need_no_wall_behind_them(
    twins: Twins, gateway_role: asyncpg.Connection, unwalled: asyncpg.Connection, asks: list[Ask]
) -> None:
    for slug in ("adler", MARK):
        recorders = [Recorder(connection, twins.keys[slug]) for connection in (gateway_role, unwalled)]
        for ask in asks:
            async with gateway_role.transaction(), unwalled.transaction():
                for recorder in recorders:
                    await recorder.begin()
                    await ask(recorder, slug)
            statement, behind_both = recorders[0].last
            assert answer(recorders[1].last.rows) == answer(behind_both) != [], statement.sql
            assert behind_both[0][0] != 0, statement.sql


@pytest.mark.parametrize("asks", COMPOSED.values(), ids=COMPOSED)
async def test_composed_statements_filter_every_table_that_they_scan(
    twins: Twins, unwalled: asyncpg.Connection, asks: list[Ask]
) -> None:
    recorder = Recorder(unwalled, twins.keys[MARK])
    for ask in asks:
        await ask(recorder, MARK)
        statement = recorder.last.statement
        assert await unfiltered(unwalled, statement) == [], statement.sql
        weaker = list(weakened(statement))
        assert len(weaker) > 0
        for weak in weaker:
            assert await unfiltered(unwalled, weak) != [], weak.sql
