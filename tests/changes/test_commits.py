"""The moment of the commit: what is said of it is true, however long it takes."""

import asyncio

from tests.changes.conftest import OpenBoard, deal_id
from tests.conftest import Database
from tests.pipeline.acme import until_waiting

DEADLINE_SECONDS, BEFORE_COMMIT_SECONDS = 2, 0.7
GATE = 20
SLOW_COMMIT = f"""
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER dawdle AFTER UPDATE ON deals DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
MOVE = "mutation ($input: UpdateDealStagesInput!) { updateDealStages(input: $input) { operationId replayed } }"


async def test_a_commit_that_outlasts_its_request_is_an_unknown_outcome_and_its_key_tells(
    database: Database, open_board: OpenBoard
) -> None:
    board = await open_board("acme", request_deadline_seconds=DEADLINE_SECONDS)
    (deal,) = await board.deals(1)
    wanted = {"dealIds": [deal_id(deal)], "stageId": board.stage_id("Won"), "idempotencyKey": "drag"}
    manager = board.callers["manager"]
    await board.owner.execute(SLOW_COMMIT)
    await board.owner.execute(f"SELECT pg_advisory_lock({GATE})")
    async with board.owner.transaction():
        await board.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deal)
        request = asyncio.create_task(manager.codes(MOVE, input=wanted))
        await until_waiting(database)
        # The time that a statement may take begins anew with the commit: it is not to end that.
        await asyncio.sleep(BEFORE_COMMIT_SECONDS)
    assert await request == ["OUTCOME_UNKNOWN"]
    assert (await board.row(deal))["stage"] == "Lead"
    await board.owner.execute(f"SELECT pg_advisory_unlock({GATE})")
    replayed = (await manager.data(MOVE, input=wanted))["updateDealStages"]
    assert replayed["replayed"]
    assert (await board.row(deal))["stage"] == "Won"
