"""Which answers still hold after which changes: a model of a database, of the gateways that write to it and of one
that listens."""

import os
from collections import deque
from dataclasses import dataclass
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gateway.cache.changes import EVERY_TENANT, MOST_WRITERS, Changes, Known, Stamp, Writers
from gateway.cache.snapshots import Snapshot
from tests.cache.history import History

ANA, BEA = 1, 2
DEALS, TASKS, MEMBERS = TAGS = ("deals", "tasks", "members")
HERE = "this database"
QUIET = Snapshot(100, 100)
AFTER = Snapshot(102, 102)

SHORT = settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize="CI" in os.environ)

some_tags = st.frozensets(st.sampled_from(TAGS), min_size=1)
some_number = st.integers(0, 9)
many_or_few = st.lists(st.integers(1, 60), max_size=20) | st.lists(st.integers(1, 60), min_size=20, max_size=40)


@dataclass(frozen=True)
class Change:
    """What a transaction changes. `ours`: it is made by the process that listens."""

    xid: int
    tenant_id: int
    tags: frozenset[str]
    ours: bool

    def touches(self, stamp: Stamp) -> bool:
        return self.tenant_id in (stamp.tenant_id, EVERY_TENANT) and not self.tags.isdisjoint(stamp.tags)


class Machine(RuleBasedStateMachine):
    """Transactions of one database, and what a process that listens comes to know of them."""

    def __init__(self) -> None:
        super().__init__()
        self.changes = Changes()
        self.history = History()
        self.open: list[Change] = []
        self.committed: list[Change] = []
        self.under_way: deque[Change] | None = None
        """Notices that were sent and not heard yet; None while nobody listens."""
        self.baseline: tuple[Snapshot, frozenset[int]] | None = None
        self.begun = False
        self.told: set[Change] = set()
        self.read: list[tuple[Stamp, frozenset[int]]] = []
        self.known: list[tuple[Known, list[bool]]] = []

    @rule(tenant_id=st.sampled_from([ANA, BEA, EVERY_TENANT]), tags=some_tags, ours=st.booleans())
    def begin_a_change(self, tenant_id: int, tags: frozenset[str], ours: bool) -> None:
        self.open.append(Change(self.history.begin(), tenant_id, tags, ours))

    @precondition(lambda self: self.open)
    @rule(which=some_number, committed=st.sampled_from([True, True, True, False]))
    def end_a_change(self, which: int, committed: bool) -> None:
        change = self.open.pop(which % len(self.open))
        if change.ours:
            self.mark(change)
        self.history.end(change.xid)
        if committed:
            self.committed.append(change)
            if self.under_way is not None:
                self.under_way.append(change)

    @precondition(lambda self: any(change.ours for change in self.open))
    @rule(which=some_number)
    def be_about_to_commit(self, which: int) -> None:
        ours = [change for change in self.open if change.ours]
        self.mark(ours[which % len(ours)])

    def mark(self, change: Change) -> None:
        self.changes.write(change.tenant_id, change.tags, change.xid)
        self.told.add(change)

    @precondition(lambda self: self.under_way)
    @rule(notices=st.integers(1, 3))
    def hear(self, notices: int) -> None:
        for _ in range(min(notices, len(self.under_way or ()))):
            change = (self.under_way or deque()).popleft()
            for tag in change.tags:
                self.changes.notice(change.tenant_id, tag, change.xid)
            self.told.add(change)

    @precondition(lambda self: self.under_way is None)
    @rule()
    def listen_and_ask_for_a_baseline(self) -> None:
        self.under_way = deque()
        self.baseline = (self.history.snapshot(), frozenset(self.history.ended))
        self.read_an_answer(ANA, frozenset(TAGS))

    @precondition(lambda self: self.baseline is not None and not self.begun)
    @rule()
    def get_the_baseline(self) -> None:
        assert self.baseline is not None
        self.changes.begin(HERE, self.baseline[0])
        self.begun = True

    @precondition(lambda self: self.under_way is not None)
    @rule()
    def lose_the_connection(self) -> None:
        self.changes.begin(None, None)
        self.under_way, self.baseline, self.begun = None, None, False

    @rule(tenant_id=st.sampled_from([ANA, BEA]), tags=some_tags)
    def read_an_answer(self, tenant_id: int, tags: frozenset[str]) -> None:
        self.read.append((Stamp(tenant_id, HERE, self.history.snapshot(), tags), frozenset(self.history.ended)))

    @rule()
    def remember_what_is_known(self) -> None:
        known = self.changes.known(ANA)
        self.known.append((known, [known.holds(stamp) for stamp, _ in self.read]))

    def should_hold(self, stamp: Stamp, seen: frozenset[int]) -> bool:
        unseen = [change for change in self.told if change.touches(stamp) and change.xid not in seen]
        return self.begun and self.baseline is not None and self.baseline[1] <= seen and not unseen

    @invariant()
    def an_answer_holds_as_long_as_it_saw_every_change_that_is_known(self) -> None:
        for stamp, seen in self.read:
            assert self.changes.holds(stamp) == self.should_hold(stamp, seen), stamp
            assert self.changes.known(stamp.tenant_id).holds(stamp) == self.changes.holds(stamp)

    @invariant()
    def no_answer_holds_that_missed_a_change_once_all_notices_are_heard(self) -> None:
        for stamp, seen in self.read if not self.under_way else []:
            missed = [change for change in self.committed if change.touches(stamp) and change.xid not in seen]
            assert not (self.changes.holds(stamp) and missed), stamp

    @invariant()
    def what_was_known_at_one_moment_stays_as_it_was(self) -> None:
        for known, held in self.known:
            assert [known.holds(stamp) for stamp, _ in self.read[: len(held)]] == held


def test_an_answer_holds_for_exactly_as_long_as_no_change_is_known_that_it_did_not_see() -> None:
    run_state_machine_as_test(Machine, settings=SHORT)


def listening(baseline: Snapshot = QUIET) -> Changes:
    changes = Changes()
    changes.begin(HERE, baseline)
    return changes


def stamp(snapshot: Snapshot = QUIET, *tags: str, tenant_id: int = ANA, incarnation: str = HERE) -> Stamp:
    """Of an answer that was read from deals, unless other tags are named."""
    return Stamp(tenant_id, incarnation, snapshot, frozenset(tags or {DEALS}))


def test_nothing_holds_before_a_baseline_is_known_or_after_the_connection_was_lost() -> None:
    changes = Changes()
    assert not changes.holds(stamp())
    changes.begin(HERE, QUIET)
    assert changes.holds(stamp())
    changes.begin(None, None)
    assert not changes.holds(stamp())


def test_a_change_that_is_heard_before_the_baseline_arrives_is_not_forgotten() -> None:
    changes = Changes()
    changes.notice(ANA, DEALS, 100)
    changes.begin(HERE, QUIET)
    assert not changes.holds(stamp())
    assert changes.holds(stamp(Snapshot(101, 101)))


def test_nothing_holds_that_was_read_before_the_baseline() -> None:
    changes = listening(Snapshot(100, 103, frozenset({101})))
    held = {
        "100:103:101": True,
        "103:103:": True,
        "100:102:101": False,
        "100:103:101,102": False,
        "100:110:101,105": True,
    }
    assert {text: changes.holds(stamp(Snapshot.parse(text))) for text in held} == held


def test_another_incarnation_of_the_database_holds_nothing_of_this_one() -> None:
    assert not listening().holds(stamp(Snapshot(900, 900), incarnation="the one before"))


def test_a_change_touches_its_own_tenant_and_tag_alone() -> None:
    changes = listening()
    changes.notice(ANA, DEALS, 100)
    changes.write(BEA, [TASKS], 101)
    held = {
        (ANA, DEALS): False,
        (ANA, TASKS): True,
        (ANA, MEMBERS): True,
        (BEA, DEALS): True,
        (BEA, TASKS): False,
        (BEA, MEMBERS): True,
    }
    assert {of: changes.holds(stamp(QUIET, of[1], tenant_id=of[0])) for of in held} == held
    assert not changes.holds(stamp(QUIET, MEMBERS, DEALS))


def test_a_change_of_every_tenant_touches_each_of_them() -> None:
    changes = listening()
    changes.notice(EVERY_TENANT, DEALS, 100)
    after = Snapshot(101, 101)
    assert [changes.holds(stamp(QUIET, tenant_id=tenant_id)) for tenant_id in (ANA, BEA, 77)] == [False] * 3
    assert [changes.holds(stamp(after, tenant_id=tenant_id)) for tenant_id in (ANA, BEA, 77)] == [True] * 3
    assert changes.holds(stamp(QUIET, TASKS))


def test_a_write_of_ones_own_counts_from_before_its_commit_and_after_a_lost_connection() -> None:
    changes = listening()
    changes.write(ANA, [DEALS, TASKS], 100)
    assert not changes.holds(stamp(Snapshot(100, 105, frozenset({100}))))
    assert not changes.holds(stamp(QUIET, TASKS))
    changes.begin(None, None)
    changes.begin(HERE, QUIET)
    assert not changes.holds(stamp())
    assert changes.holds(stamp(Snapshot(101, 101)))


def test_what_other_processes_wrote_counts_by_tag() -> None:
    known = listening().known(ANA, {DEALS: Writers((100, 104)), TASKS: Writers((), floor=100)})
    held = {"100:105:100": False, "104:105:104": False, "105:105:": True}
    assert {text: known.holds(stamp(Snapshot.parse(text))) for text in held} == held
    assert not known.holds(stamp(QUIET, TASKS))
    assert known.holds(stamp(QUIET, MEMBERS))


def test_nothing_holds_where_other_processes_have_to_be_asked_and_do_not_answer() -> None:
    assert not listening().known(ANA, None).holds(stamp())


PURGED_DEALS = "purged deals"


def test_what_was_purged_is_what_did_not_see_the_purge() -> None:
    told = listening(), listening()
    told[0].notice(ANA, PURGED_DEALS, 100)
    told[1].write(ANA, [PURGED_DEALS], 100)
    for known in (told[0].known(ANA), told[1].known(ANA), listening().known(ANA, {PURGED_DEALS: Writers((100,))})):
        read = {"before": stamp(), "after": stamp(AFTER), "other": stamp(QUIET, TASKS, MEMBERS)}
        assert {when: known.purged(of) for when, of in read.items()} == {"before": True, "after": False, "other": False}
    assert not told[0].known(BEA).purged(stamp(tenant_id=BEA))


def test_a_purge_is_remembered_when_the_connection_was_lost_and_other_changes_are_not() -> None:
    changes = listening()
    changes.notice(ANA, PURGED_DEALS, 100)
    changes.notice(ANA, DEALS, 100)
    changes.begin(None, None)
    assert changes.known(ANA, None).purged(stamp())
    changes.begin(HERE, QUIET)
    assert changes.holds(stamp())
    assert changes.known(ANA).purged(stamp())


def test_a_purge_ends_what_is_of_an_earlier_life_of_the_database_whatever_its_ids() -> None:
    changes = listening()
    before = stamp(Snapshot(900, 900), incarnation="the one before")
    assert not changes.known(ANA).purged(before)
    changes.notice(ANA, PURGED_DEALS, 100)
    assert changes.known(ANA).purged(before)


def test_what_is_known_at_one_moment_does_not_change_any_more() -> None:
    changes = listening()
    changes.notice(ANA, TASKS, 99)
    known = changes.known(ANA)
    changes.notice(ANA, DEALS, 100)
    changes.write(ANA, [DEALS], 101)
    changes.begin(None, None)
    assert known.holds(stamp())
    assert not changes.known(ANA).holds(stamp(AFTER))


def test_each_thing_that_is_learnt_is_counted() -> None:
    changes = listening()
    generations = [changes.generation]
    changes.notice(ANA, DEALS, 100)
    generations.append(changes.generation)
    changes.write(ANA, [DEALS, TASKS], 101)
    generations.append(changes.generation)
    changes.begin(None, None)
    assert [*generations, changes.generation] == [1, 2, 3, 4]


def written(xids: list[int]) -> Writers:
    writers = Writers()
    for xid in xids:
        writers = writers.joined(xid)
    return writers


@settings(max_examples=100, deadline=None)
@given(many_or_few)
def test_of_many_writers_the_latest_are_known_and_the_largest_of_the_others(xids: list[int]) -> None:
    distinct = sorted(set(xids))
    left_out = [0, *distinct[:-MOST_WRITERS]]
    assert written(xids) == Writers(tuple(distinct[-MOST_WRITERS:]), floor=left_out[-1])


@settings(max_examples=100, deadline=None)
@given(many_or_few, st.integers(1, 61), st.frozensets(st.integers(1, 60)))
def test_many_writers_are_seen_only_by_what_sees_every_one_of_them(
    xids: list[int], xmin: int, above: frozenset[int]
) -> None:
    snapshot = Snapshot(xmin, 61, frozenset(xid for xid in above if xid >= xmin))
    all_seen = all(map(snapshot.sees, xids))
    few = len(set(xids)) <= MOST_WRITERS
    assert written(xids).seen_by(snapshot) == all_seen if few else written(xids).seen_by(snapshot) <= all_seen
    assert written(xids).seen_by(Snapshot(61, 61))


def test_a_writer_that_was_left_out_is_still_waited_for() -> None:
    writers = written(list(range(1, MOST_WRITERS + 5)))
    assert writers.xids[0] == 5
    held = {"3:99:3": False, "4:99:4": False, "5:99:5": False, "5:99:": True, "99:99:": True}
    assert {text: writers.seen_by(Snapshot.parse(text)) for text in held} == held


def test_writers_are_the_same_in_whatever_order_they_came() -> None:
    assert {written([7, 3, *order, 40, 2]) for order in permutations(range(10, 14))} == {
        Writers((2, 3, 7, 10, 11, 12, 13, 40))
    }
