"""Arithmetic that is prepared once and run with the variables of each request.

A term is a constant and multiples of slots. A slot is the number of one step; a step is computed once a run, from the
variables or from earlier steps, however often it is used: a run takes time by what was prepared, never by what that
multiplies to.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Variables = Mapping[str, Any]
"""Of a request, as they came: JSON."""

MOST_POINTS = 1e15
"""No price is higher: floats are exact for whole numbers up to there, and cannot overflow."""

Numbers = list[float]


@dataclass(frozen=True, slots=True)
class Term:
    """`constant`, and for each slot how many times its number."""

    constant: float = 0.0
    multiples: tuple[tuple[int, float], ...] = ()

    def number(self, numbers: Numbers) -> float:
        """What it is in a run."""
        total = self.constant
        for slot, times in self.multiples:
            total += times * numbers[slot]
        return min(MOST_POINTS, total)

    def times(self, factor: float) -> "Term":
        if factor == 1.0 or not factor:
            return self if factor else NOTHING
        multiples = tuple((slot, min(factor * times, MOST_POINTS)) for slot, times in self.multiples)
        return Term(min(factor * self.constant, MOST_POINTS), multiples)


NOTHING, ONE = Term(), Term(1.0)


class Program:
    """Takes terms together to new ones. `run` gives the numbers of all slots."""

    def __init__(self) -> None:
        self._steps: list[Callable[[Numbers, Variables], float]] = []
        self._read: dict[Hashable, Term] = {}

    def read(self, what: Hashable, measure: Callable[[Variables], float]) -> Term:
        """What a measure finds in the variables. `what` tells measures apart: one that was read before is not again."""
        if what not in self._read:
            self._read[what] = self._step(lambda _numbers, variables: measure(variables))
        return self._read[what]

    def sum(self, terms: Iterable[Term]) -> Term:
        constant, multiples = 0.0, dict[int, float]()
        for term in terms:
            constant += term.constant
            for slot, times in term.multiples:
                multiples[slot] = multiples.get(slot, 0.0) + times
        return Term(min(constant, MOST_POINTS), tuple(multiples.items()))

    def product(self, first: Term, second: Term) -> Term:
        if not first.multiples:
            return second.times(first.constant)
        if not second.multiples:
            return first.times(second.constant)
        return self._step(lambda numbers, _: first.number(numbers) * second.number(numbers))

    def largest(self, terms: Iterable[Term]) -> Term:
        """Of no terms: nothing."""
        several = list(dict.fromkeys(terms))
        if len(several) < 2:
            return several[0] if several else NOTHING
        if not any(term.multiples for term in several):
            return Term(max(term.constant for term in several))
        return self._step(lambda numbers, _: max(term.number(numbers) for term in several))

    def run(self, variables: Variables) -> Numbers:
        numbers: Numbers = []
        for step in self._steps:
            numbers.append(step(numbers, variables))
        return numbers

    def _step(self, step: Callable[[Numbers, Variables], float]) -> Term:
        self._steps.append(step)
        return Term(multiples=((len(self._steps) - 1, 1.0),))
