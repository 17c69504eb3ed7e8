"""The parts that the price of an operation is made of: fields by response key, as they nest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.cost.levers import Lever
from gateway.cost.prices import Path
from gateway.cost.program import Term


@dataclass(frozen=True, slots=True, eq=False)
class Charge:
    """What a field adds each time that it is resolved. `path`: of response keys, from the part that bears it on."""

    path: Path
    points: Term


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
    object. Of an opened operation: `levers`, what of its arguments could be less; `place`: of the field itself."""

    key: str
    charge: Charge
    readings: tuple[tuple[Charge, ...], ...]
    size: Term
    below: tuple[Selected, ...]
    leaf_points: float
    points: Term
    levers: Callable[[], tuple[Lever, ...]] = tuple
    place: str = ""


def joined(several: list[Readings]) -> Readings:
    """All charges of each reading."""
    names = dict.fromkeys(name for readings in several for name in readings)
    return {name: tuple(charge for readings in several for charge in readings.get(name, ())) for name in names}
