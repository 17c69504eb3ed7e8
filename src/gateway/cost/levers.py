"""What of an operation could be less: an argument, by what the schema's directives say of it, or a field as a whole.

A lever says nothing of what it would save: it is tried, on an opened operation (`Price.opened`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from graphql import GraphQLEnumType, get_named_type, get_nullable_type, is_leaf_type, is_required_argument

from gateway.cost.arguments import ABSENT, Argument, at, is_given, put, without
from gateway.cost.measures import (
    INTERVAL_DAYS,
    MOST_ENTRIES,
    MOST_SHARE,
    WEIGHED_DAYS,
    InputPoints,
    InputScale,
    days,
    entries,
)
from gateway.cost.prices import LENT, PERIOD, Path
from gateway.cost.program import Variables
from gateway.cost.weighing import Site

MOST_WEIGHED_DAYS = round(WEIGHED_DAYS * MOST_SHARE)
"""No weight grows with a period beyond."""


@dataclass(frozen=True, slots=True)
class Lever:
    """A `change`, such as "A smaller", of arguments of a `field`, `names`: dotted; without names, of a field itself.

    `values`: what there could be, the cheapest first; `changes`: what each changes of an opened operation; `limit`: how
    it is told.
    """

    change: str
    names: tuple[str, ...]
    values: Sequence[Any]
    changes: Callable[[Any], Variables]
    limit: Callable[[Any], str] = lambda _value: ""
    field: Path = ()

    @property
    def subject(self) -> str:
        """How it is told that something could be less."""
        names = " and ".join(f"`{name}`" for name in self.names)
        return f"{self.change} {names} of `{'.'.join(self.field)}`" if names else self.change


def leaving_out(places: Iterable[str]) -> Lever:
    """A field, which may stand in several places: in each type that an interface may be."""
    nothing = dict.fromkeys(places, 0.0)
    return Lever("Leaving it out", (), (0.0,), lambda _value: nothing)


def levers(site: Site, inputs: InputScale) -> tuple[Lever, ...]:
    """A field's arguments that could be less, so that it costs less or what is below it does."""
    found = (*_sizes(site), *_periods(site), *_inputs(site, inputs), *_factors(site))
    # What sizes a list may weigh something too: one lever, which knows the dearest.
    by_words = {(lever.change, lever.names): lever for lever in found if lever.values}
    return tuple(by_words.values())


def _sizes(site: Site) -> Iterator[Lever]:
    size = site.price.size
    if size is None:
        return
    if size.interval is not None and PERIOD in site.reach:
        yield from _longer(site, site.reach[size.interval])
        return
    told = {path: at(site.reach[path[0]].read({}), path[1:]) for path in size.slicing}
    given = [path for path in size.slicing if told[path] is not None]
    for path in given or [path for path in size.slicing if _is_number(site, path)][:1]:
        yield _fewer(site.reach[path[0]], path, told[path])


def _is_number(site: Site, path: Path) -> bool:
    """Whether it could be given where nothing is."""
    return len(path) == 1 and is_leaf_type(get_nullable_type(site.definition.args[path[0]].type))


def _periods(site: Site) -> Iterator[Lever]:
    if PERIOD in site.definition.args:
        yield _shorter(site.reach[PERIOD])


def _inputs(site: Site, inputs: InputScale) -> Iterator[Lever]:
    for name, definition in site.definition.args.items():
        points = inputs.of(definition)
        if points is not None:
            yield from _input(site.reach[name], points, site.reach[name].read({}), (name,))


def _input(argument: Argument, points: InputPoints, value: Any, path: Path) -> Iterator[Lever]:
    if isinstance(value, list):
        yield _fewer(argument, path, sorted(value, key=points, reverse=True) if points.fields else value)
    elif isinstance(value, Mapping):
        for name, inner in points.fields.items():
            yield from _input(argument, inner, value.get(name), (*path, name))
    elif value not in ABSENT and not points.required:
        yield _going_without([(argument, path)])


def _factors(site: Site) -> Iterator[Lever]:
    """All that is given of what brings a factor about, here or further down: one alone would leave it."""
    lent = [((name,),) for name in sorted(LENT - {PERIOD})]
    for paths in (*(factor.when for factor in site.price.factors), *lent):
        given = [(site.reach[path[0]], path) for path in paths if _may_go(site, path)]
        if given:
            yield _going_without(given)


def _may_go(site: Site, path: Path) -> bool:
    definition = site.definition.args.get(path[0])
    if definition is None or (len(path) == 1 and is_required_argument(definition)):
        return False
    return is_given(site.reach[path[0]].read({}), path[1:])


def _fewer(argument: Argument, path: Path, told: Any) -> Lever:
    """`told`: a number, or a list, the dearest first: of so many entries, it may be any."""

    def changes(count: int) -> Variables:
        return {argument.key: put(argument.read({}), path[1:], told[:count] if is_list else count)}

    is_list, found = isinstance(told, list), entries(told)
    values = range(1, MOST_ENTRIES if found is None else found)
    return Lever("Fewer" if is_list else "A smaller", (".".join(path),), values, changes, "at most {}".format)


def _shorter(argument: Argument) -> Lever:
    def changes(count: int) -> Variables:
        ends = {"from": date.min.isoformat(), "to": (date.min + timedelta(count)).isoformat()}
        return {argument.key: {"range": ends}}

    def limit(count: int) -> str:
        return f"at most {count} day{'' if count == 1 else 's'}"

    found = days(argument.read({}))
    return Lever("A shorter", (PERIOD,), range(1, MOST_WEIGHED_DAYS + 1 if found is None else found), changes, limit)


def _longer(site: Site, argument: Argument) -> Iterator[Lever]:
    type_, told = get_named_type(site.definition.args[argument.name].type), argument.read({})
    if isinstance(type_, GraphQLEnumType):
        length = INTERVAL_DAYS.get(told, 1) if isinstance(told, str) else 1
        longer = [name for name in type_.values if INTERVAL_DAYS.get(name, 0) > length]
        longest_first = sorted(longer, key=lambda name: -INTERVAL_DAYS[name])
        yield Lever("A longer", (argument.name,), longest_first, lambda value: {argument.key: value}, str)


def _going_without(given: Sequence[tuple[Argument, Path]]) -> Lever:
    changes: dict[str, Any] = {}
    for argument, path in given:
        changes[argument.key] = without(changes.get(argument.key, argument.read({})), path[1:])
    return Lever("Going without", tuple(".".join(path) for _, path in given), (None,), lambda _value: changes)
