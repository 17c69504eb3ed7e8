"""What arguments come to as numbers: entries of a list, days of a period, points of inputs. Pure.

Values are JSON as callers send it. What is of no use, because it is refused later, counts as if it were not there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from gateway.cost.arguments import ABSENT, at, is_given
from gateway.cost.prices import OBJECT_POINTS, Path

MOST_ENTRIES = 2**31 - 1
"""As many as an Int can say."""

WEIGHED_DAYS = 90
"""Of the period that a weight is of, which goes by the period."""
LEAST_SHARE, MOST_SHARE = 0.1, 10.0

PRESET_DAYS: Mapping[str, int] = {
    "TODAY": 1,
    "LAST_7_DAYS": 7,
    "LAST_30_DAYS": 30,
    "LAST_90_DAYS": 90,
    "THIS_MONTH": 31,
    "LAST_MONTH": 31,
    "THIS_QUARTER": 92,
    "LAST_QUARTER": 92,
    "THIS_YEAR": 366,
    "LAST_YEAR": 366,
}
"""The longest that each may be."""
INTERVAL_DAYS: Mapping[str, int] = {"DAY": 1, "WEEK": 7, "MONTH": 28, "QUARTER": 90}
"""The shortest that each may be."""


def entries(value: Any) -> int | None:
    """How many entries a slicing argument asks for: its number, or the length of its list. None: it is not given."""
    if value in ABSENT:
        return None
    if isinstance(value, list):
        return len(value)
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(min(max(value, 0), MOST_ENTRIES))
    return 1


@cache
def largest_slice(paths: tuple[Path, ...], otherwise: int) -> Callable[..., float]:
    """A measure of the arguments that the paths begin with, in the same order."""

    def measure(*values: Any) -> float:
        found = [entries(at(value, path[1:])) for value, path in zip(values, paths, strict=True)]
        return float(max((size for size in found if size is not None), default=otherwise))

    return measure


def days(period: Any) -> int | None:
    """Of a `PeriodInput`; None: all of them."""
    if (preset := at(period, ("preset",))) is not None:
        return PRESET_DAYS.get(preset) if isinstance(preset, str) else None
    first, end = (_day(at(period, ("range", name))) for name in ("from", "to"))
    return None if first is None or end is None else max((end - first).days, 0)


@cache
def period_share(without_period: float) -> Callable[[Any], float]:
    """A measure of a period: its share of the days that weights are of."""

    def measure(period: Any) -> float:
        found = days(period)
        return without_period if found is None else min(max(found / WEIGHED_DAYS, LEAST_SHARE), MOST_SHARE)

    return measure


@cache
def intervals(without_period: int) -> Callable[[Any, Any], float]:
    """A measure of a period and an interval: how many intervals meet the period, at most."""

    def measure(period: Any, interval: Any) -> float:
        found = days(period)
        if found is None:
            return float(without_period)
        length = INTERVAL_DAYS.get(interval, 1) if isinstance(interval, str) else 1
        # One may be cut off at each end.
        return float(found if length == 1 else found // length + 2)

    return measure


@cache
def factor_where(paths: tuple[Path, ...], factor: float, each: Path | None = None) -> Callable[..., float]:
    """A measure of the arguments that the paths begin with, in the same order, and then of the one that `each` begins
    with: the factor where one of `paths` is given, times the entries at `each`."""

    def measure(*values: Any) -> float:
        if not any(is_given(value, path[1:]) for value, path in zip(values, paths, strict=each is None)):
            return 1.0
        return factor if each is None else factor * (entries(at(values[-1], each[1:])) or 1)

    return measure


@dataclass(slots=True, eq=False)
class InputPoints:
    """What inputs cost: each value by itself, and by its fields where these are not free. A list is its entries.
    `required`: whether it has to be given."""

    each: float
    required: bool
    fields: dict[str, "InputPoints"] = field(default_factory=dict)

    def __call__(self, value: Any) -> float:
        if value in ABSENT:
            return 0.0
        if isinstance(value, list):
            return sum(map(self, value)) if self.fields else self.each * len(value)
        if not isinstance(value, Mapping):
            return self.each
        return self.each + sum(points(value.get(name)) for name, points in self.fields.items())


class InputScale:
    """The points of a schema's inputs, found once; the schema outlives it. `weight_of`: what the schema says of an
    element. `reduces`: whether any that was found is less than nothing."""

    def __init__(self, weight_of: Callable[[GraphQLArgument | GraphQLInputField], float | None]) -> None:
        self._weight_of = weight_of
        self._types: dict[str, dict[str, InputPoints]] = {}
        self._known: dict[int, InputPoints | None] = {}
        self.reduces = False

    def of(self, element: GraphQLArgument | GraphQLInputField) -> InputPoints | None:
        """None for what costs nothing, whatever is given."""
        if id(element) not in self._known:
            type_ = get_named_type(element.type)
            said, is_object = self._weight_of(element), isinstance(type_, GraphQLInputObjectType)
            each = (OBJECT_POINTS if is_object else 0.0) if said is None else said
            self.reduces = self.reduces or each < 0
            points = InputPoints(each, _is_required(element), self._fields(type_))
            self._known[id(element)] = points if each or points.fields else None
        return self._known[id(element)]

    def _fields(self, type_: GraphQLNamedType) -> dict[str, InputPoints]:
        if not isinstance(type_, GraphQLInputObjectType):
            return {}
        if type_.name not in self._types:
            # Entered before it is filled: inputs may hold themselves.
            fields = self._types[type_.name] = {}
            found = {name: self.of(element) for name, element in type_.fields.items()}
            fields.update({name: points for name, points in found.items() if points is not None})
        return self._types[type_.name]


def _is_required(element: GraphQLArgument | GraphQLInputField) -> bool:
    if isinstance(element, GraphQLArgument):
        return is_required_argument(element)
    return is_required_input_field(element)


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
