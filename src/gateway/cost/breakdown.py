"""What of an operation costs how much, by path, and what would make the dearest of it cheaper."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import nlargest
from math import floor

from gateway.cost.estimate import Compiled
from gateway.cost.measures import LEAST_SHARE, WEIGHED_DAYS
from gateway.cost.parts import Charge, Part, Selected
from gateway.cost.prices import PERIOD, Path
from gateway.cost.program import Numbers, Variables

DEAREST_PATHS = 3
MOST_PATHS = 2000
"""Fragments may multiply a short document to more; what is beyond is left out."""


@dataclass(frozen=True, slots=True)
class Lever:
    """An argument that could be smaller: of the field at `path`, which asks for `value` entries or days. `points`: what
    shrinks with it."""

    path: Path
    argument: str
    value: int
    points: float

    def at_most(self, total: float, most: float) -> int | None:
        """The value that would bring a total under `most`; None where this alone cannot."""
        if self.points <= 0:
            return None
        least = WEIGHED_DAYS * LEAST_SHARE if self.argument == PERIOD else 1
        value = floor(self.value * (1 - (total - most) / self.points))
        return value if least <= value < self.value else None


@dataclass(frozen=True, slots=True)
class Share:
    """What the field at a path adds, without what is below it. `levers`: the nearest first."""

    path: Path
    points: float
    levers: tuple[Lever, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """A dear path, and what would bring the operation under a limit: an `argument` of the field at `field` of at most
    this many entries, or days of a period. Both None: only to leave it out, or to ask for it apart."""

    path: Path
    points: float
    field: Path | None = None
    argument: str | None = None
    at_most: int | None = None

    @property
    def remedy(self) -> str:
        """In a sentence."""
        if self.field is None:
            return "Leave it out, or ask for it in a query of its own."
        name = ".".join(self.field)
        if self.argument == PERIOD:
            return f"A `period` of `{name}` of at most {self.at_most} days would do."
        return f"`{self.argument}` of `{name}` of at most {self.at_most} would do."


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


def advice(found: Iterable[Share], most: float) -> list[Advice]:
    """The dearest paths, dearest first, and for each what would bring the price to `most` at most."""
    listed = list(found)
    total = sum(share.points for share in listed)
    return [_advice(share, total, most) for share in nlargest(DEAREST_PATHS, listed, key=lambda share: share.points)]


def _advice(share: Share, total: float, most: float) -> Advice:
    for lever in share.levers:
        at_most = lever.at_most(total, most)
        if at_most is not None:
            return Advice(share.path, share.points, lever.path, lever.argument, at_most)
    return Advice(share.path, share.points)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a walk is: how often what is here is resolved, the levers above it, the field whose period holds here."""

    path: Path = ()
    times: float = 1.0
    levers: tuple[Lever, ...] = ()
    period_path: Path = ()


class _Walk:
    """Through the parts of an operation, with the numbers of one request."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def root(self, compiled: Compiled) -> Iterator[Share]:
        for charges in compiled.readings:
            yield from self._charge(self._dearest(charges), _Place())
        for part in compiled.root.parts:
            yield from self._part(part, _Place())

    def _part(self, part: Part, place: _Place) -> Iterator[Share]:
        here = replace(place, path=(*place.path, part.key))
        if part.has_period:
            place, here = replace(place, period_path=here.path), replace(here, period_path=here.path)
        for charge in (part.charge, *map(self._dearest, part.readings)):
            yield from self._charge(charge, place)
        size = part.size.number(self._numbers)
        if not part.below:
            yield from self._share(here, here.times * size * part.leaf_points)
            return
        selected = max(part.below, key=lambda one: one.points.number(self._numbers))
        inside = self._inside(part, selected, size, here)
        yield from self._share(inside, inside.times * selected.type_points)
        for below in selected.parts:
            yield from self._part(below, inside)

    def _inside(self, part: Part, selected: Selected, size: float, here: _Place) -> _Place:
        times = here.times * size
        if part.sliced_by is None:
            return replace(here, times=times)
        field = here.path[:-1] if part.sliced_above else here.path
        lever = Lever(field, part.sliced_by, int(size), times * selected.points.number(self._numbers))
        return replace(here, times=times, levers=(lever, *here.levers))

    def _charge(self, charge: Charge, place: _Place) -> Iterator[Share]:
        points = place.times * charge.points.number(self._numbers)
        at = replace(place, path=(*place.path, *charge.path))
        if charge.share is not None:
            # In days of a period that would cost as much: all time may cost less than a long period.
            value = round(charge.share.number(self._numbers) * WEIGHED_DAYS)
            at = replace(at, levers=(Lever(place.period_path, PERIOD, value, points), *at.levers))
        yield from self._share(at, points)

    def _share(self, place: _Place, points: float) -> Iterator[Share]:
        if points > 0:
            yield Share(place.path, points, place.levers)

    def _dearest(self, charges: tuple[Charge, ...]) -> Charge:
        return max(charges, key=lambda charge: charge.points.number(self._numbers))
