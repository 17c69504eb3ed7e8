"""What would make the dearest of an operation cheaper, and whether that alone brings it under a limit."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from heapq import nlargest
from typing import Any

from gateway.cost.breakdown import Share, points_at, shares
from gateway.cost.estimate import Compiled
from gateway.cost.levers import Lever, leaving_out
from gateway.cost.parts import Part
from gateway.cost.prices import Path

DEAREST_PATHS = 3


@dataclass(frozen=True, slots=True)
class Advice:
    """A dear path, and what could be less. `value`: the dearest of the lever's that brings the operation under a limit,
    if it `is_enough`; otherwise no lever of this path does alone."""

    path: Path
    points: float
    lever: Lever
    value: Any = None
    is_enough: bool = False

    @property
    def remedy(self) -> str:
        """In a sentence."""
        if not self.is_enough:
            return f"{self.lever.subject} would not do alone: ask for less of others too."
        limit = self.lever.limit(self.value)
        return f"{self.lever.subject} would do{limit and f': {limit}'}."


def advice(opened: Compiled, most: int) -> list[Advice]:
    """The dearest paths, dearest first, and for each what would bring the price to `most` at most."""
    dearest = nlargest(DEAREST_PATHS, shares(opened, {}), key=lambda share: share.points)
    return [_advice(opened, share, most) for share in dearest]


def _advice(opened: Compiled, share: Share, most: int) -> Advice:
    helping: list[Lever] = []
    for lever in _levers(opened, share.path):
        numbers = opened.program.run(lever.changes(lever.values[0]))
        if points_at(opened, numbers, share.path) >= share.points:
            continue
        if opened.points_of(numbers) <= most:
            return Advice(share.path, share.points, lever, _dearest(opened, lever, most), is_enough=True)
        helping.append(lever)
    return Advice(share.path, share.points, helping[0])


def _levers(opened: Compiled, path: Path) -> list[Lever]:
    """Of the field at a path, then of those above it, the nearest first; at last, to leave it out."""
    found: list[Lever] = []
    here: list[Part] = []
    parts = opened.root.parts
    for length, key in enumerate(path, 1):
        here = [part for part in parts if part.key == key]
        found = [replace(lever, field=path[:length]) for part in here for lever in part.levers()] + found
        # Members of an interface may select the same.
        parts = tuple(dict.fromkeys(part for one in here for selected in one.below for part in selected.parts))
    return [*found, leaving_out(part.place for part in here)]


def _dearest(opened: Compiled, lever: Lever, most: int) -> Any:
    """Of a lever's values, the first of which brings the price to `most` at most: the last that does."""
    fitting = bisect_right(lever.values, most, key=lambda value: opened.points(lever.changes(value)))
    return lever.values[fitting - 1]
