"""The prices of an operation's fields, compiled once into terms of its variables.

The cost of a field is what it adds each time that it is resolved, its weight and its arguments; and, for each entry of
its list or the one object that it is, the object and what is selected of it. An abstract type costs what its dearest
member would.
"""

from dataclasses import dataclass, field, replace
from functools import partial

from graphql import (
    FieldNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    SelectionSetNode,
    is_abstract_type,
    is_introspection_type,
    is_leaf_type,
)

from gateway.cost.arguments import arguments_of
from gateway.cost.levers import levers
from gateway.cost.parts import Charge, Part, Readings, Selected, joined
from gateway.cost.prices import INTROSPECTION_OBJECT_POINTS, LENT, OBJECT_POINTS, Prices
from gateway.cost.program import NOTHING, ONE, Program, Term, Variables
from gateway.cost.selection import Selections
from gateway.cost.weighing import Above, Site, Weighing

Sets = tuple[SelectionSetNode, ...]


@dataclass(slots=True)
class Compiler:
    """Compiles with the switches of one request. The same selection below the same is compiled once, so that fragments
    which double cost no more than their text. `asked`: the variables of the request that an operation is opened for."""

    schema: GraphQLSchema
    prices: Prices
    weighing: Weighing
    selections: Selections
    defaults: Variables
    asked: Variables | None = None
    _known: dict[tuple[str, tuple[int, ...], Above], Selected] = field(default_factory=dict)

    @property
    def program(self) -> Program:
        return self.weighing.program

    def selected(self, type_: GraphQLObjectType, sets: Sets, above: Above) -> Selected:
        """What is selected of a type by some sets together."""
        key = (type_.name, tuple(map(id, sets)), above)
        if key not in self._known:
            fields = self.selections.of(type_, sets).items()
            found = [self._part(name, self._site(type_, nodes, above)) for name, nodes in fields]
            weight = self._type_points(type_)
            points = self.program.sum([Term(weight), *(part.points for part, _ in found)])
            parts = tuple(part for part, _ in found)
            dear = tuple(part for part in parts if part.points != NOTHING)
            self._known[key] = Selected(weight, parts, points, joined([readings for _, readings in found]), dear)
        return self._known[key]

    def _site(self, parent: GraphQLObjectType, nodes: list[FieldNode], above: Above) -> Site:
        definition = self.schema.get_field(parent, nodes[0].name.value)
        if definition is None:
            raise LookupError(f"{parent.name} has no field {nodes[0].name.value}: the operation is not valid")
        own = arguments_of(definition, nodes[0], self.defaults)
        lent = {argument.name: argument for argument in above.lent}
        site = Site(parent, nodes, definition, self.prices.of_field(definition), {**lent, **own}, above)
        if self.asked is None:
            return site
        opened = {name: argument.opened(self.asked, site.place) for name, argument in own.items()}
        return replace(site, reach={**lent, **opened})

    def _part(self, key: str, site: Site) -> tuple[Part, Readings]:
        """The part, and the readings that are left to be paid further up."""
        here = self._here(site)
        size = self.program.product(here, self.weighing.size(site))
        below = self._below(site, size)
        weighed = Charge((key,), self.program.product(here, self.weighing.own_points(site)))
        readings = self._readings(site.price.reading, weighed, below, here)
        charge = weighed if site.price.reading is None else Charge((key,), NOTHING)
        paid = () if LENT.isdisjoint(site.definition.args) else tuple(readings.values())
        part = Part(
            key=key,
            charge=charge,
            readings=paid,
            size=size if site.is_list else here,
            below=below,
            leaf_points=self._type_points(site.type) if is_leaf_type(site.type) else 0.0,
            points=NOTHING,
            levers=tuple if self.asked is None else partial(levers, site, self.weighing.inputs),
            place=site.place,
        )
        return replace(part, points=self._points(part)), {} if paid else readings

    def _readings(self, reading: str | None, own: Charge, below: tuple[Selected, ...], here: Term) -> Readings:
        """What is read for a field and what is selected of it, and has to be paid there or further up."""
        found = {
            name: tuple(Charge((*own.path, *charge.path), self.program.product(here, charge.points)) for charge in some)
            for name, some in joined([selected.readings for selected in below]).items()
        }
        return found if reading is None else joined([found, {reading: (own,)}])

    def _here(self, site: Site) -> Term:
        """How often a field is there: once, unless a change of an opened operation leaves it out."""
        if self.asked is None:
            return ONE
        return self.program.read(site.place, lambda changes: float(changes.get(site.place, 1)))

    def _points(self, part: Part) -> Term:
        """Of a part, all together."""
        entry = self.program.largest(selected.points for selected in part.below)
        entries_ = self.program.product(part.size, entry if part.below else Term(part.leaf_points))
        together = [self.program.largest(charge.points for charge in charges) for charges in part.readings]
        return self.program.sum([part.charge.points, *together, entries_])

    def _below(self, site: Site, size: Term) -> tuple[Selected, ...]:
        sets = tuple(node.selection_set for node in site.nodes if node.selection_set is not None)
        above = Above(lent=site.above.lent, under=site.parent.name)
        if own := tuple(site.reach[name] for name in sorted(LENT & set(site.definition.args))):
            names = {argument.name for argument in own}
            above = replace(above, lent=(*(one for one in site.above.lent if one.name not in names), *own))
        if site.price.size is not None and site.price.size.sized_fields:
            above = replace(above, sized=site.price.size.sized_fields, size=size)
        return tuple(self.selected(type_, sets, above) for type_ in self._members(site.type)) if sets else ()

    def _members(self, type_: GraphQLNamedType) -> list[GraphQLObjectType]:
        if isinstance(type_, GraphQLObjectType):
            return [type_]
        return list(self.schema.get_possible_types(type_)) if is_abstract_type(type_) else []

    def _type_points(self, type_: GraphQLNamedType) -> float:
        if is_introspection_type(type_):
            return 0.0 if is_leaf_type(type_) else INTROSPECTION_OBJECT_POINTS
        said = self.prices.of_type(type_)
        return said if said is not None else 0.0 if is_leaf_type(type_) else OBJECT_POINTS
