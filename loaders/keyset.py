"""Pages of a list by keyset: SQL composed from declared parts, the values always parameters.

A page begins at a position, the ordering's value and the id of a row, not at a count of rows: it stays right while rows
are inserted and deleted, and page 900 costs what page 1 costs. Rows without a value come last, in either direction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from loaders.reads import Reads, Statement

Row = TypeVar("Row")

Filters = tuple[tuple[str, object], ...]
"""Conditions of a list by name, each with its value, which is hashable: several values are a tuple. Joined by AND."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """What a list may be ordered by. `expression` is over the alias `r`."""

    expression: str
    sql_type: str
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class ListSource(Generic[Row]):
    """A list: its columns, which rows belong to it, what it may be ordered and filtered by.

    `filters`: name → condition over `r` with `{}` for its value; `parents`: name → column that nests it under a record.
    `columns_read`, `filters_read`: the tables beside the list's own that its columns, and filters by name, read.
    """

    name: str
    table: str
    columns: str
    belongs: str
    row: Callable[..., Row]
    orderings: Mapping[str, Ordering]
    filters: Mapping[str, str]
    parents: Mapping[str, str]
    columns_read: frozenset[str] = frozenset()
    filters_read: Mapping[str, str] = field(default_factory=dict)


class Position(NamedTuple):
    """A row in an ordering: its value as text, None where it has none, and its id."""

    value: str | None
    id: int


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`size` rows after a position, or before it when `backwards`; without one, from the beginning or the end."""

    ordering: str
    descending: bool
    size: int
    position: Position | None = None
    backwards: bool = False
    filters: Filters = ()


class Page(NamedTuple, Generic[Row]):
    """Rows in the list's order, each with its position; `more`: whether the list goes on in the page's direction."""

    rows: list[Row]
    positions: list[Position]
    more: bool


class Parameters:
    """Values of a statement, numbered as they are first used. `$1` is the tenant's."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def add(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values) + 1}"


async def read_page(reads: Reads, source: ListSource[Row], request: PageRequest) -> Page[Row]:
    """One page of a list. Source: the list's table."""
    parameters = Parameters()
    sql = _page_sql(source, request, parameters, filter_conditions(source, request.filters, parameters))
    statement = Statement(f"{source.name}_page", "keyset", sql, _page_tables(source, request))
    rows = await reads.fetch(statement, *parameters.values)
    return _page(source, request, rows)


async def read_nested_pages(
    reads: Reads, source: ListSource[Row], parent: str, request: PageRequest, parent_ids: Sequence[int]
) -> list[Page[Row]]:
    """The page of each parent, in the order of `parent_ids`, by one statement. Source: the list's table."""
    parameters = Parameters()
    keys = parameters.add(parent_ids)
    conditions = [f"r.{source.parents[parent]} = parent.id", *filter_conditions(source, request.filters, parameters)]
    page = _page_sql(source, request, parameters, conditions)
    sql = (
        f"SELECT parent.id, page.* FROM unnest({keys}::bigint[]) WITH ORDINALITY AS parent (id, place) "
        f"CROSS JOIN LATERAL ({page}) AS page ORDER BY parent.place, {_outer_order(request)}"
    )
    statement = Statement(f"{source.name}_by_{parent}", "keyset", sql, _page_tables(source, request))
    rows = await reads.fetch(statement, *parameters.values)
    found: dict[int, list[Sequence[Any]]] = {parent_id: [] for parent_id in parent_ids}
    for row in rows:
        found[row[0]].append(row[1:])
    return [_page(source, request, found[parent_id]) for parent_id in parent_ids]


async def count_rows(reads: Reads, source: ListSource[Row], filters: Filters) -> int:
    """How many rows a list has. Source: the list's table."""
    parameters = Parameters()
    where = _where(source, filter_conditions(source, filters, parameters))
    sql = f"SELECT count(*) FROM {source.table} AS r WHERE {where}"
    statement = Statement(f"{source.name}_count", "keyset", sql, filter_tables(source, filters))
    ((count,),) = await reads.fetch(statement, *parameters.values)
    return int(count)


async def count_nested_rows(
    reads: Reads,
    source: ListSource[Row],
    parent: str,
    filters: Filters,
    parent_ids: Sequence[int],
) -> list[int]:
    """How many rows each parent has, in the order of `parent_ids`. Source: the list's table."""
    parameters = Parameters()
    column = f"r.{source.parents[parent]}"
    keys = parameters.add(parent_ids)
    where = _where(source, [f"{column} = ANY({keys}::bigint[])", *filter_conditions(source, filters, parameters)])
    sql = f"SELECT {column}, count(*) FROM {source.table} AS r WHERE {where} GROUP BY {column}"
    statement = Statement(f"{source.name}_count_by_{parent}", "keyset", sql, filter_tables(source, filters))
    rows = await reads.fetch(statement, *parameters.values)
    counts = {row[0]: row[1] for row in rows}
    return [counts.get(parent_id, 0) for parent_id in parent_ids]


def filter_conditions(source: ListSource[Row], filters: Filters, parameters: Parameters) -> list[str]:
    """The conditions of a filter over `r`, their values added to the parameters."""
    return [source.filters[name].format(parameters.add(value)) for name, value in filters]


def filter_tables(source: ListSource[Row], filters: Filters) -> frozenset[str]:
    """The tables that tell which rows a filtered list has."""
    others = (source.filters_read.get(name, source.table) for name, _value in filters)
    return frozenset({source.table, *others})


def _page_tables(source: ListSource[Row], request: PageRequest) -> frozenset[str]:
    return source.columns_read | filter_tables(source, request.filters)


def _where(source: ListSource[Row], conditions: Sequence[str]) -> str:
    return " AND ".join(["r.tenant_id = $1", source.belongs, *conditions])


def _page_sql(source: ListSource[Row], request: PageRequest, parameters: Parameters, conditions: Sequence[str]) -> str:
    """The rows of a page and one more, each with its sort value as text and its id behind its columns."""
    limit = f"{parameters.add(request.size + 1)}::bigint"
    parts = [
        f"(SELECT {source.columns}, {source.orderings[request.ordering].expression} AS sort_value, r.id AS sort_id "
        f"FROM {source.table} AS r WHERE {_where(source, [*conditions, *part])} "
        f"ORDER BY {_inner_order(source, request)} LIMIT {limit})"
        for part in _parts(source.orderings[request.ordering], request, parameters)
    ]
    if len(parts) == 1:
        return parts[0][1:-1]
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) AS page ORDER BY {_outer_order(request)} LIMIT {limit}"


def _parts(ordering: Ordering, request: PageRequest, parameters: Parameters) -> list[list[str]]:
    """Rows with a value and rows without one are read apart, so that each part is one range of an index."""
    position, forwards = request.position, not request.backwards
    comparison = ">" if forwards != request.descending else "<"
    if position is None:
        return [[]] if not ordering.nullable else [[_has_value(ordering)], [_has_none(ordering)]]
    key = f"{parameters.add(position.id)}::bigint"
    if position.value is None:
        beside = [_has_none(ordering), f"r.id {comparison} {key}"]
        return [beside] if forwards else [[_has_value(ordering)], beside]
    value = f"{parameters.add(position.value)}::text::{ordering.sql_type}"
    beside = [f"({ordering.expression}, r.id) {comparison} ({value}, {key})"]
    return [beside, [_has_none(ordering)]] if ordering.nullable and forwards else [beside]


def _has_value(ordering: Ordering) -> str:
    return f"{ordering.expression} IS NOT NULL"


def _has_none(ordering: Ordering) -> str:
    return f"{ordering.expression} IS NULL"


def _direction(request: PageRequest) -> str:
    return "DESC" if request.descending != request.backwards else "ASC"


def _inner_order(source: ListSource[Row], request: PageRequest) -> str:
    direction = _direction(request)
    return f"{source.orderings[request.ordering].expression} {direction}, r.id {direction}"


def _outer_order(request: PageRequest) -> str:
    direction, nulls = _direction(request), "DESC" if request.backwards else "ASC"
    return f"(page.sort_value IS NULL) {nulls}, page.sort_value {direction}, page.sort_id {direction}"


def _page(source: ListSource[Row], request: PageRequest, rows: Sequence[Sequence[Any]]) -> Page[Row]:
    kept = list(rows[: request.size])
    if request.backwards:
        kept.reverse()
    return Page(
        [source.row(*row[:-2]) for row in kept],
        [Position(_as_text(row[-2]), row[-1]) for row in kept],
        len(rows) > request.size,
    )


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
