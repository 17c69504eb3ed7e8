"""However deals came to companies and left them: those with deals are counted as if one by one, in every snapshot."""

from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from gateway.postgres.embedded import EmbeddedPostgres
from gateway.rollups.declaration import Rollup
from gateway.rollups.declared import COMPANY_DEALS, COMPANY_FLOW
from loaders.reads import statements
from tests.conftest import Database, fresh_database
from tests.loaders.told import assert_told
from tests.rollups import writes
from tests.rollups.model import TENANTS, Ground, Write
from tests.rollups.test_model import LONG, SHORT, TO_BE_CAUGHT
from tests.rollups.turns import Turns, sessions
from tests.world import instant

SUMMARY = statements("companies")["company_summary"].sql
CREATED = instant("2024-03-31T15:00")
PERIOD = (date(2024, 4, 1), date(2024, 4, 2))
ASKED = [(tenant, owner, *PERIOD, True) for tenant, owner in product(TENANTS, (None, 1))]
"""Arguments of `company_summary`, the tenant first."""

# As the schema defines it, company by company.
PLAIN = """
SELECT count(*) AS total, count(*) FILTER (WHERE $5::boolean AND has_deals) AS with_deals,
       count(*) FILTER (WHERE created_day >= $3::date AND created_day < $4::date) AS new
  FROM (SELECT created_day, EXISTS (SELECT FROM deals d WHERE d.tenant_id = c.tenant_id AND d.company_id = c.id
                                                        AND d.deleted_at IS NULL) AS has_deals
          FROM companies c
         WHERE tenant_id = $1 AND deleted_at IS NULL AND ($2::bigint IS NULL OR owner_id = $2)) AS each
"""

NEW_DEALS = """
INSERT INTO deals (tenant_id, id, name, pipeline_id, stage_id, owner_id, company_id, created_at)
SELECT $1, unnest($2::bigint[]), 'new', 1, 1, 1, $3::bigint, $4 ON CONFLICT (tenant_id, id) DO NOTHING
"""
NEW_COMPANIES = """
INSERT INTO companies (tenant_id, id, name, owner_id, created_at)
SELECT $1, unnest($2::bigint[]), 'new', $3::bigint, $4 ON CONFLICT (tenant_id, id) DO NOTHING
"""


@st.composite
def some_rows(draw: st.DrawFn, sql: str, *values: st.SearchStrategy[object]) -> Write:
    """A write to rows $2 of tenant $1, with values for the rest."""
    return Write.of(sql, draw(writes.tenants), draw(writes.ids), *(draw(value) for value in values))


TABLES = "deals", "companies"
ROWS = "WHERE tenant_id = $1 AND id = ANY($2)"
WRITES = st.one_of(
    some_rows(NEW_DEALS, writes.companies, st.just(CREATED)),
    some_rows(NEW_COMPANIES, st.none() | writes.members, st.just(CREATED)),
    some_rows(f"UPDATE deals SET company_id = $3 {ROWS}", writes.companies),
    some_rows(f"UPDATE companies SET owner_id = $3 {ROWS}", st.none() | writes.members),
    *(some_rows(f"UPDATE {table} SET deleted_at = $3 {ROWS}", writes.maybe_instants) for table in TABLES),
    *(some_rows(f"DELETE FROM {table} {ROWS}") for table in TABLES),
)


class Companies(Turns):
    """Writers of deals and companies, a worker, and a reader after each step."""

    summary: ClassVar[str] = SUMMARY

    @rule(session=sessions, several=st.lists(WRITES, min_size=1, max_size=4))
    def write(self, session: int, several: list[Write]) -> None:
        for write in several:
            self.ground.write(session, write)

    @rule(rollup=st.sampled_from([COMPANY_DEALS, COMPANY_FLOW]), work=st.sampled_from(["fold", "refresh"]))
    def tend(self, rollup: Rollup, work: str) -> None:
        self.ground.tend(rollup, work)

    @invariant()
    def counts_are_exact(self) -> None:
        assert_told(self.ground, self.summary, PLAIN, ASKED)


def machine(ground: Ground, summary: str = SUMMARY) -> type[Companies]:
    """A machine that acts on this ground and asks by this statement."""
    return type("Companies", (Companies,), {"ground": ground, "summary": summary})


@pytest.fixture(scope="module")
async def counted(postgres: EmbeddedPostgres, template: str) -> Database:
    return await fresh_database(postgres, template)


@pytest.fixture(scope="module")
def ground(counted: Database) -> Iterator[Ground]:
    with Ground(counted) as ground:
        yield ground


def test_companies_with_deals_are_counted_exactly_after_any_writes_folds_and_refreshes(ground: Ground) -> None:
    run_state_machine_as_test(machine(ground), settings=SHORT)
    assert ground.accepted > ground.refused


@pytest.mark.slow
def test_and_after_very_many_sequences(ground: Ground) -> None:
    run_state_machine_as_test(machine(ground), settings=LONG)


MISTAKES = {
    "what changed since the refresh is forgotten": ("AND changed\n", "AND changed AND false\n"),
    "what changed counts as of the refresh too": ("AND NOT changed", ""),
    "what there was before is forgotten": ("coalesce(refreshed.deals, 0) + ", ""),
    "who had none before is missing": ("FULL JOIN", "LEFT JOIN"),
    "who did not change is missing": ("FULL JOIN", "RIGHT JOIN"),
    "who has none any more counts": ("coalesce(since.deals, 0) > 0", "coalesce(since.deals, 0) >= 0"),
    "each change counts by itself": ("GROUP BY company_id)", "GROUP BY company_id, deals)"),
    "deleted companies count": ("AND deleted_at IS NOT NULL", "AND false"),
    "deleted companies count if they changed": ("GROUP BY company_id)", "GROUP BY company_id, deleted)"),
    "deals of no company count": ("company_id <> 0 AND ", ""),
}


@pytest.mark.parametrize(("right", "wrong"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_statement_is_caught(ground: Ground, right: str, wrong: str) -> None:
    assert SUMMARY.count(right) == 1
    with pytest.raises(AssertionError, match="asked"):
        run_state_machine_as_test(machine(ground, SUMMARY.replace(right, wrong)), settings=TO_BE_CAUGHT)
