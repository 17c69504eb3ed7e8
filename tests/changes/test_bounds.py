"""What a change may take of what others need: connections, entries of an answer, the time of the process."""

import asyncio

from tests.changes.conftest import Board, OpenBoard, deal_id, mutation, only_error, statuses
from tests.conftest import Database
from tests.pipeline.acme import until_waiting

READ = "{ dashboard { overview { deals { total } } } }"


async def test_writers_who_wait_for_a_row_leave_half_the_pool_to_readers(
    open_board: OpenBoard, database: Database
) -> None:
    board = await open_board("blocked", pool_size=4, pool_wait_seconds=0.2)
    (deal,) = await board.deals(1)
    async with board.owner.transaction():
        await board.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deal)
        moves = [asyncio.create_task(board.callers["manager"].post(*move(board, deal))) for _ in range(5)]
        await until_waiting(database, 2)
        _, waiting = await asyncio.wait(moves, return_when=asyncio.FIRST_COMPLETED)
        read = await board.callers["viewer"].data(READ)
    assert read["dashboard"]["overview"]["deals"]["total"] == 1
    await asyncio.wait(waiting)
    refused = [task.result().json() for task in moves if "errors" in task.result().json()]
    assert [only_error(answer)["code"] for answer in refused] == ["POOL_EXHAUSTED"] * 3


def move(board: Board, deal: int) -> tuple[str, dict[str, object]]:
    given = {"dealIds": [deal_id(deal)], "stageId": board.stage_id("Won")}
    return mutation("updateDealStages"), {"input": given}


async def test_an_undo_that_is_too_large_for_an_answer_changes_nothing(open_board: OpenBoard) -> None:
    board = await open_board("large", answer_entry_limit=100)
    deals = await board.deals(60)
    moved = await board.move(deals, "Won")
    undo = f'undoOperation(operationId: "{moved["operationId"]}", dryRun: true) {{ results {{ status }} }}'
    twice = f"mutation {{ a: {undo} b: {undo} }}"
    assert await board.callers["manager"].codes(twice) == ["ANSWER_TOO_LARGE"]
    once = await board.undo(moved["operationId"], dryRun=True)
    assert statuses(once) == ["UPDATED"] * 60


async def test_inputs_of_all_variables_together_are_bounded(open_board: OpenBoard) -> None:
    board = await open_board("many", bulk_size_limit=100)
    change = {"dealId": deal_id(1), "stageId": deal_id(1)}
    names = [f"v{number}" for number in range(11)]
    variables = {name: {"changes": [change] * 100} for name in names}
    declared = " ".join(f"${name}: UpdateDealStagesInput!" for name in names)
    fields = " ".join(f"{name}: updateDealStages(input: ${name}) {{ operationId }}" for name in names)
    answer = (await board.callers["manager"].post(f"mutation ({declared}) {{ {fields} }}", variables)).json()
    assert only_error(answer)["code"] == "BAD_USER_INPUT"
    assert "more than 1000 inputs together" in answer["errors"][0]["message"]


async def test_a_request_signs_in_or_changes_records_and_never_both(board: Board) -> None:
    (deal,) = await board.deals(1)
    login = f'login(tenant: "{board.world.slug}", email: "x@y.example", password: "x") {{ token }}'
    both = f"mutation ($input: UpdateDealStagesInput!) {{ {login} updateDealStages(input: $input) {{ operationId }} }}"
    _, variables = move(board, deal)
    answer = (await board.callers["manager"].post(both, variables)).json()
    assert only_error(answer)["code"] == "BAD_USER_INPUT"
    assert (await board.row(deal))["stage"] == "Lead"
