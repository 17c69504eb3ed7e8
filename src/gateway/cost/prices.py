"""What a schema says of its prices, and what counts where it says nothing. In points."""

from dataclasses import dataclass
from typing import Protocol

from graphql import GraphQLArgument, GraphQLField, GraphQLInputField, GraphQLNamedType

OBJECT_POINTS = 1.0
"""Of an object that is answered with, and of an input object that is given."""
MUTATION_POINTS = 10.0
"""Of a field of the mutation root, each time it is resolved."""
UNKNOWN_LIST_ENTRIES = 10
"""Of a list of which the schema says nothing."""

INTROSPECTION_OBJECT_POINTS = 0.01
INTROSPECTION_LIST_ENTRIES = 5
"""Introspection reads no database: its objects are cheap, and its lists of this length, but for that of all types."""

PERIOD = "period"
LENT = frozenset({"ownerId", PERIOD})
"""Arguments that fields further down go by."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How long a list is at most. `slicing`: paths of arguments, the largest of which counts; `assumed`: without them.

    `sized_fields`: these fields of what is returned are the lists. `interval`: the argument that tells how long each
    entry's part of the nearest period is.
    """

    assumed: int | None = None
    slicing: tuple[Path, ...] = ()
    sized_fields: frozenset[str] = frozenset()
    interval: str | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """Multiplies a weight where an argument of `when` is given, or what the field belongs to is a field of `under`.

    `each`: a list, the number of whose entries multiplies it too where an argument of `when` is given.
    """

    factor: float
    when: tuple[Path, ...] = ()
    under: str | None = None
    each: Path | None = None


@dataclass(frozen=True, slots=True)
class FieldPrice:
    """`weight`: for each time that it is resolved. None: what such a field costs by itself.

    `without_period`: what no period multiplies it by; None: it does not go by the period. `reading`: fields with the
    same one share their weights.
    """

    weight: float | None = None
    size: Size | None = None
    factors: tuple[Factor, ...] = ()
    without_period: float | None = None
    reading: str | None = None


class Prices(Protocol):
    """Where the schema keeps its prices. None: it says nothing."""

    def of_field(self, field: GraphQLField) -> FieldPrice: ...

    def of_type(self, type_: GraphQLNamedType) -> float | None: ...

    def of_input(self, element: GraphQLArgument | GraphQLInputField) -> float | None: ...
