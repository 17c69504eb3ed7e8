"""Every statement that the lists compose: each ordering, position, filter and nesting, as the loaders issue them."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

from loaders.keyset import (
    ListSource,
    PageRequest,
    Position,
    count_nested_rows,
    count_rows,
    read_nested_pages,
    read_page,
)
from loaders.lists import ACTIVITIES, COMPANIES, CONTACTS, DEALS, MEMBERS, TASKS
from loaders.reads import Statement

TENANT = 1
SIZE = 20
LISTS: list[ListSource[Any]] = [DEALS, COMPANIES, CONTACTS, ACTIVITIES, TASKS, MEMBERS]
FIRST_ID = 1_000_000
IDS = [FIRST_ID + n for n in (3, 4, 5)]

# What a caller might filter by, in the tenant whose plans are looked at.
DAYS = {"from": date(2024, 3, 1), "to": date(2024, 4, 1)}
VALUES: dict[str, object] = {
    "ids": IDS,
    "amount_min": Decimal(19_000),
    "amount_max": Decimal(500),
    "outcomes": ["open"],
    "kinds": ["meeting"],
    "priorities": ["high"],
    "roles": ["rep"],
    "teams": ["Team 2"],
    "regions": ["Region 1"],
    "industries": ["Industry 3"],
    "is_open": True,
    "active": True,
    "search": "%abc%",
}
MIDDLES = {
    "timestamptz": "2023-06-01T00:00:00+00:00",
    "text": "8",
    "bigint": "50000000",
    "date": "2023-06-01",
    "integer": "250",
}


@dataclass(frozen=True)
class Composed:
    """A statement with its arguments, the tenant first."""

    label: str
    sql: str
    arguments: Sequence[object]
    request: PageRequest | None = None
    parent: str | None = None


@dataclass
class Recorder:
    """Reads that find nothing, and keep what they were asked for."""

    tenant_id: int = TENANT
    asked: list[tuple[Statement, tuple[object, ...]]] = field(default_factory=list)

    async def fetch(self, statement: Statement, *arguments: object) -> Sequence[Sequence[Any]]:
        self.asked.append((statement, (self.tenant_id, *arguments)))
        return [(0,)] if statement.name.endswith("_count") else []

    def composed(self, label: str, request: PageRequest | None = None, parent: str | None = None) -> Composed:
        statement, arguments = self.asked[-1]
        return Composed(label, statement.sql, arguments, request, parent)


async def pages(source: ListSource[Any]) -> AsyncIterator[Composed]:
    """Pages without a filter: each ordering, both ways, from every kind of position."""
    for request, place in _requests(source):
        reads = Recorder()
        await read_page(reads, source, request)
        yield reads.composed(f"{_order(request)} {place}", request)


async def nested_pages(source: ListSource[Any], parent: str) -> AsyncIterator[Composed]:
    """The same under several parents."""
    for request, place in _requests(source):
        reads = Recorder()
        await read_nested_pages(reads, source, parent, request, IDS)
        yield reads.composed(f"{_order(request)} {place}", request, parent)


async def filtered(source: ListSource[Any]) -> AsyncIterator[Composed]:
    """The first page under each filter alone, in each ordering; its count, alone and under parents."""
    for name in source.filters:
        filters = ((name, value_of(name)),)
        for ordering in source.orderings:
            reads = Recorder()
            request = PageRequest(ordering, descending=True, size=SIZE, filters=filters)
            await read_page(reads, source, request)
            yield reads.composed(f"{name}, {_order(request)}", request)
        await count_rows(reads, source, filters)
        yield reads.composed(f"{name}, count")


async def counts(source: ListSource[Any]) -> AsyncIterator[Composed]:
    """How long the list is, alone and under each kind of parent."""
    reads = Recorder()
    await count_rows(reads, source, ())
    yield reads.composed("count")
    for parent in source.parents:
        await count_nested_rows(reads, source, parent, (), IDS)
        yield reads.composed(f"count by {parent}", parent=parent)


def value_of(name: str) -> object:
    """A value for a filter: that of its name, that of its kind of id, or a day."""
    if name in VALUES:
        return VALUES[name]
    return IDS if name.endswith("_ids") else DAYS[name.rpartition("_")[2]]


def _requests(source: ListSource[Any]) -> Iterator[tuple[PageRequest, str]]:
    for (name, ordering), descending in product(source.orderings.items(), (False, True)):
        start = PageRequest(name, descending, SIZE)
        middle = Position(MIDDLES[ordering.sql_type], FIRST_ID)
        yield start, "from the beginning"
        yield replace(start, backwards=True), "from the end"
        yield replace(start, position=middle), "after"
        yield replace(start, position=middle, backwards=True), "before"
        if ordering.nullable:
            nothing = Position(None, FIRST_ID)
            yield replace(start, position=nothing), "after one without a value"
            yield replace(start, position=nothing, backwards=True), "before one without a value"


def _order(request: PageRequest) -> str:
    return f"by {request.ordering} {'desc' if request.descending else 'asc'}"
