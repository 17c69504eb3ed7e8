"""The parts that the price of an operation is made of: fields by response key, as they nest."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.cost.prices import Path
from gateway.cost.program import Term


@dataclass(frozen=True, slots=True, eq=False)
class Charge:
    """What a field adds each time that it is resolved. `path`: of response keys, from the part that bears it on.
    `share`: of the period that its weight is of, where it goes by the period."""

    path: Path
    points: Term
    share: Term | None = None

    def beneath(self, key: str) -> "Charge":
        return Charge((key, *self.path), self.points, self.share)


Readings = Mapping[str, tuple[Charge, ...]]
"""By what is read: the charges of the fields that read it together, the largest of which is paid."""


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """What is selected of one object type. `points`: of one object, with all below it; `type_points`: of it alone.
    `readings`: what has to be paid by a field above. `dear`: the parts that may cost anything."""

    type_points: float
    parts: tuple["Part", ...]
    points: Term
    readings: Readings
    dear: tuple["Part", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A field. `points`: all of it; `charge` and `readings`: each time that it is resolved; `size`: entries of its
    list, 1 where it is none; `below`: one entry, by each type that it may be; `leaf_points`: of an entry that is no
    object. `sliced_by`: the argument that its size goes by, and whether that is the field's above.
    `has_period`: whether fields below go by its `period`."""

    key: str
    charge: Charge
    readings: tuple[tuple[Charge, ...], ...]
    size: Term
    below: tuple[Selected, ...]
    leaf_points: float
    points: Term
    sliced_by: str | None = None
    sliced_above: bool = False
    has_period: bool = False


def joined(several: list[Readings]) -> Readings:
    """All charges of each reading."""
    names = dict.fromkeys(name for readings in several for name in readings)
    return {name: tuple(charge for readings in several for charge in readings.get(name, ())) for name in names}
