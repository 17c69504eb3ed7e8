"""What each verb does to deals, and what is seen of it right after."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gateway.api.ids import encode_id
from tests.changes.conftest import Board, Json, OpenBoard, codes, deal_id, statuses
from tests.pipeline.test_one_request import metric

BOARD = "pipelineStats { deals { total open won lost pipelineValue wonValue } stages { stage { name } deals value } }"
LISTED = "query ($id: ID!) { deals(filter: { ids: [$id] }) { totalCount nodes { id } } deal(id: $id) { id } }"


def changing(deal: int, **fields: Any) -> Json:
    return {"changes": [{"dealId": deal_id(deal), **fields}]}


async def totals(board: Board) -> Json:
    text = "{ pipelineStats { deals { total open won lost pipelineValue wonValue } } }"
    found: Json = (await board.callers["viewer"].data(text))["pipelineStats"]["deals"]
    return found


async def test_assigned_deals_have_their_new_owner(shared_board: Board) -> None:
    board = shared_board
    deals = await board.deals(2)
    admin = board.member_id("admin")
    payload = await board.change("assignDeals", dealIds=[deal_id(deal) for deal in deals], ownerId=admin)
    assert statuses(payload) == ["UPDATED", "UPDATED"]
    assert [result["deal"]["owner"] for result in payload["results"]] == [{"name": "admin"}] * 2
    assert {(await board.row(deal))["owner_id"] for deal in deals} == {board.world.members["admin"]}


async def test_each_assigned_deal_may_have_its_own_owner(shared_board: Board) -> None:
    board = shared_board
    deals = await board.deals(3)
    owners = ("admin", "rep", "viewer")
    changes = [
        {"dealId": deal_id(deal), "ownerId": board.member_id(owner), "expectedVersion": 1}
        for deal, owner in zip(deals, owners, strict=True)
    ]
    payload = await board.change("assignDeals", changes=changes)
    assert statuses(payload) == ["UPDATED", "UNCHANGED", "UPDATED"]
    assert payload["summary"] == {"requested": 3, "updated": 2, "unchanged": 1, "failed": 0, "notApplied": 0}
    assert [result["deal"]["owner"]["name"] for result in payload["results"]] == list(owners)
    assert [(await board.row(deal))["version"] for deal in deals] == [2, 1, 2]


async def test_unknown_and_deactivated_members_get_no_deals(board: Board) -> None:
    deals = await board.deals(3)
    await board.owner.execute("UPDATE members SET active = false WHERE id = $1", board.world.members["viewer"])
    owners = [encode_id("Member", 2**63 - 1), board.member_id("viewer"), board.member_id("admin")]
    changes = [
        {"dealId": deal_id(deal), "ownerId": owner, "expectedVersion": 9 if deal is deals[1] else None}
        for deal, owner in zip(deals, owners, strict=True)
    ]
    payload = await board.change("assignDeals", changes=changes)
    assert statuses(payload) == ["NOT_FOUND", "INVALID_OWNER", "NOT_APPLIED"]
    assert codes(payload) == ["OWNER_NOT_FOUND", "OWNER_INACTIVE", None]
    assert {(await board.row(deal))["owner_id"] for deal in deals} == {board.world.members["rep"]}


async def test_a_deal_may_stay_with_an_owner_who_was_deactivated(board: Board) -> None:
    (deal,) = await board.deals(1, owner="rep")
    await board.owner.execute("UPDATE members SET active = false WHERE id = $1", board.world.members["rep"])
    payload = await board.change("assignDeals", dealIds=[deal_id(deal)], ownerId=board.member_id("rep"))
    assert (statuses(payload), payload["operationId"]) == (["UNCHANGED"], None)


NEW = {"name": "renamed", "amount": "0.01", "expectedClose": "2027-02-28"}
VALUES: list[tuple[Json, tuple[object, ...]]] = [
    (NEW, ("renamed", Decimal("0.01"), date(2027, 2, 28))),
    ({"name": "renamed"}, ("renamed", Decimal(100), None)),
    ({"amount": "99999999999999.99"}, ("a deal", Decimal("99999999999999.99"), None)),
    ({"amount": None}, ("a deal", None, None)),
    ({"amount": "0"}, ("a deal", Decimal(0), None)),
    ({"expectedClose": "9999-12-31"}, ("a deal", Decimal(100), date(9999, 12, 31))),
    ({"name": " kept as sent ", "amount": None, "expectedClose": None}, (" kept as sent ", None, None)),
]


@pytest.mark.parametrize(("fields", "expected"), VALUES, ids=[str(fields) for fields, _ in VALUES])
async def test_fields_that_are_given_change_and_others_stay(
    shared_board: Board, fields: Json, expected: tuple[object, ...]
) -> None:
    (deal,) = await shared_board.deals(1)
    payload = await shared_board.change("updateDeals", **changing(deal, **fields))
    row = await shared_board.row(deal)
    assert (statuses(payload), row["version"]) == (["UPDATED"], 2)
    assert (row["name"], row["amount"], row["expected_close"]) == expected


@pytest.mark.parametrize(
    "fields",
    [{"name": "a deal"}, {"amount": "100"}, {"amount": "100.00"}, {"amount": 100}, {"expectedClose": None}],
    ids=str,
)
async def test_fields_that_are_as_wanted_leave_the_deal_unchanged(shared_board: Board, fields: Json) -> None:
    (deal,) = await shared_board.deals(1)
    before = await shared_board.row(deal)
    payload = await shared_board.change("updateDeals", **changing(deal, **fields))
    assert (statuses(payload), payload["operationId"]) == (["UNCHANGED"], None)
    assert payload["summary"] == {"requested": 1, "updated": 0, "unchanged": 1, "failed": 0, "notApplied": 0}
    assert await shared_board.row(deal) == before


async def test_each_updated_deal_has_its_own_values(shared_board: Board) -> None:
    first, second, third = await shared_board.deals(3)
    changes = [
        *changing(third, amount=None)["changes"],
        *changing(first, name="first", expectedVersion=1)["changes"],
        *changing(second, amount="7", expectedVersion=3)["changes"],
    ]
    payload = await shared_board.change("updateDeals", changes=changes, mode="PER_ITEM")
    assert statuses(payload) == ["UPDATED", "UPDATED", "CONFLICT"]
    rows = [await shared_board.row(deal) for deal in (first, second, third)]
    told = [("first", Decimal(100)), ("a deal", Decimal(100)), ("a deal", None)]
    assert [(row["name"], row["amount"]) for row in rows] == told


async def test_deleted_deals_leave_every_list_and_total_and_come_back(board: Board) -> None:
    kept, gone = await board.deals(2, amount="50"), await board.deals(2, stage="Won", amount="70")
    before = await totals(board)
    deleted = await board.change("deleteDeals", asked=BOARD, dealIds=[deal_id(deal) for deal in [kept[0], *gone]])
    assert (statuses(deleted), {str(result["deal"]) for result in deleted["results"]}) == (["UPDATED"] * 3, {"None"})
    left = {"total": 1, "open": 1, "won": 0, "lost": 0, "pipelineValue": "50", "wonValue": "0"}
    assert deleted["pipelineStats"]["deals"] == await totals(board) == left
    viewer = board.callers["viewer"]
    absent = {"deals": {"totalCount": 0, "nodes": []}, "deal": None}
    assert await viewer.data(LISTED, id=deal_id(gone[0])) == absent
    restored = await board.change("restoreDeals", asked=BOARD, dealIds=[deal_id(deal) for deal in [kept[0], *gone]])
    assert statuses(restored) == ["UPDATED"] * 3
    assert restored["pipelineStats"]["deals"] == await totals(board) == before
    there = {"id": deal_id(gone[0])}
    assert await viewer.data(LISTED, id=deal_id(gone[0])) == {
        "deals": {"totalCount": 1, "nodes": [there]},
        "deal": there,
    }


async def test_what_is_deleted_or_restored_already_is_unchanged(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    given: Json = {"dealIds": [deal_id(deal)]}
    assert statuses(await shared_board.change("restoreDeals", **given)) == ["UNCHANGED"]
    assert statuses(await shared_board.change("deleteDeals", **given)) == ["UPDATED"]
    before = await shared_board.row(deal)
    assert statuses(await shared_board.change("deleteDeals", **given)) == ["UNCHANGED"]
    assert await shared_board.row(deal) == before
    assert statuses(await shared_board.change("restoreDeals", **given)) == ["UPDATED"]


@pytest.mark.parametrize("verb", ["deleteDeals", "restoreDeals"])
async def test_a_deletion_and_a_restoration_heed_versions(shared_board: Board, verb: str) -> None:
    (deal,) = await shared_board.deals(1)
    if verb == "restoreDeals":
        await shared_board.world.delete("deals", deal)
    version = (await shared_board.row(deal))["version"]
    stale = await shared_board.change(verb, **changing(deal, expectedVersion=version + 1))
    conflict = {"code": "VERSION_DIFFERS", "currentVersion": version, "currentStage": {"name": "Lead"}}
    assert (statuses(stale), stale["results"][0]["error"]) == (["CONFLICT"], conflict)
    assert statuses(await shared_board.change(verb, **changing(deal, expectedVersion=version))) == ["UPDATED"]


async def test_what_is_as_wanted_conflicts_all_the_same_when_its_version_differs(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    payload = await shared_board.change("updateDeals", **changing(deal, amount="100", expectedVersion=2))
    assert statuses(payload) == ["CONFLICT"]


DRY: dict[str, Json] = {
    "updateDealStages": {"stage": "Won"},
    "assignDeals": {"owner": "admin"},
    "updateDeals": {"fields": NEW},
    "deleteDeals": {},
    "restoreDeals": {},
}


@pytest.mark.parametrize("mode", ["ALL_OR_NOTHING", "PER_ITEM"])
@pytest.mark.parametrize("verb", DRY)
async def test_a_dry_run_tells_what_would_be_and_writes_nothing(shared_board: Board, verb: str, mode: str) -> None:
    board, what = shared_board, DRY[verb]
    deals = [*await board.deals(2), 999_999]
    if verb == "restoreDeals":
        await board.owner.execute("UPDATE deals SET deleted_at = now() WHERE id = ANY($1::bigint[])", deals)
    target: Json = {}
    if "stage" in what:
        target = {"stageId": board.stage_id(what["stage"])}
    if "owner" in what:
        target = {"ownerId": board.member_id(what["owner"])}
    changes = [{"dealId": deal_id(deal), **target, **what.get("fields", {})} for deal in deals]
    rows = await board.all_rows()
    tried = await board.change(verb, changes=changes, dryRun=True, mode=mode, note="perhaps")
    assert await board.all_rows() == rows
    sound = "UPDATED" if mode == "PER_ITEM" else "NOT_APPLIED"
    assert (statuses(tried), tried["dryRun"], tried["operationId"]) == ([sound, sound, "NOT_FOUND"], True, None)
    done = await board.change(verb, changes=changes, mode=mode)
    assert (statuses(done), done["summary"]) == (statuses(tried), tried["summary"])


async def test_in_a_batch_that_fails_sound_items_are_not_applied_and_the_rest_tell_their_own(
    shared_board: Board,
) -> None:
    board = shared_board
    moving, staying, stale = *await board.deals(1), *await board.deals(1, stage="Won"), *await board.deals(1)
    changes: list[Json] = [
        {"dealId": deal_id(deal), "stageId": board.stage_id("Won")} for deal in (moving, staying, stale)
    ]
    changes[2]["expectedVersion"] = 2
    rows = await board.all_rows()
    payload = await board.change("updateDealStages", changes=changes)
    assert statuses(payload) == ["NOT_APPLIED", "UNCHANGED", "CONFLICT"]
    assert payload["summary"] == {"requested": 3, "updated": 0, "unchanged": 1, "failed": 1, "notApplied": 1}
    assert payload["operationId"] is None
    assert await board.all_rows() == rows


async def test_a_payload_shows_the_world_after_the_change(board: Board) -> None:
    deals = await board.deals(3, amount="50")
    asked = f'{BOARD} hers: pipelineStats(ownerId: "{board.member_id("admin")}") {{ deals {{ total }} }}'
    ids = [deal_id(deal) for deal in deals[:2]]
    payload = await board.change("updateDealStages", asked=asked, dealIds=ids, stageId=board.stage_id("Won"))
    after = {"total": 3, "open": 1, "won": 2, "lost": 0, "pipelineValue": "50", "wonValue": "100"}
    assert payload["pipelineStats"]["deals"] == after
    stages = {entry["stage"]["name"]: (entry["deals"], entry["value"]) for entry in payload["pipelineStats"]["stages"]}
    assert {name: entry for name, entry in stages.items() if entry[0]} == {"Lead": (1, "50"), "Won": (2, "100")}
    assert payload["hers"] == {"deals": {"total": 0}}
    assert [result["deal"]["stage"]["name"] for result in payload["results"]] == ["Won", "Won"]


SEVERAL = """
mutation ($ids: [ID!]!, $won: ID!, $lost: ID!) {
  one: updateDealStages(input: { dealIds: $ids, stageId: $won }) { ...After }
  two: updateDealStages(input: { dealIds: $ids, stageId: $lost }) { ...After }
  three: deleteDeals(input: { dealIds: $ids }) { ...After }
  four: restoreDeals(input: { dealIds: $ids }) { ...After }
}
fragment After on DealChanges {
  results { status deal { version stage { name } } }
  pipelineStats { deals { total won lost } }
}
"""


async def test_several_changes_of_one_request_each_see_their_own_world_on_one_connection(
    open_board: OpenBoard,
) -> None:
    board = await open_board("narrow", pool_size=1, pool_wait_seconds=0.5)
    (deal,) = await board.deals(1)
    stages = {"won": board.stage_id("Won"), "lost": board.stage_id("Lost")}
    answer = await board.callers["manager"].data(SEVERAL, ids=[deal_id(deal)], **stages)
    seen = [(field["results"][0]["deal"], *field["pipelineStats"]["deals"].values()) for field in answer.values()]
    won, lost = {"version": 2, "stage": {"name": "Won"}}, {"version": 3, "stage": {"name": "Lost"}}
    assert seen == [
        (won, 1, 1, 0),
        (lost, 1, 0, 1),
        (None, 0, 0, 0),
        ({**lost, "version": 5}, 1, 0, 1),
    ]
    assert await metric(board.callers["manager"], 'gateway_pool_connections{state="busy"}') == 0


async def test_a_change_that_fails_leaves_those_before_it_and_does_none_after_it(board: Board) -> None:
    (deal,) = await board.deals(1)
    text = """mutation ($ids: [ID!]!, $won: ID!) {
      one: updateDealStages(input: { dealIds: $ids, stageId: $won }) { operationId }
      two: deleteDeals(input: { dealIds: [] }) { operationId }
      three: deleteDeals(input: { dealIds: $ids }) { operationId }
    }"""
    response = await board.callers["manager"].post(text, {"ids": [deal_id(deal)], "won": board.stage_id("Won")})
    (error,) = response.json()["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["two"], "BAD_USER_INPUT")
    row = await board.row(deal)
    assert (row["stage"], row["deleted_at"]) == ("Won", None)


async def test_a_change_is_a_mutation_and_not_sent_by_get(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    text = f'mutation {{ deleteDeals(input: {{ dealIds: ["{deal_id(deal)}"] }}) {{ operationId }} }}'
    manager = shared_board.callers["manager"]
    headers = {"Authorization": f"Bearer {manager.token}", "Accept": "application/json"}
    response = await manager.http.get("/graphql", params={"query": text}, headers=headers)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert (await shared_board.row(deal))["deleted_at"] is None


async def test_who_is_nobody_changes_nothing(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    text = f'mutation {{ deleteDeals(input: {{ dealIds: ["{deal_id(deal)}"] }}) {{ operationId }} }}'
    response = await shared_board.callers["manager"].http.post("/graphql", json={"query": text})
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await shared_board.row(deal))["deleted_at"] is None
