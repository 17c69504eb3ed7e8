"""What callers may put on the wire, and what they are told when it is no GraphQL request."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.app import create_app
from tests.conftest import Database
from tests.pipeline.listening import calling

LIMIT_BYTES = 4096
TYPENAME = {"data": {"__typename": "Query"}}


@pytest.fixture(scope="module")
async def http(demo: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in caller of a gateway that listens and accepts small bodies only."""
    settings = demo.settings(body_limit_bytes=LIMIT_BYTES, request_deadline_seconds=2)
    async with calling(create_app(settings), await demo.token("aurora")) as client:
        yield client


async def send(http: httpx.AsyncClient, content: Any, **headers: str) -> httpx.Response:
    """A POST of these bytes as JSON, unless the headers say otherwise."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.post("/graphql", content=content, headers={"Content-Type": "application/json", **named})


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of an answer that is one error."""
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"], error["message"]


NOT_REQUESTS = {
    "empty": (b"", "The body is empty: send a JSON object with `query`."),
    "blank": (b" \n", "The body is empty: send a JSON object with `query`."),
    "null": (b"null", "The body must be a JSON object with `query`."),
    "a number": (b"7", "The body must be a JSON object with `query`."),
    "a string": (b'"{ me }"', "The body must be a JSON object with `query`."),
    "a batch": (b"[]", "Batches are not accepted: send one operation, or several fields in one query."),
    "no query": (b"{}", "`query` must be a string that holds a GraphQL document."),
    "null query": (b'{"query": null}', "`query` must be a string that holds a GraphQL document."),
    "blank query": (b'{"query": " "}', "`query` must be a string that holds a GraphQL document."),
    "list query": (b'{"query": ["{ me }"]}', "`query` must be a string that holds a GraphQL document."),
    "variables": (b'{"query": "{ me }", "variables": [1]}', "`variables` must be an object or null."),
    "variables as text": (b'{"query": "{ me }", "variables": "{}"}', "`variables` must be an object or null."),
    "operationName": (b'{"query": "{ me }", "operationName": 1}', "`operationName` must be a string or null."),
    "extensions": (b'{"query": "{ me }", "extensions": 1}', "`extensions` must be an object or null."),
}


@pytest.mark.parametrize("name", NOT_REQUESTS)
async def test_a_body_that_is_no_request_is_refused_with_what_to_send(http: httpx.AsyncClient, name: str) -> None:
    body, message = NOT_REQUESTS[name]
    assert refusal(await send(http, body)) == (400, "BAD_REQUEST", message)


NOT_JSON = {
    "text": b"query { me }",
    "cut off": b'{"query": "{ __typename }"',
    "two values": b'{"query": "{ __typename }"} {}',
    "invalid UTF-8": b'{"query": "\xff\xfe"}',
    "encoded surrogate": b'{"query": "\xed\xa0\x80"}',
    "lone surrogate": rb'{"query": "{ __typename }", "variables": {"a": "\ud800"}}',
    "UTF-16": '{"query": "{ __typename }"}'.encode("utf-16"),
    "NaN": b'{"query": "{ __typename }", "variables": {"a": NaN}}',
    "2 000 levels": b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 2000,
    "number of 3 000 digits": b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 3000 + b"}}",
}


@pytest.mark.parametrize("name", NOT_JSON)
async def test_a_body_that_is_not_json_is_a_bad_request(http: httpx.AsyncClient, name: str) -> None:
    status, code, message = refusal(await send(http, NOT_JSON[name]))
    assert (status, code) == (400, "BAD_REQUEST")
    assert message.startswith("The body is not JSON: ")
    assert len(message) < 200


VAST = {"lists": "[" * 10_000 + "]" * 10_000, "objects": '{"a":' * 10_000 + "1" + "}" * 10_000, "digits": "9" * 5000}


@pytest.mark.parametrize("kind", VAST)
async def test_json_of_ten_thousand_levels_or_five_thousand_digits_is_a_bad_request(demo: Database, kind: str) -> None:
    body = f'{{"query": "{{ __typename }}", "variables": {{"a": {VAST[kind]}}}}}'
    async with calling(create_app(demo.settings())) as http:
        assert refusal(await send(http, body.encode()))[:2] == (400, "BAD_REQUEST")


READABLE = [
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
]


@pytest.mark.parametrize("content_type", READABLE)
async def test_json_in_utf_8_is_read_however_its_type_is_spelled(http: httpx.AsyncClient, content_type: str) -> None:
    response = await send(http, b'{"query": "{ __typename }"}', Content_Type=content_type)
    assert (response.status_code, response.json()) == (200, TYPENAME)


UNREADABLE = {
    "form": {"Content_Type": "application/x-www-form-urlencoded"},
    "multipart": {"Content_Type": "multipart/form-data; boundary=x"},
    "plain text": {"Content_Type": "text/plain"},
    "graphql": {"Content_Type": "application/graphql"},
    "a longer name": {"Content_Type": "application/json-seq"},
    "no type": {"Content_Type": ""},
    "UTF-16": {"Content_Type": "application/json; charset=utf-16"},
    "Latin-1": {"Content_Type": "application/json; charset=iso-8859-1"},
    "gzip": {"Content_Encoding": "gzip"},
    "brotli": {"Content_Encoding": "br"},
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_another_type_charset_or_encoding_is_a_415(http: httpx.AsyncClient, name: str) -> None:
    body = gzip.compress(b'{"query": "{ __typename }"}') if name == "gzip" else b'{"query": "{ __typename }"}'
    assert refusal(await send(http, body, **UNREADABLE[name]))[:2] == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_without_a_content_type_is_a_415(http: httpx.AsyncClient) -> None:
    response = await http.post("/graphql", content=b'{"query": "{ __typename }"}')
    assert refusal(response)[:2] == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_over_the_limit_is_a_413_whether_or_not_it_says_its_length(http: httpx.AsyncClient) -> None:
    body = json.dumps({"query": "{ __typename }", "variables": {"a": "x" * LIMIT_BYTES}}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1000):
            yield body[start : start + 1000]

    said, unsaid = await send(http, body), await send(http, chunks())
    assert [refusal(response)[:2] for response in (said, unsaid)] == [(413, "BODY_TOO_LARGE")] * 2
    assert refusal(said)[2] == "The body is larger than 4096 bytes. Send a smaller one, or split the operation."


async def test_a_body_at_the_limit_is_read(http: httpx.AsyncClient) -> None:
    body = b'{"query": "{ __typename }"}'
    response = await send(http, body + b" " * (LIMIT_BYTES - len(body)))
    assert (response.status_code, response.json()) == (200, TYPENAME)


async def test_a_body_that_stalls_past_the_deadline_is_a_408(http: httpx.AsyncClient) -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield b'{"query": '
        await asyncio.sleep(2.2)
        yield b'"{ __typename }"}'

    assert refusal(await send(http, stalling()))[:2] == (408, "BODY_TIMED_OUT")


SKIPPED = "query ($no: Boolean!) { __typename kept: __typename @skip(if: $no) }"
TWO = "query A { a: __typename } query B { b: __typename }"
QUERY_STRINGS: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"query": "{ __typename }"}, TYPENAME),
    ({"query": "{ __typename }", "variables": "{}", "extensions": "{}"}, TYPENAME),
    ({"query": TWO, "operationName": "B"}, {"data": {"b": "Query"}}),
    ({"query": SKIPPED, "variables": '{"no": true}'}, TYPENAME),
]


@pytest.mark.parametrize(("given", "expected"), QUERY_STRINGS)
async def test_a_query_is_read_from_the_query_string(
    http: httpx.AsyncClient, given: dict[str, str], expected: dict[str, Any]
) -> None:
    response = await http.get("/graphql", params=given)
    assert (response.status_code, response.json()) == (200, expected)


@pytest.mark.parametrize("name", ["variables", "extensions"])
@pytest.mark.parametrize("text", ["", "nonsense", "[1]", "1", "\ud800"])
async def test_a_query_string_whose_parts_are_not_json_objects_is_a_bad_request(
    http: httpx.AsyncClient, name: str, text: str
) -> None:
    encoded = text.encode("utf-8", "surrogatepass")
    url = httpx.URL("/graphql", params={"query": "{ __typename }"}).copy_add_param(name, "VALUE")
    raw = str(url).replace("VALUE", "".join(f"%{byte:02X}" for byte in encoded))
    status, code, message = refusal(await http.get(raw))
    assert (status, code) == (400, "BAD_REQUEST")
    assert message.startswith(f"`{name}` ")


async def test_a_get_without_a_query_is_a_bad_request(http: httpx.AsyncClient) -> None:
    assert refusal(await http.get("/graphql"))[:2] == (400, "BAD_REQUEST")
