"""What is written down of an answer for other processes, and read again: the very same or nothing."""

import hashlib
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache.changes import Stamp
from gateway.cache.entries import CHECK_BYTES, LARGEST_PLAIN_BYTES, MAGIC, Entry, packed, unpacked
from gateway.cache.snapshots import Snapshot

SHORT = settings(max_examples=80, deadline=None)
KEY = b"a key of a test."
STAMP = Stamp(7, "1:2:a", Snapshot(100, 104, frozenset({100, 102})), frozenset({"deals", "tasks"}))
ENTRY = Entry.of(STAMP, b'{"me":{"name":"Ana"}}', read_at=1000.25, good_until=1060.5)
VALUE = packed(ENTRY, KEY)

seconds = st.floats(0, 4e9)
datas = st.binary(max_size=60) | st.text(max_size=30).map(lambda text: orjson.dumps(text * 200))
stamps = st.builds(
    Stamp,
    st.integers(0, 2**63),
    st.text(max_size=20),
    st.builds(Snapshot, st.integers(1, 9), st.integers(9, 2**64), st.frozensets(st.integers(2, 8))),
    st.frozensets(st.text(max_size=9), max_size=4),
)


@SHORT
@given(stamps, datas, seconds, seconds)
def test_an_entry_is_read_as_it_was_written(stamp: Stamp, data: bytes, read_at: float, good_until: float) -> None:
    entry = Entry.of(stamp, data, read_at=read_at, good_until=good_until)
    assert unpacked(packed(entry, KEY), KEY) == entry
    assert (entry.data, entry.body) == (data, b'{"data":' + data + b"}")


@pytest.mark.parametrize("size", [0, LARGEST_PLAIN_BYTES - 9, LARGEST_PLAIN_BYTES - 8, 100_000])
def test_bodies_of_all_sizes_are_read_as_they_were_written(size: int) -> None:
    entry = Entry.of(STAMP, b"x" * size, read_at=0.0, good_until=1.0)
    value = packed(entry, KEY)
    assert unpacked(value, KEY) == entry
    assert len(value) < 400 + min(size, LARGEST_PLAIN_BYTES)


@SHORT
@given(st.integers(0, len(VALUE) * 8 - 1))
def test_a_value_with_any_bit_turned_is_none(bit: int) -> None:
    damaged = bytearray(VALUE)
    damaged[bit // 8] ^= 1 << bit % 8
    assert unpacked(bytes(damaged), KEY) is None


@pytest.mark.parametrize("length", range(len(VALUE)))
def test_a_value_that_was_cut_off_is_none(length: int) -> None:
    assert unpacked(VALUE[:length], KEY) is None


@SHORT
@given(st.binary(max_size=100), st.binary(min_size=1, max_size=10))
def test_any_other_bytes_are_none(junk: bytes, more: bytes) -> None:
    assert [unpacked(value, KEY) for value in (junk, MAGIC + junk, VALUE + more, more + VALUE)] == [None] * 4


def test_a_value_of_another_key_or_version_is_none() -> None:
    assert unpacked(VALUE, KEY) == ENTRY
    assert unpacked(VALUE, KEY[::-1]) is None
    assert unpacked(VALUE.replace(MAGIC, b"gwc0", 1), KEY) is None


def checked(head: bytes, body: bytes = b"") -> bytes:
    """A value with a right check, whatever it holds."""
    content = len(head).to_bytes(4, "big") + head + body
    return MAGIC + hashlib.blake2b(content, digest_size=CHECK_BYTES).digest() + content


HEAD: dict[str, Any] = orjson.loads(VALUE[len(MAGIC) + CHECK_BYTES + 4 :].split(b"}", 1)[0] + b"}")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@settings(SHORT, max_examples=150)
@given(st.dictionaries(st.sampled_from(sorted(HEAD)), json_values, min_size=1, max_size=2), st.binary(max_size=9))
def test_a_head_that_means_something_else_is_an_entry_or_none_and_never_an_error(
    other: dict[str, Any], body: bytes
) -> None:
    found = unpacked(checked(orjson.dumps(HEAD | other), body), KEY)
    assert found is None or (isinstance(found, Entry) and "key" not in other)


@SHORT
@given(json_values)
def test_a_head_that_is_any_json_is_none(head: Any) -> None:
    assert unpacked(checked(orjson.dumps(head)), KEY) is None
    assert unpacked(checked(b"not JSON"), KEY) is None
    assert unpacked(checked(b""), KEY) is None


def test_the_tag_of_an_answer_is_of_its_data_alone() -> None:
    again = Entry.of(replace(STAMP, tenant_id=8), ENTRY.data, read_at=2000.0, good_until=2001.0)
    other = Entry.of(STAMP, b'{"me":{"name":"Bea"}}', read_at=ENTRY.read_at, good_until=ENTRY.good_until)
    assert again.etag == ENTRY.etag
    assert other.etag != ENTRY.etag
    assert ENTRY.etag == f'W/"{hashlib.blake2b(ENTRY.data, digest_size=12).hexdigest()}"'


def test_an_answer_is_as_old_as_its_reading_and_never_younger_than_now() -> None:
    assert [ENTRY.age_seconds(now) for now in (1000.25, 1002.0, 999.0)] == [0.0, 1.75, 0.0]
