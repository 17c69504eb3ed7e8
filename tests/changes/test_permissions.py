"""Who may change what: decided by the role and the owner as they stand when the change is written."""

import asyncio
from typing import Any

import pytest

from tests.changes.conftest import ROLES, Board, Json, codes, deal_id, mutation, only_error, statuses, undoing
from tests.conftest import Database
from tests.pipeline.acme import until_waiting

MAY: dict[tuple[str, str], bool] = {
    ("viewer", "own"): False,
    ("viewer", "another's"): False,
    ("rep", "own"): True,
    ("rep", "another's"): False,
    ("manager", "own"): True,
    ("manager", "another's"): True,
    ("admin", "own"): True,
    ("admin", "another's"): True,
}
VERBS = ("updateDealStages", "assignDeals", "updateDeals", "deleteDeals", "restoreDeals", "undoOperation")


async def prepared(board: Board, verb: str, deal: int) -> tuple[str, Json]:
    """A document and its variables that would change a deal, which is made ready for it."""
    given: Json = {"dealIds": [deal_id(deal)]}
    if verb == "undoOperation":
        return undoing(), {"id": (await board.move([deal], "Proposal", "admin"))["operationId"]}
    if verb == "updateDealStages":
        given["stageId"] = board.stage_id("Won")
    if verb == "assignDeals":
        given["ownerId"] = board.member_id("manager" if await owner_of(board, deal) == "admin" else "admin")
    if verb == "updateDeals":
        given = {"changes": [{"dealId": deal_id(deal), "amount": "7"}]}
    if verb == "restoreDeals":
        await board.change("deleteDeals", "admin", **given)
    return mutation(verb), {"input": given}


async def owner_of(board: Board, deal: int) -> str:
    owner_id = (await board.row(deal))["owner_id"]
    return next(name for name, key in board.world.members.items() if key == owner_id)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("role", "whose"), MAY, ids=" ".join)
async def test_a_role_changes_what_the_table_says_and_nothing_else(
    shared_board: Board, role: str, whose: str, verb: str
) -> None:
    board = shared_board
    owner = role if whose == "own" else "rep" if role == "admin" else "admin"
    (deal,) = await board.deals(1, owner=owner)
    text, variables = await prepared(board, verb, deal)
    before = await board.row(deal)
    answer = (await board.callers[role].post(text, variables)).json()
    if role == "viewer":
        assert only_error(answer)["code"] == "FORBIDDEN"
    else:
        expected = [("UPDATED", None)] if MAY[role, whose] else [("FORBIDDEN", "NOT_OWN_DEAL")]
        payload = answer["data"][verb]
        assert list(zip(statuses(payload), codes(payload), strict=True)) == expected
    assert (await board.row(deal) == before) is not MAY[role, whose]


def test_the_table_has_every_role() -> None:
    assert {role for role, _ in MAY} == set(ROLES)


async def test_a_rep_changes_own_deals_beside_those_of_others(board: Board) -> None:
    own, others = *await board.deals(1), *await board.deals(1, owner="admin")
    payload = await board.move([own, others], "Won", "rep", mode="PER_ITEM")
    assert statuses(payload) == ["UPDATED", "FORBIDDEN"]
    assert [(await board.row(deal))["stage"] for deal in (own, others)] == ["Won", "Lead"]
    payload = await board.move([own, others], "Lost", "rep")
    assert statuses(payload) == ["NOT_APPLIED", "FORBIDDEN"]
    assert [(await board.row(deal))["stage"] for deal in (own, others)] == ["Won", "Lead"]


async def test_a_rep_who_gave_a_deal_away_does_not_change_it_any_more(board: Board) -> None:
    (deal,) = await board.deals(1)
    given = await board.change("assignDeals", "rep", dealIds=[deal_id(deal)], ownerId=board.member_id("admin"))
    assert statuses(given) == ["UPDATED"]
    assert statuses(await board.undo(given["operationId"], "rep")) == ["FORBIDDEN"]
    assert statuses(await board.move([deal], "Won", "rep")) == ["FORBIDDEN"]
    assert (await board.row(deal))["owner_id"] == board.world.members["admin"]


TAKEN_AWAY = [
    ("manager", "role = 'viewer'", "MAY_NOT_WRITE"),
    ("manager", "role = 'rep'", "NOT_OWN_DEAL"),
    ("manager", "active = false", "MAY_NOT_WRITE"),
    ("rep", "role = 'viewer'", "MAY_NOT_WRITE"),
]


async def take_away(board: Board, role: str, change: str) -> None:
    await board.owner.execute(f"UPDATE members SET {change} WHERE id = $1", board.world.members[role])


@pytest.mark.parametrize("dry", [False, True], ids=["written", "dry"])
@pytest.mark.parametrize(("role", "change", "code"), TAKEN_AWAY)
async def test_who_lost_the_right_a_moment_ago_writes_nothing(
    board: Board, role: str, change: str, code: str, dry: bool
) -> None:
    (deal,) = await board.deals(1)
    await board.callers[role].data("{ me { name } }")  # so that the caller's role is remembered
    before = await board.all_rows()
    await take_away(board, role, change)
    payload = await board.move([deal], "Won", role, dryRun=dry)
    assert (statuses(payload), codes(payload)) == (["FORBIDDEN"], [code])
    assert await board.all_rows() == before


@pytest.mark.parametrize(("role", "change", "code"), TAKEN_AWAY)
async def test_who_loses_the_right_while_waiting_for_a_deal_writes_nothing(
    board: Board, database: Database, role: str, change: str, code: str
) -> None:
    (deal,) = await board.deals(1)
    before = await board.all_rows()
    async with board.owner.transaction():
        await board.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deal)
        moving = asyncio.create_task(board.move([deal], "Won", role))
        await until_waiting(database)
        await take_away(board, role, change)
    payload = await moving
    assert (statuses(payload), codes(payload)) == (["FORBIDDEN"], [code])
    assert await board.all_rows() == before


async def test_who_loses_the_right_after_all_was_judged_writes_nothing(board: Board, database: Database) -> None:
    (deal,) = await board.deals(1)
    before = await board.all_rows()
    async with board.owner.transaction():
        # Judging reads stages last: the role was read before it, and is asked for again by the statement that writes.
        await board.owner.execute("LOCK TABLE stages IN ACCESS EXCLUSIVE MODE")
        moving = asyncio.create_task(board.move([deal], "Won"))
        await until_waiting(database)
        await take_away(board, "manager", "role = 'viewer'")
    payload = await moving
    assert (statuses(payload), codes(payload)) == (["FORBIDDEN"], ["MAY_NOT_WRITE"])
    assert await board.all_rows() == before


async def test_a_deal_that_is_given_away_while_its_rep_waits_for_it_is_not_changed(
    board: Board, database: Database
) -> None:
    (deal,) = await board.deals(1)
    async with board.owner.transaction():
        await board.owner.execute("UPDATE deals SET owner_id = $2 WHERE id = $1", deal, board.world.members["admin"])
        moving = asyncio.create_task(board.move([deal], "Won", "rep"))
        await until_waiting(database)
    payload: dict[str, Any] = await moving
    assert (statuses(payload), codes(payload)) == (["FORBIDDEN"], ["NOT_OWN_DEAL"])
    assert (await board.row(deal))["stage"] == "Lead"
