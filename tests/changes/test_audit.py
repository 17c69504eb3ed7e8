"""The audit: who changed what, when and why. For admins to read, for nobody to alter."""

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from gateway.api.ids import encode_id
from tests.changes.conftest import Board, Json, OpenBoard, deal_id, mutation
from tests.conftest import Database

LOG = """
query ($filter: AuditFilter, $orderBy: AuditOrder, $first: Int, $after: String, $last: Int, $before: String) {
  auditLog(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes {
      at action recordId operationId requestId note member { name } deal { name } changes { field before after }
    }
  }
}
"""


async def log(board: Board, **given: Any) -> Json:
    found: Json = (await board.callers["admin"].data(LOG, **given))["auditLog"]
    return found


async def entries(board: Board, **conditions: Any) -> list[Json]:
    nodes: list[Json] = (await log(board, filter=conditions, first=100))["nodes"]
    return nodes


def changed(entry: Json) -> dict[str, tuple[str | None, str | None]]:
    return {change["field"]: (change["before"], change["after"]) for change in entry["changes"]}


@pytest.mark.parametrize("role", ["viewer", "rep", "manager"])
async def test_the_audit_is_for_admins(shared_board: Board, role: str) -> None:
    answer = (await shared_board.callers[role].post("{ me { name } auditLog { nodes { note } } }")).json()
    assert answer["data"] == {"me": {"name": role}, "auditLog": None}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_an_entry_says_who_did_what_when_why_and_by_which_request(shared_board: Board) -> None:
    board = shared_board
    (deal,) = await board.deals(1)
    begun = datetime.now(UTC)
    given = {"dealIds": [deal_id(deal)], "stageId": board.stage_id("Won"), "note": "signed 🎉"}
    response = await board.callers["rep"].post(
        mutation("updateDealStages"), {"input": given}, headers={"X-Request-Id": "a-drag"}
    )
    (entry,) = await entries(board, dealIds=[deal_id(deal)])
    closed = (await board.row(deal))["closed_at"]
    assert begun <= datetime.fromisoformat(entry.pop("at")) <= datetime.now(UTC)
    assert {change["field"]: change["after"] for change in entry["changes"]}["closedAt"] == closed.isoformat()
    assert changed(entry) == {
        "stageId": (board.stage_id("Lead"), board.stage_id("Won")),
        "closedAt": (None, closed.isoformat()),
        "version": ("1", "2"),
    }
    del entry["changes"]
    assert entry == {
        "action": "updateDealStages",
        "recordId": deal_id(deal),
        "operationId": response.json()["data"]["updateDealStages"]["operationId"],
        "requestId": "a-drag",
        "note": "signed 🎉",
        "member": {"name": "rep"},
        "deal": {"name": "a deal"},
    }


async def test_each_verb_leaves_what_it_changed(shared_board: Board) -> None:
    board = shared_board
    (deal,) = await board.deals(1)
    ids: Json = {"dealIds": [deal_id(deal)]}
    await board.change("assignDeals", ownerId=board.member_id("admin"), **ids)
    values = {"name": "new", "amount": "0.5", "expectedClose": "2027-01-31"}
    await board.change("updateDeals", changes=[{"dealId": deal_id(deal), **values}])
    await board.change("deleteDeals", **ids)
    deleted = (await board.row(deal))["deleted_at"].isoformat()
    restored = await board.change("restoreDeals", **ids)
    await board.undo(restored["operationId"])
    told = [(entry["action"], entry["deal"], changed(entry)) for entry in await entries(board, dealIds=[deal_id(deal)])]
    assert told[::-1] == [
        (
            "assignDeals",
            None,
            {"ownerId": (board.member_id("rep"), board.member_id("admin")), "version": ("1", "2")},
        ),
        (
            "updateDeals",
            None,
            {
                "name": ("a deal", "new"),
                "amount": ("100", "0.5"),
                "expectedClose": (None, "2027-01-31"),
                "version": ("2", "3"),
            },
        ),
        ("deleteDeals", None, {"deletedAt": (None, deleted), "version": ("3", "4")}),
        ("restoreDeals", None, {"deletedAt": (deleted, None), "version": ("4", "5")}),
        ("undoOperation", None, {"deletedAt": (None, deleted), "version": ("5", "6")}),
    ]


async def test_amounts_and_instants_are_spelled_as_everywhere(shared_board: Board) -> None:
    (deal,) = await shared_board.deals(1, stage="Won", amount="1200.5")
    await shared_board.owner.execute("UPDATE deals SET closed_at = '2026-01-31T12:00:00.5+05:30' WHERE id = $1", deal)
    await shared_board.move([deal], "Lead")
    await shared_board.change("updateDeals", changes=[{"dealId": deal_id(deal), "amount": "1000"}])
    updated, moved = await entries(shared_board, dealIds=[deal_id(deal)])
    assert changed(moved)["closedAt"] == ("2026-01-31T06:30:00.500000+00:00", None)
    assert changed(updated)["amount"] == ("1200.5", "1000")


async def test_what_changed_nothing_leaves_no_entry(board: Board) -> None:
    deals = await board.deals(2)
    await board.move(deals, "Lead")
    await board.move([*deals, 999_999], "Won")
    await board.move(deals, "Won", dryRun=True)
    assert await log(board, first=10) == {
        "totalCount": 0,
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }


@pytest.fixture(scope="module")
async def history(shared_board: Board) -> list[str]:
    """Operations by several members, one after the other, each on the same two deals: their ids, oldest first."""
    deals = await shared_board.deals(2)
    ways = [("Qualified", "rep"), ("Proposal", "manager"), ("Won", "admin"), ("Lost", "manager")]
    moves = [await shared_board.move(deals, stage, role) for stage, role in ways]
    deleted = await shared_board.change("deleteDeals", "admin", dealIds=[deal_id(deal) for deal in deals])
    return [payload["operationId"] for payload in [*moves, deleted]]


async def told(board: Board, history: list[str], **conditions: Any) -> list[int]:
    """Which operations the entries under a filter are of."""
    found = await entries(board, **{"operationIds": history, **conditions})
    return [history.index(entry["operationId"]) for entry in found]


async def test_the_newest_come_first(shared_board: Board, history: list[str]) -> None:
    assert await told(shared_board, history) == [4, 4, 3, 3, 2, 2, 1, 1, 0, 0]
    upwards = {"field": "AT", "direction": "ASC"}
    found = (await log(shared_board, filter={"operationIds": history}, orderBy=upwards, first=100))["nodes"]
    assert [history.index(entry["operationId"]) for entry in found] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


async def test_entries_are_found_by_deal_operation_member_action_and_time(
    shared_board: Board, history: list[str]
) -> None:
    board = shared_board
    member = board.member_id
    first = await entries(board, operationIds=[history[0]])
    deal, others = first[0]["recordId"], first[1]["recordId"]
    third = (await entries(board, operationIds=[history[2]]))[0]["at"]
    assert deal != others
    assert await told(board, history, dealIds=[deal]) == [4, 3, 2, 1, 0]
    assert await told(board, history, dealIds=[deal], memberIds=[member("manager")]) == [3, 1]
    assert await told(board, history, memberIds=[member("rep"), member("viewer")]) == [0, 0]
    assert await told(board, history, actions=["deleteDeals"]) == [4, 4]
    assert await told(board, history, actions=["nothing"]) == []
    assert await told(board, history, since=third) == [4, 4, 3, 3, 2, 2]
    assert await told(board, history, until=third) == [1, 1, 0, 0]
    assert await told(board, history, since=third, until=third) == []
    assert await told(board, history, operationIds=[]) == []


async def test_the_audit_is_paged_without_gaps_either_way(shared_board: Board, history: list[str]) -> None:
    where: Json = {"filter": {"operationIds": history}}
    whole = (await log(shared_board, **where, first=100))["nodes"]
    assert (len(whole), (await log(shared_board, **where))["totalCount"]) == (10, 10)
    for size in ("first", "last"):
        walked: list[Json] = []
        position: Json = {}
        for _ in range(4):
            page = await log(shared_board, **where, **position, **{size: 3})
            walked = [*walked, *page["nodes"]] if size == "first" else [*page["nodes"], *walked]
            ends = page["pageInfo"]
            position = {"after": ends["endCursor"]} if size == "first" else {"before": ends["startCursor"]}
        assert walked == whole


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("dealIds", ["rubbish"]),
        ("dealIds", [encode_id("Member", 1)]),
        ("memberIds", [encode_id("Deal", 1)]),
        ("operationIds", ["rubbish"]),
        ("operationIds", [encode_id("Deal", 1)]),
        ("actions", ["a\0b"]),
        ("actions", ["x" * 201]),
    ],
)
async def test_a_condition_that_is_none_is_refused(shared_board: Board, condition: str, value: list[str]) -> None:
    answer = (await shared_board.callers["admin"].post(LOG, {"filter": {condition: value}})).json()
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["path"] == ["filter", condition]


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("0001-01-01T00:00:00Z", []),
        ("9999-12-31T23:59:59.999999Z", []),
        ("2026-01-01T00:00:00+14:00", []),
        ("0001-01-01T00:00:00+14:00", ["VARIABLES_INVALID"]),
        ("9999-12-31T23:59:59-14:00", ["VARIABLES_INVALID"]),
        ("2026-01-01T00:00:00", ["VARIABLES_INVALID"]),
        ("infinity", ["VARIABLES_INVALID"]),
    ],
)
async def test_an_instant_is_one_or_is_refused(shared_board: Board, instant: str, expected: list[str]) -> None:
    for condition in ("since", "until"):
        assert await shared_board.callers["admin"].codes(LOG, filter={condition: instant}) == expected


async def test_another_tenants_entries_are_not_there(open_board: OpenBoard) -> None:
    one, other = await open_board("one"), await open_board("other")
    (deal,) = await other.deals(1)
    moved = await other.move([deal], "Won")
    for conditions in ({}, {"dealIds": [deal_id(deal)]}, {"operationIds": [moved["operationId"]]}):
        assert await entries(one, **conditions) == []
        assert len(await entries(other, **conditions)) == 1


async def serving_role(database: Database, tenant_id: int) -> asyncpg.Connection:
    """A connection as the gateway has it, inside a tenant."""
    connection = await asyncpg.connect(database.gateway_dsn)
    await connection.execute(f"SET app.tenant_id = '{tenant_id}'")
    return connection


A_DEAL = "SELECT tenant_id, id, stage_id, now(), current_date FROM deals"
FORBIDDEN = [
    "UPDATE audit_log SET action = 'x'",
    "UPDATE audit_log SET at = now()",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
    "UPDATE operations SET note = 'x'",
    "UPDATE operations SET member_id = 1",
    "DELETE FROM operations",
    "TRUNCATE operations CASCADE",
    "INSERT INTO audit_log (tenant_id, at, action, record_type, record_id) VALUES (1, now(), 'x', 'Deal', 1)",
    "INSERT INTO audit_log (tenant_id, id, action, record_type, record_id) VALUES (1, 7, 'x', 'Deal', 1)",
    "INSERT INTO operations (tenant_id, id, at, member_id, action) VALUES (1, gen_random_uuid(), now(), 1, 'x')",
    "UPDATE idempotency_keys SET request_hash = 'x'",
    "UPDATE idempotency_keys SET created_at = now()",
    f"INSERT INTO deal_stage_history (tenant_id, deal_id, to_stage_id, moved_at, moved_day) {A_DEAL}",
    "UPDATE deals SET version = 1",
    "UPDATE deals SET tenant_id = tenant_id",
    "UPDATE deals SET pipeline_id = pipeline_id",
    "UPDATE deals SET created_at = now()",
    "UPDATE deals SET outcome = 'won'",
    "UPDATE members SET role = 'admin'",
    "DELETE FROM deals",
    "SELECT * FROM operations FOR UPDATE",
    "ALTER TABLE audit_log DISABLE ROW LEVEL SECURITY",
]


@pytest.mark.parametrize("sql", FORBIDDEN)
async def test_the_serving_role_cannot_alter_what_was_noted(board: Board, database: Database, sql: str) -> None:
    await board.move(await board.deals(1), "Won")
    rows = await board.all_rows()
    gateway = await serving_role(database, board.world.tenant_id)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await gateway.execute(sql)
    finally:
        await gateway.close()
    assert await board.all_rows() == rows


async def test_the_serving_role_notes_nothing_in_another_tenant(open_board: OpenBoard, database: Database) -> None:
    one, other = await open_board("one"), await open_board("other")
    gateway = await serving_role(database, one.world.tenant_id)
    sql = "INSERT INTO audit_log (tenant_id, action, record_type, record_id) VALUES ($1, 'x', 'Deal', 1)"
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await gateway.execute(sql, other.world.tenant_id)
    finally:
        await gateway.close()
    assert (await other.all_rows())["audit_log"] == []
