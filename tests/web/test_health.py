"""What operators see of a gateway: its health, its metrics and its log."""

import json
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.app import create_app
from gateway.observe import OPERATION_NAME_LIMIT
from gateway.postgres.migrate import head_revision
from tests.conftest import DEMO_PASSWORD, Client, Database, Serve


@pytest.fixture
async def client(demo: Database, serve: Serve) -> Client:
    """A viewer on a gateway that has counted nothing yet."""
    return await serve(demo, "aurora")


async def samples(client: Client, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a metric: the values of its labels, in the order of their names, to its value."""
    response = await client.http.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return {
        tuple(sample.labels[label] for label in sorted(sample.labels)): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if sample.name == name
    }


async def test_a_gateway_with_its_database_is_live_and_ready(client: Client) -> None:
    live, ready = await client.http.get("/health/live"), await client.http.get("/health/ready")
    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "checks": {"database": "ok"}})
    assert [response.headers["Cache-Control"] for response in (live, ready)] == ["no-store"] * 2


async def test_requests_are_counted_by_operation_and_outcome(client: Client) -> None:
    for query in ("query Mine { me { id } }", "query Mine { me { id } }", "{ me { id } }", "{ nothing }", "{"):
        await client.post(query)
    await client.post('query Mine { dashboard(ownerId: "x") { asOf } }')
    await client.http.put("/graphql")
    assert await samples(client, "gateway_requests_total") == {
        ("Mine", "ok"): 2,
        ("(anonymous)", "ok"): 1,
        ("(anonymous)", "GRAPHQL_VALIDATION_FAILED"): 1,
        ("(anonymous)", "GRAPHQL_PARSE_FAILED"): 1,
        ("Mine", "BAD_USER_INPUT"): 1,
        ("(anonymous)", "METHOD_NOT_ALLOWED"): 1,
    }
    assert await samples(client, "gateway_request_seconds_count") == {("Mine",): 3, ("(anonymous)",): 4}


async def test_stages_and_statements_are_timed(client: Client) -> None:
    await client.data("{ me { id } }")
    assert await samples(client, "gateway_stage_seconds_count") == {
        (stage,): 1 for stage in ("identify", "document", "execute", "respond")
    }
    assert await samples(client, "gateway_statement_seconds_count") == {("moment",): 1, ("members_by_id",): 1}
    assert await samples(client, "gateway_pool_connections") == {("busy",): 0, ("idle",): 1}


async def test_invented_operation_names_end_in_one_bucket(client: Client) -> None:
    for number in range(OPERATION_NAME_LIMIT + 100):
        await client.post(f"query Invented{number} {{ __typename }}")
    counted = await samples(client, "gateway_requests_total")
    assert len(counted) == OPERATION_NAME_LIMIT + 1
    assert counted[("(other)", "ok")] == 100


async def test_a_huge_operation_name_is_neither_kept_nor_logged_whole(
    demo: Database, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    client = await serve(demo, log_level="info")
    (line,) = await logged(client, capsys, f"query {'x' * 100_000} {{ __typename }}")
    assert line["operation"] == "x" * 100
    assert list(await samples(client, "gateway_requests_total")) == [("x" * 100, "ok")]


async def test_a_scrape_works_before_the_pool_is_open_and_after_it_is_closed(demo: Database) -> None:
    gateway = create_app(demo.settings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=gateway), base_url="http://gateway") as http:
        before = await http.get("/metrics")
        async with gateway.router.lifespan_context(gateway):
            await http.get("/health/ready")
        after = await http.get("/metrics")
    for response in (before, after):
        assert response.status_code == 200
        assert 'gateway_pool_connections{state="busy"} 0.0' in response.text


async def test_a_wrong_revision_of_the_schema_is_not_ready(database: Database, serve: Serve) -> None:
    client = await serve(database)
    async with database.as_owner() as owner:
        await owner.execute("UPDATE alembic_version SET version_num = '0001'")
    response = await client.http.get("/health/ready")
    message = f"The schema is at 0001, this version needs {head_revision()}: run `gateway migrate`."
    assert (response.status_code, response.json()) == (
        503,
        {"status": "unready", "checks": {"database": message}},
    )


async def test_a_database_without_the_schema_is_not_ready(database: Database, serve: Serve) -> None:
    client = await serve(database)
    async with database.as_owner() as owner:
        await owner.execute("DROP TABLE alembic_version")
    response = await client.http.get("/health/ready")
    assert response.status_code == 503
    assert "alembic_version" in response.json()["checks"]["database"]


async def logged(
    client: Client, capsys: pytest.CaptureFixture[str], query: str, **headers: str
) -> list[dict[str, Any]]:
    """The lines that one request writes to the log, those of the test's own client aside."""
    capsys.readouterr()
    await client.post(query, headers=headers)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [line for line in lines if not line["event"].startswith("HTTP Request: ")]


async def test_each_request_is_one_line_of_json(
    demo: Database, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    client = await serve(demo, "aurora", log_level="info", log_format="json")
    (line,) = await logged(client, capsys, "query Mine { me { id } }", **{"X-Request-Id": "one-line"})
    assert line.pop("duration_ms") > 0
    assert line.pop("timestamp")
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": "one-line",
        "operation": "Mine",
        "kind": "query",
        "tenant": "aurora",
        "outcome": "ok",
        "status": 200,
        "statements": 2,
        "cache": "BYPASS",
        "requested_points": 1,
        "paid_points": 0,
    }


async def test_a_refused_request_is_one_line_too(
    demo: Database, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    client = await serve(demo, log_level="info")
    lines = await logged(client, capsys, "{ nothing }")
    lines += await logged(client, capsys, "{ me { id } }", Accept="text/csv")
    lines += await logged(client, capsys, "query Mine { me { id } }")
    assert [(line["outcome"], line["status"], line["operation"]) for line in lines] == [
        ("GRAPHQL_VALIDATION_FAILED", 200, None),
        ("NOT_ACCEPTABLE", 406, None),
        ("UNAUTHENTICATED", 401, "Mine"),
    ]


async def test_neither_tokens_nor_variables_nor_passwords_are_logged(
    demo: Database, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    client = await serve(demo, "aurora", log_level="debug")
    login = 'mutation ($password: String!, $id: ID) { login(tenant: "aurora", email: "viewer@aurora.example", '
    login += "password: $password) { token refreshToken } }"
    capsys.readouterr()
    session = (await client.data(login.replace(", $id: ID", ""), password=DEMO_PASSWORD))["login"]
    await client.post(login, {"password": "hunter2-secret", "id": "unique-variable"})
    await client.post("query ($id: ID!) { deal(id: $id) { id } }", {"id": "unique-variable"})
    written = capsys.readouterr()
    for secret in (client.token, session["token"], session["refreshToken"], "hunter2-secret", "unique-variable"):
        assert secret
        assert secret not in written.err + written.out
    assert "viewer@aurora.example" not in written.err
