"""What a caller may get wrong about a change: every mistake is told at once with its place, and nothing is written."""

import base64
from typing import Any

import pytest

from gateway.api.ids import encode_id
from gateway.errors import BadUserInputError
from tests.changes.conftest import (
    Board,
    Json,
    OpenBoard,
    codes,
    deal_id,
    mutation,
    only_error,
    paths,
    statuses,
)

VERBS = ("updateDealStages", "assignDeals", "updateDeals", "deleteDeals", "restoreDeals")
MANY = ("updateDealStages", "assignDeals", "deleteDeals", "restoreDeals")
"""Verbs that also take `dealIds`."""


def wanted(board: Board, verb: str, deal: str) -> Json:
    """One of the `changes` of a verb, all of it in order."""
    more = {
        "updateDealStages": {"stageId": board.stage_id("Won")},
        "assignDeals": {"ownerId": board.member_id("admin")},
        "updateDeals": {"amount": "7"},
    }
    return {"dealId": deal, **more.get(verb, {})}


def shared(board: Board, verb: str) -> Json:
    """What all of `dealIds` get."""
    return {name: value for name, value in wanted(board, verb, "").items() if name != "dealId"}


async def refusal(board: Board, verb: str, **given: Any) -> Json:
    """The extensions of the error of a refused change, which wrote nothing."""
    before = await board.all_rows()
    refused = await board.refused(verb, **given)
    assert await board.all_rows() == before
    return refused


async def fields_refused(board: Board, **fields: Any) -> Json:
    """Of an `updateDeals` of one deal."""
    (deal,) = await board.deals(1)
    return await refusal(board, "updateDeals", changes=[{"dealId": deal_id(deal), **fields}])


@pytest.mark.parametrize("verb", VERBS)
async def test_one_item_over_the_limit_is_refused(open_board: OpenBoard, verb: str) -> None:
    board = await open_board("small", bulk_size_limit=3)
    deals = [deal_id(deal) for deal in await board.deals(4)]
    if verb == "restoreDeals":
        await board.owner.execute("UPDATE deals SET deleted_at = now() WHERE tenant_id = $1", board.world.tenant_id)
    changes = [wanted(board, verb, deal) for deal in deals]
    refused = await refusal(board, verb, changes=changes)
    message = "`changes` has from 1 to 3 entries; it has 4."
    assert refused["problems"] == [{"path": ["input", "changes"], "message": message}]
    if verb in MANY:
        assert paths(await refusal(board, verb, dealIds=deals, **shared(board, verb))) == [["input", "dealIds"]]
    assert statuses(await board.change(verb, changes=changes[:3])) == ["UPDATED"] * 3


@pytest.mark.parametrize("verb", VERBS)
async def test_an_empty_list_is_refused(shared_board: Board, verb: str) -> None:
    message = "`changes` has from 1 to 1000 entries; it has 0."
    refused = await refusal(shared_board, verb, changes=[])
    assert (refused["code"], refused["path"]) == ("BAD_USER_INPUT", ["input", "changes"])
    assert refused["problems"] == [{"path": ["input", "changes"], "message": message}]
    if verb in MANY:
        refused = await refusal(shared_board, verb, dealIds=[], **shared(shared_board, verb))
        assert paths(refused) == [["input", "dealIds"]]


@pytest.mark.parametrize("verb", VERBS)
async def test_ten_thousand_changes_are_refused_before_they_are_read(shared_board: Board, verb: str) -> None:
    # None of them is an input of the verb: who read them would say so.
    answer = await shared_board.callers["manager"].post(mutation(verb), {"input": {"changes": [{}] * 10_000}})
    assert answer.status_code == 200
    refused = only_error(answer.json())
    assert (refused["code"], refused["path"]) == ("BAD_USER_INPUT", ["input", "changes"])
    assert "data" not in answer.json()


@pytest.mark.parametrize(("mode", "sound"), [("ALL_OR_NOTHING", "NOT_APPLIED"), ("PER_ITEM", "UPDATED")])
async def test_a_deal_that_is_named_twice_for_the_same_counts_once(shared_board: Board, mode: str, sound: str) -> None:
    first, second = await shared_board.deals(2)
    payload = await shared_board.move([first, second, first], "Won", mode=mode)
    assert statuses(payload) == [sound, sound, "DUPLICATE"]
    assert codes(payload) == [None, None, "DEAL_NAMED_TWICE"]
    assert [(await shared_board.row(deal))["version"] for deal in (first, second)] == [
        2 if sound == "UPDATED" else 1
    ] * 2


@pytest.mark.parametrize(("mode", "sound"), [("ALL_OR_NOTHING", "NOT_APPLIED"), ("PER_ITEM", "UPDATED")])
@pytest.mark.parametrize("differing", ["stageId", "expectedVersion"])
async def test_a_deal_that_is_named_twice_for_different_things_is_not_changed(
    shared_board: Board, mode: str, sound: str, differing: str
) -> None:
    board = shared_board
    first, second = await board.deals(2)
    changes = [wanted(board, "updateDealStages", deal_id(deal)) for deal in (first, second, first)]
    changes[2][differing] = board.stage_id("Lost") if differing == "stageId" else 1
    payload = await board.change("updateDealStages", changes=changes, mode=mode)
    assert statuses(payload) == ["DUPLICATE", sound, "DUPLICATE"]
    assert (await board.row(first))["version"] == 1


@pytest.mark.parametrize(
    ("verb", "one", "other"),
    [
        ("updateDeals", {"amount": "7"}, {"amount": "8"}),
        ("updateDeals", {"amount": "7"}, {"amount": "7", "name": "other"}),
        ("updateDeals", {"amount": None}, {"amount": "0"}),
        ("deleteDeals", {}, {"expectedVersion": 1}),
    ],
    ids=str,
)
async def test_other_verbs_tell_different_things_apart_too(
    shared_board: Board, verb: str, one: Json, other: Json
) -> None:
    (deal,) = await shared_board.deals(1)
    changes = [{"dealId": deal_id(deal), **fields} for fields in (one, other, one)]
    assert statuses(await shared_board.change(verb, changes=changes)) == ["DUPLICATE"] * 3
    same = await shared_board.change(verb, changes=[changes[0], changes[2]], mode="PER_ITEM")
    assert statuses(same) == ["UPDATED", "DUPLICATE"]


async def other_pipeline(board: Board) -> int:
    """A stage of a pipeline that no deal is in."""
    return int(
        await board.owner.fetchval(
            """WITH p AS (INSERT INTO pipelines (tenant_id, name) VALUES ($1, gen_random_uuid()) RETURNING id)
               INSERT INTO stages (tenant_id, pipeline_id, name, position, probability, kind)
               SELECT $1, id, 'Elsewhere', 1, 0.5, 'open' FROM p RETURNING id""",
            board.world.tenant_id,
        )
    )


async def test_a_stage_of_another_pipeline_is_told_of_the_item(shared_board: Board) -> None:
    board = shared_board
    (deal,) = await board.deals(1)
    elsewhere = encode_id("Stage", await other_pipeline(board))
    payload = await board.change("updateDealStages", dealIds=[deal_id(deal)], stageId=elsewhere)
    assert (statuses(payload), codes(payload)) == (["INVALID_STAGE"], ["STAGE_OF_OTHER_PIPELINE"])
    assert payload["summary"] == {"requested": 1, "updated": 0, "unchanged": 0, "failed": 1, "notApplied": 0}
    assert (await board.row(deal))["stage"] == "Lead"


async def test_an_unknown_stage_is_told_of_the_item(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    payload = await shared_board.change(
        "updateDealStages", dealIds=[deal_id(deal)], stageId=encode_id("Stage", 2**63 - 1)
    )
    assert (statuses(payload), codes(payload)) == (["NOT_FOUND"], ["STAGE_NOT_FOUND"])


@pytest.mark.parametrize("verb", ["updateDealStages", "assignDeals", "updateDeals"])
async def test_a_deleted_deal_is_not_found(shared_board: Board, verb: str) -> None:
    (deal,) = await shared_board.deals(1)
    await shared_board.world.delete("deals", deal)
    before = await shared_board.row(deal)
    payload = await shared_board.change(verb, changes=[wanted(shared_board, verb, deal_id(deal))])
    assert (statuses(payload), codes(payload)) == (["NOT_FOUND"], ["DEAL_NOT_FOUND"])
    assert payload["results"][0]["deal"] is None
    assert await shared_board.row(deal) == before


NO_IDS = [
    "",
    "1",
    "x" * 10_000,
    "🚀",
    "\0",
    encode_id("Deal", 2**63),
    base64.b64encode(b"Deal:-1").decode(),
    "RGVhbDow",
]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("given", [*NO_IDS, encode_id("Company", 1)], ids=lambda text: ascii(text[:20]))
async def test_what_is_no_id_of_a_deal_is_refused_with_its_place(shared_board: Board, verb: str, given: str) -> None:
    board = shared_board
    (deal,) = await board.deals(1)
    good, bad = wanted(board, verb, deal_id(deal)), wanted(board, verb, given)
    refused = await refusal(board, verb, changes=[good, bad, bad])
    assert paths(refused) == [["input", "changes", 1, "dealId"], ["input", "changes", 2, "dealId"]]
    assert all("`dealId`" in problem["message"] for problem in refused["problems"])
    if verb in MANY:
        refused = await refusal(board, verb, dealIds=[deal_id(deal), given], **shared(board, verb))
        assert paths(refused) == [["input", "dealIds", 1]]
        assert "`dealIds`" in refused["problems"][0]["message"]


@pytest.mark.parametrize(("verb", "name"), [("updateDealStages", "stageId"), ("assignDeals", "ownerId")])
@pytest.mark.parametrize("given", [*NO_IDS, encode_id("Deal", 1)], ids=lambda text: ascii(text[:20]))
async def test_what_is_no_id_of_a_target_is_refused_with_its_place(
    shared_board: Board, verb: str, name: str, given: str
) -> None:
    (deal,) = await shared_board.deals(1)
    refused = await refusal(shared_board, verb, changes=[{"dealId": deal_id(deal), name: given}])
    assert paths(refused) == [["input", "changes", 0, name]]
    refused = await refusal(shared_board, verb, dealIds=[deal_id(deal)], **{name: given})
    assert paths(refused) == [["input", name]]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("version", [0, -1, -(2**31)])
async def test_a_version_below_one_is_refused(shared_board: Board, verb: str, version: int) -> None:
    (deal,) = await shared_board.deals(1)
    change = {**wanted(shared_board, verb, deal_id(deal)), "expectedVersion": version}
    refused = await refusal(shared_board, verb, changes=[change])
    assert paths(refused) == [["input", "changes", 0, "expectedVersion"]]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("version", [2**31, 2**63, -(2**63), 1.5, "1", True], ids=repr)
async def test_a_version_that_is_no_int_is_refused_as_a_variable(
    shared_board: Board, verb: str, version: object
) -> None:
    (deal,) = await shared_board.deals(1)
    change = {**wanted(shared_board, verb, deal_id(deal)), "expectedVersion": version}
    assert (await refusal(shared_board, verb, changes=[change]))["code"] == "VARIABLES_INVALID"


async def test_the_greatest_version_is_a_conflict(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    change = {**wanted(shared_board, "updateDeals", deal_id(deal)), "expectedVersion": 2**31 - 1}
    assert statuses(await shared_board.change("updateDeals", changes=[change])) == ["CONFLICT"]


TEXTS = {
    "empty": "",
    "blank": " \t\n",
    "nul": "a\0b",
    "nul alone": "\0",
    "nul and a line break": "a\0\n",
}


@pytest.mark.parametrize("name", ["note", "idempotencyKey"])
@pytest.mark.parametrize("text", [*TEXTS.values(), "x" * 10_000], ids=[*TEXTS, "long"])
async def test_a_note_or_a_key_that_is_none_is_refused(shared_board: Board, name: str, text: str) -> None:
    (deal,) = await shared_board.deals(1)
    given = {"dealIds": [deal_id(deal)], name: text}
    for verb in ("deleteDeals", "restoreDeals"):
        assert paths(await refusal(shared_board, verb, **given)) == [["input", name]]
    operation = (await shared_board.change("deleteDeals", dealIds=[deal_id(deal)]))["operationId"]
    argument = {"note": "note", "idempotencyKey": "key"}[name]
    assert paths(await shared_board.undo_refused(operation, **{argument: text})) == [[name]]


@pytest.mark.parametrize(("name", "most"), [("note", 2000), ("idempotencyKey", 255)])
async def test_a_note_and_a_key_may_be_as_long_as_they_say(shared_board: Board, name: str, most: int) -> None:
    (deal,) = await shared_board.deals(1)
    given: Json = {"dealIds": [deal_id(deal)], name: "🚀" * most}
    assert statuses(await shared_board.change("deleteDeals", **given)) == ["UPDATED"]
    given[name] += "🚀"
    message = f"`{name}` has from 1 to {most} characters, not all of them blank; it has {most + 1}."
    assert (await refusal(shared_board, "deleteDeals", **given))["problems"] == [
        {"path": ["input", name], "message": message}
    ]


async def test_a_note_of_a_megabyte_is_too_much_for_the_body(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    given = {"dealIds": [deal_id(deal)], "note": "x" * 1_048_576}
    answer = await shared_board.callers["manager"].post(mutation("deleteDeals"), {"input": given})
    assert (answer.status_code, only_error(answer.json())["code"]) == (413, "BODY_TOO_LARGE")
    assert (await shared_board.row(deal))["deleted_at"] is None


async def test_where_the_body_may_be_larger_a_note_of_a_megabyte_is_too_long(open_board: OpenBoard) -> None:
    board = await open_board("large", body_limit_bytes=2_000_000)
    (deal,) = await board.deals(1)
    refused = await refusal(board, "deleteDeals", dealIds=[deal_id(deal)], note="x" * 1_048_576)
    message = "`note` has from 1 to 2000 characters, not all of them blank; it has 1048576."
    assert refused["problems"] == [{"path": ["input", "note"], "message": message}]


@pytest.mark.parametrize(
    ("currency", "amount"),
    [
        ("EUR", "-1"),
        ("EUR", "-0.01"),
        ("EUR", "0.001"),
        ("EUR", "100.005"),
        ("EUR", "1" + "0" * 14),
        ("EUR", "9" * 30),
        ("EUR", "0." + "0" * 29 + "1"),
        ("EUR", 1.005),
        ("JPY", "0.1"),
        ("JPY", "1200.5"),
        ("KWD", "0.0001"),
        ("CLF", "0.00001"),
    ],
)
async def test_an_amount_that_its_currency_does_not_have_is_refused(
    open_board: OpenBoard, currency: str, amount: object
) -> None:
    board = await open_board("money", currency)
    assert paths(await fields_refused(board, amount=amount)) == [["input", "changes", 0, "amount"]]


@pytest.mark.parametrize(
    ("currency", "amount", "kept"),
    [
        ("EUR", "0", "0"),
        ("EUR", "-0", "0"),
        ("EUR", "99999999999999.99", "99999999999999.99"),
        ("EUR", "100.100", "100.1"),
        ("EUR", 12, "12"),
        ("JPY", "1200.0", "1200"),
        ("KWD", "0.001", "0.001"),
        ("CLF", "0.0001", "0.0001"),
    ],
)
async def test_an_amount_that_its_currency_has_is_kept_exactly(
    open_board: OpenBoard, currency: str, amount: object, kept: str
) -> None:
    board = await open_board("money", currency)
    (deal,) = await board.deals(1)
    changes = [{"dealId": deal_id(deal), "amount": amount}]
    assert statuses(await board.change("updateDeals", changes=changes)) == ["UPDATED"]
    told = await board.callers["viewer"].data("query ($id: ID!) { deal(id: $id) { amount } }", id=deal_id(deal))
    assert told == {"deal": {"amount": kept}}


@pytest.mark.parametrize("amount", ["1e30", 1e30, 10**30, "NaN", "Infinity", "-Infinity", "", "1,5", "٣", True, [], {}])
async def test_an_amount_that_is_no_number_is_refused_as_a_variable(shared_board: Board, amount: object) -> None:
    assert (await fields_refused(shared_board, amount=amount))["code"] == "VARIABLES_INVALID"


@pytest.mark.parametrize("day", ["1899-12-31", "10000-01-01", "2024-02-30", "infinity", "", "2024-01-01T00:00", 5])
async def test_a_day_that_is_none_is_refused_as_a_variable(shared_board: Board, day: object) -> None:
    assert (await fields_refused(shared_board, expectedClose=day))["code"] == "VARIABLES_INVALID"


@pytest.mark.parametrize("name", [*TEXTS.values(), "x" * 501, None], ids=[*TEXTS, "long", "null"])
async def test_a_name_that_no_deal_may_have_is_refused(shared_board: Board, name: str | None) -> None:
    assert paths(await fields_refused(shared_board, name=name)) == [["input", "changes", 0, "name"]]
    assert paths(await fields_refused(shared_board, name=name, amount=None)) == [["input", "changes", 0, "name"]]


async def test_a_name_may_be_as_long_as_it_says(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1)
    name = "🚀" * 500
    payload = await shared_board.change("updateDeals", changes=[{"dealId": deal_id(deal), "name": name}])
    assert (statuses(payload), (await shared_board.row(deal))["name"]) == (["UPDATED"], name)


@pytest.mark.parametrize("given", [{}, {"expectedVersion": 1}], ids=str)
async def test_a_change_that_changes_nothing_is_refused(shared_board: Board, given: Json) -> None:
    refused = await fields_refused(shared_board, **given)
    message = "Nothing is to be otherwise: give `name`, `amount` or `expectedClose`."
    assert refused["problems"] == [{"path": ["input", "changes", 0], "message": message}]


@pytest.mark.parametrize("verb", MANY)
async def test_neither_and_both_of_the_two_ways_are_refused(shared_board: Board, verb: str) -> None:
    board = shared_board
    (deal,) = await board.deals(1)
    changes, deals = [wanted(board, verb, deal_id(deal))], [deal_id(deal)]
    name = next(iter(shared(board, verb)), None)
    assert paths(await refusal(board, verb)) == [["input"]]
    both = await refusal(board, verb, changes=changes, dealIds=deals)
    assert paths(both) == ([["input"], ["input", name]] if name else [["input"]])
    if name:
        assert paths(await refusal(board, verb, dealIds=deals)) == [["input", name]]
        assert paths(await refusal(board, verb, changes=changes, **shared(board, verb))) == [["input", name]]


async def test_every_failed_rule_is_told_at_once(shared_board: Board) -> None:
    good = deal_id((await shared_board.deals(1))[0])
    changes: list[Json] = [
        {"dealId": "rubbish", "amount": "-1", "name": "", "expectedVersion": 0},
        {"dealId": good, "amount": "1"},
        {"dealId": encode_id("Stage", 1)},
    ]
    refused = await refusal(shared_board, "updateDeals", changes=changes, note="", idempotencyKey="x" * 256)
    first, third = ["input", "changes", 0], ["input", "changes", 2]
    told = [[*first, name] for name in ("amount", "dealId", "expectedVersion", "name")]
    told += [third, [*third, "dealId"], ["input", "idempotencyKey"], ["input", "note"]]
    assert sorted(paths(refused), key=str) == sorted(told, key=str)
    assert refused["path"] == paths(refused)[0]


async def test_of_very_many_problems_the_first_fifty_are_told_and_all_are_counted(shared_board: Board) -> None:
    answer = await shared_board.callers["manager"].post(mutation("deleteDeals"), {"input": {"dealIds": ["x"] * 1000}})
    (error,) = answer.json()["errors"]
    assert paths(error["extensions"]) == [["input", "dealIds", index] for index in range(50)]
    assert "1000 values" in error["message"]
    assert error["path"] == ["deleteDeals"]
    assert error["extensions"]["code"] == BadUserInputError.code


@pytest.mark.parametrize("given", ["", "1", "x" * 10_000, "\0", encode_id("Deal", 1), "0" * 31, "g" * 32])
async def test_what_is_no_operation_is_refused(shared_board: Board, given: str) -> None:
    refused = await shared_board.undo_refused(given, note="")
    assert refused["code"] == "BAD_USER_INPUT"
    assert paths(refused) == [["note"], ["operationId"]]


@pytest.mark.parametrize(
    "given",
    [
        {"mode": "SOME"},
        {"mode": None},
        {"dryRun": None},
        {"dryRun": "yes"},
        {"dealIds": [None]},
        {"dealIds": [1.5]},
        {"changes": [None]},
        {"changes": [{}]},
        {"nothing": 1},
        [],
        "x",
    ],
    ids=str,
)
async def test_an_input_of_wrong_types_is_refused_as_a_variable(shared_board: Board, given: Any) -> None:
    answer = await shared_board.callers["manager"].post(mutation("deleteDeals"), {"input": given})
    assert only_error(answer.json())["code"] == "VARIABLES_INVALID"
