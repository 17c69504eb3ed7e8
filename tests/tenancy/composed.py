"""Every way in which a statement is composed: each list by each ordering, filter and parent; groups by each key."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

import asyncpg

from loaders import lists
from loaders.deal_groups import KEYS, SORTS, GroupRequest, deal_groups
from loaders.keyset import (
    Filters,
    ListSource,
    PageRequest,
    Position,
    count_nested_rows,
    count_rows,
    read_nested_pages,
    read_page,
)
from loaders.reads import Reads, Statement
from tests.tenancy.twins import TWIN_KEYS, operation_id

SOURCES = (lists.DEALS, lists.COMPANIES, lists.CONTACTS, lists.ACTIVITIES, lists.TASKS, lists.MEMBERS, lists.AUDIT)
PAGE = 100
PARENT_IDS = (*TWIN_KEYS, 11, 12, 13, 14)

LEAST = {"text": "", "timestamptz": "1900-01-01", "date": "1900-01-01", "bigint": "0", "integer": "0"}
"""A value before all others, by the type of an ordering."""

VALUES: dict[str, object] = {
    "outcomes": ("open", "won", "lost"),
    "kinds": ("call", "email", "meeting", "note"),
    "priorities": ("low", "normal", "high"),
    "roles": ("viewer", "rep", "manager", "admin"),
    "amount_min": Decimal(0),
    "amount_max": Decimal(10**15),
    "is_open": True,
    "active": True,
    "operation_ids": tuple(operation_id(key) for key in TWIN_KEYS),
    "since": datetime(1900, 1, 1, tzinfo=UTC),
    "until": datetime(2100, 1, 1, tzinfo=UTC),
}
WORDS = {"actions": "action", "teams": "team", "regions": "region", "industries": "industry"}


class Asked(NamedTuple):
    """A statement and its rows."""

    statement: Statement
    rows: list[asyncpg.Record]


class Recorder:
    """Reads of a connection, of which the last one is kept."""

    def __init__(self, connection: asyncpg.Connection, tenant_id: int) -> None:
        self.tenant_id = tenant_id
        self.last: Asked
        self._connection = connection

    async def begin(self) -> None:
        """Sets the tenant until the transaction's end: a search takes it from there."""
        await self._connection.execute(f"SET LOCAL app.tenant_id = '{self.tenant_id}'")

    async def fetch(self, statement: Statement, *arguments: object) -> list[asyncpg.Record]:
        self.last = Asked(statement, await self._connection.fetch(statement.sql, self.tenant_id, *arguments))
        return self.last.rows


Ask = Callable[[Reads, str], Awaitable[object]]
"""Issues one statement, given a tenant's reads and its mark."""


def fitting(name: str, mark: str) -> object:
    """A value of a filter that all records of a tenant fit that have any."""
    if name in WORDS:
        return (f"{mark} {WORDS[name]}",)
    if name == "search":
        return f"%{mark}%"
    if name in VALUES:
        return VALUES[name]
    if name.endswith("_from"):
        return date(1900, 1, 1)
    return date(2100, 1, 1) if name.endswith("_to") else PARENT_IDS


def _filters(names: tuple[str, ...], mark: str) -> Filters:
    return tuple((name, fitting(name, mark)) for name in names)


def _asks(source: ListSource[Any]) -> Iterator[Ask]:
    first = next(iter(source.orderings))
    for name, ordering in source.orderings.items():
        least = Position(LEAST[ordering.sql_type], 0)
        yield partial(_page, source, PageRequest(name, False, PAGE), ())
        yield partial(_page, source, PageRequest(name, False, PAGE, least), ())
        yield partial(_page, source, PageRequest(name, True, PAGE, least, backwards=True), ())
        if ordering.nullable:
            yield partial(_page, source, PageRequest(name, False, PAGE, Position(None, 0), backwards=True), ())
    for names in [(), *((name,) for name in source.filters), tuple(source.filters)]:
        yield partial(_page, source, PageRequest(first, False, PAGE), names)
        yield partial(_count, source, names)
        for parent in source.parents:
            yield partial(_nested_page, source, parent, PageRequest(first, False, PAGE), names)
            yield partial(_nested_count, source, parent, names)


async def _page(source: ListSource[Any], request: PageRequest, names: tuple[str, ...], reads: Reads, mark: str) -> None:
    await read_page(reads, source, _with(request, names, mark))


async def _nested_page(
    source: ListSource[Any], parent: str, request: PageRequest, names: tuple[str, ...], reads: Reads, mark: str
) -> None:
    await read_nested_pages(reads, source, parent, _with(request, names, mark), PARENT_IDS)


async def _count(source: ListSource[Any], names: tuple[str, ...], reads: Reads, mark: str) -> None:
    await count_rows(reads, source, _filters(names, mark))


async def _nested_count(source: ListSource[Any], parent: str, names: tuple[str, ...], reads: Reads, mark: str) -> None:
    await count_nested_rows(reads, source, parent, _filters(names, mark), PARENT_IDS)


def _with(request: PageRequest, names: tuple[str, ...], mark: str) -> PageRequest:
    return replace(request, filters=_filters(names, mark))


def _group_asks() -> Iterator[Ask]:
    every = [*((key,) for key in KEYS), *combinations(KEYS, 2)]
    for keys in every:
        yield partial(_groups, keys, keys[0], ())
    for order in SORTS:
        yield partial(_groups, ("team", "industry", "product"), order, tuple(lists.DEAL_FILTERS))
    for name in lists.DEAL_FILTERS:
        yield partial(_groups, ("owner",), "value", (name,))


async def _groups(keys: tuple[str, ...], order: str, names: tuple[str, ...], reads: Reads, mark: str) -> None:
    await deal_groups(reads, GroupRequest(keys, order, False, PAGE, _filters(names, mark)))


COMPOSED: dict[str, list[Ask]] = {
    **{source.name: list(_asks(source)) for source in SOURCES},
    "groups of deals": list(_group_asks()),
}
"""By what is read."""
