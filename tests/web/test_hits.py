"""Kept answers before anything is routed: given out to whom they belong; all else has to go the whole way."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import quote

import orjson
import pytest
from prometheus_client import CollectorRegistry

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
from gateway.identity.identify import Identifier
from gateway.identity.members import MemberCache, MemberRecord
from gateway.identity.tokens import TokenConfig, TokenVerifier
from gateway.observe import Observer, configure_logging
from gateway.pipeline.at_once import AtOnce, KnownCalls
from gateway.pipeline.caching import Caching
from gateway.pipeline.call import CacheWords, Call, Parameters, Trail
from gateway.pipeline.charging import Charging
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.prepared import preparation
from gateway.pipeline.tabs import TOLD_SECONDS
from gateway.terms import Mode
from gateway.web.hits import HitResponse, Hits
from tests.identity.support import SECRET, TERMS, hs256

DASHBOARD = "{ dashboard { asOf } }"
ME = "{ me { name } }"
MEMBERS = {("acme", "ann"): 1, ("acme", "bob"): 2, ("bolt", "ann"): 3, ("bolt", "bob"): 4}
TENANTS = {"acme": 10, "bolt": 20}
BEFORE, AFTER = Snapshot(100, 100), Snapshot(101, 101)


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


def by_get(query: str) -> str:
    return "query=" + quote(query)


@dataclass
class Front:
    """What looks at requests first, and what it knows."""

    changes: Changes = field(default_factory=Changes)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    trusted: bool | None = True
    cross_origin: bool = False
    mode: Mode = Mode.OFF
    now: float = 0.0

    def __post_init__(self) -> None:
        observer, schema = Observer(self.registry), graphql_schema()
        self.changes.begin("here", BEFORE)
        self.cache = ResponseCache(self.changes, trusted=self.trusts, memory=MemoryStore(10**6), shared=None)
        self.identifier = Identifier(
            # However slow the machine is, a token is looked at once.
            TokenVerifier(TokenConfig(secret=SECRET)),
            MemberCache(member),
            clock=lambda: 0.0,
        )
        self.caching = Caching(self.cache, schema_version="1", grace_seconds=0, silent_seconds=lambda: 0.0)
        self.known = KnownCalls()
        self.documents = Documents(
            schema, Limits(tokens=500, depth=9, fields=99), size=9, prepare=preparation(schema, max_age_seconds=60)
        )
        charging = Charging(MemoryBudget(clock=lambda: 0.0), observer, mode=self.mode, clock=lambda: self.now)
        pipeline = Pipeline(
            identify=self.identifier.identify,
            documents=self.documents,
            caching=self.caching,
            charging=charging,
            known=self.known,
            persisted=PersistedDocuments(KeptTexts(10**6), observer),
            schema=schema,
            anonymous_fields=frozenset(),
            open_context=no_context,
            most_list_entries=9,
            observer=observer,
        )
        at_once = AtOnce(self.identifier, self.known, self.cache, charging)
        self.hits = Hits(at_once, pipeline, observer, path="/graphql", cross_origin=self.cross_origin)

    def trusts(self) -> bool:
        if self.trusted is None:
            raise RuntimeError("a listener that fails")
        return self.trusted

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

    def ask(
        self, body: bytes = b"", *, method: str = "POST", query: str = "", headers: Mapping[str, str] | None = None
    ) -> HitResponse | None:
        """The answer to a request; None where it has to go the whole way."""
        named = {"authorization": bearer(), "content-type": "application/json", **(headers or {})}
        raw = [(name.encode(), part.encode()) for name, value in named.items() for part in value.split("|") if part]
        target = f"/graphql?{query}" if query else "/graphql"
        request = self.hits.plain(method.encode(), target.encode(), raw)
        return self.hits.response(request, body) if request else None

    def post(self, query: str, **headers: str) -> bytes | None:
        """The body of an answer."""
        found = self.ask(body_of(query), headers={name.replace("_", "-"): value for name, value in headers.items()})
        return whole(found) if found else None

    def counted(self, sample: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(sample, labels)


def whole(found: HitResponse) -> bytes:
    """Its body, put together."""
    return b"".join(found.body)


def lines(head: bytes) -> dict[str, str]:
    """Headers by name."""
    assert head.endswith(b"\r\n")
    return dict(line.split(": ", 1) for line in head.decode().removesuffix("\r\n").split("\r\n"))


KEPT = b'{"data":{"a":1}}'


@pytest.fixture
async def front() -> Front:
    front = Front()
    await front.keep(DASHBOARD, b'{"a":1}')
    return front


async def test_a_kept_answer_is_given_out_with_its_headers(front: Front) -> None:
    found = front.ask(body_of(DASHBOARD), headers={"x-request-id": "mine"})
    assert found is not None
    headers = lines(found.head)
    for name in ("x-response-time", "server-timing", "x-cache-key", "etag"):
        assert headers.pop(name)
    assert (found.status, whole(found), headers) == (
        200,
        KEPT,
        {
            "x-request-id": "mine",
            "cache-control": "private, no-cache",
            "vary": "Accept, Authorization, X-Tenant",
            "x-cache": "HIT",
            "age": "0",
            "content-type": "application/json; charset=utf-8",
            "content-length": "16",
        },
    )


async def test_a_hit_costs_one_point_and_tells_so() -> None:
    front = Front(mode=Mode.ENFORCE)
    await front.keep(DASHBOARD, b'{"a":1}')
    size = int(TERMS.bucket.size)
    for asked in (1, 2):
        front.now += TOLD_SECONDS
        found = front.ask(body_of(DASHBOARD))
        assert found is not None
        answer = orjson.loads(whole(found))
        status = {"maximumAvailable": size, "currentlyAvailable": size - asked, "restoreRate": TERMS.bucket.rate}
        assert (answer["data"], answer["extensions"]["cost"]["actualQueryCost"]) == ({"a": 1}, 1)
        assert answer["extensions"]["cost"]["throttleStatus"] == status
        headers = lines(found.head)
        assert headers["x-ratelimit-remaining"] == str(size - asked)
        assert headers["content-length"] == str(len(whole(found)))


async def test_an_answer_given_out_is_counted_as_any_other(front: Front) -> None:
    for _ in range(3):
        assert front.post(DASHBOARD) == KEPT
    assert front.post("{ pipelines { id } }") is None
    assert front.counted("gateway_requests_total", operation="(anonymous)", outcome="ok") == 3
    assert front.counted("gateway_cache_requests_total", status="HIT") == 3
    assert front.counted("gateway_request_seconds_count", operation="(anonymous)") == 3
    assert front.counted("gateway_stage_seconds_count", stage="cache") == 3


@pytest.mark.parametrize("body", [body_of("{ pipelines { id } }"), b"\xff{", b"", body_of(DASHBOARD) + b" "])
async def test_what_is_not_known_goes_the_whole_way(front: Front, body: bytes) -> None:
    assert front.ask(body) is None


OTHER_REQUESTS = {
    "of nobody": {"authorization": ""},
    "of somebody never seen": {"authorization": bearer("acme", "eve")},
    "of two": {"authorization": f"{bearer()}|{bearer()}"},
    "of another tenant by name": {"x-tenant": "bolt"},
    "of two tenants by name": {"x-tenant": "acme|acme"},
    "compressed": {"content-encoding": "gzip"},
    "in chunks": {"transfer-encoding": "chunked"},
    "of another type": {"content-type": "text/plain"},
    "of no type": {"content-type": ""},
    "that accepts nothing we have": {"accept": "text/html"},
    "that accepts twice": {"accept": "application/json|text/html"},
    "that wants a new answer": {"cache-control": "no-cache"},
    "that wants a younger answer": {"cache-control": "max-age=0"},
    "that wants to be told": {"graphql-cache": "status"},
    "that wants its price": {"graphql-cost": "fields"},
}


@pytest.mark.parametrize("name", OTHER_REQUESTS)
async def test_a_request_that_is_not_plain_goes_the_whole_way(front: Front, name: str) -> None:
    assert front.ask(body_of(DASHBOARD), headers=OTHER_REQUESTS[name]) is None


PLAIN_REQUESTS = {
    "as it is": {},
    "by tenant": {"x-tenant": " acme "},
    "in utf-8": {"content-type": "application/json; charset=utf-8"},
    "of any age": {"cache-control": "max-age=60, max-stale"},
    "not to be kept": {"cache-control": "no-store"},
    "with other words": {"cookie": "a=b|c=d", "origin": "https://app.example"},
}


@pytest.mark.parametrize("name", PLAIN_REQUESTS)
async def test_a_plain_request_is_answered(front: Front, name: str) -> None:
    found = front.ask(body_of(DASHBOARD), headers=PLAIN_REQUESTS[name])
    assert found is not None
    assert whole(found) == KEPT


async def test_pages_of_other_origins_go_the_whole_way_where_they_are_let_in() -> None:
    let_in = Front(cross_origin=True)
    await let_in.keep(DASHBOARD, b'{"a":1}')
    assert let_in.post(DASHBOARD) == KEPT
    assert let_in.post(DASHBOARD, origin="https://app.example") is None


async def test_an_answer_is_its_tenants_and_ones_own_answer_is_ones_own(front: Front) -> None:
    for tenant, subject in MEMBERS:
        await front.identifier.identify(bearer(tenant, subject), None)
    await front.keep(ME, b'"ann"')
    shared = {member: front.post(DASHBOARD, authorization=bearer(*member)) for member in MEMBERS}
    own = {member: front.post(ME, authorization=bearer(*member)) for member in MEMBERS}
    assert shared == {member: KEPT if member[0] == "acme" else None for member in MEMBERS}
    assert own == {member: b'{"data":"ann"}' if member == ("acme", "ann") else None for member in MEMBERS}


async def test_an_answer_is_not_given_out_after_a_change_that_touches_it(front: Front) -> None:
    front.cache.in_doubt(TENANTS["bolt"], {"deals"}, 100)
    front.changes.notice(TENANTS["acme"], "tasks", 100)
    assert front.post(DASHBOARD) == KEPT
    front.cache.in_doubt(TENANTS["acme"], {"deals"}, 100)
    assert front.post(DASHBOARD) is None
    front.changes.begin(None, None)
    front.changes.begin("here", AFTER)
    assert front.post(DASHBOARD) is None


async def test_nothing_is_given_out_while_changes_may_go_unheard(front: Front) -> None:
    front.trusted = False
    assert front.post(DASHBOARD) is None
    front.trusted = True
    assert front.post(DASHBOARD) == KEPT


async def test_a_fault_is_logged_and_the_request_goes_the_whole_way(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("error", "json")
    front.trusted = None
    assert front.post(DASHBOARD) is None
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert line["event"] == "a kept answer could not be given out"
    assert "a listener that fails" in line["exception"]
    assert front.counted("gateway_cache_requests_total", status="HIT") is None


async def test_who_has_the_answer_already_is_told_so(front: Front) -> None:
    query = by_get(DASHBOARD)
    await front.keep(DASHBOARD, b'{"a":1}', text=f"?{query}".encode())
    asked = front.ask(method="GET", query=query)
    assert asked is not None
    assert (asked.status, whole(asked)) == (200, KEPT)
    tag = {"if-none-match": lines(asked.head)["etag"]}
    unchanged, posted = front.ask(method="GET", query=query, headers=tag), front.ask(body_of(DASHBOARD), headers=tag)
    assert unchanged is not None
    assert posted is not None
    assert (unchanged.status, whole(unchanged), posted.status) == (304, b"", 200)
    assert lines(unchanged.head).keys() == lines(asked.head).keys() - {"content-type", "content-length"}


@pytest.mark.parametrize("refresh", ["refresh=true", "%72efresh=true", "re%66resh=tru%65"])
async def test_a_request_for_a_new_answer_goes_the_whole_way_however_it_is_spelled(front: Front, refresh: str) -> None:
    query = f"{by_get(DASHBOARD)}&{refresh}"
    await front.keep(DASHBOARD, b'{"a":1}', text=f"?{query}".encode(), refresh=True)
    assert front.ask(method="GET", query=query) is None


async def test_a_method_or_an_address_of_another_kind_goes_the_whole_way(front: Front) -> None:
    query = by_get(DASHBOARD)
    await front.keep(DASHBOARD, b'{"a":1}', text=f"?{query}".encode())
    assert [front.ask(method=method, query=query) for method in ("HEAD", "OPTIONS", "PUT", "POST")] == [None] * 4
    assert front.ask(method="GET", query=query, headers={"content-length": "9"}) is None
    assert front.ask(body_of(DASHBOARD), query="a=1") is None
    assert front.ask(method="GET", query=f"{query}#a") is None
    words = [(b"authorization", bearer().encode())]
    targets = ["/graphql/?", "//graphql?", "/graph?", "/%67raphql?", "http://gateway/graphql?"]
    assert [front.hits.plain(b"GET", f"{target}{query}".encode(), words) for target in targets] == [None] * 5
