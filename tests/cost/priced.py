"""Operations of a schema with their prices: of one that is written as text, or the gateway's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    DirectiveNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLNamedType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    specified_rules,
    validate,
    value_from_ast_untyped,
)

from gateway.api.schema import graphql_schema
from gateway.cost.actual import Ran, actual_points
from gateway.cost.advice import Advice, advice
from gateway.cost.breakdown import Share, shares
from gateway.cost.estimate import Price, Pricing
from gateway.cost.prices import Factor, FieldPrice, Path, Size
from gateway.pipeline.prices import SchemaPrices

DIRECTIVES = """
directive @cost(weight: String!)
  on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(
  assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true
) on FIELD_DEFINITION
directive @costFactor(factor: Float!, when: [String!], under: String, each: String) repeatable on FIELD_DEFINITION
directive @costPeriod(withoutPeriod: Float! = 10) on FIELD_DEFINITION
directive @costShared(reading: String!) on FIELD_DEFINITION
directive @listIntervals(interval: String! = "interval") on FIELD_DEFINITION
"""
Variables = dict[str, Any]


class WrittenPrices:
    """The prices of a schema that is written as text, directives and all."""

    def of_field(self, field: GraphQLField) -> FieldPrice:
        said = dict(_said(field))
        return FieldPrice(
            weight=self._weight(field),
            size=self._size(said) if "listSize" in said else None,
            factors=tuple(
                Factor(arguments["factor"], _paths(arguments.get("when", ())), arguments.get("under"), _each(arguments))
                for name, arguments in _said(field)
                if name == "costFactor"
            ),
            without_period=said["costPeriod"].get("withoutPeriod", 10.0) if "costPeriod" in said else None,
            reading=said["costShared"]["reading"] if "costShared" in said else None,
        )

    def _size(self, said: dict[str, Variables]) -> Size:
        size, intervals = said["listSize"], said.get("listIntervals")
        return Size(
            size.get("assumedSize"),
            _paths(size.get("slicingArguments", ())),
            frozenset(size.get("sizedFields", ())),
            None if intervals is None else intervals.get("interval", "interval"),
        )

    def of_type(self, type_: GraphQLNamedType) -> float | None:
        return self._weight(type_)

    def of_input(self, element: GraphQLArgument | GraphQLInputField) -> float | None:
        return self._weight(element)

    def _weight(self, element: Any) -> float | None:
        cost = dict(_said(element)).get("cost")
        return None if cost is None else float(cost["weight"])


@dataclass(frozen=True)
class Priced:
    """A schema whose operations have prices."""

    schema: GraphQLSchema
    pricing: Pricing

    @classmethod
    def written(cls, text: str) -> "Priced":
        schema = build_schema(DIRECTIVES + text)
        return cls(schema, Pricing(schema, WrittenPrices()))

    def price(self, text: str) -> Price:
        document = parse(text)
        assert validate(self.schema, document, specified_rules) == []
        operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
        return self.pricing.price(document, operation)

    def points(self, text: str, variables: Variables | None = None) -> int:
        return self.price(text).points(variables or {})

    def actual(self, text: str, executed: Ran, variables: Variables | None = None) -> int:
        return actual_points(self.price(text).compiled(variables or {}), variables or {}, executed)

    def shares(self, text: str, variables: Variables | None = None) -> list[Share]:
        return shares(self.price(text).compiled(variables or {}), variables or {})

    def advice(self, text: str, most: int, variables: Variables | None = None) -> list[Advice]:
        return advice(self.price(text).opened(variables or {}), most)

    def by_path(self, text: str, variables: Variables | None = None) -> dict[str, float]:
        return {".".join(share.path): share.points for share in self.shares(text, variables)}


@cache
def gateway() -> Priced:
    """The gateway's own schema."""
    schema = graphql_schema()
    return Priced(schema, Pricing(schema, SchemaPrices()))


def _said(element: Any) -> Iterator[tuple[str, Variables]]:
    nodes: tuple[DirectiveNode, ...] = getattr(element.ast_node, "directives", None) or ()
    for node in nodes:
        yield node.name.value, {item.name.value: value_from_ast_untyped(item.value) for item in node.arguments or ()}


def _each(arguments: Variables) -> Path | None:
    return tuple(arguments["each"].split(".")) if "each" in arguments else None


def _paths(dotted: list[str]) -> tuple[Path, ...]:
    return tuple(tuple(path.split(".")) for path in dotted)
