"""Changes beside other writers, restarts and callers who go away: whole or not at all, and told as what they were."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from gateway.app import create_app
from gateway.postgres.embedded import EmbeddedPostgres
from tests.changes.conftest import Board, Json, OpenBoard, boards, deal_id, mutation, only_error, statuses
from tests.conftest import Database, fresh_database
from tests.pipeline.acme import until_waiting
from tests.pipeline.listening import calling, posted
from tests.servers import kill_postgres, postgres_server

TO_LOST = "UPDATE stages SET kind = 'lost', probability = 0 WHERE id = $1"
END_GATEWAYS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'gateway' AND datname = current_database()
"""


@asynccontextmanager
async def superuser_of(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do what no role of the service may, such as break it."""
    connection = await asyncpg.connect(database.server.superuser_dsn, database=database.name)
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_move_and_a_stage_that_changes_its_kind_agree_in_the_end(board: Board, database: Database) -> None:
    deals = await board.deals(3)
    async with board.owner.transaction():
        await board.owner.execute(TO_LOST, board.stages["Proposal"])
        moving = asyncio.create_task(board.move(deals, "Proposal"))
        await until_waiting(database)
    payload = await moving
    assert statuses(payload) == ["UPDATED"] * 3
    for deal in deals:
        row = await board.row(deal)
        assert (row["stage"], row["outcome"], row["closed_at"] is None, row["version"]) == (
            "Proposal",
            "lost",
            False,
            2,
        )
    rows = await board.all_rows()
    assert [len(rows[table]) for table in ("operations", "audit_log", "deal_stage_history")] == [1, 3, 6]


async def test_who_is_chosen_to_give_way_in_a_deadlock_tries_again_unseen(board: Board, database: Database) -> None:
    first, second = await board.deals(2)
    async with superuser_of(database) as other:
        # The other waits so long before it looks for deadlocks that the gateway is the one to find it.
        await other.execute("BEGIN; SET LOCAL deadlock_timeout = '60s'")
        await other.execute("UPDATE deals SET name = 'other' WHERE id = $1", second)
        moving = asyncio.create_task(board.move([first, second], "Won"))
        await until_waiting(database)
        await other.execute("UPDATE deals SET name = 'other' WHERE id = $1", first)
        await other.execute("COMMIT")
    assert statuses(await moving) == ["UPDATED", "UPDATED"]
    rows = [await board.row(deal) for deal in (first, second)]
    assert [(row["stage"], row["name"], row["version"]) for row in rows] == [("Won", "other", 3)] * 2
    assert len((await board.all_rows())["operations"]) == 1


async def test_a_key_survives_a_race_that_was_lost(board: Board, database: Database) -> None:
    deals = await board.deals(1)
    async with board.owner.transaction():
        await board.owner.execute(TO_LOST, board.stages["Proposal"])
        moving = asyncio.create_task(board.move(deals, "Proposal", idempotencyKey="raced"))
        await until_waiting(database)
    first = await moving
    assert await board.move(deals, "Proposal", idempotencyKey="raced") == {**first, "replayed": True}


async def test_who_loses_every_race_is_told_to_retry_and_wrote_nothing(board: Board, database: Database) -> None:
    (deal,) = await board.deals(1)
    rows = await board.all_rows()
    async with superuser_of(database) as superuser:
        await superuser.execute(
            """CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = 'deadlock_detected'; END $$;
               CREATE TRIGGER lose AFTER INSERT ON operations FOR EACH ROW EXECUTE FUNCTION lose()"""
        )
    given: Json = {"dealIds": [deal_id(deal)], "idempotencyKey": "retry"}
    response = await board.callers["manager"].post(mutation("deleteDeals"), {"input": given})
    told = only_error(response.json())
    assert (response.status_code, response.headers["Retry-After"]) == (409, "1")
    assert (told["code"], told["retryable"]) == ("WRITE_CONFLICT", True)
    assert await board.all_rows() == rows
    await board.owner.execute("DROP TRIGGER lose ON operations")
    assert statuses(await board.change("deleteDeals", **given)) == ["UPDATED"]


async def test_a_deal_changed_while_a_change_waits_for_it_is_judged_as_it_stands_then(
    board: Board, database: Database
) -> None:
    deals = await board.deals(2)
    changes = [{"dealId": deal_id(deal), "stageId": board.stage_id("Won"), "expectedVersion": 1} for deal in deals]
    async with board.owner.transaction():
        await board.owner.execute("UPDATE deals SET amount = 7 WHERE id = $1", deals[1])
        moving = asyncio.create_task(board.change("updateDealStages", changes=changes, mode="PER_ITEM"))
        await until_waiting(database)
    payload = await moving
    assert statuses(payload) == ["UPDATED", "CONFLICT"]
    assert payload["results"][1]["error"]["currentVersion"] == 2
    row = await board.row(deals[1])
    assert (row["stage"], row["amount"], row["version"]) == ("Lead", 7, 2)


async def test_no_change_of_another_is_lost(board: Board, database: Database) -> None:
    (deal,) = await board.deals(1)
    async with board.owner.transaction():
        await board.owner.execute("UPDATE deals SET name = 'theirs', amount = 7 WHERE id = $1", deal)
        changes = [{"dealId": deal_id(deal), "expectedClose": "2027-01-01"}]
        moving = asyncio.create_task(board.change("updateDeals", changes=changes))
        await until_waiting(database)
    assert statuses(await moving) == ["UPDATED"]
    row = await board.row(deal)
    assert (row["name"], row["amount"], str(row["expected_close"])) == ("theirs", 7, "2027-01-01")


async def test_overlapping_changes_in_opposite_orders_do_not_stop_each_other(board: Board) -> None:
    deals = await board.deals(20)
    orders = [deals, deals[::-1]] * 4
    answers = await asyncio.gather(
        *(board.move(order, stage) for order, stage in zip(orders, ["Won", "Lost"] * 4, strict=True))
    )
    # Which comes before which is open; each is whole.
    assert all(statuses(answer) in (["UPDATED"] * 20, ["UNCHANGED"] * 20) for answer in answers)
    operations = [answer["operationId"] for answer in answers if answer["operationId"]]
    assert {(await board.row(deal))["version"] for deal in deals} == {1 + len(operations)}


async def test_a_backend_that_is_ended_before_the_commit_is_retryable_and_wrote_nothing(
    board: Board, database: Database
) -> None:
    deals = await board.deals(2)
    rows = await board.all_rows()
    given: Json = {"dealIds": [deal_id(deal) for deal in deals], "idempotencyKey": "again"}
    async with board.owner.transaction():
        await board.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deals[1])
        deleting = asyncio.create_task(board.callers["manager"].post(mutation("deleteDeals"), {"input": given}))
        await until_waiting(database)
        async with superuser_of(database) as superuser:
            await superuser.execute(END_GATEWAYS)
        response = await deleting
    told = only_error(response.json())
    assert (response.status_code, told["code"], told["retryable"]) == (503, "DATABASE_UNAVAILABLE", True)
    assert await board.all_rows() == rows
    assert statuses(await board.change("deleteDeals", **given)) == ["UPDATED"] * 2


async def test_past_its_deadline_a_change_is_nothing(open_board: OpenBoard, database: Database) -> None:
    board = await open_board("hasty", request_deadline_seconds=0.5, pool_size=1)
    deals = await board.deals(2)
    rows = await board.all_rows()
    async with board.owner.transaction():
        await board.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deals[1])
        refused = await board.refused("deleteDeals", dealIds=[deal_id(deal) for deal in deals])
        assert refused["code"] == "DEADLINE_EXCEEDED"
        await until_waiting(database, 0)
    assert await board.all_rows() == rows
    assert statuses(await board.move(deals, "Won")) == ["UPDATED"] * 2


async def test_a_caller_who_goes_away_before_the_commit_leaves_nothing(board: Board, database: Database) -> None:
    deals = await board.deals(2)
    rows = await board.all_rows()
    token = await database.token(board.world.slug, "manager")
    given: Json = {"dealIds": [deal_id(deal) for deal in deals], "idempotencyKey": "gone"}
    body = {"query": mutation("deleteDeals"), "variables": {"input": given}}
    async with calling(create_app(database.settings(pool_size=1)), token) as http:
        async with board.owner.transaction():
            await board.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deals[1])
            async with posted(str(http.base_url), body, token):
                await until_waiting(database)
            await until_waiting(database, 0)
        assert await board.all_rows() == rows
        answer = (await http.post("/graphql", json=body)).json()["data"]["deleteDeals"]
    assert (statuses(answer), answer["replayed"]) == (["UPDATED"] * 2, False)


async def test_callers_who_go_away_at_any_moment_leave_all_or_nothing(board: Board, database: Database) -> None:
    deals = await board.deals(20)
    token = await database.token(board.world.slug, "manager")
    async with calling(create_app(database.settings(pool_size=2)), token) as http:
        for moment in range(24):
            given: Json = {"dealIds": [deal_id(deal) for deal in deals], "idempotencyKey": f"gone {moment}"}
            given["stageId"] = board.stage_id(("Won", "Lost")[moment % 2])
            body = {"query": mutation("updateDealStages"), "variables": {"input": given}}
            before = {(await board.row(deal))["version"] for deal in deals}
            async with posted(str(http.base_url), body, token):
                await asyncio.sleep(moment * 0.002)
            answer = (await http.post("/graphql", json=body)).json()["data"]["updateDealStages"]
            assert statuses(answer) == ["UPDATED"] * 20
            assert {(await board.row(deal))["version"] for deal in deals} == {before.pop() + 1}
            assert not before
    rows = await board.all_rows()
    assert [len(rows[table]) for table in ("operations", "audit_log", "idempotency_keys")] == [24, 480, 24]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server of this module's own, to be killed: what it had committed is there when it is back."""
    with postgres_server(durable=True) as server:
        yield server


@pytest.fixture
async def mortal(server: EmbeddedPostgres) -> Database:
    return await fresh_database(server)


async def test_a_database_killed_in_the_middle_is_retryable_and_the_repeated_change_is_made_once(
    server: EmbeddedPostgres, mortal: Database
) -> None:
    async with boards(mortal) as open_one:
        board = await open_one("acme")
        deals = await board.deals(3)
        before = await board.row(deals[0])
        given: Json = {"dealIds": [deal_id(deal) for deal in deals], "idempotencyKey": "killed"}
        lock = board.owner.transaction()
        await lock.start()
        await board.owner.execute("SELECT FROM deals WHERE id = $1 FOR UPDATE", deals[2])
        deleting = asyncio.create_task(board.callers["manager"].post(mutation("deleteDeals"), {"input": given}))
        await until_waiting(mortal)
        await asyncio.to_thread(kill_postgres, server)
        response = await deleting
        await asyncio.to_thread(server.stop)  # what remains of it
        assert (response.status_code, only_error(response.json())["code"]) == (503, "DATABASE_UNAVAILABLE")
        await asyncio.to_thread(server.start)
        async with mortal.as_owner() as owner:
            row = await owner.fetchrow("SELECT version, deleted_at FROM deals WHERE id = $1", deals[0])
            assert tuple(row) == (before["version"], None)
        first = await board.change("deleteDeals", **given)
        assert (statuses(first), first["replayed"]) == (["UPDATED"] * 3, False)
        assert await board.change("deleteDeals", **given) == {**first, "replayed": True}


@asynccontextmanager
async def commits_held(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Changes get as far as their commit, and no further until the block ends. A connection that may end them."""
    async with superuser_of(database) as superuser:
        await superuser.execute(
            """CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;
               CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON operations DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION linger()"""
        )
        await superuser.execute("SELECT pg_advisory_lock(7)")
        yield superuser
        await superuser.execute("SELECT pg_advisory_unlock(7)")
        await superuser.execute("DROP TRIGGER linger ON operations; DROP FUNCTION linger()")


async def test_of_a_commit_that_breaks_off_the_caller_is_told_and_the_key_finds_out(
    board: Board, database: Database
) -> None:
    (deal,) = await board.deals(1)
    given: Json = {"dealIds": [deal_id(deal)], "idempotencyKey": "unknown"}
    async with commits_held(database) as superuser:
        deleting = asyncio.create_task(board.callers["manager"].post(mutation("deleteDeals"), {"input": given}))
        await until_waiting(database)
        await superuser.execute(END_GATEWAYS)
        response = await deleting
    told = only_error(response.json())
    assert (response.status_code, told["code"], told["retryable"]) == (503, "OUTCOME_UNKNOWN", True)
    payload = await board.change("deleteDeals", **given)
    assert (statuses(payload), payload["replayed"]) == (["UPDATED"], False)


async def test_a_caller_who_goes_away_during_the_commit_leaves_it_whole(board: Board, database: Database) -> None:
    deals = await board.deals(2)
    token = await database.token(board.world.slug, "manager")
    given: Json = {"dealIds": [deal_id(deal) for deal in deals], "idempotencyKey": "too late"}
    body = {"query": mutation("deleteDeals"), "variables": {"input": given}}
    async with calling(create_app(database.settings(pool_size=1)), token) as http:
        async with commits_held(database), posted(str(http.base_url), body, token):
            await until_waiting(database)
        answer = (await http.post("/graphql", json=body)).json()["data"]["deleteDeals"]
    assert (statuses(answer), answer["replayed"]) == (["UPDATED"] * 2, True)


async def test_a_payload_that_is_not_read_in_time_is_had_by_its_key(open_board: OpenBoard) -> None:
    board = await open_board("hasty", request_deadline_seconds=1)
    (deal,) = await board.deals(1)
    await board.world.delete("deals", deal)
    given: Json = {"dealIds": [deal_id(deal)], "idempotencyKey": "slow"}
    async with board.owner.transaction():
        await board.owner.execute("LOCK TABLE stages IN ACCESS EXCLUSIVE MODE")  # for the payload alone
        await board.refused("restoreDeals", **given)
    row = await board.row(deal)
    assert (row["deleted_at"], row["version"]) == (None, 3)
    payload = await board.change("restoreDeals", **given)
    assert (statuses(payload), payload["replayed"]) == (["UPDATED"], True)
    assert (await board.row(deal))["version"] == 3
