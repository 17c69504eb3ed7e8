"""What every loader reads through: named statements, and a tenant's snapshot that runs them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Protocol, TypeVar

Row = TypeVar("Row")

LOADERS = "loaders"
DECLARED = re.compile(r"-- (reads|writes): (.+)\n")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a file `sql/<source>.sql`. Its `$1` is always the tenant, so that none can forget it.

    `reads`: the tables of schema public that its rows come from, for a rollup the one that it sums: until one of them
    changes, the same arguments find the same, but for a clock. `writes`: the tables that it may change, by triggers
    too. A loader's statement declares what it reads, a command's what it writes.

    `planned_once`: one plan suits all values, because it goes by the same indexes whatever is asked and whoever asks;
    planning takes longer than running it. All others are planned with their values each time.
    """

    name: str
    source: str
    sql: str
    reads: frozenset[str]
    writes: frozenset[str] = frozenset()
    planned_once: bool = False


class Reads(Protocol):
    """A tenant's reads: every statement sees the same snapshot and is given the tenant as `$1`."""

    @property
    def tenant_id(self) -> int: ...

    async def fetch(self, statement: Statement, *arguments: object) -> Sequence[Sequence[Any]]:
        """The statement's rows, their values in the order of its columns."""


@cache
def statements(source: str, package: str = LOADERS) -> Mapping[str, Statement]:
    """The statements of `sql/<source>.sql` in a package, by name."""
    text = (resources.files(package) / "sql" / f"{source}.sql").read_text(encoding="utf-8")
    return {statement.name: statement for statement in parse(source, text, must_read=package == LOADERS)}


def every_statement() -> list[Statement]:
    """All statements of all sources, by source and in the order they are written."""
    sources = sorted(file.name.removesuffix(".sql") for file in (resources.files(LOADERS) / "sql").iterdir())
    return [statement for source in sources for statement in statements(source).values()]


def in_key_order(keys: Sequence[int], rows: Sequence[Row], key: Callable[[Row], int]) -> list[Row | None]:
    """One entry a key, in the order of the keys: its row, or None."""
    found = {key(row): row for row in rows}
    return [found.get(wanted) for wanted in keys]


def parse(source: str, text: str, *, must_read: bool) -> Iterator[Statement]:
    """The statements of a file's text. Right below a name stand the lines `-- reads:` and `-- writes:`, as far as they
    are needed. Raises ValueError for a statement that `must_read` and does not say what."""
    for block in text.split("-- name: ")[1:]:
        name, body = block.split("\n", 1)
        name, _, planned = name.strip().partition(" ")
        tables, sql = _declared(body)
        if must_read and not tables["reads"]:
            raise ValueError(f"{name} in {source}.sql does not say what it reads")
        yield Statement(name, source, sql.strip().rstrip(";"), **tables, planned_once=planned == "(planned once)")


def _declared(body: str) -> tuple[dict[str, frozenset[str]], str]:
    """The tables that a statement says it reads and writes, and what follows."""
    tables = {"reads": frozenset[str](), "writes": frozenset[str]()}
    while found := DECLARED.match(body):
        tables[found[1]] = frozenset(found[2].split(", "))
        body = body[found.end() :]
    return tables, body
