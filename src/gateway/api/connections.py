"""Relay connections over the lists of the loaders: pages by keyset, at the root or nested under many parents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, Self, TypeVar

import strawberry

from gateway.api import costs
from gateway.api.context import Info
from gateway.api.cursors import read_cursor, scope_of, write_cursor
from gateway.api.pages import page_size
from gateway.api.selection import selected_names
from gateway.errors import BadUserInputError
from loaders.keyset import ListSource, Page, PageRequest, count_rows, read_page

NodeType = TypeVar("NodeType")
DEFAULT_SIZE = 20

PAGED = frozenset({"edges", "nodes", "pageInfo"})
"""Fields of a connection that need its page."""

NODES: dict[str, Callable[[Any], Any]] = {}
"""How a row of each list becomes a node. The module of each node enters its own: nodes nest each other's lists, so that
the lists cannot import them."""

After = Annotated[
    str | None, strawberry.argument(description="Begin after the entry of this cursor; goes with `first`.")
]
Last = Annotated[int | None, strawberry.argument(description="As `first`, counted from the end: from 0 to 100.")]
Before = Annotated[
    str | None, strawberry.argument(description="End before the entry of this cursor; goes with `last`.")
]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="Whether entries follow. Paging backwards: whether a cursor was given."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether entries precede. Paging forwards: whether a cursor was given."
    )
    start_cursor: str | None = strawberry.field(description="Cursor of the first entry; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last entry; null on an empty page.")


@strawberry.type(description="An entry of a page.")
class Edge(Generic[NodeType]):
    cursor: str = strawberry.field(
        description="Opaque place of the entry: good for this list, this ordering and this filter."
    )
    node: NodeType = strawberry.field(description="The entry itself.")


@dataclass(frozen=True, slots=True)
class Nesting:
    """The record that a list is nested under: the name of its kind in the list's `parents`, and its key."""

    parent: str
    key: int


@dataclass(frozen=True, slots=True)
class Listing:
    """One list as one field asks for it."""

    source: ListSource[Any]
    request: PageRequest
    nesting: Nesting | None

    async def page(self, info: Info) -> Page[Any]:
        if self.nesting is None:
            return await read_page(info.context.snapshot, self.source, self.request)
        pages = info.context.loaders.pages(self.source, self.nesting.parent, self.request)
        return await pages.load(self.nesting.key)

    async def count(self, info: Info) -> int:
        filters = self.request.filters
        if self.nesting is None:
            return await count_rows(info.context.snapshot, self.source, filters)
        return await info.context.loaders.counts(self.source, self.nesting.parent, filters).load(self.nesting.key)


@strawberry.type(description="A page of a list.")
class Connection(Generic[NodeType]):
    listing: strawberry.Private[Listing]
    page: strawberry.Private[Page[Any]]
    scope: strawberry.Private[bytes]

    @strawberry.field(description="The entries with their cursors, in order.")
    def edges(self) -> list[Edge[NodeType]]:
        places = zip(self.page.positions, self._nodes(), strict=True)
        return [Edge(cursor=write_cursor(self.scope, position), node=node) for position, node in places]

    @strawberry.field(description="The entries alone, in order.")
    def nodes(self) -> list[NodeType]:
        return self._nodes()

    @strawberry.field(description="Where the page lies in the list.")
    def page_info(self) -> PageInfo:
        ends = [write_cursor(self.scope, position) for position in (self.page.positions[:1] + self.page.positions[-1:])]
        return _page_info(self.listing.request, self.page, ends)

    @strawberry.field(
        description="Entries of the whole list under its filter. Counted only when asked for.", directives=costs.LENGTH
    )
    async def total_count(self, info: Info) -> int:
        return await self.listing.count(info)

    @classmethod
    async def read(cls, info: Info, listing: Listing) -> Self:
        """Reads the page that a listing asks for; none when only its length is wanted."""
        paged = not PAGED.isdisjoint(selected_names(info._raw_info))
        page: Page[Any] = await listing.page(info) if paged else Page([], [], False)
        info.context.spend(len(page.rows))
        scope = scope_of(info.context.tenant_id or 0, listing.source.name, listing.request)
        return cls(listing=listing, page=page, scope=scope)

    def _nodes(self) -> list[NodeType]:
        node = NODES[self.listing.source.name]
        return [node(row) for row in self.page.rows]


@dataclass(frozen=True, slots=True)
class Slice:
    """The slicing arguments of one connection field."""

    first: int | None
    after: str | None
    last: int | None
    before: str | None

    def listing(
        self,
        info: Info,
        source: ListSource[Any],
        ordering: str,
        descending: bool,
        filters: Sequence[tuple[str, object]],
        nesting: Nesting | None = None,
    ) -> Listing:
        """What to read. Raises BAD_USER_INPUT or CURSOR_INVALID."""
        backwards = self._backwards()
        name = "last" if backwards else "first"
        size = page_size(info, self.last if backwards else self.first, default=DEFAULT_SIZE, argument=name)
        request = PageRequest(ordering, descending, size, backwards=backwards, filters=tuple(filters))
        cursor = self.before if backwards else self.after
        if cursor is not None:
            scope = scope_of(info.context.tenant_id or 0, source.name, request)
            position = read_cursor(scope, cursor, "before" if backwards else "after")
            request = replace(request, position=position)
        return Listing(source, request, nesting)

    def _backwards(self) -> bool:
        if self.first is not None and self.last is not None:
            raise _clash("`first` and `last` exclude each other.", "last")
        backwards = self.last is not None or self.before is not None
        if backwards and (self.first is not None or self.after is not None):
            raise _clash("`after` goes with `first`, `before` goes with `last`.", "before")
        return backwards


def _page_info(request: PageRequest, page: Page[Any], ends: Sequence[str]) -> PageInfo:
    behind = request.position is not None
    return PageInfo(
        has_next_page=behind if request.backwards else page.more,
        has_previous_page=page.more if request.backwards else behind,
        start_cursor=ends[0] if ends else None,
        end_cursor=ends[-1] if ends else None,
    )


def _clash(message: str, argument: str) -> BadUserInputError:
    return BadUserInputError(message, extensions={"path": [argument]})
