"""How many statements a change issues, by name: it follows from the verb, whatever the number of deals."""

from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.changes.conftest import Board, Json, deal_id, statuses
from tests.conftest import Client

READS = "moment deals_by_id stages_by_id members_by_id"
"""Of a payload that asks for the deals with their stages and owners."""

WRITES = {
    "updateDealStages": "lock_deals writer_role stage_pipelines change_deals",
    "assignDeals": "lock_deals writer_role owners change_deals",
    "updateDeals": "lock_deals writer_role change_deals",
    "deleteDeals": "lock_deals writer_role instant change_deals",
    "restoreDeals": "lock_deals writer_role change_deals",
}
UNDO = "changes_of_operation lock_deals writer_role stage_pipelines owners change_deals"
KEY = Counter(["claim_key", "keep_answer"])


async def issued(client: Client) -> Counter[str]:
    """The names of all statements of a gateway so far."""
    text = (await client.http.get("/metrics")).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return Counter(
        {
            sample.labels["statement"]: int(sample.value)
            for sample in samples
            if sample.name == "gateway_statement_seconds_count"
        }
    )


async def given_to(board: Board, verb: str, deals: list[int]) -> Json:
    """An input that changes all of the deals, each item with a target of its own where the verb has one."""
    if verb == "restoreDeals":
        await board.owner.execute("UPDATE deals SET deleted_at = now() WHERE id = ANY($1::bigint[])", deals)
    stages = [board.stage_id(name) for name in ("Won", "Lost", "Proposal")]
    owners = [board.member_id(name) for name in ("admin", "viewer", "manager")]
    targets: dict[str, list[Json]] = {
        "updateDealStages": [{"stageId": stage} for stage in stages],
        "assignDeals": [{"ownerId": owner} for owner in owners],
        "updateDeals": [{"name": "x"}, {"amount": None}, {"expectedClose": "2027-01-01"}],
    }
    choice = targets.get(verb, [{}])
    return {"changes": [{"dealId": deal_id(deal), **choice[index % len(choice)]} for index, deal in enumerate(deals)]}


@pytest.mark.parametrize("number", [1, 50])
@pytest.mark.parametrize("verb", WRITES)
async def test_a_verb_issues_its_statements_whatever_the_number_of_deals(
    shared_board: Board, verb: str, number: int
) -> None:
    board, manager = shared_board, shared_board.callers["manager"]
    given = await given_to(board, verb, await board.deals(number))
    expected = Counter(f"{WRITES[verb]} {READS}".split())
    if verb == "deleteDeals":
        expected -= Counter(["stages_by_id", "members_by_id"])  # no deal is left to have them
    before = await issued(manager)
    payload = await board.change(verb, **given)
    assert await issued(manager) - before == expected
    assert statuses(payload) == ["UPDATED"] * number


@pytest.mark.parametrize("number", [1, 50])
async def test_an_undo_issues_its_statements_whatever_the_number_of_deals(shared_board: Board, number: int) -> None:
    board, manager = shared_board, shared_board.callers["manager"]
    moved = await board.move(await board.deals(number), "Won")
    before = await issued(manager)
    undone = await board.undo(moved["operationId"])
    assert await issued(manager) - before == Counter(f"{UNDO} {READS}".split())
    assert statuses(undone) == ["UPDATED"] * number


@pytest.mark.parametrize("number", [1, 50])
async def test_a_key_adds_two_statements_and_a_replay_asks_for_the_answer_alone(
    shared_board: Board, number: int
) -> None:
    board, manager = shared_board, shared_board.callers["manager"]
    deals = await board.deals(number)
    beginning = await issued(manager)
    await board.move(deals, "Won", idempotencyKey=f"{number} deals")
    first = await issued(manager)
    await board.move(deals, "Won", idempotencyKey=f"{number} deals")
    second = await issued(manager)
    reads = Counter(READS.split())
    assert first - beginning == Counter(WRITES["updateDealStages"].split()) + reads + KEY
    assert second - first == Counter(["claim_key", "kept_answer"]) + reads


async def test_what_changes_nothing_writes_nothing(shared_board: Board) -> None:
    board, manager = shared_board, shared_board.callers["manager"]
    deals = await board.deals(3)
    judging = Counter(["lock_deals", "writer_role", "stage_pipelines"])
    for wanted, stage, dry in ((deals, "Lead", False), ([*deals, 999_999], "Won", False), (deals, "Won", True)):
        before = await issued(manager)
        await board.move(wanted, stage, dryRun=dry)
        assert await issued(manager) - before == judging + Counter(READS.split())


async def test_what_is_refused_reads_nothing(shared_board: Board) -> None:
    before = await issued(shared_board.callers["manager"])
    await shared_board.refused("deleteDeals", dealIds=["rubbish"])
    await shared_board.refused("deleteDeals", "viewer", dealIds=[deal_id(1)])
    assert await issued(shared_board.callers["manager"]) == before
