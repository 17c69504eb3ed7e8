"""What executions of one operation find out about its fields, which is the same each time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLObjectType, GraphQLOutputType
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, GroupedFieldSet

Reader = Callable[[Any], Any]


@dataclass(slots=True)
class Memory:
    """Keys are a type and the identity of the list of a field's nodes. The lists live here, so that none is reused.

    `sub_fields`: what is selected of an object. `field_readers` and `value_readers`: by the type of the parent and of
    the value, how a field and a value are read; None where the executor has to do it.
    """

    root_fields: GroupedFieldSet | None = None
    sub_fields: dict[tuple[GraphQLObjectType, int], tuple[FieldDetailsList, CollectedFields]] = field(
        default_factory=dict
    )
    field_readers: dict[tuple[GraphQLObjectType, int], Reader | None] = field(default_factory=dict)
    value_readers: dict[tuple[GraphQLOutputType, int], Reader | None] = field(default_factory=dict)
