"""Whatever is written, in whatever order, by whomever: a live view equals the aggregate of its table in every snapshot.

After each step, what the role `gateway` sees of each tenant is compared with the truth, within every transaction that
is open and outside of them.
"""

import os
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from gateway.postgres.embedded import EmbeddedPostgres
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.difference import difference, find
from tests.conftest import Database, fresh_database
from tests.rollups import writes
from tests.rollups.conftest import NEWEST, SERVERS
from tests.rollups.model import TABLES, Ground, Write
from tests.rollups.turns import Turns, sessions
from tests.rollups.writes import COLUMNS

BOUNDS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
SHORT = settings(max_examples=16, stateful_step_count=30, derandomize="CI" in os.environ, **BOUNDS)
SHORTER = settings(SHORT, max_examples=6)
LONG = settings(max_examples=300, stateful_step_count=60, **BOUNDS)
# The first failure will do; the smallest is not looked for.
TO_BE_CAUGHT = settings(max_examples=60, stateful_step_count=30, derandomize=True, phases=[Phase.generate], **BOUNDS)

every_rollup = list(range(len(ROLLUPS)))
some_rollups = st.sampled_from([*([index] for index in every_rollup), every_rollup, every_rollup[::-1]])


class Machine(Turns):
    """Writers, a worker, and a reader after each step. A step that makes no sense where it comes does nothing."""

    @rule(session=sessions, write=writes.inserts())
    def insert(self, session: int, write: Write) -> None:
        self.ground.write(session, write)

    @rule(session=sessions, write=writes.upserts())
    def upsert(self, session: int, write: Write) -> None:
        self.ground.write(session, write)

    @rule(session=sessions, write=writes.updates())
    def update(self, session: int, write: Write) -> None:
        self.ground.write(session, write)

    @rule(session=sessions, write=writes.deletions())
    def delete(self, session: int, write: Write) -> None:
        self.ground.write(session, write)

    @rule(session=sessions, write=writes.moves())
    def move(self, session: int, write: Write) -> None:
        self.ground.write(session, write)

    @rule(session=sessions, write=writes.migrations())
    def migrate(self, session: int, write: Write) -> None:
        self.ground.write(session, write)

    @rule(session=sessions, write=writes.stage_kinds())
    def change_stage_kinds(self, session: int, write: Write) -> None:
        self.ground.write(session, write)

    @rule(session=sessions, write=writes.several_at_once())
    def write_at_once(self, session: int, write: Write) -> None:
        self.ground.write(session, write)

    @rule(which=some_rollups, work=st.sampled_from(["fold", "refresh", "audit", "repair"]))
    def tend(self, which: list[int], work: str) -> None:
        for rollup in which:
            self.ground.tend(ROLLUPS[rollup], work)

    @invariant()
    def live_views_are_exact(self) -> None:
        self.ground.assert_exact()


def machine(ground: Ground) -> type[Machine]:
    """A machine that acts on this ground."""
    return type("Machine", (Machine,), {"ground": ground})


@pytest.fixture(scope="module")
async def modelled(server: EmbeddedPostgres) -> Database:
    return await fresh_database(server)


@pytest.fixture(scope="module")
def ground(modelled: Database) -> Iterator[Ground]:
    with Ground(modelled) as ground:
        yield ground


BY_SERVER = [(server, SHORT if server == NEWEST else SHORTER) for server in SERVERS]


@pytest.mark.parametrize(("server", "bounds"), BY_SERVER, ids=SERVERS, indirect=["server"])
def test_a_live_view_equals_its_table_after_any_sequence_of_writes_folds_and_refreshes(
    ground: Ground, bounds: settings
) -> None:
    run_state_machine_as_test(machine(ground), settings=bounds)
    assert ground.accepted > ground.refused


@pytest.mark.slow
def test_and_after_very_many_sequences(ground: Ground) -> None:
    run_state_machine_as_test(machine(ground), settings=LONG)


async def test_every_column_is_written(modelled: Database) -> None:
    async with modelled.as_owner() as owner:
        names = await owner.fetch(
            """SELECT attrelid::regclass::text AS table, array_agg(attname::text) AS columns FROM pg_attribute
                WHERE attrelid = ANY($1::regclass[]) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                GROUP BY attrelid""",
            list(TABLES),
        )
    assert {row["table"]: set(row["columns"]) for row in names} == {name: set(COLUMNS[name]) for name in TABLES}


MISTAKES = {
    "rows that leave a group stay in its sum": ("deals_update", "-(1) AS deals", "1 AS deals"),
    "a close does not count": ("deals_update", "closed_day IS NOT NULL", "false"),
    "an owner's change goes unseen": ("deals_update", " OR changed.owner_id", ""),
    "an amount of nothing is not taken away": ("deals_delete", "coalesce(-(amount), 0)", "coalesce(-(amount), 1)"),
    "a task that is done stays open": ("tasks_update", " OR changed.completed_at", ""),
    "moves of a deleted deal stay": ("deal_stage_history_update", "identity OR changed.deal_deleted", "identity"),
}


@pytest.mark.parametrize("server", [NEWEST], indirect=True)
@pytest.mark.parametrize(("function", "right", "wrong"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_trigger_is_caught(ground: Ground, function: str, right: str, wrong: str) -> None:
    ground.run(replace_in(ground.owner, function, right, wrong))
    try:
        with pytest.raises(AssertionError, match="session "):
            run_state_machine_as_test(machine(ground), settings=TO_BE_CAUGHT)
    finally:
        ground.reset()
        ground.run(mend(ground.owner))


async def replace_in(owner: asyncpg.Connection, function: str, right: str, wrong: str) -> None:
    text = await owner.fetchval("SELECT pg_get_functiondef($1::regproc)", f"rollup.{function}")
    assert right in text
    await owner.execute(f"SET ROLE rollup_owner; {text.replace(right, wrong)}; RESET ROLE")


async def mend(owner: asyncpg.Connection) -> None:
    async with owner.transaction():
        for statement in difference(await find(owner), ROLLUPS).statements:
            await owner.execute(statement)
