"""What a field adds by itself where it is selected, and how long its list is: as terms of its arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
)

from gateway.cost.arguments import Argument, measured
from gateway.cost.measures import InputScale, entries, factor_where, intervals, largest_slice, period_share
from gateway.cost.prices import (
    INTROSPECTION_LIST_ENTRIES,
    MUTATION_POINTS,
    PERIOD,
    UNKNOWN_LIST_ENTRIES,
    Factor,
    FieldPrice,
    Size,
)
from gateway.cost.program import NOTHING, ONE, Program, Term


@dataclass(frozen=True, slots=True)
class Above:
    """What a field finds above it. `lent`: arguments that fields below go by; `sized`: which fields are the lists that
    the field above sizes, `size`: how; `under`: the type that the field above is one of."""

    lent: tuple[Argument, ...] = ()
    sized: frozenset[str] = frozenset()
    size: Term = ONE
    under: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """One field where it is selected. `reach`: its arguments, and those that are lent to it."""

    parent: GraphQLObjectType
    nodes: list[FieldNode]
    definition: GraphQLField
    price: FieldPrice
    reach: Mapping[str, Argument]
    above: Above

    @property
    def name(self) -> str:
        return self.nodes[0].name.value

    @property
    def place(self) -> str:
        """Of the field in an opened operation."""
        return str(id(self.nodes[0]))

    @property
    def type(self) -> GraphQLNamedType:
        return get_named_type(self.definition.type)

    @property
    def is_list(self) -> bool:
        return isinstance(get_nullable_type(self.definition.type), GraphQLList)


@dataclass(frozen=True, slots=True)
class Weighing:
    """Weighs the fields of one operation. `inputs`: the points of the schema's inputs."""

    schema: GraphQLSchema
    inputs: InputScale
    program: Program = field(default_factory=Program)

    def own_points(self, site: Site) -> Term:
        """Its weight, and what its arguments add; never less than nothing."""
        price, mutation = site.price, site.parent is self.schema.mutation_type
        default = MUTATION_POINTS if mutation and not site.name.startswith("__") else 0.0
        points = Term(default if price.weight is None else price.weight)
        for factor in (*(self._factor(site, factor) for factor in price.factors), self._share(site)):
            points = self.program.product(points, factor)
        points = self.program.sum([points, *(self._input_points(site, name) for name in site.definition.args)])
        return self.program.largest([NOTHING, points]) if self.inputs.reduces else points

    def _factor(self, site: Site, factor: Factor) -> Term:
        if factor.under is not None and factor.under == site.above.under:
            return Term(factor.factor)
        paths = tuple(path for path in factor.when if path[0] in site.reach)
        measured_paths = paths if factor.each is None else (*paths, factor.each)
        arguments = tuple(site.reach[path[0]] for path in measured_paths)
        return measured(self.program, arguments, factor_where(paths, factor.factor, factor.each))

    def _share(self, site: Site) -> Term:
        if site.price.without_period is None:
            return ONE
        period, share = site.reach.get(PERIOD), period_share(site.price.without_period)
        return Term(share(None)) if period is None else measured(self.program, (period,), share)

    def _input_points(self, site: Site, name: str) -> Term:
        points = self.inputs.of(site.definition.args[name])
        return NOTHING if points is None else measured(self.program, (site.reach[name],), points)

    def size(self, site: Site) -> Term:
        """Entries of its list or of those below that it sizes."""
        size = site.price.size
        if site.name in site.above.sized:
            return site.above.size
        if size is None:
            return Term(float(self._unknown_size(site)))
        otherwise = UNKNOWN_LIST_ENTRIES if size.assumed is None else size.assumed
        if size.interval is not None and PERIOD in site.reach:
            told = (site.reach[PERIOD], site.reach[size.interval])
            return measured(self.program, told, intervals(otherwise))
        return self._slice(site, size, otherwise)

    def _slice(self, site: Site, size: Size, otherwise: int) -> Term:
        arguments = tuple(site.reach[path[0]] for path in size.slicing)
        defaults = [entries(argument.default) for argument in arguments]
        otherwise = max([found for found in defaults if found is not None] or [otherwise])
        return measured(self.program, arguments, largest_slice(size.slicing, otherwise))

    def _unknown_size(self, site: Site) -> int:
        if not is_introspection_type(site.parent):
            return UNKNOWN_LIST_ENTRIES
        return len(self.schema.type_map) if site.name == "types" else INTROSPECTION_LIST_ENTRIES
