"""Two walls between tenants: policies and views in the database, a filter in every statement. Each stands alone."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import pytest

from loaders.reads import Statement, every_statement
from tests.postgres.catalogue import OURS
from tests.tenancy.conftest import Twins
from tests.tenancy.twins import MARK, TENANTS, TWIN_KEYS

RELATIONS = f"""
SELECT n.nspname || '.' || c.relname, has_any_column_privilege('gateway', c.oid, 'SELECT'),
       (SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
           AND has_column_privilege('gateway', c.oid, a.attnum, 'SELECT'))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND {OURS} AND c.relname <> 'alembic_version' ORDER BY 1
"""

VIEWS = """
SELECT oid::regclass::text, pg_get_viewdef(oid) FROM pg_class
 WHERE relnamespace = 'analytics'::regnamespace AND relkind = 'v'
"""

FUNCTIONS = f"""
SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE {OURS} AND has_function_privilege('gateway', p.oid, 'EXECUTE') ORDER BY 1
"""

CALLS = {
    "app.tenant_id": "SELECT app.tenant_id()",
    "app.local_day": "SELECT app.local_day(id, now()) FROM unnest(ARRAY[1, 2, 3]::bigint[]) AS id",
}
"""Functions that read: each must give nothing where no tenant is set."""

CALCULATES = {"app.intervals", "app.period_presets"}
SIGN_IN = {"app.credential_lookup", "app.identify", "app.login_lookup"}

TEXTS = f"""
SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid IN ('text'::regtype, 'jsonb'::regtype)
 WHERE c.relkind = 'r' AND {OURS} AND c.relname <> 'alembic_version' ORDER BY 1, 2
"""

CLOSED_SETS = {"currency", "kind", "outcome", "plan", "priority", "role", "time_zone"}
"""Columns of texts that say nothing of a tenant."""

TODAY = datetime.now(UTC).date()
EVER = (date.min, date.max)
ARGUMENTS: Mapping[str, tuple[object, ...]] = {
    "recent_activities": (None, 100),
    "activity_summary": (None, *EVER, TODAY),
    "company_activity_summary": (1, *EVER, TODAY),
    "company_summary": (None, *EVER),
    "company_engagement": (1, TODAY),
    "deal_board": (False, None, None, *EVER, True),
    "company_deal_summary": (1, *EVER),
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

STATEMENTS = [statement for statement in every_statement() if statement.source != "identity"]
FILTER = re.compile(r"\b(?:\w+\.)?(?:tenant_id|id) = \$1")
OWN_FILTER = "tenant_id = app.tenant_id()"


def arguments(statement: Statement) -> tuple[object, ...]:
    return ([*TWIN_KEYS, 11, 12, 13],) if statement.name.endswith("_by_id") else ARGUMENTS[statement.name]


@pytest.fixture
async def gateway_role(twins: Twins) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(twins.database.gateway_dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def unwalled(twins: Twins) -> AsyncIterator[asyncpg.Connection]:
    """The twins without the database's wall: a role that bypasses policies, and views of all tenants."""
    async with twins.copy.as_owner() as owner:
        for name, definition in await owner.fetch(VIEWS):
            assert OWN_FILTER in definition
            open_to_all = definition.replace(OWN_FILTER, "tenant_id IS NOT NULL")
            await owner.execute(f"CREATE OR REPLACE VIEW {name} WITH (security_barrier) AS {open_to_all}")
        yield owner


async def relations(connection: asyncpg.Connection) -> list[tuple[str, bool, str]]:
    return [tuple(row) for row in await connection.fetch(RELATIONS)]


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


async def test_without_a_tenant_functions_give_nothing(gateway_role: asyncpg.Connection) -> None:
    names = {name for (name,) in await gateway_role.fetch(FUNCTIONS)}
    assert names == CALLS.keys() | CALCULATES | SIGN_IN
    for name, call in CALLS.items():
        assert {value for (value,) in await gateway_role.fetch(call)} == {None}, name


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


async def test_the_serving_role_writes_nothing(twins: Twins, gateway_role: asyncpg.Connection) -> None:
    await gateway_role.execute(f"SET app.tenant_id = '{twins.keys['adler']}'")
    for name, _, columns in await relations(gateway_role):
        column = (columns or "tenant_id").partition(",")[0]
        for write in (
            f"INSERT INTO {name} DEFAULT VALUES",
            f"UPDATE {name} SET {column} = {column}",
            f"DELETE FROM {name}",
        ):
            with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)):
                await gateway_role.execute(write)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.name)
async def test_a_statement_needs_no_wall_behind_it(
    twins: Twins, gateway_role: asyncpg.Connection, unwalled: asyncpg.Connection, statement: Statement
) -> None:
    for slug in ("adler", MARK):
        tenant_id = twins.keys[slug]
        await gateway_role.execute(f"SET app.tenant_id = '{tenant_id}'")
        behind_both = _answer(await gateway_role.fetch(statement.sql, tenant_id, *arguments(statement)))
        in_the_open = _answer(await unwalled.fetch(statement.sql, tenant_id, *arguments(statement)))
        assert in_the_open == behind_both != []


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.name)
async def test_a_statement_filters_every_table_that_it_scans(
    unwalled: asyncpg.Connection, statement: Statement
) -> None:
    assert await unfiltered(unwalled, statement) == []
    for weaker in _weakened(statement):
        assert await unfiltered(unwalled, weaker) != [], weaker.sql


async def unfiltered(connection: asyncpg.Connection, statement: Statement) -> list[str]:
    """Tables of tenants that a statement's plan scans without the statement's own filter.

    The plan says what is done, whatever the text looks like; it is made for any value of the parameters.
    """
    prepared = await connection.prepare(statement.sql)
    nulls = ", ".join("NULL" for _ in prepared.get_parameters())
    async with connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE examined AS {statement.sql}")
        plan = json.loads(await connection.fetchval(f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE examined ({nulls})"))
        await connection.execute("DEALLOCATE examined")
    return [node["Relation Name"] for node in _scans(plan[0]["Plan"]) if not _filters(node)]


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Relation Name" in node:
        yield node
    for child in node.get("Plans", []):
        yield from _scans(child)


def _filters(node: dict[str, Any]) -> bool:
    conditions = " ".join(str(node.get(key, "")) for key in ("Index Cond", "Recheck Cond", "Filter"))
    column = "id" if node["Relation Name"] == "tenants" else "tenant_id"
    return f"({node['Alias']}.{column} = $1)" in conditions and " OR " not in conditions.partition("= $1)")[0]


def _weakened(statement: Statement) -> Iterator[Statement]:
    """The statement without one of its filters, for each of them."""
    for found in FILTER.finditer(statement.sql):
        before, after = statement.sql[: found.start()], statement.sql[found.end() :]
        yield replace(statement, sql=f"{before}$1::bigint IS NOT NULL{after}")


def _answer(rows: list[asyncpg.Record]) -> list[tuple[Any, ...]]:
    """Rows to compare: in an order of their own, without the clock."""
    return sorted((tuple(value for name, value in row.items() if name != "as_of") for row in rows), key=repr)
