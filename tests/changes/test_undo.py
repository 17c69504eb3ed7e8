"""Undoing: each deal that nobody changed since gets back what an operation changed, whatever the verb."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from tests.changes.conftest import Board, OpenBoard, codes, deal_id, statuses

WRITTEN = ("stage", "outcome", "owner_id", "name", "amount", "expected_close", "closed_at", "closed_day", "deleted_at")
"""What changes of deals change, and what follows from it."""


def written(row: asyncpg.Record) -> dict[str, Any]:
    return {name: row[name] for name in WRITTEN}


async def full_deal(board: Board, stage: str) -> int:
    """A deal that has everything a deal can have; one that is closed was closed long ago."""
    (deal,) = await board.deals(1, stage=stage, amount="1234.5678")
    await board.owner.execute("UPDATE deals SET expected_close = '2026-02-03', name = 'Übergabe' WHERE id = $1", deal)
    if stage in ("Won", "Lost"):
        closed = datetime(2026, 1, 31, 23, 59, 59, 123457, UTC)
        await board.owner.execute("UPDATE deals SET closed_at = $2 WHERE id = $1", deal, closed)
    return deal


CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "forwards": ("Lead", {"stage": "Proposal"}),
    "into Won": ("Lead", {"stage": "Won"}),
    "out of Won": ("Won", {"stage": "Lead"}),
    "from Won to Lost": ("Won", {"stage": "Lost"}),
    "from Lost to Won": ("Lost", {"stage": "Won"}),
    "to another owner": ("Lead", {"owner": "admin"}),
    "of a closed deal to another owner": ("Won", {"owner": "admin"}),
    "values": ("Lead", {"fields": {"name": "new", "amount": "0.01", "expectedClose": "2027-01-01"}}),
    "values to null": ("Won", {"fields": {"amount": None, "expectedClose": None}}),
    "deletion": ("Lead", {}),
    "deletion of a closed deal": ("Lost", {}),
}


async def changed(board: Board, deal: int, what: dict[str, Any], **given: Any) -> dict[str, Any]:
    """The payload of the change of a deal that `what` describes."""
    deals = [deal_id(deal)]
    if "stage" in what:
        return await board.move([deal], what["stage"], **given)
    if "owner" in what:
        return await board.change("assignDeals", dealIds=deals, ownerId=board.member_id(what["owner"]), **given)
    if "fields" in what:
        return await board.change("updateDeals", changes=[{"dealId": deals[0], **what["fields"]}], **given)
    return await board.change("deleteDeals", dealIds=deals, **given)


@pytest.mark.parametrize("what", CHANGES)
async def test_an_undo_gives_back_all_and_an_undo_of_it_takes_all_again(shared_board: Board, what: str) -> None:
    board = shared_board
    stage, change = CHANGES[what]
    deal = await full_deal(board, stage)
    before = await board.row(deal)
    payload = await changed(board, deal, change)
    after = await board.row(deal)
    assert (statuses(payload), written(after) == written(before)) == (["UPDATED"], False)
    undone = await board.undo(payload["operationId"])
    assert (statuses(undone), written(await board.row(deal))) == (["UPDATED"], written(before))
    redone = await board.undo(undone["operationId"])
    assert (statuses(redone), written(await board.row(deal))) == (["UPDATED"], written(after))
    again = await board.undo(redone["operationId"])
    assert (statuses(again), written(await board.row(deal))) == (["UPDATED"], written(before))
    assert (await board.row(deal))["version"] == before["version"] + 4


async def test_a_restoration_is_undone(shared_board: Board) -> None:
    board = shared_board
    deal = await full_deal(board, "Won")
    await board.change("deleteDeals", dealIds=[deal_id(deal)])
    before = await board.row(deal)
    restored = await board.change("restoreDeals", dealIds=[deal_id(deal)])
    undone = await board.undo(restored["operationId"])
    assert (statuses(undone), undone["results"][0]["deal"]) == (["UPDATED"], None)
    assert written(await board.row(deal)) == written(before)


async def test_an_undo_gives_back_exact_values(shared_board: Board) -> None:
    deal = await full_deal(shared_board, "Lead")
    nothing = {"amount": None, "expectedClose": None, "name": "x"}
    payload = await changed(shared_board, deal, {"fields": nothing})
    await shared_board.undo(payload["operationId"])
    row = await shared_board.row(deal)
    assert (row["amount"], row["expected_close"], row["name"]) == (Decimal("1234.5678"), date(2026, 2, 3), "Übergabe")


async def test_what_was_changed_since_stays_and_the_rest_is_restored(shared_board: Board) -> None:
    board = shared_board
    deals = await board.deals(4)
    moved = await board.move(deals, "Won")
    await board.move([deals[1]], "Lost")
    await board.change("deleteDeals", dealIds=[deal_id(deals[2])])
    undone = await board.undo(moved["operationId"])
    assert statuses(undone) == ["UPDATED", "CONFLICT", "CONFLICT", "UPDATED"]
    assert undone["summary"] == {"requested": 4, "updated": 2, "unchanged": 0, "failed": 2, "notApplied": 0}
    told = [result["error"] for result in undone["results"]]
    conflict = {"code": "CHANGED_SINCE", "currentVersion": 3}
    lost, won = {**conflict, "currentStage": {"name": "Lost"}}, {**conflict, "currentStage": {"name": "Won"}}
    assert told == [None, lost, won, None]
    assert [(await board.row(deal))["stage"] for deal in deals] == ["Lead", "Lost", "Won", "Lead"]
    assert statuses(await board.undo(moved["operationId"])) == ["CONFLICT"] * 4


async def test_an_undo_leaves_alone_what_the_operation_left_alone(shared_board: Board) -> None:
    board = shared_board
    moved, stayed = *await board.deals(1), *await board.deals(1, stage="Won")
    payload = await board.move([moved, stayed], "Won")
    assert statuses(payload) == ["UPDATED", "UNCHANGED"]
    undone = await board.undo(payload["operationId"])
    assert [result["dealId"] for result in undone["results"]] == [deal_id(moved)]
    assert (await board.row(stayed))["version"] == 1


async def test_a_deal_that_goes_back_says_so_in_its_history(shared_board: Board) -> None:
    board = shared_board
    (deal,) = await board.deals(1)
    moved = await board.move([deal], "Proposal")
    await board.undo(moved["operationId"], "admin")
    history = await board.owner.fetch(
        """SELECT f.name AS from_stage, t.name AS to_stage, m.role FROM deal_stage_history h
             LEFT JOIN stages f ON f.id = h.from_stage_id JOIN stages t ON t.id = h.to_stage_id
             LEFT JOIN members m ON m.id = h.member_id
            WHERE h.deal_id = $1 ORDER BY h.id""",
        deal,
    )
    ways = [("Lead", "Proposal", "manager"), ("Proposal", "Lead", "admin")]
    assert [tuple(way) for way in history] == [(None, "Lead", None), *ways]


async def test_an_undo_remembers_what_it_undid(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    moved = await shared_board.move([deal], "Proposal")
    undone = await shared_board.undo(moved["operationId"], note="a slip")
    sql = "SELECT action, note, undoes::text FROM operations WHERE id = $1"
    assert tuple(await shared_board.owner.fetchrow(sql, undone["operationId"])) == (
        "undoOperation",
        "a slip",
        moved["operationId"],
    )


async def test_a_dry_undo_tells_and_writes_nothing(shared_board: Board) -> None:
    first, second = await shared_board.deals(2)
    moved = await shared_board.move([first, second], "Won")
    await shared_board.move([second], "Lost")
    rows = await shared_board.all_rows()
    tried = await shared_board.undo(moved["operationId"], dryRun=True)
    assert (statuses(tried), tried["operationId"], tried["dryRun"]) == (["UPDATED", "CONFLICT"], None, True)
    assert await shared_board.all_rows() == rows


async def test_a_rep_undoes_own_deals_alone(shared_board: Board) -> None:
    board = shared_board
    own, others = *await board.deals(1), *await board.deals(1, owner="admin")
    moved = await board.move([own, others], "Won")
    undone = await board.undo(moved["operationId"], "rep")
    assert (statuses(undone), codes(undone)) == (["UPDATED", "FORBIDDEN"], [None, "NOT_OWN_DEAL"])
    assert [(await board.row(deal))["stage"] for deal in (own, others)] == ["Lead", "Won"]
    assert statuses(await board.undo(moved["operationId"])) == ["CONFLICT", "UPDATED"]


async def test_a_viewer_undoes_nothing_not_even_what_there_is_not(shared_board: Board) -> None:
    for operation in ("rubbish", "00000000-0000-0000-0000-000000000000"):
        assert (await shared_board.undo_refused(operation, "viewer"))["code"] == "FORBIDDEN"


async def test_an_unknown_operation_and_one_of_another_tenant_are_not_found(open_board: OpenBoard) -> None:
    one, other = await open_board("one"), await open_board("other")
    foreign = (await other.move(await other.deals(2), "Won"))["operationId"]
    rows = await other.all_rows()
    for operation in (foreign, "00000000-0000-0000-0000-000000000000"):
        for given in ({}, {"dryRun": True}, {"key": "k"}):
            assert (await one.undo_refused(operation, **given))["code"] == "NOT_FOUND"
    assert await other.all_rows() == rows
    assert (await one.all_rows())["idempotency_keys"] == []


async def test_of_two_who_undo_at_the_same_time_one_does(board: Board) -> None:
    deals = await board.deals(5)
    moved = await board.move(deals, "Won")
    answers = await asyncio.gather(*(board.undo(moved["operationId"], role) for role in ("manager", "admin")))
    assert sorted(statuses(answer) for answer in answers) == [["CONFLICT"] * 5, ["UPDATED"] * 5]
    assert {(await board.row(deal))["version"] for deal in deals} == {3}


async def test_a_deal_goes_back_even_to_an_owner_who_left_since(board: Board) -> None:
    (deal,) = await board.deals(1)
    given = await changed(board, deal, {"owner": "admin"})
    await board.owner.execute("UPDATE members SET active = false WHERE id = $1", board.world.members["rep"])
    assert statuses(await board.undo(given["operationId"])) == ["UPDATED"]
    assert (await board.row(deal))["owner_id"] == board.world.members["rep"]


async def test_operations_are_undone_one_after_the_other_the_latest_first(shared_board: Board) -> None:
    board = shared_board
    (deal,) = await board.deals(1)
    first = await board.move([deal], "Qualified")
    second = await board.move([deal], "Won")
    assert codes(await board.undo(first["operationId"])) == ["CHANGED_SINCE"]
    assert statuses(await board.undo(second["operationId"])) == ["UPDATED"]
    assert statuses(await board.undo(first["operationId"])) == ["UPDATED"]
    row = await board.row(deal)
    assert (row["stage"], row["version"]) == ("Lead", 5)


async def test_a_deal_that_is_closed_again_went_back_now_and_was_closed_then(shared_board: Board) -> None:
    board = shared_board
    deal = await full_deal(board, "Won")
    closed = (await board.row(deal))["closed_at"]
    out = await board.move([deal], "Lead")
    past = "UPDATE deals SET stage_entered_at = now() - interval '10 days' WHERE id = $1"
    await board.owner.execute(past, deal)
    await board.undo(out["operationId"])
    row = await board.row(deal)
    moved_at, days = await board.owner.fetchrow(
        "SELECT moved_at, days_in_stage FROM deal_stage_history WHERE deal_id = $1 ORDER BY id DESC LIMIT 1", deal
    )
    assert (row["closed_at"], row["stage_entered_at"], days) == (closed, moved_at, 10)
    assert await board.owner.fetchval("SELECT now() - $1::timestamptz < interval '1 day'", moved_at)


async def test_what_no_longer_fits_is_told_of_its_item_and_the_rest_is_restored(shared_board: Board) -> None:
    board = shared_board
    tenant = board.world.tenant_id
    pipeline = await board.owner.fetchval(
        "INSERT INTO pipelines (tenant_id, name) VALUES ($1, 'Other') RETURNING id", tenant
    )
    stage = await board.owner.fetchval(
        """INSERT INTO stages (tenant_id, pipeline_id, name, position, probability, kind)
           SELECT $1, id, 'Leaving', 90, 0.5, 'open' FROM pipelines WHERE tenant_id = $1 AND is_default RETURNING id""",
        tenant,
    )
    unfit, fit = *await board.deals(1, stage="Leaving"), *await board.deals(1)
    moved = await board.move([unfit, fit], "Proposal")
    await board.owner.execute("UPDATE stages SET pipeline_id = $2 WHERE id = $1", stage, pipeline)
    undone = await board.undo(moved["operationId"])
    assert codes(undone) == ["STAGE_OF_OTHER_PIPELINE", None]
    assert [(await board.row(deal))["stage"] for deal in (unfit, fit)] == ["Proposal", "Lead"]


async def test_the_last_day_of_the_calendar_is_a_day_and_not_infinity(shared_board: Board) -> None:
    board = shared_board
    (deal,) = await board.deals(1)
    text = "SELECT expected_close::text FROM deals WHERE id = $1"
    set_last = await board.change("updateDeals", changes=[{"dealId": deal_id(deal), "expectedClose": "9999-12-31"}])
    assert await board.owner.fetchval(text, deal) == "9999-12-31"
    await board.move([deal], "Proposal")
    assert await board.owner.fetchval(text, deal) == "9999-12-31"
    await board.owner.execute("UPDATE deals SET expected_close = 'infinity' WHERE id = $1", deal)
    moved = await board.move([deal], "Won")
    assert await board.owner.fetchval(text, deal) == "infinity"
    assert statuses(await board.undo(moved["operationId"])) == ["UPDATED"]
    assert codes(await board.undo(set_last["operationId"])) == ["CHANGED_SINCE"]
