"""What a rollup is: contributions of single rows of one table, summed by keys.

An expression may use the row's own columns and immutable functions, nothing else: only then does a change of the row
say all that changes in the sums. Sums and counts fold, other aggregates do not. Both are checked when a rollup is
declared.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.rollups.expression import columns_of, faults

MEASURE_TYPES = frozenset({"bigint", "integer", "numeric"})
"""Types whose sums are exact in any order."""

KEY_TYPES = frozenset({"bigint", "integer", "date", "text", "boolean"})

NAME = re.compile(r"[a-z][a-z_]{0,40}")


RESERVED = frozenset({"changed", "groups", "differing", "identity"})


class DeclarationError(ValueError):
    """A rollup that could not be exact, refused with the reason."""


@dataclass(frozen=True, slots=True)
class Table:
    """A base table and the columns that contributions may use. Its key is `(tenant_id, id)`."""

    name: str
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Key:
    """What sums are grouped by, besides the tenant. `absent`: stands for null, so that groups are unique."""

    name: str
    sql_type: str = "bigint"
    absent: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A sum over rows: of 1 (a count) or of an expression, over those rows for which `where` holds."""

    expression: str
    sql_type: str
    where: str | None = None


def count(where: str | None = None) -> Measure:
    """How many rows."""
    return Measure("1", "bigint", where)


def total(expression: str, where: str | None = None, *, sql_type: str = "numeric") -> Measure:
    """The sum of an expression, null counting as 0."""
    return Measure(expression, sql_type, where)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a row for which `where` holds adds to one group.

    `keys`: name → expression, for the keys that are not named like a column.
    """

    where: str
    measures: Mapping[str, Measure]
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rollup:
    """A rollup of one table. One row may contribute to several groups: created on one day, won on another.

    The base has a unique index over the tenant and `keys`, in that order, and one over the tenant and each of
    `indexes`.
    """

    name: str
    table: Table
    keys: tuple[Key, ...]
    contributions: tuple[Contribution, ...]
    comment: str
    indexes: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        for fault in self._faults():
            raise DeclarationError(fault)

    @property
    def measures(self) -> dict[str, str]:
        """Every measure with its type, in the order of first mention."""
        return {
            name: measure.sql_type
            for contribution in self.contributions
            for name, measure in contribution.measures.items()
        }

    def key_expression(self, key: Key, contribution: Contribution) -> str:
        """The key's value for a row."""
        expression = contribution.keys.get(key.name, key.name)
        return expression if key.absent is None else f"coalesce({expression}, {key.absent})"

    def columns(self, contribution: Contribution) -> set[str]:
        """The columns of the row that a contribution depends on."""
        expressions = self.expressions(contribution)
        return {name for expression in expressions for name in columns_of(expression)} & self.table.columns

    def expressions(self, contribution: Contribution) -> list[str]:
        """The expressions of a row that a contribution is made of."""
        return [
            contribution.where,
            *(contribution.keys.get(key.name, key.name) for key in self.keys),
            *(measure.expression for measure in contribution.measures.values()),
            *(measure.where for measure in contribution.measures.values() if measure.where is not None),
        ]

    def _faults(self) -> Iterator[str]:
        if not self.keys or not self.measures:
            yield f"{self.name}: needs at least one key and one measure"
        yield from self._name_faults()
        yield from self._type_faults()
        for contribution in self.contributions:
            for expression in self.expressions(contribution):
                yield from self._expression_faults(expression, self.table.columns)
            for unknown in sorted(set(contribution.keys) - {key.name for key in self.keys}):
                yield f"{self.name}: {unknown} is no key of it"
        for absent in (key.absent for key in self.keys if key.absent is not None):
            yield from self._expression_faults(absent, frozenset())

    def _expression_faults(self, expression: str, columns: frozenset[str]) -> Iterator[str]:
        for fault in faults(expression, self.table.name, columns):
            yield f"{self.name}: in `{expression}`, {fault}"

    def _name_faults(self) -> Iterator[str]:
        names = ["tenant_id", *(key.name for key in self.keys), *self.measures]
        for name in (self.name, self.table.name, *names[1:]):
            if not NAME.fullmatch(name):
                yield f"{name!r} is not a name: lower-case letters and underscores"
            if name in RESERVED:
                yield f"{self.name}: {name} is a name that the rendered SQL has for something else"
        for name, times in Counter(names).items():
            if times > 1:
                yield f"{self.name}: {name} names two of its columns"
        for index in self.indexes:
            for unknown in sorted(set(index) - {key.name for key in self.keys}):
                yield f"{self.name}: {unknown} is no key of it"
        if "\n" in self.comment:
            yield f"{self.name}: its comment has more than one line"

    def _type_faults(self) -> Iterator[str]:
        for key in self.keys:
            if key.sql_type not in KEY_TYPES:
                yield f"{self.name}: {key.name} is {key.sql_type}, and a key is {_either(KEY_TYPES)}"
        for contribution in self.contributions:
            for name, measure in contribution.measures.items():
                if measure.sql_type not in MEASURE_TYPES:
                    yield f"{self.name}: {name} is {measure.sql_type}, and exact sums are {_either(MEASURE_TYPES)}"
                if measure.sql_type != self.measures[name]:
                    yield f"{self.name}: {name} is {measure.sql_type} and {self.measures[name]}"


def _either(types: frozenset[str]) -> str:
    *most, last = sorted(types)
    return f"{', '.join(most)} or {last}"
