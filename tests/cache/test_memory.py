"""What one process keeps: bounded in bytes, whatever is put; and those bytes are the truth."""

import gc
import tracemalloc
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache.changes import Stamp
from gateway.cache.entries import Entry, packed, unpacked
from gateway.cache.memory import SLOT_BYTES, MemoryStore
from gateway.cache.snapshots import Snapshot

TABLES = ["activities", "companies", "deal_stage_history", "deals", "members", "pipelines", "stages", "tasks"]
LIMIT_BYTES = 5000


def entry(size: int, xid: int = 100, running: int = 0) -> Entry:
    """An entry with data of that many bytes, of which no part is any other entry's."""
    under_way = ",".join(str(xid + above) for above in range(running))
    snapshot = Snapshot.parse(f"{xid}:{xid + running}:{under_way}")
    stamp = Stamp.of(7, "".join(["1:2:", "a" * 36]), snapshot, set(TABLES))
    return Entry.of(stamp, b"x" * size, read_at=1.5 + xid, good_until=60.5 + xid)


def kept_bytes(entry: Entry) -> int:
    return entry.size_bytes() + SLOT_BYTES


sizes = st.sampled_from([0, 200, 900, 3000, LIMIT_BYTES])
calls = st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | sizes), min_size=10, max_size=40)


@settings(max_examples=100, deadline=None)
@given(calls)
def test_those_least_recently_used_leave_first_and_the_bound_is_kept(calls: list[tuple[str, int | None]]) -> None:
    store, model = MemoryStore(LIMIT_BYTES), OrderedDict[str, Entry]()
    for key, size in calls:
        if size is None:
            assert store.get(key) is model.get(key)
            if key in model:
                model.move_to_end(key)
            continue
        model.pop(key, None)
        put = model[key] = entry(size)
        store.put(key, put)
        if kept_bytes(put) > LIMIT_BYTES:
            del model[key]
        while sum(map(kept_bytes, model.values())) > LIMIT_BYTES:
            model.popitem(last=False)
        assert store.size_bytes == sum(map(kept_bytes, model.values())) <= LIMIT_BYTES
        assert len(store) == len(model)
    assert [store.get(key) for key in "abcdef"] == [model.get(key) for key in "abcdef"]


def test_an_entry_larger_than_the_store_is_not_kept_and_drives_out_none_but_the_one_it_replaces() -> None:
    store, small = MemoryStore(LIMIT_BYTES), entry(10)
    store.put("a", small)
    store.put("b", entry(LIMIT_BYTES))
    assert (store.get("a"), store.get("b")) == (small, None)
    store.put("a", entry(LIMIT_BYTES))
    assert (store.get("a"), len(store), store.size_bytes) == (None, 0, 0)


def test_what_was_found_to_hold_changes_nothing_of_an_entrys_size() -> None:
    store, kept = MemoryStore(LIMIT_BYTES), entry(10)
    store.put("a", kept)
    kept.checked_at = 2**70
    store.drop("a")
    store.drop("a")
    assert (len(store), store.size_bytes) == (0, 0)


@contextmanager
def counted() -> Iterator[list[int]]:
    """The bytes that were allocated within the block and are still there at its end."""
    found: list[int] = []
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield found
        gc.collect()
        found.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()


def fill(store: MemoryStore, puts: int, size: int, running: int = 0, *, from_elsewhere: bool = False) -> None:
    for xid in range(10_000_000, 10_000_000 + puts):
        key, put = xid.to_bytes(16, "big"), entry(size, xid, running)
        found = unpacked(packed(put, key), key) if from_elsewhere else put
        assert found is not None
        found.checked_at = xid
        store.put(key, found)


FILLINGS = {
    "small": (2732, 100, 0, False),
    "many under way": (300, 100, 30, False),
    "from another process": (300, 100, 2, True),
    "dashboards of another process": (300, 10_000, 1, True),
}


@pytest.mark.parametrize(("puts", "size", "running", "from_elsewhere"), FILLINGS.values(), ids=FILLINGS)
def test_a_store_takes_the_memory_that_it_says(puts: int, size: int, running: int, from_elsewhere: bool) -> None:
    with counted() as found:
        store = MemoryStore(2**30)
        fill(store, puts, size, running, from_elsewhere=from_elsewhere)
    assert store.size_bytes / 1.2 <= found[0] <= store.size_bytes


def test_a_store_that_many_had_to_leave_takes_the_memory_that_it_says() -> None:
    with counted() as found:
        store = MemoryStore(1100 * kept_bytes(entry(100, 10_000_000)))
        fill(store, 3 * 1100, 100)
    assert len(store) == 1100
    assert store.size_bytes / 1.2 <= found[0] <= store.size_bytes


@pytest.mark.parametrize(("running", "fixed_bytes"), [(0, 700), (1, 900), (5, 1600)])
def test_beside_its_text_an_entry_takes_the_same_however_small_it_is(running: int, fixed_bytes: int) -> None:
    with counted() as found:
        store = MemoryStore(2**30)
        fill(store, 1000, 0, running)
    beside = store.size_bytes / 1000 - len(entry(0).body)
    assert round(beside, -2) == fixed_bytes
    assert found[0] <= store.size_bytes


@pytest.mark.parametrize("size", [6000, 10_000])
def test_a_kept_dashboard_takes_little_more_than_its_text(size: int) -> None:
    with counted() as found:
        store = MemoryStore(2**30)
        fill(store, 500, size)
    assert found[0] <= store.size_bytes <= 1.15 * 500 * size
