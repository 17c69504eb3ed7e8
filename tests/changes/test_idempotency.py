"""Keys that make a request safe to repeat: carried out once, answered alike each time."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.changes.conftest import Board, Json, OpenBoard, codes, deal_id, mutation, statuses
from tests.conftest import Database
from tests.pipeline.acme import until_waiting


async def keys(board: Board) -> list[str]:
    rows = await board.owner.fetch("SELECT key FROM idempotency_keys WHERE tenant_id = $1", board.world.tenant_id)
    return sorted(row["key"] for row in rows)


async def test_a_replay_has_the_first_statuses_and_the_records_as_they_are_now(shared_board: Board) -> None:
    board = shared_board
    first, second, gone = await board.deals(3)
    given: Json = {"mode": "PER_ITEM", "idempotencyKey": "statuses", "note": "a drag"}
    answer = await board.move([first, second, gone, 999_999], "Won", **given)
    await board.move([second], "Lost")
    await board.change("deleteDeals", dealIds=[deal_id(gone)])
    rows = await board.all_rows()
    again = await board.move([first, second, gone, 999_999], "Won", **given)
    assert statuses(again) == ["UPDATED", "UPDATED", "UPDATED", "NOT_FOUND"]
    kept = ("operationId", "summary", "dryRun")
    assert {name: again[name] for name in kept} == {name: answer[name] for name in kept}
    assert (answer["replayed"], again["replayed"]) == (False, True)
    now = [
        result["deal"] and (result["deal"]["stage"]["name"], result["deal"]["version"]) for result in again["results"]
    ]
    assert now == [("Won", 2), ("Lost", 3), None, None]
    assert await board.all_rows() == rows


async def test_a_replayed_conflict_tells_the_version_of_then_and_the_stage_by_its_name_of_now(board: Board) -> None:
    (deal,) = await board.deals(1)
    change = {"dealId": deal_id(deal), "stageId": board.stage_id("Won"), "expectedVersion": 5}
    given: Json = {"changes": [change], "idempotencyKey": "conflict"}
    first = await board.change("updateDealStages", **given)
    await board.owner.execute("UPDATE deals SET name = 'other' WHERE id = $1", deal)
    await board.owner.execute("UPDATE stages SET name = 'Fresh' WHERE id = $1", board.stages["Lead"])
    again = await board.change("updateDealStages", **given)
    error = {"code": "VERSION_DIFFERS", "currentVersion": 1}
    assert first["results"][0]["error"] == {**error, "currentStage": {"name": "Lead"}}
    assert again["results"][0]["error"] == {**error, "currentStage": {"name": "Fresh"}}


async def test_a_batch_that_failed_as_a_whole_is_replayed_too(shared_board: Board) -> None:
    deals = await shared_board.deals(2)
    given = {"idempotencyKey": "failed"}
    failed = await shared_board.move([*deals, 999_999], "Won", **given)
    assert statuses(failed) == ["NOT_APPLIED", "NOT_APPLIED", "NOT_FOUND"]
    again = await shared_board.move([*deals, 999_999], "Won", **given)
    assert again == {**failed, "replayed": True}
    assert codes(again) == [None, None, "DEAL_NOT_FOUND"]
    assert {(await shared_board.row(deal))["version"] for deal in deals} == {1}


async def test_every_verb_is_answered_once(shared_board: Board) -> None:
    board = shared_board
    (deal,) = await board.deals(1)
    requests: Json = {
        "updateDealStages": {"dealIds": [deal_id(deal)], "stageId": board.stage_id("Won")},
        "assignDeals": {"dealIds": [deal_id(deal)], "ownerId": board.member_id("admin")},
        "updateDeals": {"changes": [{"dealId": deal_id(deal), "name": "new", "amount": "1.5", "expectedClose": None}]},
        "deleteDeals": {"dealIds": [deal_id(deal)]},
        "restoreDeals": {"dealIds": [deal_id(deal)]},
    }
    for version, (verb, given) in enumerate(requests.items(), 2):
        first, again = [await board.change(verb, idempotencyKey=f"one {verb}", **given) for _ in range(2)]
        assert again == {**first, "replayed": True}
        assert (await board.row(deal))["version"] == version
        assert statuses(again) == ["UPDATED"]
    first, again = [await board.undo(first["operationId"], key="undo") for _ in range(2)]
    assert again == {**first, "replayed": True}
    assert (await board.row(deal))["version"] == 7


async def test_a_key_that_was_used_for_another_request_is_refused(shared_board: Board) -> None:
    board = shared_board
    deals = await board.deals(2)
    first: Json = {"dealIds": [deal_id(deals[0])], "idempotencyKey": "used"}
    await board.change("deleteDeals", **first)
    others: list[Json] = [
        {**first, "dealIds": [deal_id(deals[1])]},
        {**first, "dealIds": [deal_id(deal) for deal in deals]},
        {**first, "mode": "PER_ITEM"},
        {**first, "note": "why"},
        {"changes": [{"dealId": deal_id(deals[0]), "expectedVersion": 1}], "idempotencyKey": "used"},
    ]
    rows = await board.all_rows()
    for other in others:
        assert (await board.refused("deleteDeals", **other))["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (await board.refused("deleteDeals", "admin", **first))["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (await board.refused("restoreDeals", **first))["code"] == "IDEMPOTENCY_KEY_REUSED"
    operation = rows["operations"][-1]["id"]
    assert (await board.undo_refused(str(operation), key="used"))["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert await board.all_rows() == rows
    assert (await board.change("deleteDeals", **first))["replayed"] is True


@pytest.mark.parametrize(
    ("one", "other"),
    [({"amount": "1"}, {"amount": None}), ({"name": "1"}, {"name": "2"}), ({"amount": "1"}, {"name": "1"})],
    ids=str,
)
async def test_other_values_are_another_request(shared_board: Board, one: Any, other: Any) -> None:
    (deal,) = await shared_board.deals(1)
    first, second = ([{"dealId": deal_id(deal), **fields}] for fields in (one, other))
    key = f"values {deal}"
    await shared_board.change("updateDeals", changes=first, idempotencyKey=key)
    refused = await shared_board.refused("updateDeals", changes=second, idempotencyKey=key)
    assert refused["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_the_same_deals_in_the_other_way_of_saying_it_are_the_same_request(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    first = await shared_board.change("deleteDeals", dealIds=[deal_id(deal)], idempotencyKey="either way")
    changes = [{"dealId": deal_id(deal)}]
    again = await shared_board.change("deleteDeals", changes=changes, idempotencyKey="either way")
    assert again == {**first, "replayed": True}


async def test_a_dry_run_neither_takes_a_key_nor_uses_one(board: Board) -> None:
    deals = await board.deals(2)
    for _ in range(2):
        tried = await board.move(deals, "Won", dryRun=True, idempotencyKey="dry")
        assert (tried["replayed"], statuses(tried)) == (False, ["UPDATED", "UPDATED"])
    assert await keys(board) == []
    await board.move(deals, "Won", idempotencyKey="dry")
    tried = await board.move(deals, "Lost", dryRun=True, idempotencyKey="dry")
    assert (tried["replayed"], tried["operationId"], statuses(tried)) == (False, None, ["UPDATED", "UPDATED"])
    assert await keys(board) == ["dry"]


async def test_who_repeats_a_request_that_still_runs_gets_its_answer(board: Board, database: Database) -> None:
    deals = await board.deals(3)
    async with board.owner.transaction():
        await board.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deals[1])
        twice = asyncio.gather(*(board.move(deals, "Won", idempotencyKey="twice") for _ in range(2)))
        await until_waiting(database, 2)
    first, second = sorted(await twice, key=lambda payload: payload["replayed"])
    assert (first["replayed"], second) == (False, {**first, "replayed": True})
    assert statuses(first) == ["UPDATED"] * 3
    assert {(await board.row(deal))["version"] for deal in deals} == {2}
    assert len((await board.all_rows())["operations"]) == 1


async def test_who_sends_another_request_with_a_key_in_use_waits_and_is_refused(
    board: Board, database: Database
) -> None:
    deals = await board.deals(2)
    async with board.owner.transaction():
        await board.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deals[0])
        first = asyncio.create_task(board.move(deals, "Won", idempotencyKey="taken"))
        await until_waiting(database)
        second = asyncio.create_task(board.refused("deleteDeals", dealIds=[deal_id(deals[1])], idempotencyKey="taken"))
        await until_waiting(database, 2)
    assert statuses(await first) == ["UPDATED", "UPDATED"]
    assert (await second)["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_when_the_first_comes_to_nothing_who_repeats_it_does_it(
    open_board: OpenBoard, database: Database
) -> None:
    board = await open_board("hasty", request_deadline_seconds=1)
    (deal,) = await board.deals(1)
    given: Json = {"dealIds": [deal_id(deal)], "idempotencyKey": "late"}
    async with board.owner.transaction():
        await board.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deal)
        assert (await board.refused("deleteDeals", **given))["code"] == "DEADLINE_EXCEEDED"
        await until_waiting(database, 0)
    assert await keys(board) == []
    payload = await board.change("deleteDeals", **given)
    assert (payload["replayed"], statuses(payload)) == (False, ["UPDATED"])


async def test_a_refused_input_takes_no_key(board: Board) -> None:
    await board.refused("deleteDeals", dealIds=["rubbish"], idempotencyKey="free")
    await board.refused("deleteDeals", "viewer", dealIds=[deal_id(1)], idempotencyKey="free")
    await board.undo_refused("00000000-0000-0000-0000-000000000000", key="free")
    assert await keys(board) == []


async def test_keys_of_one_tenant_mean_nothing_in_another(open_board: OpenBoard) -> None:
    one, other = await open_board("one"), await open_board("other")
    answers = [await board.move(await board.deals(1), "Won", idempotencyKey="same") for board in (one, other)]
    assert [(answer["replayed"], statuses(answer)) for answer in answers] == [(False, ["UPDATED"])] * 2
    assert await keys(one) == await keys(other) == ["same"]


async def test_keys_older_than_a_week_go_when_later_ones_are_taken(board: Board) -> None:
    deals = await board.deals(1)
    for key in ("old", "young"):
        await board.move(deals, "Won", idempotencyKey=key)
    for key, age in {"old": timedelta(days=7, minutes=1), "young": timedelta(days=6, hours=23)}.items():
        aged = "UPDATE idempotency_keys SET created_at = now() - $2::interval WHERE key = $1"
        await board.owner.execute(aged, key, age)
    await board.move(deals, "Won", idempotencyKey="new")
    assert await keys(board) == ["new", "young"]
    again = await board.move(deals, "Won", idempotencyKey="old")
    assert (again["replayed"], statuses(again)) == (False, ["UNCHANGED"])


async def test_a_viewer_gets_no_answer_by_anothers_key(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    given: Json = {"dealIds": [deal_id(deal)], "idempotencyKey": "secret"}
    await shared_board.change("deleteDeals", **given)
    response = await shared_board.callers["viewer"].post(mutation("deleteDeals"), {"input": given})
    assert response.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
