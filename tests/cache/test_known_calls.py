"""Requests that are known by their text: bounded in bytes, however short they are."""

import gc
import tracemalloc
from itertools import count

import pytest

from gateway.api.schema import graphql_schema
from gateway.cache.directives import NONE
from gateway.deadline import Deadline
from gateway.documents.library import Documents
from gateway.documents.limits import Limits
from gateway.pipeline import at_once
from gateway.pipeline.at_once import LARGEST_KNOWN_BYTES, SLOT_BYTES, KnownCalls
from gateway.pipeline.caching import Asked
from gateway.pipeline.call import CacheWords, Call, Parameters, Trail
from gateway.pipeline.prepared import preparation

SCHEMA = graphql_schema()
PREPARE = preparation(SCHEMA, max_age_seconds=60)
DOCUMENTS = Documents(SCHEMA, Limits(tokens=99, depth=9, fields=9), size=1, prepare=PREPARE)
OPERATION = DOCUMENTS.get("query Board { dashboard { asOf } }").operation(None)
DEADLINE = Deadline.after(9)
_numbers = count()


def remember(known: KnownCalls, text: bytes | None, *, refresh: bool = False) -> None:
    """As after a request of that text, which asks something that no other asks."""
    question, name = next(_numbers).to_bytes(16, "big"), "".join(["Bo", "ard"])
    trail = Trail("request", operation=name)
    call = Call("Bearer x", None, False, Parameters("{ a }"), DEADLINE, trail, CacheWords(refresh=refresh), text)
    known.remember(call, Asked(question, question, 1, NONE, told=False, stale_instead=False), OPERATION)


def test_a_request_is_known_by_its_text_from_its_first_answer_on() -> None:
    known = KnownCalls()
    remember(known, b"one")
    first = known.get(b"one")
    remember(known, b"one")
    assert first is not None
    assert known.get(b"one") is first
    assert known.get(b"on") is None


def test_what_is_long_or_asks_for_a_new_answer_is_not_known_again() -> None:
    known = KnownCalls()
    remember(known, b"x" * LARGEST_KNOWN_BYTES)
    remember(known, b"y" * (LARGEST_KNOWN_BYTES + 1))
    remember(known, b"?refresh=true", refresh=True)
    remember(known, None)
    asked = [b"x" * LARGEST_KNOWN_BYTES, b"y" * (LARGEST_KNOWN_BYTES + 1), b"?refresh=true"]
    assert [known.get(text) is not None for text in asked] == [True, False, False]


@pytest.mark.parametrize("length", [16, 300])
def test_known_requests_take_no_more_memory_than_they_may(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    limit_bytes = 1500 * (length + SLOT_BYTES)
    monkeypatch.setattr(at_once, "MOST_KNOWN_BYTES", limit_bytes)
    texts = [b"%0*d" % (length, number) for number in range(4000)]
    gc.collect()
    tracemalloc.start()
    try:
        known = KnownCalls()
        for text in texts:
            remember(known, b"".join([text[:1], text[1:]]))
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert [number for number in (0, 2499, 2500, 3999) if known.get(texts[number])] == [2500, 3999]
    assert limit_bytes / 1.2 <= taken <= limit_bytes
