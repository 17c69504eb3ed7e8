"""The endpoint's answers: methods, media types, status codes, headers, and callers from other origins."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.app import create_app
from tests.conftest import Database
from tests.pipeline.listening import calling

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
ORIGIN = "https://board.example"


@pytest.fixture(scope="module")
async def http(demo: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in caller of a gateway that listens and lets one other origin in."""
    settings = demo.settings(cors_origins=(ORIGIN,))
    async with calling(create_app(settings), await demo.token("aurora")) as client:
        yield client


async def post(http: httpx.AsyncClient, query: str = "{ __typename }", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.post("/graphql", json={"query": query}, headers=named)


def code(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "PROPFIND"])
async def test_another_method_is_a_405_in_json_that_names_the_right_ones(http: httpx.AsyncClient, method: str) -> None:
    response = await http.request(method, "/graphql", json={"query": "{ __typename }"})
    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_head_has_the_headers_of_get_and_no_body(http: httpx.AsyncClient) -> None:
    query = {"query": "{ __typename }"}
    get, head = await http.get("/graphql", params=query), await http.head("/graphql", params=query)
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in ("Content-Type", "Content-Length")] == [
        get.headers[name] for name in ("Content-Type", "Content-Length")
    ]


async def test_options_says_what_is_allowed(http: httpx.AsyncClient) -> None:
    response = await http.options("/graphql")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_mutation_by_get_is_a_405_and_is_not_run(http: httpx.AsyncClient, method: str) -> None:
    query = 'mutation { login(tenant: "aurora", email: "a", password: "b") { token } }'
    response = await http.request(method, "/graphql", params={"query": query})
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    if method == "GET":
        assert code(response) == "METHOD_NOT_ALLOWED"
        assert response.json()["errors"][0]["message"] == "A mutation cannot be sent by GET: use POST."


NEGOTIATED = {
    "*/*": JSON,
    "": JSON,
    "application/*": JSON,
    JSON: JSON,
    "APPLICATION/JSON": JSON,
    GRAPHQL: GRAPHQL,
    f"{GRAPHQL}; charset=utf-8": GRAPHQL,
    f"{GRAPHQL}, {JSON};q=0.9": GRAPHQL,
    f"{JSON}, {GRAPHQL}": JSON,
    f"{JSON};q=0.5, {GRAPHQL};q=0.8": GRAPHQL,
    f"{JSON};q=0, */*": GRAPHQL,
    f"{GRAPHQL};q=0, */*;q=0.1": JSON,
    f"*/*, {GRAPHQL}": GRAPHQL,
    f"*/*;q=0.1, {JSON};q=0.05": GRAPHQL,
    f"text/html, {JSON};q=0.001": JSON,
    f"{GRAPHQL}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed": GRAPHQL,
    f"{JSON};q=rubbish, {GRAPHQL};q=0.1": GRAPHQL,
    f"{JSON};q=nan, {GRAPHQL};q=0.1": GRAPHQL,
    f",,;;=,{GRAPHQL}": GRAPHQL,
}


@pytest.mark.parametrize("accept", NEGOTIATED)
async def test_the_answer_has_the_media_type_that_the_caller_likes_best(http: httpx.AsyncClient, accept: str) -> None:
    response = await post(http, Accept=accept)
    assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})
    assert response.headers["Content-Type"] == f"{NEGOTIATED[accept]}; charset=utf-8"


async def test_several_accept_headers_are_read_as_one(http: httpx.AsyncClient) -> None:
    headers = [("Accept", "text/plain"), ("Accept", GRAPHQL)]
    response = await http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert response.headers["Content-Type"] == f"{GRAPHQL}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/html", "application/xml;q=1", f"{JSON};q=0", "rubbish", ";;", "\xff"])
async def test_a_caller_who_accepts_nothing_we_have_gets_a_406_in_json(http: httpx.AsyncClient, accept: str) -> None:
    headers = [(b"Accept", accept.encode("latin-1"))]
    response = await http.post("/graphql", json={"query": "{ __typename }"}, headers=headers)
    assert (response.status_code, code(response)) == (406, "NOT_ACCEPTABLE")
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


STATUSES = [
    ("{ me { id } }", "", 200, 200),
    ("{ me {", "GRAPHQL_PARSE_FAILED", 400, 200),
    ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", 400, 200),
    ("{" + "a " * 4000 + "}", "DOCUMENT_TOO_LARGE", 400, 200),
    ("query A { __typename } query B { __typename }", "OPERATION_NOT_FOUND", 400, 200),
    ("query ($a: ID!) { deal(id: $a) { id } }", "VARIABLES_INVALID", 400, 200),
    ('{ dashboard(ownerId: "x") { asOf } }', "BAD_USER_INPUT", 400, 200),
    ('{ deal(id: "x") { id } }', "BAD_USER_INPUT", 200, 200),
    ('mutation { login(tenant: "aurora", email: "a", password: "b") { token } }', "LOGIN_FAILED", 401, 200),
]


@pytest.mark.parametrize(("query", "expected", "status", "plain_status"), STATUSES)
async def test_the_status_fits_the_error_and_the_media_type(
    http: httpx.AsyncClient, query: str, expected: str, status: int, plain_status: int
) -> None:
    typed, plain = await post(http, query, Accept=GRAPHQL), await post(http, query, Accept=JSON)
    assert (typed.status_code, plain.status_code) == (status, plain_status)
    codes = [[error["extensions"]["code"] for error in answer.json().get("errors", [])] for answer in (typed, plain)]
    assert codes == ([[expected]] * 2 if expected else [[], []])


@pytest.mark.parametrize("media_type", [GRAPHQL, JSON])
async def test_a_caller_without_a_token_is_a_401_with_a_challenge_in_both_media_types(
    http: httpx.AsyncClient, media_type: str
) -> None:
    async with httpx.AsyncClient(base_url=http.base_url, trust_env=False) as stranger:
        response = await post(stranger, "{ me { id } }", Accept=media_type)
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Content-Type"] == f"{media_type}; charset=utf-8"


@pytest.mark.parametrize("given", ["a", "req-1.2_3", "x" * 64])
async def test_a_plain_request_id_is_echoed(http: httpx.AsyncClient, given: str) -> None:
    response = await post(http, "{ nothing }", X_Request_Id=given)
    assert response.headers["X-Request-Id"] == given
    assert response.json()["errors"][0]["extensions"]["requestId"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "two words", "<script>", "a;b", 'a"b', "a\tb"])
async def test_a_rubbish_request_id_is_replaced(http: httpx.AsyncClient, given: str) -> None:
    response = await post(http, X_Request_Id=given)
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-Id"])


async def test_each_request_without_an_id_gets_its_own(http: httpx.AsyncClient) -> None:
    ids = {(await post(http)).headers["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5


def stages(response: httpx.Response) -> list[str]:
    parts = response.headers["Server-Timing"].split(", ")
    assert all(re.fullmatch(r"[a-z]+;dur=\d+\.\d\d", part) for part in parts)
    return [part.partition(";")[0] for part in parts]


async def test_the_answer_tells_its_time_by_stage(http: httpx.AsyncClient) -> None:
    response = await post(http, "{ me { id } }")
    assert stages(response) == ["identify", "document", "execute", "respond"]
    assert re.fullmatch(r"\d+\.\d\dms", response.headers["X-Response-Time"])
    assert response.headers["Cache-Control"] == "private, no-store"


async def test_a_refusal_tells_the_stages_it_came_through(http: httpx.AsyncClient) -> None:
    refused = await http.put("/graphql")
    assert stages(await post(http, "{ nothing }")) == ["identify", "document", "respond"]
    assert stages(refused) == ["respond"]
    assert re.fullmatch(r"\d+\.\d\dms", refused.headers["X-Response-Time"])


def preflight(origin: str) -> dict[str, Any]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, x-request-id, x-tenant",
    }


async def test_a_page_of_an_allowed_origin_may_call(http: httpx.AsyncClient) -> None:
    asked = await http.options("/graphql", headers=preflight(ORIGIN))
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
    called = await post(http, Origin=ORIGIN)
    assert called.headers["Access-Control-Allow-Origin"] == ORIGIN
    exposed = {name.strip() for name in called.headers["Access-Control-Expose-Headers"].split(",")}
    of_the_cache = {"Age", "ETag", "X-Cache", "X-Cache-Key"}
    of_the_budget = {"RateLimit", "RateLimit-Policy", "Retry-After", "X-RateLimit-Remaining"}
    assert exposed == {"Server-Timing", "X-Request-Id", "X-Response-Time", *of_the_cache, *of_the_budget}


async def test_a_page_of_another_origin_may_not_read_the_answer(http: httpx.AsyncClient) -> None:
    asked = await http.options("/graphql", headers=preflight("https://evil.example"))
    assert (asked.status_code, "Access-Control-Allow-Origin" in asked.headers) == (400, False)
    called = await post(http, Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in called.headers


async def test_without_the_setting_no_origin_is_let_in(demo: Database) -> None:
    async with calling(create_app(demo.settings())) as http:
        asked = await http.options("/graphql", headers=preflight(ORIGIN))
    assert (asked.status_code, "Access-Control-Allow-Origin" in asked.headers) == (204, False)


async def test_a_browser_gets_the_page_unless_it_is_turned_off(http: httpx.AsyncClient, demo: Database) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = await http.get("/graphql", headers=browser)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    asked = await http.get("/graphql", params={"query": "{ __typename }"}, headers=browser)
    assert asked.headers["Content-Type"] == "application/json; charset=utf-8"
    async with calling(create_app(demo.settings(graphiql=False))) as without:
        assert code(await without.get("/graphql", headers=browser)) == "BAD_REQUEST"


@pytest.mark.parametrize("name", ["Authorization", "X-Tenant"])
async def test_a_header_that_says_who_calls_may_be_given_once(http: httpx.AsyncClient, name: str) -> None:
    headers = [("Content-Type", "application/json"), (name, "one"), (name, "other")]
    response = await http.post("/graphql", content='{"query": "{ __typename }"}', headers=headers)
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["BAD_REQUEST"]


async def test_another_spelling_of_the_address_is_not_redirected(http: httpx.AsyncClient) -> None:
    assert (await http.get("/graphql/", headers={"Host": "elsewhere.example"})).status_code == 404
