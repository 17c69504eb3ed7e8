"""Headers of answers: what is the very same is not sent again."""

import pytest

from gateway.pipeline.call import CacheStatus, Kept, Trail
from gateway.web.headers import not_modified, response_headers
from gateway.web.wire import accepted_media_type

KEPT = Kept(CacheStatus.HIT, b"\x01\xab", 'W/"abc"', age_seconds=7.9)
JSON, GRAPHQL = "application/json", "application/graphql-response+json"

SAME = ['W/"abc"', '"abc"', "*", ' W/"abc" ', '"x", W/"abc"', 'W/"x","abc" , "y"']
OTHER = ["", '"ab"', '"abcd"', "abc", 'w/"abc"', '"x", *', '"*"', 'W/W/"abc"', '"W/abc"']


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_the_very_same_is_told_so(method: str) -> None:
    assert [not_modified(method, tags, KEPT) for tags in SAME] == [True] * len(SAME)
    assert [not_modified(method, tags, KEPT) for tags in OTHER] == [False] * len(OTHER)


def test_only_what_is_asked_by_get_and_can_be_told_apart_is_compared() -> None:
    assert not not_modified("POST", "*", KEPT)
    assert not not_modified("GET", None, KEPT)
    assert not not_modified("GET", "*", Kept())


def test_an_answer_says_how_old_it_is_and_what_it_is_kept_under() -> None:
    headers = response_headers(Trail("request-1"), KEPT)
    assert headers.pop("x-response-time").endswith("ms")
    assert headers == {
        "x-request-id": "request-1",
        "server-timing": "",
        "cache-control": "private, no-cache",
        "vary": "Accept, Authorization, X-Tenant",
        "x-cache": "HIT",
        "x-cache-key": "01ab",
        "etag": 'W/"abc"',
        "age": "7",
    }


def test_what_is_not_kept_is_not_to_be_kept_by_others() -> None:
    headers = response_headers(Trail("request-1"), Kept())
    assert headers["cache-control"] == "private, no-store"
    assert headers["x-cache"] == "BYPASS"
    assert headers.keys().isdisjoint({"etag", "age"})


@pytest.mark.parametrize(("status", "told"), [("HIT", True), ("STALE", True), ("MISS", False), ("BYPASS", False)])
def test_the_age_is_told_of_what_was_kept(status: str, told: bool) -> None:
    headers = response_headers(Trail("request-1"), Kept(CacheStatus(status), b"\x01", 'W/"abc"', 3.0))
    assert (headers["x-cache"], headers.get("age")) == (status, "3" if told else None)


ACCEPTED = {
    "*/*": JSON,
    "application/*": JSON,
    JSON: JSON,
    GRAPHQL: GRAPHQL,
    f"{GRAPHQL}, {JSON}": GRAPHQL,
    f"{JSON}, {GRAPHQL}": JSON,
    f"{GRAPHQL};q=0.5, {JSON}": JSON,
    f"{JSON};q=0.5, {GRAPHQL};q=0.6": GRAPHQL,
    f"{JSON};q=0, */*": GRAPHQL,
    f"{JSON};q=0, {GRAPHQL};q=0, */*": None,
    f"{GRAPHQL}; charset=utf-8; q=1.000, */*;q=0.1": GRAPHQL,
    f"text/event-stream, {JSON}": JSON,
    f"{JSON};q=2": None,
    f"{JSON};q=x, */*;q=0.1": GRAPHQL,
    "APPLICATION/JSON": JSON,
    "text/html": None,
    "text/*": None,
    "": None,
    ",;=": None,
}


@pytest.mark.parametrize("accept", ACCEPTED)
def test_an_answer_is_of_the_media_type_that_is_liked_best(accept: str) -> None:
    assert accepted_media_type(accept) == ACCEPTED[accept]
