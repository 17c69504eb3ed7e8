"""Kept answers before anything is routed: given out to whom they belong; all else is handed on as it came."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import cast
from urllib.parse import quote

import orjson
import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope, Send

from gateway.api.context import Context
from gateway.api.schema import graphql_schema
from gateway.cache.changes import Changes, Stamp
from gateway.cache.entries import Entry
from gateway.cache.memory import MemoryStore
from gateway.cache.responses import ResponseCache
from gateway.cache.snapshots import Snapshot
from gateway.cost.memory_budget import MemoryBudget
from gateway.deadline import Deadline
from gateway.documents.library import Documents
from gateway.documents.limits import Limits
from gateway.documents.persisted import PersistedDocuments
from gateway.documents.texts import KeptTexts
from gateway.identity import identify
from gateway.identity.identify import Identifier
from gateway.identity.members import MemberCache, MemberRecord
from gateway.identity.tokens import TokenConfig, TokenVerifier
from gateway.observe import Observer
from gateway.pipeline.at_once import AtOnce, KnownCalls
from gateway.pipeline.caching import Caching
from gateway.pipeline.call import CacheWords, Call, Parameters, Trail
from gateway.pipeline.charging import Charging
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.prepared import preparation
from gateway.terms import Mode
from gateway.web import hits
from gateway.web.hits import HitsFirst
from tests.identity.support import SECRET, TERMS, hs256

DASHBOARD = "{ dashboard { asOf } }"
ME = "{ me { name } }"
MEMBERS = {("acme", "ann"): 1, ("acme", "bob"): 2, ("bolt", "ann"): 3, ("bolt", "bob"): 4}
TENANTS = {"acme": 10, "bolt": 20}
BEFORE, AFTER = Snapshot(100, 100), Snapshot(101, 101)


def _always() -> bool:
    return True


async def member(tenant: str, subject: str) -> MemberRecord | None:
    member_id = MEMBERS.get((tenant, subject))
    return MemberRecord(
        TENANTS[tenant], tenant, TERMS, "EUR", "UTC", member_id, "viewer", active=True, still_true=lambda: True
    )


@cache
def bearer(tenant: str = "acme", subject: str = "ann") -> str:
    now = time.time()
    return f"Bearer {hs256(tenant=tenant, sub=subject, iat=now - 60, exp=now + 86_400)}"


def body_of(query: str) -> bytes:
    return orjson.dumps({"query": query})


def no_context(*_: object) -> Context:
    raise AssertionError("nothing is executed here")


@dataclass
class Front:
    """What stands before an application, and the application: it reads what comes, keeps that, and answers 299."""

    changes: Changes = field(default_factory=Changes)
    came: list[Message] = field(default_factory=list)
    reads: bool = True

    def __post_init__(self) -> None:
        observer, schema = Observer(CollectorRegistry()), graphql_schema()
        self.changes.begin("here", BEFORE)
        self.cache = ResponseCache(self.changes, trusted=lambda: True, memory=MemoryStore(10**6), shared=None)
        self.identifier = Identifier(TokenVerifier(TokenConfig(secret=SECRET)), MemberCache(member))
        self.caching = Caching(self.cache, schema_version="1", grace_seconds=0)
        self.known = KnownCalls()
        self.documents = Documents(
            schema, Limits(tokens=500, depth=9, fields=99), size=9, prepare=preparation(schema, max_age_seconds=60)
        )
        pipeline = Pipeline(
            identify=self.identifier.identify,
            documents=self.documents,
            caching=self.caching,
            charging=Charging(MemoryBudget(), observer, mode=Mode.OFF),
            known=self.known,
            persisted=PersistedDocuments(KeptTexts(10**6), observer),
            schema=schema,
            anonymous_fields=frozenset(),
            open_context=no_context,
            most_list_entries=9,
            observer=observer,
        )
        at_once = AtOnce(self.identifier, self.known, self.cache)
        self.app = HitsFirst(self.behind, path="/graphql", at_once=at_once, pipeline=pipeline)

    async def behind(self, _: Scope, receive: Receive, send: Send) -> None:
        while self.reads:
            self.came.append(await receive())
            if not self.came[-1].get("more_body"):
                break
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"behind"})

    async def keep(self, query: str, data: bytes, *, text: bytes | None = None, refresh: bool = False) -> None:
        """As after a request that was answered so."""
        identity = await self.identifier.identify(bearer(), None)
        text, words = text or body_of(query), CacheWords(refresh=refresh)
        trail, parameters = Trail("request"), Parameters(query)
        call = Call(bearer(), None, False, parameters, Deadline.after(9), trail, words, text)
        operation = self.documents.get(query).operation(None)
        assert identity is not None
        asked = self.caching.asked(call, operation, identity)
        assert asked is not None
        stamp = Stamp.of(identity.tenant_id, "here", BEFORE, {"deals"})
        self.cache.keep(asked.key, Entry.of(stamp, data, read_at=time.time(), good_until=time.time() + 60))
        self.known.remember(call, asked, operation)

    async def ask(
        self,
        *messages: Message,
        method: str = "POST",
        query_string: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to a request that comes in such messages."""
        coming, sent = list(messages), list[Message]()
        named = {"authorization": bearer(), "content-type": "application/json", **(headers or {})}
        raw = [(name.encode(), part.encode()) for name, value in named.items() for part in value.split("|") if part]
        scope = {"type": "http", "method": method, "path": "/graphql", "query_string": query_string, "headers": raw}

        async def receive() -> Message:
            return coming.pop(0) if coming else cast(Message, await asyncio.Event().wait())

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start, body = sent
        told = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], told, body["body"]

    async def post(self, query: str, **headers: str) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, body = await self.ask(request(body_of(query)), headers=named)
        return status, body


def request(body: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


BEHIND = (299, b"behind")
KEPT = (200, b'{"data":{"a":1}}')


@pytest.fixture
async def front(monkeypatch: pytest.MonkeyPatch) -> Front:
    # However slow the machine is.
    monkeypatch.setattr(identify, "REMEMBERED_SECONDS", 60)
    front = Front()
    await front.keep(DASHBOARD, b'{"a":1}')
    return front


async def test_a_kept_answer_is_given_out_with_its_headers(front: Front) -> None:
    status, headers, body = await front.ask(request(body_of(DASHBOARD)), headers={"x-request-id": "mine"})
    assert (status, body, front.came) == (*KEPT, [])
    for name in ("x-response-time", "server-timing", "x-cache-key", "etag"):
        assert headers.pop(name)
    assert headers == {
        "x-request-id": "mine",
        "cache-control": "private, no-cache",
        "vary": "Accept, Authorization, X-Tenant",
        "x-cache": "HIT",
        "age": "0",
        "content-type": "application/json; charset=utf-8",
        "content-length": "16",
    }


MESSAGES: dict[str, list[Message]] = {
    "unknown": [request(body_of("{ pipelines { id } }"))],
    "no JSON": [request(b"\xff{")],
    "empty": [request(b"")],
    "without a body": [{"type": "http.request"}],
    "in pieces": [request(body_of(DASHBOARD)[:9], more=True), request(b"", more=True), request(body_of(DASHBOARD)[9:])],
    "whole with more to come": [request(body_of(DASHBOARD), more=True), request(b" ")],
    "of somebody who left": [{"type": "http.disconnect"}],
    "of somebody who left in the middle": [request(b"{", more=True), {"type": "http.disconnect"}],
}


@pytest.mark.parametrize("name", MESSAGES)
async def test_what_is_not_known_in_one_piece_is_handed_on_as_it_came(front: Front, name: str) -> None:
    status, _, body = await front.ask(*MESSAGES[name])
    assert (status, body, front.came) == (*BEHIND, MESSAGES[name])


OTHER_REQUESTS = {
    "of nobody": {"authorization": ""},
    "of somebody never seen": {"authorization": bearer("acme", "eve")},
    "of two": {"authorization": f"{bearer()}|{bearer()}"},
    "of another tenant by name": {"x-tenant": "bolt"},
    "of two tenants by name": {"x-tenant": "acme|acme"},
    "compressed": {"content-encoding": "gzip"},
    "of another type": {"content-type": "text/plain"},
    "of no type": {"content-type": ""},
    "that accepts nothing we have": {"accept": "text/html"},
    "that accepts twice": {"accept": "application/json|text/html"},
    "that wants a new answer": {"cache-control": "no-cache"},
    "that wants a younger answer": {"cache-control": "max-age=0"},
    "that wants to be told": {"graphql-cache": "status"},
}


@pytest.mark.parametrize("name", OTHER_REQUESTS)
async def test_a_request_that_is_not_plain_is_handed_on(front: Front, name: str) -> None:
    sent = request(body_of(DASHBOARD))
    status, _, body = await front.ask(sent, headers=OTHER_REQUESTS[name])
    assert (status, body, front.came) == (*BEHIND, [sent])


PLAIN_REQUESTS = {
    "as it is": {},
    "by tenant": {"x-tenant": " acme "},
    "in utf-8": {"content-type": "application/json; charset=utf-8"},
    "of any age": {"cache-control": "max-age=60, max-stale"},
    "not to be kept": {"cache-control": "no-store"},
    "with other words": {"cookie": "a=b", "origin": "https://app.example"},
}


@pytest.mark.parametrize("name", PLAIN_REQUESTS)
async def test_a_plain_request_is_answered(front: Front, name: str) -> None:
    status, _, body = await front.ask(request(body_of(DASHBOARD)), headers=PLAIN_REQUESTS[name])
    assert (status, body, front.came) == (*KEPT, [])


async def test_an_answer_is_its_tenants_and_ones_own_answer_is_ones_own(front: Front) -> None:
    for tenant, subject in MEMBERS:
        await front.identifier.identify(bearer(tenant, subject), None)
    await front.keep(ME, b'"ann"')
    shared = {member: await front.post(DASHBOARD, authorization=bearer(*member)) for member in MEMBERS}
    own = {member: await front.post(ME, authorization=bearer(*member)) for member in MEMBERS}
    assert shared == {member: KEPT if member[0] == "acme" else BEHIND for member in MEMBERS}
    assert own == {member: (200, b'{"data":"ann"}') if member == ("acme", "ann") else BEHIND for member in MEMBERS}


async def test_an_answer_is_not_given_out_after_a_change_that_touches_it(front: Front) -> None:
    front.cache.in_doubt(TENANTS["bolt"], {"deals"}, 100)
    front.changes.notice(TENANTS["acme"], "tasks", 100)
    assert await front.post(DASHBOARD) == KEPT
    front.cache.in_doubt(TENANTS["acme"], {"deals"}, 100)
    assert await front.post(DASHBOARD) == BEHIND
    front.changes.begin(None, None)
    front.changes.begin("here", AFTER)
    assert await front.post(DASHBOARD) == BEHIND


async def test_who_has_the_answer_already_is_told_so(front: Front) -> None:
    query = b"query=" + quote(DASHBOARD).encode()
    await front.keep(DASHBOARD, b'{"a":1}', text=b"?" + query)
    status, headers, body = await front.ask(method="GET", query_string=query)
    assert (status, body) == KEPT
    tag = {"if-none-match": headers["etag"]}
    status, headers, body = await front.ask(method="GET", query_string=query, headers=tag)
    assert (status, body, headers["x-cache"], "content-type" in headers) == (304, b"", "HIT", False)
    assert (await front.ask(request(body_of(DASHBOARD)), headers=tag))[0] == 200


@pytest.mark.parametrize("refresh", [b"refresh=true", b"%72efresh=true", b"re%66resh=tru%65"])
async def test_a_request_for_a_new_answer_is_handed_on_however_it_is_spelled(front: Front, refresh: bytes) -> None:
    query = b"query=" + quote(DASHBOARD).encode() + b"&" + refresh
    await front.keep(DASHBOARD, b'{"a":1}', text=b"?" + query, refresh=True)
    front.reads = False
    assert (await front.ask(method="GET", query_string=query))[::2] == BEHIND


async def test_a_method_or_an_address_of_another_kind_is_handed_on(front: Front) -> None:
    query = b"query=" + quote(DASHBOARD).encode()
    await front.keep(DASHBOARD, b'{"a":1}', text=b"?" + query)
    front.reads = False
    for method in ("HEAD", "OPTIONS", "PUT"):
        assert (await front.ask(method=method, query_string=query))[::2] == BEHIND
    front.reads = True
    assert (await front.ask(request(body_of(DASHBOARD)), query_string=b"a=1"))[::2] == BEHIND


async def test_a_body_that_does_not_come_is_handed_on_to_be_waited_for(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "PATIENCE_SECONDS", 0.01)
    front.reads = False
    assert (await front.ask())[::2] == BEHIND
