"""Snapshots: which transactions they see, and which of two sees all that the other one sees."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache.snapshots import Snapshot
from tests.cache.history import FIRST_XID, History

SHORT = settings(max_examples=150, deadline=None)

# Each step begins a transaction, or ends one of those under way.
steps = st.lists(st.none() | st.integers(0, 7), max_size=24)


@st.composite
def snapshots(draw: st.DrawFn, xmins: st.SearchStrategy[int]) -> Snapshot:
    """Any that PostgreSQL could tell, of databases that have nothing to do with each other."""
    xmin = draw(xmins)
    xmax = xmin + draw(st.integers(0, 8))
    running = draw(st.frozensets(st.integers(xmin, xmax - 1))) if xmin < xmax else frozenset()
    return Snapshot(xmin, xmax, running)


def taken(steps: list[int | None]) -> list[tuple[Snapshot, frozenset[int]]]:
    """A snapshot after each step of a history, with the transactions that had ended by then."""
    history = History()
    found = [(history.snapshot(), frozenset(history.ended))]
    for step in steps:
        if step is None or not history.running:
            history.begin()
        else:
            history.end(history.running[step % len(history.running)])
        found.append((history.snapshot(), frozenset(history.ended)))
    return found


@SHORT
@given(snapshots(st.integers(1, 2**64)))
def test_a_snapshot_is_read_as_it_was_written(snapshot: Snapshot) -> None:
    assert Snapshot.parse(str(snapshot)) == snapshot


def test_the_text_is_that_of_postgresql() -> None:
    assert Snapshot.parse("10:14:10,12") == Snapshot(10, 14, frozenset({10, 12}))
    assert str(Snapshot(10, 14, frozenset({12, 10}))) == "10:14:10,12"
    assert Snapshot.parse("10:10:") == Snapshot(10, 10)


@pytest.mark.parametrize("text", ["", "10", "10:14", "10:14:12:13", "a:14:", "10:14:x", "10:14:11,"])
def test_any_other_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Snapshot.parse(text)


@SHORT
@given(steps)
def test_a_snapshot_sees_what_had_ended_when_it_was_taken(steps: list[int | None]) -> None:
    for snapshot, ended in taken(steps):
        xids = range(FIRST_XID - 2, FIRST_XID + len(steps) + 2)
        assert [xid for xid in xids if snapshot.sees(xid)] == [xid for xid in xids if xid < FIRST_XID or xid in ended]


@SHORT
@given(steps)
def test_a_snapshot_contains_another_if_it_sees_all_that_the_other_sees(steps: list[int | None]) -> None:
    for (one, seen_by_one), (other, seen_by_other) in product(taken(steps), repeat=2):
        assert one.contains(other) == (seen_by_other <= seen_by_one), (str(one), str(other))


@settings(SHORT, max_examples=400)
@given(snapshots(st.integers(1, 6)), snapshots(st.integers(1, 6)))
def test_no_snapshot_claims_to_contain_what_it_does_not_see(one: Snapshot, other: Snapshot) -> None:
    assert not one.contains(other) or all(one.sees(xid) for xid in range(16) if other.sees(xid))
