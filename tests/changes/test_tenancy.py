"""Another tenant's ids, wherever an input takes one, are not found; nothing of that tenant changes."""

from collections.abc import Callable

import pytest

from gateway.api.ids import encode_id
from tests.changes.conftest import Board, Json, OpenBoard, codes, deal_id, statuses

Boards = tuple[Board, Board]
VERBS = ("updateDealStages", "assignDeals", "updateDeals", "deleteDeals", "restoreDeals")


@pytest.fixture
async def two(open_board: OpenBoard) -> Boards:
    """A board, and the one of a tenant beside it that must not notice anything."""
    return await open_board("adler"), await open_board("canary")


def target(board: Board, verb: str) -> Json:
    """What deals get by a verb, by ids of a board's own."""
    targets: dict[str, Json] = {
        "updateDealStages": {"stageId": board.stage_id("Won")},
        "assignDeals": {"ownerId": board.member_id("admin")},
        "updateDeals": {"name": "taken over"},
    }
    return targets.get(verb, {})


def in_changes(deals: list[int], wanted: Json) -> Json:
    return {"changes": [{"dealId": deal_id(deal), **wanted} for deal in deals]}


def in_deal_ids(deals: list[int], wanted: Json) -> Json:
    return {"dealIds": [deal_id(deal) for deal in deals], **wanted}


WAYS = [(verb, in_changes) for verb in VERBS] + [(verb, in_deal_ids) for verb in VERBS if verb != "updateDeals"]


@pytest.mark.parametrize(("verb", "way"), WAYS)
async def test_deals_of_another_tenant_are_not_found(two: Boards, verb: str, way: Callable[..., Json]) -> None:
    ours, theirs = two
    own, foreign = await ours.deals(1), await theirs.deals(2)
    await theirs.world.delete("deals", foreign[1])
    if verb == "restoreDeals":
        await ours.world.delete("deals", own[0])
    given = way([*own, *foreign, 2**62], target(ours, verb))
    untouched, rows = await theirs.all_rows(), await ours.all_rows()
    for role in ("rep", "manager", "admin"):
        for dry in (True, False):
            whole = await ours.change(verb, role, **given, dryRun=dry)
            assert statuses(whole) == ["NOT_APPLIED", *["NOT_FOUND"] * 3]
            assert codes(whole) == [None, *["DEAL_NOT_FOUND"] * 3]
            assert [result["deal"] for result in whole["results"][1:]] == [None] * 3
    assert await ours.all_rows() == rows
    each = await ours.change(verb, **given, mode="PER_ITEM")
    assert statuses(each) == ["UPDATED", *["NOT_FOUND"] * 3]
    assert await theirs.all_rows() == untouched


@pytest.mark.parametrize("way", [in_changes, in_deal_ids])
@pytest.mark.parametrize(
    ("verb", "code"), [("updateDealStages", "STAGE_NOT_FOUND"), ("assignDeals", "OWNER_NOT_FOUND")]
)
async def test_targets_of_another_tenant_are_not_found(
    two: Boards, verb: str, code: str, way: Callable[..., Json]
) -> None:
    ours, theirs = two
    deals = await ours.deals(2)
    rows, untouched = await ours.all_rows(), await theirs.all_rows()
    for mode in ("PER_ITEM", "ALL_OR_NOTHING"):
        payload = await ours.change(verb, **way(deals, target(theirs, verb)), mode=mode)
        assert (statuses(payload), codes(payload)) == (["NOT_FOUND"] * 2, [code] * 2)
    assert (await ours.all_rows(), await theirs.all_rows()) == (rows, untouched)


@pytest.mark.parametrize("way", [in_changes, in_deal_ids])
@pytest.mark.parametrize("verb", ["updateDealStages", "assignDeals"])
async def test_deals_and_targets_of_another_tenant_are_not_found_together(
    two: Boards, verb: str, way: Callable[..., Json]
) -> None:
    ours, theirs = two
    deals = await theirs.deals(2)
    untouched = await theirs.all_rows()
    payload = await ours.change(verb, "admin", **way(deals, target(theirs, verb)), mode="PER_ITEM")
    assert codes(payload) == ["DEAL_NOT_FOUND"] * 2
    assert await theirs.all_rows() == untouched


async def test_operations_of_another_tenant_are_not_undone(two: Boards) -> None:
    ours, theirs = two
    deals = await theirs.deals(1)
    operations = [
        (await theirs.change(verb, **in_changes(deals, target(theirs, verb))))["operationId"] for verb in VERBS
    ]
    untouched = await theirs.all_rows()
    for operation in operations:
        assert (await ours.undo_refused(operation, "admin"))["code"] == "NOT_FOUND"
    assert await theirs.all_rows() == untouched


async def test_a_key_of_another_tenant_answers_nothing_and_keeps_nobody_out(two: Boards) -> None:
    ours, theirs = two
    foreign = await theirs.deals(1)
    kept = await theirs.move(foreign, "Won", idempotencyKey="shared")
    untouched = await theirs.all_rows()
    payload = await ours.move(foreign, "Won", idempotencyKey="shared")
    assert (statuses(kept), statuses(payload), payload["replayed"]) == (["UPDATED"], ["NOT_FOUND"], False)
    assert await theirs.all_rows() == untouched


async def test_a_payload_tells_nothing_of_another_tenants_pipeline_or_member(two: Boards) -> None:
    ours, theirs = two
    await theirs.deals(3, amount="31337")
    pipeline = await theirs.owner.fetchval("SELECT id FROM pipelines WHERE tenant_id = $1", theirs.world.tenant_id)
    asked = f"""theirs: pipelineStats(pipelineId: "{encode_id("Pipeline", pipeline)}") {{ deals {{ total }} }}
      member: pipelineStats(ownerId: "{theirs.member_id("rep")}") {{ deals {{ total pipelineValue }} }}
      all: pipelineStats {{ deals {{ total pipelineValue }} }}"""
    payload = await ours.change("deleteDeals", asked=asked, dealIds=[deal_id(deal) for deal in await ours.deals(1)])
    none = {"deals": {"total": 0, "pipelineValue": "0"}}
    assert (payload["theirs"], payload["member"], payload["all"]) == (None, none, none)


async def test_a_change_waits_for_no_lock_of_another_tenant(two: Boards) -> None:
    ours, theirs = two
    own, foreign = await ours.deals(1), await theirs.deals(1)
    async with theirs.owner.transaction():
        await theirs.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", foreign[0])
        payload = await ours.move([*own, *foreign], "Won", mode="PER_ITEM")
    assert statuses(payload) == ["UPDATED", "NOT_FOUND"]
