"""What goes wrong on our side reaches the caller as INTERNAL and a request id, and the operator with its trace."""

import json

import pytest

from tests.conftest import Database, Serve
from tests.pipeline.acme import found_acme

MASK = (
    "The gateway failed in a way that it did not foresee. "
    "Report it to the operator with the `X-Request-Id` of the response."
)
TASKS = "{ me { email } dashboard { overview { tasks { open } activities { total } } } }"


@pytest.fixture
async def broken(database: Database) -> Database:
    """A database whose open tasks the gateway may not read."""
    await found_acme(database)
    async with database.as_owner() as owner:
        await owner.execute("REVOKE SELECT ON analytics.open_tasks FROM gateway")
    return database


async def test_a_fault_of_ours_is_masked_and_carries_the_request_id(broken: Database, serve: Serve) -> None:
    client = await serve(broken, "acme", log_level="error")
    response = await client.post(TASKS, headers={"X-Request-Id": "masked-1", "Accept": "application/json"})
    errors = response.json()["errors"]
    assert response.status_code == 500
    assert {error["extensions"]["code"] for error in errors} == {"INTERNAL"}
    assert {error["extensions"]["requestId"] for error in errors} == {"masked-1"}
    assert {error["message"] for error in errors} == {MASK}
    for word in ("open_tasks", "SELECT", "permission", "asyncpg", "Traceback"):
        assert word not in response.text


async def test_a_fault_of_ours_is_logged_with_its_trace_and_the_same_id(
    broken: Database, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    client = await serve(broken, "acme", log_level="error", log_format="json")
    capsys.readouterr()
    await client.post(TASKS, headers={"X-Request-Id": "masked-2"})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {(line["event"], line["request_id"], line["level"]) for line in lines} == {
        ("a resolver failed", "masked-2", "error")
    }
    assert "permission denied for view open_tasks" in lines[0]["exception"]
    assert "task_counts" in lines[0]["exception"]


async def test_a_lookup_that_fails_before_any_field_is_masked_too(database: Database, serve: Serve) -> None:
    await found_acme(database)
    client = await serve(database, "acme", log_level="error")
    async with database.as_owner() as owner:
        await owner.execute("REVOKE EXECUTE ON FUNCTION app.identify FROM gateway")
    response = await client.post(TASKS, headers={"X-Request-Id": "masked-3"})
    assert (response.status_code, response.json()) == (
        500,
        {
            "errors": [
                {
                    "message": MASK,
                    "extensions": {"code": "INTERNAL", "requestId": "masked-3"},
                }
            ]
        },
    )


async def test_after_a_fault_the_next_request_is_served(broken: Database, serve: Serve) -> None:
    client = await serve(broken, "acme", pool_size=1, log_level="error")
    assert set(await client.codes(TASKS)) == {"INTERNAL"}
    async with broken.as_owner() as owner:
        await owner.execute("GRANT SELECT ON analytics.open_tasks TO gateway")
    data = await client.data(TASKS)
    assert data["dashboard"]["overview"] == {"tasks": {"open": 0}, "activities": {"total": 0}}
