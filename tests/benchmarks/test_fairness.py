"""The benchmark of fairness: one tenant is measured, another floods, and what both saw is told."""

from pathlib import Path

from benchmarks.fairness import Flooding, Pace, measure
from benchmarks.fairness_page import FLOOD, QUIET, TORRENT, FairnessFigures, Round, State
from benchmarks.generator import Load
from gateway.settings import Settings


async def test_a_tenant_is_measured_while_another_floods(settings: Settings, tmp_path: Path) -> None:
    figures = await measure(settings, tmp_path, Pace(rounds=1, seconds=1.0), Flooding(connections=16), {})
    assert [state.name for state in figures.states] == [QUIET, FLOOD, TORRENT]
    assert [state.errors for state in figures.states] == [0, 0, 0]
    quiet, flood, torrent = figures.states
    assert (quiet.asked, quiet.ratio) == (0, 1)
    assert 0 < flood.answered <= flood.asked
    assert 0 < torrent.answered <= torrent.asked
    assert [len(row) for row in figures.table()[2]] == [len(figures.table()[1])] * 3


def test_its_ratio_is_of_all_rounds_and_its_spread_of_each_to_the_quiet_one_before_it() -> None:
    quiet = [Round(load(10.0), None, 0.1, 0.2), Round(load(20.0), None, 0.1, 0.2)]
    flooded = [
        Round(load(15.0), load(1.0, errors=1), 0.5, 0.6),
        Round(load(50.0, errors=1), load(1.0, 1.0), 0.7, 0.8),
    ]
    state = State.of(FLOOD, flooded, quiet)
    assert (state.requests, state.errors, state.p95_ms, state.ratio, state.spread) == (2, 1, 50.0, 2.5, 0.5)
    assert (state.asked, state.answered) == (0.75, 0.5)
    (sentence,) = FairnessFigures(50, 64, [state]).sentences()
    assert sentence.endswith("a tenant's p95 is 2.50 times the quiet one.")


def load(*milliseconds: float, errors: int = 0) -> Load:
    """Of two seconds."""
    return Load(completed=len(milliseconds), seconds=2.0, errors=errors, milliseconds=list(milliseconds))
