"""However deals went and whoever wrote it: single moves add up to what each deal did, in every snapshot."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle, islice
from typing import ClassVar

import asyncpg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from gateway.commands import set_time_zone as time_zones
from gateway.commands.refusals import CommandRefusedError
from gateway.postgres.embedded import EmbeddedPostgres
from loaders.reads import statements
from tests.conftest import Database, fresh_database
from tests.loaders import ways
from tests.loaders.told import assert_told
from tests.loaders.ways import ASKED, PLAIN
from tests.rollups import writes
from tests.rollups.model import Ground, Write
from tests.rollups.test_model import LONG, SHORT, TO_BE_CAUGHT
from tests.rollups.turns import Turns, sessions

PASSAGES = statements("deal_totals")["stage_passages"].sql
ASKED_EACH_STEP = 3

WRITES = st.one_of(
    ways.advances(),
    ways.births(),
    writes.moves(),
    ways.moves_by_hand(),
    ways.changes_of_deals() | writes.deletions() | writes.migrations(),
    ways.orders_of_stages() | writes.stage_kinds(),
)


class Ways(Turns):
    """Writers of deals, of their history and of stages, and a reader after each step."""

    passages: ClassVar[str] = PASSAGES

    @initialize()
    def begin_anew(self) -> None:
        super().begin_anew()
        for write in ways.BEGINNING:
            self.ground.write(0, write)
        self.asked = cycle(ASKED)

    @rule(session=sessions, several=st.lists(WRITES, min_size=1, max_size=6))
    def write(self, session: int, several: list[Write]) -> None:
        for write in several:
            self.ground.write(session, write)

    @rule()
    def find_straight_ways(self) -> None:
        with suppress(asyncpg.LockNotAvailableError):
            self.ground.run(self.ground.owner.execute("SELECT app.find_straight_ways($1)", ways.TENANT))

    @rule(zone=st.sampled_from(["Asia/Tokyo", "America/New_York"]))
    def set_time_zone(self, zone: str) -> None:
        with suppress(CommandRefusedError):
            self.ground.run(time_zones.set_time_zone(self.ground.owner, "tokyo", zone, lambda *_: None))

    @invariant()
    def moves_add_up(self) -> None:
        asked = list(islice(self.asked, ASKED_EACH_STEP))
        assert_told(self.ground, self.passages, PLAIN, asked)


def machine(ground: Ground, passages: str = PASSAGES) -> type[Ways]:
    """A machine that acts on this ground and asks by this statement."""
    return type("Ways", (Ways,), {"ground": ground, "passages": passages})


@pytest.fixture(scope="module")
async def walked(postgres: EmbeddedPostgres, template: str) -> Database:
    return await fresh_database(postgres, template)


@pytest.fixture(scope="module")
def ground(walked: Database) -> Iterator[Ground]:
    """Where nobody waits for another: only one acts at a time."""
    with Ground(walked) as ground, pytest.MonkeyPatch.context() as patch:
        patch.setattr(time_zones, "LOCK_TIMEOUT_SECONDS", 0.01)
        ground.run(ground.owner.execute("SET lock_timeout = '10ms'"))
        yield ground


def test_single_moves_add_up_to_what_deals_did_after_any_sequence_of_writes(ground: Ground) -> None:
    run_state_machine_as_test(machine(ground), settings=SHORT)
    assert ground.accepted > ground.refused


@pytest.mark.slow
def test_and_after_very_many_sequences(ground: Ground) -> None:
    run_state_machine_as_test(machine(ground), settings=LONG)


MISTAKES = {
    "a move after a stay that began before the period is not the first": ("straight AND stayed_within", "straight"),
    "stages are as they were": ("s.straight > 0 AND (", "false AND ("),
    "deals that are not straight are not there": ("moves WHERE NOT straight", "moves WHERE false"),
    "deals are counted twice": ("CASE WHEN all_deals THEN 0 ELSE later", "CASE WHEN false THEN 0 ELSE later"),
}


@pytest.mark.parametrize(("right", "wrong"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_statement_is_caught(ground: Ground, right: str, wrong: str) -> None:
    assert right in PASSAGES
    with pytest.raises(AssertionError, match="asked"):
        run_state_machine_as_test(machine(ground, PASSAGES.replace(right, wrong)), settings=TO_BE_CAUGHT)


OVERSIGHTS = {
    "a move back bends nothing": ("record_moved_deals", "deal_ids IS NOT NULL", "false"),
    "who writes by hand is trusted": ("doubt_ways", "PERFORM app.bend_ways(tenant_ids, deal_ids)", "NULL"),
}


@pytest.mark.parametrize(("function", "right", "wrong"), OVERSIGHTS.values(), ids=OVERSIGHTS)
def test_an_oversight_of_a_trigger_is_caught(ground: Ground, function: str, right: str, wrong: str) -> None:
    text = ground.run(ground.owner.fetchval("SELECT pg_get_functiondef($1::regproc)", f"app.{function}"))
    assert right in text
    ground.run(ground.owner.execute(text.replace(right, wrong)))
    try:
        with pytest.raises(AssertionError, match="asked"):
            run_state_machine_as_test(machine(ground), settings=TO_BE_CAUGHT)
    finally:
        ground.reset()
        ground.run(ground.owner.execute(text))
