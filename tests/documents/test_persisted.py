"""Documents named by their hash, over HTTP: Apollo's protocol, `documentId`, and gateways of trusted documents only."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from gateway.documents import library, persisted
from gateway.documents import trusted as trusted_module
from gateway.documents.texts import LARGEST_TEXT_CHARACTERS, digest
from gateway.documents.trusted import TrustedDocuments
from tests.conftest import Client, Database, Serve

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
TEXT = "query Me { me { role } }"
DATA = {"data": {"me": {"role": "VIEWER"}}}
LOGIN = 'mutation { login(tenant: "aurora", email: "viewer@aurora.example", password: "demo") { token } }'
UNDO = 'mutation { undoOperation(operationId: "00000000-0000-0000-0000-000000000000") { summary { updated } } }'

# (status, code) of an answer
UNKNOWN_TYPED = (404, "PERSISTED_QUERY_NOT_FOUND")
UNKNOWN = (200, "PERSISTED_QUERY_NOT_FOUND")
NOT_TRUSTED = (200, "DOCUMENT_NOT_TRUSTED")
FOUND = (200, "")


def apollo(hash_: object, version: object = 1) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": version, "sha256Hash": hash_}}}


def by_id(hash_: str) -> dict[str, Any]:
    return {"documentId": f"sha256:{hash_}"}


async def send(client: Client, body: Mapping[str, Any], *, method: str = "POST", accept: str = JSON) -> httpx.Response:
    headers = {"Accept": accept} | ({"Authorization": f"Bearer {client.token}"} if client.token else {})
    if method == "POST":
        return await client.http.post("/graphql", json=body, headers=headers)
    params = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
    return await client.http.get("/graphql", params=params, headers=headers)


def told(response: httpx.Response) -> tuple[int, str]:
    errors = response.json().get("errors")
    return response.status_code, errors[0]["extensions"]["code"] if errors else ""


@pytest.fixture
async def viewer(demo: Database, serve: Serve) -> Client:
    """A viewer of a gateway that has seen no document yet."""
    return await serve(demo, "aurora")


@pytest.mark.parametrize("name", [apollo, by_id])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_document_sent_once_with_its_hash_is_run_by_its_hash(viewer: Client, name: Any, method: str) -> None:
    named = name(digest(TEXT))
    assert told(await send(viewer, named, method=method)) == UNKNOWN
    assert (await send(viewer, {"query": TEXT, **named}, method=method)).json() == DATA
    assert (await send(viewer, named, method=method)).json() == DATA
    assert (await send(viewer, {**named, "operationName": "Me"}, method="GET", accept=GRAPHQL)).json() == DATA


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("accept", "expected"), [(JSON, UNKNOWN), (GRAPHQL, UNKNOWN_TYPED)])
async def test_an_unknown_hash_is_answered_as_clients_wait_for_and_never_cached(
    viewer: Client, method: str, accept: str, expected: tuple[int, str]
) -> None:
    response = await send(viewer, apollo(digest(TEXT)), method=method, accept=accept)
    assert told(response) == expected
    assert [error["message"] for error in response.json()["errors"]] == ["PersistedQueryNotFound"]
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Content-Type"] == f"{accept}; charset=utf-8"


async def test_a_document_is_named_with_its_variables_and_operation(viewer: Client) -> None:
    two = "query A { a: __typename } query B($no: Boolean!) { b: __typename c: __typename @skip(if: $no) }"
    sent = {**apollo(digest(two)), "operationName": "B", "variables": {"no": True}}
    await send(viewer, {"query": two, **sent})
    for method in ("GET", "POST"):
        assert (await send(viewer, sent, method=method)).json() == {"data": {"b": "Query"}}


@pytest.mark.parametrize("name", [apollo, by_id])
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_document_that_is_not_of_its_hash_is_refused_and_not_kept(
    viewer: Client, name: Any, accept: str
) -> None:
    named = name(digest("{ other }"))
    assert told(await send(viewer, {"query": TEXT, **named}, accept=accept)) == (400, "PERSISTED_QUERY_MISMATCH")
    assert told(await send(viewer, named)) == UNKNOWN
    assert told(await send(viewer, apollo(digest(TEXT)))) == UNKNOWN


INVALID = ["{ nothing }", "{ me {", "fragment F on Member { id }", "{" + "a " * 4000 + "}"]


@pytest.mark.parametrize("text", INVALID)
async def test_an_invalid_document_is_not_kept(viewer: Client, text: str) -> None:
    named = apollo(digest(text))
    assert (await send(viewer, {"query": text, **named})).json()["errors"]
    assert told(await send(viewer, named)) == UNKNOWN


async def test_a_document_without_a_hash_is_not_kept(viewer: Client) -> None:
    await send(viewer, {"query": TEXT})
    assert told(await send(viewer, apollo(digest(TEXT)))) == UNKNOWN


async def test_a_huge_document_is_run_and_not_kept(viewer: Client) -> None:
    huge = TEXT + " #" + "x" * LARGEST_TEXT_CHARACTERS
    assert (await send(viewer, {"query": huge, **apollo(digest(huge))})).json() == DATA
    assert told(await send(viewer, apollo(digest(huge)))) == UNKNOWN


async def test_a_caller_without_a_token_fills_no_store(demo: Database, serve: Serve) -> None:
    stranger = await serve(demo)
    text = "{ __typename } # nobody's"
    assert told(await send(stranger, {"query": text, **apollo(digest(text))})) == FOUND
    assert told(await send(stranger, apollo(digest(text)))) == UNKNOWN


async def test_a_document_that_signs_in_is_not_kept_lest_its_hash_tell_a_password(viewer: Client) -> None:
    named = apollo(digest(LOGIN))
    assert "token" in (await send(viewer, {"query": LOGIN, **named})).json()["data"]["login"]
    assert told(await send(viewer, named)) == UNKNOWN


async def test_naming_a_document_needs_the_same_token_as_sending_it(demo: Database, serve: Serve) -> None:
    client = await serve(demo, "aurora")
    await send(client, {"query": TEXT, **apollo(digest(TEXT))})
    client.token = None
    assert told(await send(client, apollo(digest(TEXT)))) == (401, "UNAUTHENTICATED")


async def test_another_tenant_names_the_same_document_and_reads_its_own(demo: Database, serve: Serve) -> None:
    text = "{ me { email } }"
    client = await serve(demo, "aurora")
    ours = (await send(client, {"query": text, **apollo(digest(text))})).json()["data"]["me"]["email"]
    client.token = await demo.token("birch")
    theirs = (await send(client, apollo(digest(text)))).json()["data"]["me"]["email"]
    assert (ours.partition("@")[2], theirs.partition("@")[2]) == ("aurora.example", "birch.example")


async def test_a_mutation_named_by_get_is_a_405(demo: Database, serve: Serve) -> None:
    manager = await serve(demo, "aurora", "manager")
    named = apollo(digest(UNDO))
    assert told(await send(manager, {"query": UNDO, **named})) == (200, "NOT_FOUND")
    assert told(await send(manager, named)) == (200, "NOT_FOUND")
    assert told(await send(manager, named, method="GET")) == (405, "METHOD_NOT_ALLOWED")


HASH = digest(TEXT)
NO_HASH = " must be a SHA-256 of 64 hexadecimal digits, letters in lower case."
NO_VERSION = "`extensions.persistedQuery` must be an object whose `version` is 1."
NO_HASHES: list[object] = [HASH.upper(), HASH[:-1], HASH + "0", HASH + "\n", f"sha256:{HASH}", "", 7, ["0"], {}]
NO_NAMES: list[object] = [HASH, [], 1, {}]
MALFORMED: list[tuple[dict[str, Any], str]] = [
    *((apollo(hash_), f"`extensions.persistedQuery.sha256Hash`{NO_HASH}") for hash_ in NO_HASHES),
    *((apollo(HASH, version), NO_VERSION) for version in (2, 0, "1", None)),
    ({"extensions": {"persistedQuery": {"version": 1}}}, f"`extensions.persistedQuery.sha256Hash`{NO_HASH}"),
    *(({"extensions": {"persistedQuery": named}}, NO_VERSION) for named in NO_NAMES),
    *(({"documentId": id_}, f"`documentId`{NO_HASH}") for id_ in (f"md5:{HASH}", HASH.upper(), "sha256:", "")),
    ({"documentId": 7}, "`documentId` must be a string or null."),
    (
        {"documentId": digest("{ other }"), **apollo(HASH)},
        "`documentId` and `extensions.persistedQuery` name different documents: send one.",
    ),
]


@pytest.mark.parametrize("query", [{}, {"query": TEXT}])
@pytest.mark.parametrize(("named", "message"), MALFORMED)
async def test_a_name_that_is_none_is_a_bad_request(
    aurora: Client, named: dict[str, Any], message: str, query: dict[str, str]
) -> None:
    response = await send(aurora, {**query, **named})
    assert told(response) == (400, "BAD_REQUEST")
    assert response.json()["errors"][0]["message"] == message


@pytest.mark.parametrize(
    "nothing", [{"extensions": {}}, {"extensions": {"persistedQuery": None}}, {"documentId": None}]
)
async def test_neither_text_nor_name_is_a_bad_request(aurora: Client, nothing: dict[str, Any]) -> None:
    response = await send(aurora, nothing)
    assert told(response) == (400, "BAD_REQUEST")
    assert response.json()["errors"][0]["message"] == "`query` must be a string that holds a GraphQL document."
    assert (await send(aurora, {"query": TEXT, **nothing})).json() == DATA


@pytest.mark.parametrize("query", [None, ""])
async def test_an_empty_text_beside_a_name_is_none(viewer: Client, query: str | None) -> None:
    await send(viewer, {"query": TEXT, **apollo(HASH)})
    assert (await send(viewer, {"query": query, **apollo(HASH)})).json() == DATA
    assert told(await send(viewer, {"query": " ", **apollo(HASH)})) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("name", [apollo, lambda hash_: {"documentId": hash_}])
async def test_a_browser_that_follows_a_link_to_a_named_document_gets_its_answer(viewer: Client, name: Any) -> None:
    await send(viewer, {"query": TEXT, **apollo(HASH)})
    response = await send(viewer, name(HASH), method="GET", accept=f"text/html,{JSON};q=0.9")
    assert response.json() == DATA


async def test_a_named_document_is_hashed_and_parsed_once(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    note(monkeypatch, library, "parse", given)
    note(monkeypatch, persisted, "digest", given)
    await send(viewer, {"query": TEXT, **apollo(HASH)})
    for _ in range(3):
        await send(viewer, apollo(HASH))
    assert given == [TEXT, TEXT]


def note(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, given: list[str]) -> None:
    """Has a module's function note the texts that it is given."""
    work = vars(module)[name]

    def noting(text: str, **options: Any) -> Any:
        given.append(text)
        return work(text, **options)

    monkeypatch.setattr(module, name, noting)


async def test_where_named_documents_were_found_is_counted(viewer: Client) -> None:
    for body in (apollo(HASH), {"query": TEXT, **apollo(HASH)}, apollo(HASH), by_id(HASH)):
        await send(viewer, body)
    metrics = (await viewer.http.get("/metrics")).text
    assert 'gateway_persisted_documents_total{found="nowhere"} 1.0' in metrics
    assert 'gateway_persisted_documents_total{found="process"} 2.0' in metrics


async def test_gateways_share_documents_through_redis(demo: Database, serve: Serve, redis_url: str) -> None:
    first, second = [await serve(demo, "aurora", redis_url=redis_url) for _ in range(2)]
    await send(first, {"query": TEXT, **apollo(HASH)})
    assert [(await send(second, apollo(HASH))).json() for _ in range(2)] == [DATA, DATA]
    metrics = (await second.http.get("/metrics")).text
    assert 'gateway_persisted_documents_total{found="redis"} 1.0' in metrics
    assert 'gateway_persisted_documents_total{found="process"} 1.0' in metrics


async def test_a_gateway_without_its_redis_keeps_documents_itself(demo: Database, serve: Serve) -> None:
    client = await serve(demo, "aurora", redis_url="redis://127.0.0.1:1/0")
    assert told(await send(client, apollo(HASH))) == UNKNOWN
    assert (await send(client, {"query": TEXT, **apollo(HASH)})).json() == DATA
    assert (await send(client, apollo(HASH))).json() == DATA
    assert 'gateway_redis_faults_total{use="documents"} 2.0' in (await client.http.get("/metrics")).text


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that holds the one document, and is looked at anew each time."""
    monkeypatch.setattr(trusted_module, "BELIEVED_SECONDS", 0)
    TrustedDocuments(tmp_path).add({HASH: TEXT})
    return tmp_path


@pytest.fixture
async def strict(demo: Database, serve: Serve, directory: Path, redis_url: str) -> Client:
    """A viewer of a gateway that runs the directory's documents only."""
    return await serve(
        demo, "aurora", documents_mode="trusted", trusted_documents=directory, redis_url=redis_url, log_level="error"
    )


@pytest.mark.parametrize("body", [apollo(HASH), by_id(HASH), {"query": TEXT}, {"query": TEXT, **apollo(HASH)}])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_trusted_document_is_run_by_its_text_or_its_hash(
    strict: Client, body: dict[str, Any], method: str
) -> None:
    assert (await send(strict, body, method=method)).json() == DATA


REFUSED = ["{ __typename }", "{ __schema { queryType { name } } }", TEXT + " ", "{ nothing }", "{ me {", LOGIN]


@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL, 403)])
async def test_any_other_document_is_refused_by_text_and_by_hash(
    strict: Client, text: str, accept: str, status: int
) -> None:
    named = apollo(digest(text))
    for body in ({"query": text}, {"query": text, **named}, named, by_id(digest(text))):
        response = await send(strict, body, accept=accept)
        assert told(response) == (status, "DOCUMENT_NOT_TRUSTED")
        assert "gateway documents add" in response.json()["errors"][0]["message"]


async def test_what_another_gateway_left_in_redis_is_not_trusted(
    demo: Database, serve: Serve, strict: Client, redis_url: str
) -> None:
    lenient = await serve(demo, "aurora", redis_url=redis_url)
    await send(lenient, {"query": "{ __typename }", **apollo(digest("{ __typename }"))})
    assert told(await send(strict, apollo(digest("{ __typename }")))) == NOT_TRUSTED


async def test_documents_are_trusted_and_no_longer_trusted_without_a_restart(strict: Client, directory: Path) -> None:
    text = "{ __typename }"
    assert told(await send(strict, {"query": text})) == NOT_TRUSTED
    TrustedDocuments(directory).add({digest(text): text})
    assert [told(await send(strict, body)) for body in ({"query": text}, apollo(digest(text)))] == [FOUND, FOUND]
    (directory / f"{digest(text)}.graphql").unlink()
    assert [told(await send(strict, body)) for body in ({"query": text}, apollo(digest(text)))] == [NOT_TRUSTED] * 2


async def test_a_file_that_was_altered_is_not_trusted(strict: Client, directory: Path) -> None:
    (directory / f"{HASH}.graphql").write_text("{ __typename }")
    bodies = (apollo(HASH), {"query": TEXT}, {"query": "{ __typename }"})
    assert [told(await send(strict, body)) for body in bodies] == [NOT_TRUSTED] * 3


async def test_the_page_of_a_strict_gateway_says_so(strict: Client) -> None:
    page = await strict.http.get("/graphql", headers={"Accept": "text/html"})
    assert "<title>Aggregation gateway: trusted documents only</title>" in page.text
    assert "# This gateway runs trusted documents only: DOCUMENTS_MODE is `trusted`." in page.text


async def test_a_lenient_gateway_finds_trusted_documents_by_a_hash_never_sent_before(
    demo: Database, serve: Serve, directory: Path
) -> None:
    client = await serve(demo, "aurora", trusted_documents=directory)
    assert (await send(client, apollo(HASH), method="GET")).json() == DATA
    assert told(await send(client, {"query": "{ __typename }"})) == FOUND
    assert told(await send(client, apollo(digest("{ __typename }")))) == UNKNOWN
