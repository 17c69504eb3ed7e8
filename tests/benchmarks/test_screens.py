"""The benchmark of screens: what they are told is checked, and the check sees what is outside the promise."""

from pathlib import Path

import pytest

from benchmarks.promise import HEARD_SECONDS, Seen, Write, broken
from benchmarks.screens import SCREENS, measure
from benchmarks.screens_page import LAG, Lag
from gateway.settings import Settings

SECONDS = 2.0
WRITES = [Write(1.0, 2.0, acknowledged=False), Write(3.0, 4.0, acknowledged=True), Write(5.0, 6.0, acknowledged=False)]


async def test_screens_are_watched_end_to_end_and_shown_nothing_outside_the_promise(
    settings: Settings, tmp_path: Path
) -> None:
    figures = await measure(settings, tmp_path, SECONDS)
    for watched in (figures.kept, figures.read):
        assert (watched.tenants, watched.wrong, watched.writes > 0) == (3, [], True)
        assert watched.polls >= SCREENS
    assert figures.read.hits == 0 < figures.kept.hits
    assert figures.read.executions == figures.read.polls
    assert 0 < figures.kept.executions <= figures.kept.polls - figures.kept.hits
    assert figures.lag.notices > 0 < figures.lag.mean_ms <= figures.lag.at_most_ms
    assert [len(row) for row in figures.table()[2]] == [len(figures.table()[1])] * 2


def heard(quick: int, all_: int, seconds: float) -> dict[str, float]:
    """A gateway's counters: notices that took at most 5 ms, all of them, and the sum of their times."""
    buckets = {f'{LAG}_bucket{{le="{bound}"}}': float(count) for bound, count in (("0.005", quick), ("1.0", all_))}
    return {**buckets, f'{LAG}_bucket{{le="+Inf"}}': float(all_), f"{LAG}_count": float(all_), f"{LAG}_sum": seconds}


@pytest.mark.parametrize(("quick", "at_most_ms"), [(9, 5), (8, 1000)])
def test_the_smallest_bound_that_holds_all_notices_since_then_is_told(quick: int, at_most_ms: float) -> None:
    before, after = heard(1, 2, 0.5), heard(quick, 10, 0.75)
    assert Lag.between(before, after) == Lag(8, 31.25, at_most_ms)
    assert Lag.between(before, before) == Lag(0, 0.0, 5)


@pytest.mark.parametrize(
    ("steps", "asked", "answered"),
    [
        (0, 0.5, 0.9),
        (0, 2.4, 2.5),  # the change by another program is not heard of yet
        (1, 0.5, 1.0),  # it may be visible before its writer knows
        (1, 2.5, 2.9),
        (1, 3.9, 9.0),  # was read before the answer was given out
        (2, 4.0, 4.1),
        (3, 3.5, 5.5),
        (3, 7.0, 8.0),
    ],
)
def test_an_answer_of_any_moment_between_the_two_bounds_is_right(steps: int, asked: float, answered: float) -> None:
    assert broken(WRITES, [Seen(steps, asked, answered)]) == []


@pytest.mark.parametrize(
    ("steps", "asked", "answered", "bounds"),
    [
        (0, 2.0 + HEARD_SECONDS, 9.0, (1, 3)),
        (1, 4.0, 4.1, (2, 2)),  # what a gateway acknowledged is owed at once
        (0, 4.0, 4.1, (2, 2)),
        (1, 0.1, 0.9, (0, 0)),
        (-1, 0.1, 0.9, (0, 0)),
        (4, 7.0, 8.0, (3, 3)),
    ],
)
def test_an_answer_outside_them_is_seen(steps: int, asked: float, answered: float, bounds: tuple[int, int]) -> None:
    least, most = bounds
    assert broken(WRITES, [Seen(steps, asked, answered)]) == [
        f"showed {steps} steps, must be between {least} and {most}"
    ]
