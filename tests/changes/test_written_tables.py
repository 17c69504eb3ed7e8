"""A change declares every table that it writes, and those that listen are told of the same."""

from typing import Any, NamedTuple

import asyncpg
import pytest

from gateway.commands.change_deals import SQL as DEAL_CHANGES
from gateway.commands.idempotency import SQL as IDEMPOTENCY
from gateway.postgres import writing
from gateway.postgres.writing import Writes
from gateway.rollups.names import CHANNEL
from tests.changes.conftest import Board, Json, deal_id, statuses
from tests.notices import listening

VERBS = ("updateDealStages", "assignDeals", "updateDeals", "deleteDeals", "restoreDeals", "undoOperation")

TABLES = """
SELECT relname FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'alembic_version'
"""
CONTENT = "SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {} AS t"

# The tables whose changes a trigger notifies.
NOTIFYING = """
SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE c.relnamespace = 'public'::regnamespace AND strpos(p.prosrc, $1) > 0
"""


class Done(NamedTuple):
    """The tables that a change declared, those whose rows are others than before, and those that were notified."""

    declared: set[str]
    changed: set[str]
    notified: set[str]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Writes]:
    """The write transactions of all gateways, as they begin."""
    begun: list[Writes] = []

    class Kept(Writes):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            begun.append(self)

    monkeypatch.setattr(writing, "Writes", Kept)
    return begun


async def contents(owner: asyncpg.Connection) -> dict[str, str]:
    """What each table holds, told by a digest."""
    return {table: await owner.fetchval(CONTENT.format(table)) for (table,) in await owner.fetch(TABLES)}


async def prepared(board: Board, verb: str) -> dict[str, Any]:
    """What `performed` is to give for a verb, and a deal that it changes."""
    (deal,) = await board.deals(1)
    ids: dict[str, Any] = {"dealIds": [deal_id(deal)], "idempotencyKey": f"{verb} {deal}"}
    if verb == "restoreDeals":
        await board.world.delete("deals", deal)
    if verb == "undoOperation":
        return {"operation": (await board.move([deal], "Won"))["operationId"], "idempotencyKey": ids["idempotencyKey"]}
    return {
        "updateDealStages": {**ids, "stageId": board.stage_id("Won")},
        "assignDeals": {**ids, "ownerId": board.member_id("admin")},
        "updateDeals": {"changes": [{"dealId": deal_id(deal), "name": "another"}]},
    }.get(verb, ids)


async def performed(board: Board, verb: str, written: list[Writes], **more: Any) -> Done:
    given = {**await prepared(board, verb), **more}
    before = await contents(board.owner)
    written.clear()
    async with listening(board.owner) as listener:
        payload: Json = await (board.undo(**given) if verb == "undoOperation" else board.change(verb, **given))
        notices = await listener.heard()
    after = await contents(board.owner)
    assert statuses(payload) == ["UPDATED"]
    assert {notice.tenant_id for notice in notices} <= {board.world.tenant_id}
    assert len({notice.xid for notice in notices}) <= 1
    (writes,) = written
    changed = {table for table in before if before[table] != after[table]}
    return Done(writes.tables, changed, {notice.table for notice in notices})


@pytest.mark.parametrize("verb", VERBS)
async def test_a_change_declares_what_it_writes_and_notifies_what_it_changed(
    shared_board: Board, written: list[Writes], verb: str
) -> None:
    notifying = {table for (table,) in await shared_board.owner.fetch(NOTIFYING, CHANNEL)}
    done = await performed(shared_board, verb, written)
    assert "deals" in done.changed & notifying
    assert done.changed <= done.declared
    assert done.notified <= done.declared
    assert done.changed & notifying <= done.notified


async def test_no_table_is_declared_that_no_change_writes(shared_board: Board, written: list[Writes]) -> None:
    changed = [(await performed(shared_board, verb, written)).changed for verb in VERBS]
    statements = (*DEAL_CHANGES.values(), *IDEMPOTENCY.values())
    assert set().union(*changed) == set().union(*(statement.writes for statement in statements))


@pytest.mark.parametrize("verb", VERBS)
async def test_a_dry_run_declares_and_notifies_nothing(shared_board: Board, written: list[Writes], verb: str) -> None:
    assert await performed(shared_board, verb, written, dryRun=True) == Done(set(), set(), set())
