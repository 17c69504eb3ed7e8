"""The lists of the schema as fields: at the root, or nested under the records that they belong to."""

from dataclasses import dataclass
from typing import Annotated, Any

import strawberry
from strawberry.parent import StrawberryParent

from gateway.api.arguments import First
from gateway.api.connections import DEFAULT_SIZE, After, Before, Connection, Last, Nesting, Slice
from gateway.api.context import Info
from gateway.api.costs import sized_by
from gateway.api.directives import NEVER_KEPT
from gateway.api.filters import (
    ActivityFilter,
    AuditFilter,
    CompanyFilter,
    ContactFilter,
    DealFilter,
    MemberFilter,
    TaskFilter,
)
from gateway.api.orders import (
    ActivityOrder,
    ActivityOrderField,
    AuditOrder,
    AuditOrderField,
    CompanyOrder,
    CompanyOrderField,
    ContactOrder,
    ContactOrderField,
    DealOrder,
    DealOrderField,
    Direction,
    MemberOrder,
    MemberOrderField,
    TaskOrder,
    TaskOrderField,
)
from loaders import lists
from loaders.keyset import ListSource

PAGE = sized_by("first", "last", fields=["edges", "nodes"], otherwise=DEFAULT_SIZE)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of list: its filter, its nodes, and the order where none is asked for, also in words."""

    source: ListSource[Any]
    filter: type
    order: Any
    words: str
    node: Any


def _kind(source: ListSource[Any], filter_type: type, order: Any, words: str, node: str) -> Kind:
    # By name: nodes nest each other's lists, so that this module cannot import them.
    return Kind(source, filter_type, order, words, Annotated[node, strawberry.lazy(f"gateway.api.{source.name}")])


DEALS = _kind(
    lists.DEALS,
    DealFilter,
    DealOrder(field=DealOrderField.CREATED_AT, direction=Direction.DESC),
    "the latest added first",
    "Deal",
)
COMPANIES = _kind(lists.COMPANIES, CompanyFilter, CompanyOrder(field=CompanyOrderField.NAME), "by name", "Company")
CONTACTS = _kind(lists.CONTACTS, ContactFilter, ContactOrder(field=ContactOrderField.NAME), "by name", "Contact")
ACTIVITIES = _kind(
    lists.ACTIVITIES,
    ActivityFilter,
    ActivityOrder(field=ActivityOrderField.OCCURRED_AT, direction=Direction.DESC),
    "the latest first",
    "Activity",
)
TASKS = _kind(lists.TASKS, TaskFilter, TaskOrder(field=TaskOrderField.DUE_AT), "those due first", "Task")
AUDIT = _kind(
    lists.AUDIT,
    AuditFilter,
    AuditOrder(field=AuditOrderField.AT, direction=Direction.DESC),
    "the latest first",
    "AuditEntry",
)
MEMBERS = _kind(lists.MEMBERS, MemberFilter, MemberOrder(field=MemberOrderField.NAME), "by name", "Member")


def list_field(kind: Kind, description: str, *, under: str | None = None, permission: str | None = None) -> Any:
    """The field of a list, with all its arguments. `under`: which kind of record it is nested in; None at the root.

    `permission`: what it takes to read it; who lacks it gets null, and FORBIDDEN among the errors.
    """

    async def resolve(
        root: Any,
        info: Info,
        where: Any = None,
        order_by: Any = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        if permission is not None:
            info.context.require(permission)
        nesting = None if under is None else Nesting(under, root.key)
        order, filters = order_by or kind.order, where.conditions() if where else []
        descending = order.direction is Direction.DESC
        part = Slice(first, after, last, before)
        listing = part.listing(info, kind.source, order.field.value, descending, filters, nesting)
        return await Connection.read(info, listing)

    # The same arguments for every kind; only these three types differ.
    words = f"How they are ordered. Null for {kind.words}."
    generic: Any = Connection
    connection = generic.__class_getitem__(kind.node)
    resolve.__annotations__ |= {
        "root": Annotated[Any, StrawberryParent()],
        "where": Annotated[kind.filter | None, strawberry.argument(name="filter", description="Which. Null for all.")],
        "order_by": Annotated[type(kind.order) | None, strawberry.argument(description=words)],
        "return": connection if permission is None else connection | None,
    }
    # What not everybody may read is read anew each time: nobody gets it by way of somebody who may.
    kept = [] if permission is None else [NEVER_KEPT]
    return strawberry.field(resolver=resolve, description=description, directives=[PAGE, *kept])
