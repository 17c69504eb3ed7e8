"""What a rollup is: contributions of single rows of one table, summed by keys.

An expression may use the row's own columns and immutable functions, nothing else: only then does a change of the row
say all that changes in the sums. Sums and counts fold, other aggregates do not. Both are checked when a rollup is
declared.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

IMMUTABLE = frozenset({"coalesce", "nullif", "greatest", "least", "abs"})
"""Functions that an expression may call."""

WORDS = frozenset(
    {
        *("and", "or", "not", "is", "null", "true", "false", "in", "between", "distinct", "from"),
        *("case", "when", "then", "else", "end", "date"),
    }
)
"""Words of SQL that an expression may hold."""

AGGREGATES = frozenset(
    {
        *("avg", "min", "max", "count", "sum", "stddev", "variance", "median", "mode"),
        *("percentile_cont", "percentile_disc", "array_agg", "string_agg"),
    }
)

TOKEN = re.compile(r"'(?:[^']|'')*'|\d+(?:\.\d+)?|[A-Za-z_]\w*(?:\s*\.\s*\w+)*|::\s*\w+|\S")


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
        if not re.fullmatch(r"[a-z][a-z_]{0,40}", self.name):
            raise DeclarationError(f"{self.name!r} is not a name: lower-case letters and underscores")
        if not self.keys or not self.measures:
            raise DeclarationError(f"{self.name}: needs at least one key and one measure")
        for contribution in self.contributions:
            self._check(contribution)

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
        words = {word for expression in self._expressions(contribution) for word in TOKEN.findall(expression)}
        return words & self.table.columns

    def _expressions(self, contribution: Contribution) -> list[str]:
        return [
            contribution.where,
            *(contribution.keys.get(key.name, key.name) for key in self.keys),
            *(measure.expression for measure in contribution.measures.values()),
            *(measure.where for measure in contribution.measures.values() if measure.where),
        ]

    def _check(self, contribution: Contribution) -> None:
        for expression in self._expressions(contribution):
            self._check_expression(expression)
        if unknown := set(contribution.keys) - {key.name for key in self.keys}:
            raise DeclarationError(f"{self.name}: {', '.join(sorted(unknown))} is no key of it")

    def _check_expression(self, expression: str) -> None:
        tokens = TOKEN.findall(expression)
        for token, follower in zip(tokens, [*tokens[1:], ""], strict=True):
            if not re.match(r"[A-Za-z_]", token):
                continue
            word = token.lower()
            if "." in word:
                raise self._refused(expression, f"{token} is another table's column: join it at read time, or copy it")
            if word in AGGREGATES:
                raise self._refused(expression, f"{word} does not fold: declare sums and counts, divide at read time")
            if follower == "(" and word not in IMMUTABLE | WORDS:
                raise self._refused(expression, f"{word}() is not known to be immutable")
            if follower != "(" and word not in self.table.columns | WORDS:
                raise self._refused(expression, f"{self.table.name} has no column {token}")

    def _refused(self, expression: str, reason: str) -> DeclarationError:
        return DeclarationError(f"{self.name}: in `{expression}`, {reason}")
