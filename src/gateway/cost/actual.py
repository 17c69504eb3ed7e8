"""What an operation cost after it ran, from its answer and from what was read for it. Pure.

The pipeline counts nothing while it executes: the answer tells how many entries each list has and which objects there
are, the transaction how many statements ran and how many rows they found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.cost.estimate import LEAST_POINTS, Compiled, whole
from gateway.cost.parts import Charge, Part, Selected
from gateway.cost.prices import Path
from gateway.cost.program import Numbers, Variables

READ_POINTS = 0.1
"""Of a statement, and of a row that it found: what was read is paid, even if nothing of it is answered."""


@dataclass(frozen=True, slots=True)
class Ran:
    """`data`: of the answer; None where there is none. `failed`: paths of its errors, with indexes or without.
    `statements` and `rows`: as the loaders' transactions counted them."""

    data: Mapping[str, Any] | None
    failed: Sequence[Sequence[str | int]] = ()
    statements: int = 0
    rows: int = 0


def actual_points(compiled: Compiled, variables: Variables, ran: Ran) -> int:
    """What is paid for an operation that was executed: at most its price, as far as lists keep to their sizes.

    Where there is no answer, nobody knows how far it came: the whole price, unless nothing was read at all.
    """
    if ran.data is None:
        return compiled.points(variables) if ran.statements else LEAST_POINTS
    answered = _Answer(compiled.program.run(variables), ran.failed).points(compiled, ran.data)
    return whole(max(answered, READ_POINTS * (ran.statements + ran.rows)))


class _Answer:
    """Weighs an answer along the parts of its operation. What is null was not made; where an error made it null, it
    may have been, and costs what it was to cost."""

    def __init__(self, numbers: Numbers, failed: Iterable[Sequence[str | int]]) -> None:
        self._numbers = numbers
        self._failed = {prefix for path in failed for prefix in _prefixes(path)}
        self._once: dict[Part, float] = {}

    def points(self, compiled: Compiled, data: Mapping[str, Any]) -> float:
        together = sum(map(self._dearest, compiled.readings))
        return together + sum(self._part(part, data.get(part.key), ()) for part in compiled.root.dear)

    def _part(self, part: Part, value: Any, above: Path) -> float:
        if value is None and self._failed and (*above, part.key) in self._failed:
            return part.points.number(self._numbers)
        once = self._once.get(part)
        if once is None:
            once = self._once[part] = self._resolved(part)
        return once + self._value(part, value, above)

    def _resolved(self, part: Part) -> float:
        return part.charge.points.number(self._numbers) + sum(map(self._dearest, part.readings))

    def _value(self, part: Part, value: Any, above: Path) -> float:
        if value is None:
            return 0.0
        if isinstance(value, list):
            if len(part.below) == 1 and not part.below[0].dear:
                return part.below[0].type_points * sum(entry is not None for entry in value)
            return sum([self._value(part, entry, above) for entry in value])
        if not part.below:
            return part.leaf_points
        selected = self._member(part.below, value)
        points, path = selected.type_points, (*above, part.key) if self._failed else ()
        for below in selected.dear:
            points += self._part(below, value.get(below.key), path)
        return points

    def _member(self, members: Sequence[Selected], value: Mapping[str, Any]) -> Selected:
        """Of an abstract type, the dearest member that has just these fields."""
        if len(members) == 1:
            return members[0]
        alike = [one for one in members if {part.key for part in one.parts} == value.keys()]
        return max(alike or members, key=lambda one: one.points.number(self._numbers))

    def _dearest(self, charges: tuple[Charge, ...]) -> float:
        return max(charge.points.number(self._numbers) for charge in charges)


def _prefixes(path: Sequence[str | int]) -> Iterable[Path]:
    keys = tuple(key for key in path if isinstance(key, str))
    return (keys[:length] for length in range(1, len(keys) + 1))
