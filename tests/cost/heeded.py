"""Operations of the made-up schema as advice would have them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

from gateway.cost.advice import Advice
from gateway.cost.prices import Path
from tests.cost.made_up import Chosen

Change = Callable[[Chosen], Chosen | None]


def at(selected: tuple[Chosen, ...], path: Path, change: Change) -> tuple[Chosen, ...]:
    """With the field at a path changed, or left out, where it becomes None."""
    found = []
    for one in selected:
        if one.key != path[0]:
            found.append(one)
        elif path[1:]:
            found.append(replace(one, below=at(one.below, path[1:], change)))
        elif (changed := change(one)) is not None:
            found.append(changed)
    return tuple(found) or (Chosen("__typename", "nothing"),)


def heeded(random: Random, selected: tuple[Chosen, ...], advice: Advice) -> tuple[Chosen, ...]:
    """As it is advised. Of a list, any entries may stay."""
    lever = advice.lever
    if not lever.names:
        return at(selected, advice.path, lambda _: None)

    def with_less(one: Chosen) -> Chosen:
        arguments = one.arguments
        for name in lever.names:
            arguments = _less(random, arguments, name.split("."), lever.change, advice.value)
        return replace(one, arguments=arguments)

    return at(selected, lever.field, with_less)


def _less(random: Random, inputs: Any, place: list[str], change: str, value: Any) -> Any:
    name, *further = place
    if isinstance(inputs, list):
        return [one for one in inputs if one != name]
    if further:
        return {**inputs, name: _less(random, inputs[name], further, change, value)}
    match change:
        case "Fewer":
            return {**inputs, name: random.sample(inputs[name], value)}
        case "A shorter":
            end = date(2026, 1, 1) + timedelta(value)
            return {**inputs, name: {"range": {"from": "2026-01-01", "to": end.isoformat()}}}
        case "Going without":
            return {kept: inputs[kept] for kept in inputs if kept != name}
    return {**inputs, name: value}
