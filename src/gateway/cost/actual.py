"""What an operation cost after it ran, from its answer and from what was read for it. Pure.

The pipeline counts nothing while it executes: the answer tells how many entries each list has and which objects there
are, the transaction how many statements ran and how many rows they found.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.cost.estimate import Compiled, whole
from gateway.cost.parts import Charge, Part, Selected
from gateway.cost.prices import Path
from gateway.cost.program import Numbers, Variables

READ_POINTS = 0.1
"""Of a statement, and of a row that it found: what was read is paid, even if nothing of it is answered."""


@dataclass(frozen=True, slots=True)
class Executed:
    """`data`: of the answer; None where there is none. `failed`: paths of its errors, with indexes or without.
    `statements` and `rows`: as the loaders' transactions counted them."""

    data: Mapping[str, Any] | None
    failed: Sequence[Sequence[str | int]] = ()
    statements: int = 0
    rows: int = 0


def actual_points(compiled: Compiled, variables: Variables, executed: Executed) -> int:
    """What is paid for an operation that was executed: at most its price, as far as lists keep to their sizes.

    Where there is no answer, nobody knows how far it came: the whole price.
    """
    if executed.data is None:
        return compiled.points(variables)
    answered = _Answer(compiled.program.run(variables), executed.failed).points(compiled, executed.data)
    return whole(max(answered, READ_POINTS * (executed.statements + executed.rows)))


class _Answer:
    """Weighs an answer along the parts of its operation. What is null was not made; where an error made it null, it
    may have been, and costs what it was to cost."""

    def __init__(self, numbers: Numbers, failed: Iterable[Sequence[str | int]]) -> None:
        self._numbers = numbers
        self._failed = {prefix for path in failed for prefix in _prefixes(path)}

    def points(self, compiled: Compiled, data: Mapping[str, Any]) -> float:
        together = sum(map(self._dearest, compiled.readings))
        return together + sum(self._part(part, data.get(part.key), ()) for part in compiled.root.parts)

    def _part(self, part: Part, value: Any, above: Path) -> float:
        once = part.charge.points.number(self._numbers) + sum(map(self._dearest, part.readings))
        path = (*above, part.key)
        if value is None and path in self._failed:
            return part.points.number(self._numbers)
        return once + self._value(part, value, path)

    def _value(self, part: Part, value: Any, path: Path) -> float:
        if isinstance(value, list):
            return sum(self._value(part, entry, path) for entry in value)
        if value is None:
            return 0.0
        return self._object(part, value, path) if part.below else part.leaf_points

    def _object(self, part: Part, value: Mapping[str, Any], path: Path) -> float:
        """Of an abstract type, the dearest member that has just these fields."""
        return max(self._members(part.below, value, path), default=0.0)

    def _members(self, members: Sequence[Selected], value: Mapping[str, Any], path: Path) -> Iterable[float]:
        for selected in members:
            if len(members) == 1 or {part.key for part in selected.parts} == value.keys():
                below = sum(self._part(part, value.get(part.key), path) for part in selected.parts if part.matters)
                yield selected.type_points + below

    def _dearest(self, charges: tuple[Charge, ...]) -> float:
        return max(charge.points.number(self._numbers) for charge in charges)


def _prefixes(path: Sequence[str | int]) -> Iterable[Path]:
    keys = tuple(key for key in path if isinstance(key, str))
    return (keys[:length] for length in range(1, len(keys) + 1))
