"""Directives of the schema: what it says of its own fields and types."""

from enum import Enum

import strawberry
from graphql import GraphQLField, GraphQLNamedType
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


def cache_control(element: GraphQLField | GraphQLNamedType) -> CacheControl | None:
    """What a field or type of the schema says of keeping it."""
    definition = element.extensions.get(DEFINITION)
    said = getattr(definition, "directives", None) or ()
    return next((directive for directive in said if isinstance(directive, CacheControl)), None)
