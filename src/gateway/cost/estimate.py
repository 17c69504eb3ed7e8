"""The price of an operation before it runs: a function of its variables, compiled when its document is first seen."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode

from gateway.cost.arguments import variable_defaults
from gateway.cost.compiling import Compiler
from gateway.cost.measures import InputScale
from gateway.cost.parts import Charge, Selected
from gateway.cost.prices import Prices
from gateway.cost.program import Numbers, Program, Term, Variables
from gateway.cost.selection import Selections, switch_names
from gateway.cost.weighing import Above, Weighing

LEAST_POINTS = 1
"""Of any operation, as of an answer that is kept."""
MOST_WAYS = 16
"""Of skipping and including that are remembered of one operation."""


class Compiled:
    """An operation with its switches set. `root`: what it selects; `readings`: paid once for all of it."""

    def __init__(self, program: Program, root: Selected) -> None:
        self.program = program
        self.root = root
        self.readings: tuple[tuple[Charge, ...], ...] = tuple(root.readings.values())
        together = [program.largest(charge.points for charge in charges) for charges in self.readings]
        # The root itself is no object that is answered with.
        self._points: Term = program.sum([*(part.points for part in root.parts), *together])

    def has_more_fields_than(self, most: int) -> bool:
        waiting = list(self.root.parts)
        for _ in range(most + 1):
            if not waiting:
                return False
            waiting += [part for selected in waiting.pop().below for part in selected.parts]
        return True

    def points(self, variables: Variables) -> int:
        return self.points_of(self.program.run(variables))

    def points_of(self, numbers: Numbers) -> int:
        """With the numbers of one run."""
        return whole(self._points.number(numbers))


class Pricing:
    """The prices of a schema's operations."""

    def __init__(self, schema: GraphQLSchema, prices: Prices) -> None:
        self._schema = schema
        self._prices = prices
        self._inputs = InputScale(prices.of_input)

    def price(self, document: DocumentNode, operation: OperationDefinitionNode) -> "Price":
        """The price of an operation of a valid document."""
        defaults = variable_defaults(operation)

        def compile_with(switches: Mapping[str, bool], asked: Variables | None = None) -> Compiled:
            selections = Selections(self._schema, document, switches)
            weighing = Weighing(self._schema, self._inputs)
            compiler = Compiler(self._schema, self._prices, weighing, selections, defaults, asked)
            root_type = self._schema.get_root_type(operation.operation)
            if root_type is None:
                raise LookupError(f"the schema has no {operation.operation.value}: the operation is not valid")
            return Compiled(compiler.program, compiler.selected(root_type, (operation.selection_set,), Above()))

        return Price(compile_with, switch_names(document), defaults)


class Price:
    """What an operation costs with the variables of a request, as JSON. Each way of skipping and including is compiled
    when it is first asked for."""

    def __init__(self, compile_with: Callable[..., Compiled], switches: tuple[str, ...], defaults: Variables) -> None:
        self._compile_with = compile_with
        self._switches = switches
        self._defaults = defaults
        self._ways: OrderedDict[tuple[bool, ...], Compiled] = OrderedDict()

    def points(self, variables: Variables) -> int:
        """At least LEAST_POINTS, rounded up."""
        return self.compiled(variables).points(variables)

    def compiled(self, variables: Variables) -> Compiled:
        """The operation as it is with these variables' switches."""
        way = self._way(variables)
        found = self._ways.get(way)
        if found is None:
            found = self._ways[way] = self._compile_with(dict(zip(self._switches, way, strict=True)))
            if len(self._ways) > MOST_WAYS:
                self._ways.popitem(last=False)
        return found

    def opened(self, variables: Variables) -> Compiled:
        """The operation as it is with these variables, opened: what it costs is a function of changes to it, by the
        keys of its arguments and the places of its fields."""
        return self._compile_with(dict(zip(self._switches, self._way(variables), strict=True)), variables)

    def _way(self, variables: Variables) -> tuple[bool, ...]:
        return tuple(self._on(name, variables) for name in self._switches)

    def _on(self, name: str, variables: Variables) -> bool:
        value: Any = variables.get(name, self._defaults.get(name))
        return value is True


def whole(points: float) -> int:
    """Rounded up; what is left of adding fractions does not count."""
    return max(LEAST_POINTS, ceil(round(points, 6)))
