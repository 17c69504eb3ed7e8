"""The statements of changes filter on the tenant themselves: with no policy behind them, they do the same."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from gateway.commands.change_deals import SQL as DEALS
from gateway.commands.idempotency import SQL as KEYS
from loaders.reads import Statement
from tests.tenancy.conftest import Twins
from tests.tenancy.twins import MARK, operation_id

STATEMENTS = [*DEALS.values(), *KEYS.values()]
DEAL, ALL = 11, ["manager", "admin", "rep", "viewer"]
OPERATION = UUID(operation_id(1))
NEW = UUID("00000000-0000-4000-8000-00000000abcd")

ARGUMENTS: Mapping[str, tuple[object, ...]] = {
    "lock_deals": ([DEAL],),
    "writer_role": (1,),
    "stage_pipelines": ([11],),
    "owners": ([1],),
    "instant": (),
    "change_deals": (
        *([DEAL], [2], [11], [1], ["changed"], [None], [None], [None], [None]),
        *(NEW, 1, "request", "assignDeals", None, ALL, ALL, None),
    ),
    "changes_of_operation": (OPERATION,),
    "claim_key": ("a new key", 1, "hash", timedelta(0)),
    "kept_answer": ("adler key 1",),
    "keep_answer": ("adler key 1", "{}"),
}
"""By name: arguments that name records which two tenants have, or one of adler's own."""

STATE = """
SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
  SELECT d::text AS line FROM deals d WHERE tenant_id = $1
  UNION ALL SELECT o::text FROM operations o WHERE tenant_id = $1
  UNION ALL SELECT a::text FROM audit_log a WHERE tenant_id = $1
  UNION ALL SELECT k::text FROM idempotency_keys k WHERE tenant_id = $1) AS lines
"""


@pytest.fixture
async def unpoliced(twins: Twins) -> AsyncIterator[asyncpg.Connection]:
    """The owner, whom no policy holds, in a transaction that leaves nothing behind."""
    async with twins.database.as_owner() as owner:
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute(f"SET LOCAL app.tenant_id = '{twins.keys['adler']}'")
        yield owner
        await transaction.rollback()


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.name)
async def test_a_statement_of_a_change_needs_no_wall_behind_it(
    twins: Twins, unpoliced: asyncpg.Connection, statement: Statement
) -> None:
    before = await unpoliced.fetchval(STATE, twins.keys[MARK])
    arguments = ARGUMENTS[statement.name]
    rows = await unpoliced.fetch(statement.sql, twins.keys["adler"], *arguments)
    assert MARK not in str([tuple(row) for row in rows])
    assert len(rows) == (0 if statement.name == "keep_answer" else 1)
    assert await unpoliced.fetchval(STATE, twins.keys[MARK]) == before


async def test_a_change_without_its_filter_would_be_seen(twins: Twins, unpoliced: asyncpg.Connection) -> None:
    careless = DEALS["lock_deals"].sql.replace("tenant_id = $1", "$1::bigint IS NOT NULL")
    assert len(await unpoliced.fetch(careless, twins.keys["adler"], *ARGUMENTS["lock_deals"])) > 1
