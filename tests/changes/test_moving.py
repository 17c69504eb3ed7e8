"""Moving deals: what is answered, what is written, and what is seen right after."""

from tests.changes.conftest import Board, codes, deal_id, statuses


async def test_moved_deals_are_in_their_new_stage_with_their_history(board: Board) -> None:
    deals = await board.deals(3)
    payload = await board.move(deals, "Won")
    assert statuses(payload) == ["UPDATED"] * 3
    assert payload["summary"] == {"requested": 3, "updated": 3, "unchanged": 0, "failed": 0, "notApplied": 0}
    for deal, result in zip(deals, payload["results"], strict=True):
        row = await board.row(deal)
        assert (row["stage"], row["outcome"], row["version"]) == ("Won", "won", 2)
        assert row["closed_at"] is not None
        assert result["deal"] == {"version": 2, "stage": {"name": "Won"}, "owner": {"name": "rep"}}
    moves = await board.owner.fetch(
        "SELECT deal_id, member_id FROM deal_stage_history WHERE from_stage_id IS NOT NULL AND tenant_id = $1 "
        "ORDER BY deal_id",
        board.world.tenant_id,
    )
    assert [tuple(move) for move in moves] == [(deal, board.world.members["manager"]) for deal in deals]


async def test_each_deal_has_its_own_stage_and_its_own_answer_in_the_order_of_the_input(board: Board) -> None:
    first, second, third = await board.deals(3)
    changes = [
        {"dealId": deal_id(third), "stageId": board.stage_id("Lead")},
        {"dealId": deal_id(first), "stageId": board.stage_id("Won"), "expectedVersion": 1},
        {"dealId": deal_id(second), "stageId": board.stage_id("Lost"), "expectedVersion": 7},
        {"dealId": deal_id(999_999), "stageId": board.stage_id("Lost")},
    ]
    payload = await board.change("updateDealStages", "manager", changes=changes, mode="PER_ITEM")
    assert statuses(payload) == ["UNCHANGED", "UPDATED", "CONFLICT", "NOT_FOUND"]
    assert payload["summary"] == {"requested": 4, "updated": 1, "unchanged": 1, "failed": 2, "notApplied": 0}
    assert payload["results"][2]["error"] == {
        "code": "VERSION_DIFFERS",
        "currentVersion": 1,
        "currentStage": {"name": "Lead"},
    }
    assert codes(payload)[3] == "DEAL_NOT_FOUND"
    assert [(await board.row(deal))["stage"] for deal in (first, second, third)] == ["Won", "Lead", "Lead"]


async def test_all_or_nothing_changes_nothing_and_tells_of_each_item(board: Board) -> None:
    deals = await board.deals(2)
    payload = await board.move([*deals, 999_999], "Won")
    assert statuses(payload) == ["NOT_APPLIED", "NOT_APPLIED", "NOT_FOUND"]
    assert payload["operationId"] is None
    assert {(await board.row(deal))["stage"] for deal in deals} == {"Lead"}


async def test_an_undo_restores_what_was(board: Board) -> None:
    deals = await board.deals(2)
    moved = await board.move(deals, "Won")
    undone = await board.undo(moved["operationId"])
    assert statuses(undone) == ["UPDATED", "UPDATED"]
    for deal in deals:
        row = await board.row(deal)
        assert (row["stage"], row["outcome"], row["closed_at"], row["version"]) == ("Lead", "open", None, 3)
    again = await board.undo(moved["operationId"])
    assert statuses(again) == ["CONFLICT", "CONFLICT"]


async def test_a_key_is_answered_once(board: Board) -> None:
    deals = await board.deals(2)
    first = await board.move(deals, "Won", idempotencyKey="drag-1")
    second = await board.move(deals, "Won", idempotencyKey="drag-1")
    assert second == {**first, "replayed": True}
    assert {(await board.row(deal))["version"] for deal in deals} == {2}
