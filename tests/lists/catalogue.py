"""The lists as the schema offers them, and how to walk one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.api.ids import decode_id
from tests.conftest import Client

Json = dict[str, Any]


@dataclass(frozen=True)
class Listed:
    """A list: its field, which is its table's name, and its orderings with the columns that they stand for."""

    name: str
    type_name: str
    orderings: Mapping[str, str]
    alive: str = "deleted_at IS NULL"

    def __str__(self) -> str:
        return self.name

    def query(self, selection: str) -> str:
        """A query of the list at the root with all its arguments as variables."""
        return f"""query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: {self.type_name}Order,
                          $filter: {self.type_name}Filter) {{
          {self.name}(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {{
            {selection} }} }}"""


DEALS = Listed(
    "deals",
    "Deal",
    {name: name.lower() for name in ("CREATED_AT", "NAME", "AMOUNT", "EXPECTED_CLOSE", "CLOSED_AT")},
)
COMPANIES = Listed("companies", "Company", {name: name.lower() for name in ("NAME", "CREATED_AT", "EMPLOYEES")})
CONTACTS = Listed("contacts", "Contact", {name: name.lower() for name in ("NAME", "CREATED_AT")})
ACTIVITIES = Listed("activities", "Activity", {name: name.lower() for name in ("OCCURRED_AT", "CREATED_AT")})
TASKS = Listed("tasks", "Task", {name: name.lower() for name in ("DUE_AT", "CREATED_AT", "COMPLETED_AT")})
MEMBERS = Listed("members", "Member", {name: name.lower() for name in ("NAME", "CREATED_AT")}, alive="true")
LISTS = (DEALS, COMPANIES, CONTACTS, ACTIVITIES, TASKS, MEMBERS)

ORDERINGS = [(listed, ordering) for listed in LISTS for ordering in listed.orderings]
PAGE = "nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


@dataclass(frozen=True)
class Walk:
    """One way through a list: an ordering, a direction, a size of page, from its beginning or from its end."""

    listed: Listed
    ordering: str
    direction: str
    size: int
    backwards: bool = False
    filter: Json | None = None

    @property
    def order(self) -> Json:
        return {"field": self.ordering, "direction": self.direction}

    def arguments(self, cursor: str | None) -> Json:
        """The variables of the page after a cursor, or before it."""
        size, place = ("last", "before") if self.backwards else ("first", "after")
        return {size: self.size, place: cursor, "orderBy": self.order, "filter": self.filter}

    def sql(self) -> str:
        """The keys of the rows in their order, `$1` the tenant."""
        column = self.listed.orderings[self.ordering]
        return (
            f"SELECT id FROM {self.listed.name} WHERE tenant_id = $1 AND {self.listed.alive} "
            f"ORDER BY {column} IS NULL, {column} {self.direction}, id {self.direction}"
        )


@dataclass
class Page:
    keys: list[int]
    info: Json = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Json) -> "Page":
        """A page as it was answered, all ways of reading it agreeing."""
        edges, info = connection["edges"], connection["pageInfo"]
        assert connection["nodes"] == [edge["node"] for edge in edges]
        ends = [edges[place]["cursor"] if edges else None for place in (0, -1)]
        assert [info["startCursor"], info["endCursor"]] == ends
        return cls(keys_of(connection), info)


def keys_of(connection: Json) -> list[int]:
    return [decode_id(node["id"])[1] for node in connection["nodes"]]


async def page_of(client: Client, walk: Walk, cursor: str | None) -> Page:
    answer = await client.data(walk.listed.query(PAGE), **walk.arguments(cursor))
    return Page.of(answer[walk.listed.name])


def on_from(walk: Walk, page: Page) -> str | None:
    """The cursor from which the walk goes on; None at its end."""
    names = ("hasPreviousPage", "startCursor") if walk.backwards else ("hasNextPage", "endCursor")
    goes_on, cursor = (page.info[name] for name in names)
    return cursor if goes_on else None
