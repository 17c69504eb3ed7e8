"""What is found out about an operation once, when its document is first seen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, GraphQLField, GraphQLNamedType, GraphQLSchema, OperationDefinitionNode

from gateway.api.directives import CacheControl, cache_control
from gateway.cache.keys import defaults, operation_text
from gateway.cache.policy import Hint, Policy, Scope, policy_of
from gateway.cost.estimate import Price, Pricing
from gateway.pipeline.prices import SchemaPrices


@dataclass(frozen=True, slots=True)
class Prepared:
    """`text`: its one spelling, fragments included. `defaults`: its variables, as `cache.keys.defaults` gives them."""

    policy: Policy
    price: Price
    text: str
    defaults: Mapping[str, Any]


def preparation(
    schema: GraphQLSchema, *, max_age_seconds: int
) -> Callable[[DocumentNode, OperationDefinitionNode], Prepared]:
    """Prepares operations of a schema. `max_age_seconds`: how long any answer is kept at most; 0: none is."""
    hints, pricing = SchemaHints(), Pricing(schema, SchemaPrices())

    def prepare(document: DocumentNode, operation: OperationDefinitionNode) -> Prepared:
        policy = policy_of(schema, hints, document, operation, max_age_seconds=max_age_seconds)
        price = pricing.price(document, operation)
        return Prepared(policy, price, operation_text(document, operation), defaults(operation))

    return prepare


class SchemaHints:
    """The schema's `@cacheControl`."""

    def of_field(self, field: GraphQLField) -> Hint:
        return _hint(cache_control(field))

    def of_type(self, type_: GraphQLNamedType) -> Hint:
        return _hint(cache_control(type_))


def _hint(said: CacheControl | None) -> Hint:
    if said is None:
        return Hint()
    scope = Scope[said.scope.name] if said.scope else None
    return Hint(said.max_age if isinstance(said.max_age, int) else None, scope, bool(said.inherit_max_age))
