"""What every loader reads through: named statements, and a tenant's snapshot that runs them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Protocol, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a file `sql/<source>.sql`. Its `$1` is always the tenant, so that none can forget it.

    `planned_once`: one plan suits all values, because it goes by the same indexes whatever is asked and whoever asks;
    planning takes longer than running it. All others are planned with their values each time.
    """

    name: str
    source: str
    sql: str
    planned_once: bool = False


class Reads(Protocol):
    """A tenant's reads: every statement sees the same snapshot and is given the tenant as `$1`."""

    @property
    def tenant_id(self) -> int: ...

    async def fetch(self, statement: Statement, *arguments: object) -> Sequence[Sequence[Any]]:
        """The statement's rows, their values in the order of its columns."""


@cache
def statements(source: str, package: str = "loaders") -> Mapping[str, Statement]:
    """The statements of `sql/<source>.sql` in a package, by name."""
    text = (resources.files(package) / "sql" / f"{source}.sql").read_text(encoding="utf-8")
    return {statement.name: statement for statement in _parse(source, text)}


def every_statement() -> list[Statement]:
    """All statements of all sources, by source and in the order they are written."""
    sources = sorted(file.name.removesuffix(".sql") for file in (resources.files("loaders") / "sql").iterdir())
    return [statement for source in sources for statement in statements(source).values()]


def in_key_order(keys: Sequence[int], rows: Sequence[Row], key: Callable[[Row], int]) -> list[Row | None]:
    """One entry a key, in the order of the keys: its row, or None."""
    found = {key(row): row for row in rows}
    return [found.get(wanted) for wanted in keys]


def _parse(source: str, text: str) -> Iterator[Statement]:
    for block in text.split("-- name: ")[1:]:
        name, body = block.split("\n", 1)
        name, _, planned = name.strip().partition(" ")
        yield Statement(name, source, body.strip().rstrip(";"), planned == "(planned once)")
