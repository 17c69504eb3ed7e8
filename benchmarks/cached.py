"""All that is measured of the response cache: hits, screens that poll, and what telling of changes costs writes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.data import databases
from benchmarks.hits import measure as measure_hits
from benchmarks.hits_page import HitFigures
from benchmarks.measure import Pace
from benchmarks.notices import measure as measure_notices
from benchmarks.notices_page import NoticeFigures
from benchmarks.rollups.subject import Scale, database_of
from benchmarks.screens import measure as measure_screens
from benchmarks.screens_page import ScreenFigures
from benchmarks.tables import TableOf
from gateway.demo.shape import Size


@dataclass(frozen=True)
class CachedPlan:
    """For how long it is measured. `connections`: of hits; `notice_seconds`: of one round of writes."""

    pace: Pace
    connections: tuple[int, ...]
    screen_seconds: float
    notice_seconds: float


@dataclass(frozen=True)
class CachedFigures:
    """What was found, all on one copy of the data."""

    hits: HitFigures
    screens: ScreenFigures
    notices: NoticeFigures

    def tables(self) -> Iterator[TableOf]:
        for figures in (self.hits, self.screens, self.notices):
            yield figures.table()

    def sentences(self) -> Iterator[str]:
        for figures in (self.hits, self.screens, self.notices):
            yield from figures.sentences()


async def measure_alone(
    directory: Path, shape: Size | Scale, plan: CachedPlan, logs: Path, console: Console
) -> CachedFigures:
    """On a copy of the made-up data that is kept in `directory`, which must exist."""
    with databases(directory) as running:
        await running.load(database_of(shape), shape, console)
        async with running.copied(database_of(shape)) as settings:
            console.print("Asking for cached dashboards …")
            hits = await measure_hits(settings, plan.pace, plan.connections)
            console.print("Watching screens that poll …")
            screens = await measure_screens(settings, logs, plan.screen_seconds)
            console.print("Writing as fast as changes can be told of …")
            notices = await measure_notices(settings, logs, plan.notice_seconds)
    return CachedFigures(hits, screens, notices)
