"""The raw way of hits over a real port: the same answers as by the whole way, and everything else as if it were not
there."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import orjson
import pytest

from gateway.app import create_app
from tests.conftest import Database
from tests.pipeline.acme import found_acme, locked, until, until_waiting
from tests.pipeline.listening import listening
from tests.web.wire import LAST, answers, get, headers_of, is_raw, lines, post, request, talk

KEPT = "{ dashboard { overview { deals { total } } } }"
DEALS = "deals(first: 100) { nodes { id name amount stage { name } owner { name } company { id name } } }"
LARGE = f"query {{ {' '.join(f'a{number}: {DEALS}' for number in range(12))} }}"
UNKEPT = "{ __typename }"
BODY = orjson.dumps({"query": KEPT})
ORIGIN = "https://board.example"
PLAIN = "uvicorn.protocols.http.httptools_impl:HttpToolsProtocol"


@dataclass(frozen=True)
class Sides:
    """Two gateways on one database: with the raw way, and without."""

    token: str
    ours: str
    plain: str

    def kept(self, **headers: str) -> bytes:
        return post(KEPT, self.token, **headers)

    async def hit(self, url: str, sent: bytes, *, raw: bool) -> bytes:
        """The answer to a request, once it is a hit; `raw`: by the raw way."""
        found = b""

        async def is_hit() -> bool:
            nonlocal found
            found, _ = answers(await talk(url, [sent + LAST]))
            return headers_of(found).get("x-cache") == "HIT" and is_raw(found) == raw

        await until(is_hit)
        return found


@pytest.fixture(scope="module")
async def sides(demo: Database) -> AsyncIterator[Sides]:
    settings = demo.settings(cache_max_age_seconds=3600, cors_origins=(ORIGIN,))
    with listening(create_app(settings)) as ours, listening(create_app(settings), http=PLAIN) as plain:
        yield Sides(await demo.token("aurora"), ours, plain)


HITS = {
    "by POST": ("POST", {}),
    "by GET": ("GET", {}),
    "in another media type": ("POST", {"Accept": "application/graphql-response+json"}),
    "with an id": ("POST", {"X-Request-Id": "mine"}),
    "in headers of another case": ("POST", {"X-TENANT": "aurora", "ACCEPT": "*/*"}),
    "unchanged": ("GET", {"If-None-Match": "*"}),
    "by POST, with a tag": ("POST", {"If-None-Match": "*"}),
}


@pytest.mark.parametrize("name", HITS)
async def test_a_hit_is_answered_with_the_headers_of_the_whole_way(sides: Sides, name: str) -> None:
    method, headers = HITS[name]
    sent = (get if method == "GET" else post)(KEPT, sides.token, **headers)
    ours = await sides.hit(sides.ours, sent, raw=True)
    whole = await sides.hit(sides.plain, sent, raw=False)
    assert lines(ours) == lines(whole)
    assert headers_of(ours)["x-request-id"] == headers.get("X-Request-Id", headers_of(ours)["x-request-id"])
    assert re.fullmatch("[0-9a-f]{32}|mine", headers_of(ours)["x-request-id"])
    assert ours.startswith(b"HTTP/1.1 304 " if name == "unchanged" else b"HTTP/1.1 200 OK\r\n")


def sound(token: str) -> dict[str, list[bytes]]:
    """Packets of requests that are answered, on a connection that stays open: no hits, or not plain."""
    chunk = b"%x\r\n%b\r\n" % (len(BODY), BODY)
    chunked = request("POST /graphql", token, Content_Type="application/json", Transfer_Encoding="chunked")
    large = b'{"query": "{ __typename }", "variables": {"a": "%b"}}' % (b"x" * 300_000)
    unkept = post(UNKEPT, token)
    return {
        "not known": [unkept],
        "of nobody": [request("POST /graphql", "", BODY)],
        "with a token that is none": [post(UNKEPT, "nonsense")],
        "of two": [post(KEPT, token, Authorization=f"Bearer {token}|Bearer {token}")],
        "of another tenant": [post(KEPT, token, X_Tenant="birch")],
        "in chunks": [chunked + chunk + b"0\r\n\r\n"],
        "with a trailer": [chunked + chunk + b"0\r\nAuthorization: Bearer x\r\n\r\n"],
        "in chunks, packet by packet": [chunked, chunk[:9], chunk[9:], b"0\r\n\r\n"],
        "compressed": [post(KEPT, token, Content_Encoding="gzip")],
        "that waits to go on": [post(UNKEPT, token, Expect="100-continue")],
        "of another method": [request("PUT /graphql", token, BODY)],
        "for the options": [request("OPTIONS /graphql", token)],
        "for another page": [request("POST /graphql/", token, BODY)],
        "by GET, not known": [get(UNKEPT, token)],
        "by GET, for nothing": [request("GET /graphql", token), request("GET /graphql?", token)],
        "by GET, with a body": [request("GET /graphql?query=%7Bme%7D", token, b"{}")],
        "of no body": [request("POST /graphql", token, Content_Type="application/json")],
        "of an empty body": [request("POST /graphql", token, b"")],
        "that is no JSON": [request("POST /graphql", token, b"\xff{")],
        "that is large": [request("POST /graphql", token, large)],
        "from another page": [post(UNKEPT, token, Origin=ORIGIN)],
        "in two packets": [unkept[:-9], unkept[-9:]],
        "in a head of two packets": [unkept[:60], unkept[60:]],
    }


def broken(token: str) -> dict[str, list[bytes]]:
    """Packets of what is no request, not the whole of one, or the last one of its connection."""
    chunked = request("POST /graphql", token, Content_Type="application/json", Transfer_Encoding="chunked")
    kept, unkept = post(KEPT, token), post(UNKEPT, token)
    return {
        "that ends the connection": [post(UNKEPT, token, Connection="close")],
        "that wants another protocol": [post(UNKEPT, token, Connection="Upgrade", Upgrade="websocket")],
        "of an older version": [unkept.replace(b"HTTP/1.1", b"HTTP/1.0")],
        "of a version that is none": [kept.replace(b"HTTP/1.1", b"HTTP/9.9")],
        "for the headers": [request("HEAD /graphql", token, Connection="close")],
        "that is none": [b"GET\r\n\r\n"],
        "that is nothing": [b""],
        "after a good one": [unkept + b"\x00\r\n\r\n"],
        "with a header that is none": [post(KEPT, token, X="a\x00b")],
        "of two lengths": [kept.replace(b"Content-Length", b"Content-Length: 1\r\nContent-Length")],
        "of two kinds of length": [post(KEPT, token, Transfer_Encoding="chunked")],
        "in broken chunks": [chunked + b"zz\r\n"],
        "in chunks that break": [chunked + b"2\r\n{", b" zz\r\n"],
        "for an address that is none": [get(KEPT, token).replace(b"?query", b"?\x7f")],
        "for an address of no host": [get(KEPT, token).replace(b" /graphql", b" http:///graphql")],
        "whose body stays away": [kept[:-1]],
        "whose head stays away": [kept[:60]],
    }


async def answered_alike(sides: Sides, packets: list[bytes], *, hang_up: bool = False) -> None:
    ours, plain = [answers(await talk(url, packets, hang_up=hang_up)) for url in (sides.ours, sides.plain)]
    assert [lines(answer) for answer in ours] == [lines(answer) for answer in plain]
    assert not any(map(is_raw, ours))


@pytest.mark.parametrize("name", sound(""))
async def test_a_request_that_is_no_hit_is_answered_as_if_nobody_had_looked(sides: Sides, name: str) -> None:
    *packets, last = sound(sides.token)[name]
    await answered_alike(sides, [*packets, last + LAST])


@pytest.mark.parametrize("name", broken(""))
async def test_what_is_no_request_is_refused_as_if_nobody_had_looked(sides: Sides, name: str) -> None:
    await answered_alike(sides, broken(sides.token)[name], hang_up=True)


def said(kept: bytes, header: str) -> bytes:
    return kept.replace(b"Host:", header.encode() + b"\r\nHost:")


def not_plain(kept: bytes) -> dict[str, list[bytes]]:
    """Packets that ask the same in another way."""
    return {
        "in a body of two packets": [kept[:-9], kept[-9:] + LAST],
        "in a body of its own": [kept[: -len(BODY)], BODY + LAST],
        "to a whole address": [kept.replace(b" /graphql", b" http://gateway/graphql") + LAST],
        "in another spelling": [kept.replace(b" /graphql", b" /%67raphql") + LAST],
        "with a query string": [kept.replace(b" /graphql", b" /graphql?a=1") + LAST],
        "from another page": [said(kept, f"Origin: {ORIGIN}") + LAST],
        "that waits to go on": [said(kept, "Expect: 100-continue") + LAST],
        "that ends the connection": [said(kept, "Connection: close")],
        "of an older version": [kept.replace(b"HTTP/1.1", b"HTTP/1.0")],
        "of an older version that asks to go on": [
            said(kept, "Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0")
        ],
    }


@pytest.mark.parametrize("name", not_plain(b""))
async def test_a_hit_that_is_not_plain_is_one_by_the_whole_way(sides: Sides, name: str) -> None:
    packets = not_plain(sides.kept())[name]
    await sides.hit(sides.ours, sides.kept(), raw=True)
    ours, whole = [await hits_in(url, packets) for url in (sides.ours, sides.plain)]
    assert [lines(answer) for answer in ours] == [lines(answer) for answer in whole]
    assert not any(map(is_raw, ours))


async def test_a_wish_for_another_protocol_is_left_to_the_whole_way(sides: Sides) -> None:
    await sides.hit(sides.ours, get(KEPT, sides.token), raw=True)
    packets = [get(KEPT, sides.token, Connection="Upgrade", Upgrade="websocket")]
    ours, whole = [await hits_in(url, packets, hang_up=True) for url in (sides.ours, sides.plain)]
    assert [lines(answer) for answer in ours] == [lines(answer) for answer in whole]
    assert not any(map(is_raw, ours))


async def hits_in(url: str, packets: list[bytes], *, hang_up: bool = False) -> list[bytes]:
    """The answers to such packets, once one of them is a hit."""
    found: list[bytes] = []

    async def is_hit() -> bool:
        found[:] = answers(await talk(url, packets, hang_up=hang_up))
        return any(headers_of(answer).get("x-cache") == "HIT" for answer in found)

    await until(is_hit)
    return found


async def test_requests_of_one_packet_are_answered_in_their_order(sides: Sides) -> None:
    await sides.hit(sides.ours, sides.kept(), raw=True)
    order = ["hit 1", "hit 2", "miss 3", "hit 4", "miss 5", "hit 6"]
    sent = [post(KEPT if "hit" in name else UNKEPT, sides.token, X_Request_Id=name.replace(" ", "-")) for name in order]
    found = answers(await talk(sides.ours, [b"".join(sent) + LAST]))[:-1]
    assert [headers_of(answer)["x-request-id"].replace("-", " ") for answer in found] == order
    assert [b"__typename" in answer for answer in found] == ["miss" in name for name in order]
    # Behind one that is still to be answered, a hit waits for its turn like any other.
    assert [is_raw(answer) for answer in found] == [True, True, False, False, False, False]


async def test_a_connection_stays_open_after_a_hit_and_is_ended_when_nothing_comes(demo: Database) -> None:
    token = await demo.token("aurora")
    with listening(create_app(demo.settings(cache_max_age_seconds=3600)), timeout_keep_alive=1) as url:
        sides = Sides(token, url, url)
        await sides.hit(url, sides.kept(), raw=True)
        raw = await talk(url, [sides.kept()] * 5)
    assert [answer.partition(b"\r\n\r\n")[2][:8] for answer in answers(raw)] == [b'{"data":'] * 5
    assert b"connection: close" not in raw


async def test_a_request_after_a_hit_may_take_longer_than_a_connection_may_be_idle(database: Database) -> None:
    await found_acme(database)
    token = await database.token("acme")
    settings = database.settings(cache_max_age_seconds=3600)
    with listening(create_app(settings), timeout_keep_alive=1) as url:
        sides = Sides(token, url, url)
        await sides.hit(url, sides.kept(), raw=True)
        async with locked(database, "tasks"):
            slow = post("{ dashboard { overview { tasks { open } } } }", token)
            talking = asyncio.create_task(talk(url, [sides.kept() + slow + LAST]))
            await until_waiting(database)
            await asyncio.sleep(1.5)
        found = answers(await talking)
    assert [answer.partition(b"\r\n\r\n")[2][:8] for answer in found] == [b'{"data":', b'{"data":', b'{"status']


async def test_a_caller_who_does_not_read_is_not_written_to_without_end(sides: Sides) -> None:
    await sides.hit(sides.ours, post(LARGE, sides.token), raw=True)
    ids, address = [str(number) for number in range(200)], httpx.URL(sides.ours)
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=1024)
    writer.write(b"".join(post(LARGE, sides.token, X_Request_Id=name) for name in ids) + LAST)
    # Far more than fits in between: the reader takes nothing until it is asked to.
    await asyncio.sleep(0.5)
    found = answers(await asyncio.wait_for(reader.read(), 60))[:-1]
    writer.close()
    assert [headers_of(answer)["x-request-id"] for answer in found] == ids
    # The first are written at once; then the server waits until they are taken.
    assert 1 <= sum(map(is_raw, found)) < len(found) / 2


@pytest.mark.parametrize("protocol", ["ours", "plain"])
async def test_what_comes_while_the_server_ends_is_not_answered(database: Database, protocol: str) -> None:
    await found_acme(database)
    token, settings = await database.token("acme"), database.settings(cache_max_age_seconds=3600)
    with ExitStack() as ending:
        url = ending.enter_context(listening(create_app(settings), **({} if protocol == "ours" else {"http": PLAIN})))
        sides = Sides(token, url, url)
        await sides.hit(url, sides.kept(), raw=protocol == "ours")
        async with locked(database, "tasks"):
            address = httpx.URL(url)
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(post("{ dashboard { overview { tasks { open } } } }", token))
            await until_waiting(database)
            ended = asyncio.create_task(asyncio.to_thread(ending.close))
            await asyncio.sleep(0.5)
            writer.write(sides.kept())
            await asyncio.sleep(0.2)
        (answer,) = answers(await asyncio.wait_for(reader.read(), 30))
        writer.close()
        await ended
    assert b'"open":0' in answer
    assert headers_of(answer)["connection"] == "close"


async def test_where_connections_are_limited_hits_are_refused_like_others(demo: Database) -> None:
    token = await demo.token("aurora")
    with listening(create_app(demo.settings(cache_max_age_seconds=3600)), limit_concurrency=3) as url:
        sides, address = Sides(token, url, url), httpx.URL(url)
        await sides.hit(url, sides.kept(), raw=False)
        idle = [await asyncio.open_connection(address.host, address.port) for _ in range(2)]
        (refused,) = answers(await talk(url, [sides.kept()]))
        for _, writer in idle:
            writer.close()
    assert refused.startswith(b"HTTP/1.1 503 ")


async def test_one_of_several_processes_asks_redis_first(demo: Database, redis_url: str) -> None:
    settings = demo.settings(cache_max_age_seconds=3600, redis_url=redis_url)
    with listening(create_app(settings)) as url:
        sides = Sides(await demo.token("aurora"), url, url)
        assert b'{"data":' in await sides.hit(url, sides.kept(), raw=False)
