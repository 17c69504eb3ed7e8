"""The benchmark of the ceiling of writes: what it compares is told of, or not, as it says."""

from pathlib import Path

import pytest

from benchmarks.notices import SUBJECTS, Subject, measure, triggers
from benchmarks.notices_page import AS_SERVED, SILENT, STATES, WITHOUT
from benchmarks.rollups.subject import connected
from gateway.settings import Settings
from tests.notices import listening

SECONDS = 0.1
DEFINITIONS = """
SELECT tgrelid::regclass::text, tgname, tgenabled, pg_get_functiondef(tgfoid) FROM pg_trigger WHERE NOT tgisinternal
 ORDER BY 1, 2
"""


async def test_ceilings_are_measured_end_to_end_and_triggers_put_back(settings: Settings, tmp_path: Path) -> None:
    async with connected(settings, "owner") as owner:
        before = await owner.fetch(DEFINITIONS)
        figures = await measure(settings, tmp_path, SECONDS, rounds=1)
        assert await owner.fetch(DEFINITIONS) == before
    found = [(ceiling.table, ceiling.synchronous, tuple(ceiling.rates)) for ceiling in figures.ceilings]
    assert found == [(subject.table, how, STATES) for subject in SUBJECTS for how in ("on", "off")]
    assert all(rate > 0 for ceiling in figures.ceilings for rate in ceiling.rates.values())
    (sentence,) = figures.sentences()
    assert sentence.startswith("The ceiling of commits that tell of a change, of the slowest table: ")


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize(("state", "notices"), [(AS_SERVED, 1), (SILENT, 0), (WITHOUT, 0)])
async def test_only_triggers_as_served_tell_of_a_change(
    settings: Settings, subject: Subject, state: str, notices: int
) -> None:
    change = f"UPDATE {subject.table} SET {subject.change.replace('i %', '7 %')} WHERE id = 1"
    async with (
        connected(settings, "owner") as owner,
        listening(owner) as listener,
        triggers(owner, subject, state),
    ):
        await owner.execute(change)
        assert len(await listener.heard()) == notices
