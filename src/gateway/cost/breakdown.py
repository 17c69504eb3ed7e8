"""What of an operation costs how much, by path."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.cost.estimate import Compiled
from gateway.cost.parts import Charge, Part
from gateway.cost.prices import Path
from gateway.cost.program import MOST_POINTS, Numbers, Variables

MOST_PATHS = 2000
"""Fragments may multiply a short document to more; what is beyond is left out."""


@dataclass(frozen=True, slots=True)
class Share:
    """What the field at a path adds, without what is below it."""

    path: Path
    points: float


def shares(compiled: Compiled, variables: Variables) -> list[Share]:
    """Of each path that adds anything, in the operation's order. They add up to its price, but for rounding."""
    walk = _Walk(compiled.program.run(variables))
    found: dict[Path, Share] = {}
    for share in walk.root(compiled):
        known = found.get(share.path)
        if known is not None:
            found[share.path] = replace(share, points=known.points + share.points)
        elif len(found) < MOST_PATHS:
            found[share.path] = share
    return list(found.values())


def points_at(compiled: Compiled, numbers: Numbers, path: Path) -> float:
    """What the field at a path adds, with the numbers of one run."""
    return sum(share.points for share in _Walk(numbers, path).root(compiled) if share.path == path)


class _Walk:
    """Through the parts of an operation, with the numbers of one run; `towards` a path, or through all of them.
    `above`: the path to what is next; `times`: how often that is resolved."""

    def __init__(self, numbers: Numbers, towards: Path = ()) -> None:
        self._numbers = numbers
        self._towards = towards

    def root(self, compiled: Compiled) -> Iterator[Share]:
        for charges in compiled.readings:
            yield from self._charge(self._dearest(charges), (), 1.0)
        for part in compiled.root.parts:
            yield from self._part(part, (), 1.0)

    def _part(self, part: Part, above: Path, times: float) -> Iterator[Share]:
        here, entries = (*above, part.key), times * part.size.number(self._numbers)
        if self._towards and here != self._towards[: len(here)]:
            return
        for charge in (part.charge, *map(self._dearest, part.readings)):
            yield from self._charge(charge, above, times)
        if not part.below:
            yield from self._share(here, entries * part.leaf_points)
            return
        selected = max(part.below, key=lambda one: one.points.number(self._numbers))
        yield from self._share(here, entries * selected.type_points)
        for below in selected.parts:
            yield from self._part(below, here, entries)

    def _charge(self, charge: Charge, above: Path, times: float) -> Iterator[Share]:
        yield from self._share((*above, *charge.path), times * charge.points.number(self._numbers))

    def _share(self, path: Path, points: float) -> Iterator[Share]:
        if points > 0:
            yield Share(path, min(points, MOST_POINTS))

    def _dearest(self, charges: tuple[Charge, ...]) -> Charge:
        return max(charges, key=lambda charge: charge.points.number(self._numbers))
