"""The schema's `@cost`, `@listSize` and what goes with them, as prices."""

from collections.abc import Sequence

from graphql import GraphQLArgument, GraphQLField, GraphQLInputField, GraphQLNamedType

from gateway.api.directives import (
    Cost,
    CostFactor,
    CostPeriod,
    CostShared,
    Element,
    ListIntervals,
    ListSize,
    said,
)
from gateway.cost.prices import Factor, FieldPrice, Path, Size


class SchemaPrices:
    """Those of fields are read off once: every operation asks for them."""

    def __init__(self) -> None:
        self._fields: dict[int, tuple[GraphQLField, FieldPrice]] = {}

    def of_field(self, field: GraphQLField) -> FieldPrice:
        if id(field) not in self._fields:
            # With the field, so that its identity stays its own.
            self._fields[id(field)] = (field, self._read(field))
        return self._fields[id(field)][1]

    def _read(self, field: GraphQLField) -> FieldPrice:
        period = next(said(field, CostPeriod), None)
        shared = next(said(field, CostShared), None)
        return FieldPrice(
            weight=_weight(field),
            size=_size(field),
            factors=tuple(_factor(factor) for factor in said(field, CostFactor)),
            without_period=None if period is None else period.without_period,
            reading=None if shared is None else shared.reading,
        )

    def of_type(self, type_: GraphQLNamedType) -> float | None:
        return _weight(type_)

    def of_input(self, element: GraphQLArgument | GraphQLInputField) -> float | None:
        return _weight(element)


def _weight(element: Element) -> float | None:
    cost = next(said(element, Cost), None)
    return None if cost is None else float(cost.weight)


def _size(field: GraphQLField) -> Size | None:
    size = next(said(field, ListSize), None)
    if size is None:
        return None
    by_interval = next(said(field, ListIntervals), None)
    return Size(
        assumed=size.assumed_size if isinstance(size.assumed_size, int) else None,
        slicing=_paths(size.slicing_arguments or ()),
        sized_fields=frozenset(size.sized_fields or ()),
        interval=None if by_interval is None else by_interval.interval,
    )


def _factor(factor: CostFactor) -> Factor:
    each = tuple(factor.each.split(".")) if factor.each else None
    return Factor(factor.factor, _paths(factor.when or ()), factor.under or None, each)


def _paths(dotted: Sequence[str]) -> tuple[Path, ...]:
    return tuple(tuple(path.split(".")) for path in dotted)
