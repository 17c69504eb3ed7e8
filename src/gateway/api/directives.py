"""Directives of the schema: what it says of its own fields and types."""

from collections.abc import Iterator
from enum import Enum
from typing import TypeVar

import strawberry
from graphql import GraphQLArgument, GraphQLField, GraphQLInputField, GraphQLNamedType
from strawberry.schema_directive import Location

from gateway.api.attributes import DEFINITION


@strawberry.enum(description="Whose a kept answer is.")
class CacheControlScope(Enum):
    TENANT = strawberry.enum_value("TENANT", description="Every member of the tenant gets the same.")
    PRIVATE = strawberry.enum_value("PRIVATE", description="It is one member's own.")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.OBJECT],
    description="How long an answer with this field may be kept at most, and for whom; the strictest of all that is "
    "selected counts. An answer is never given out after a change that touches it, however long it may be kept.",
)
class CacheControl:
    max_age: int | None = strawberry.UNSET
    scope: CacheControlScope | None = strawberry.UNSET
    inherit_max_age: bool | None = strawberry.UNSET


NEVER_KEPT = CacheControl(max_age=0)
ONES_OWN = CacheControl(scope=CacheControlScope.PRIVATE)

COSTED = [
    Location.ARGUMENT_DEFINITION,
    Location.ENUM,
    Location.FIELD_DEFINITION,
    Location.INPUT_FIELD_DEFINITION,
    Location.OBJECT,
    Location.SCALAR,
]
"""Where the specification of the cost directives allows `@cost`."""


@strawberry.schema_directive(
    locations=COSTED,
    description="What one adds to the price of a query, in points, as a decimal number: a field each time it is "
    "resolved, a type each time it is answered with, an argument or input field each value that it is given. Without "
    "it, an object and an input object are 1, a field of a mutation is 10, all else is 0.",
)
class Cost:
    weight: str


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="How long a list is at most: the largest of its slicing arguments, each a number or a list whose "
    "length counts, at the end of a dotted path through inputs; where none is given, `assumedSize`. With "
    "`sizedFields`, that of these fields of what is returned.",
)
class ListSize:
    assumed_size: int | None = strawberry.UNSET
    slicing_arguments: list[str] | None = strawberry.UNSET
    sized_fields: list[str] | None = strawberry.UNSET
    require_one_slicing_argument: bool | None = True


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="listIntervals",
    description="The list has an entry for each interval of the nearest `period`, of this field or one above, and "
    "without a period as many as `assumedSize` says.",
)
class ListIntervals:
    interval: str = strawberry.directive_field(name="interval", default="interval")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="The field's weight is that of 90 days of the nearest `period`, of this field or one above. It goes "
    "with the days, from a tenth up to the tenfold; without a period it is multiplied by `withoutPeriod`.",
)
class CostPeriod:
    without_period: float = 10.0


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    repeatable=True,
    description="What the field's weight is multiplied by, once, where any argument of `when` is given, to this field "
    "or the nearest above that has it: a dotted path through inputs, which may end in an enum's value; with `each`, a "
    "list among the arguments, it is multiplied by the number of its entries as well. Or where what the field belongs "
    "to is itself a field of the type `under`.",
)
class CostFactor:
    factor: float
    when: list[str] | None = strawberry.UNSET
    under: str | None = strawberry.UNSET
    each: str | None = strawberry.UNSET


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="Fields of the same `reading` are read together, once for the nearest field above with a `period` or "
    "an `ownerId`: their weights count once there, the largest of them.",
)
class CostShared:
    reading: str


Directive = TypeVar("Directive")
Element = GraphQLField | GraphQLNamedType | GraphQLArgument | GraphQLInputField


def said(element: Element, kind: type[Directive]) -> Iterator[Directive]:
    """What an element of the schema says of itself with directives of one kind."""
    definition = element.extensions.get(DEFINITION)
    directives = getattr(definition, "directives", None) or ()
    return (directive for directive in directives if isinstance(directive, kind))


def cache_control(element: GraphQLField | GraphQLNamedType) -> CacheControl | None:
    """What a field or type of the schema says of keeping it."""
    return next(said(element, CacheControl), None)
