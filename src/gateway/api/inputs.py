"""Inputs that come by the thousand."""

from collections.abc import Mapping
from typing import Any, TypeVar

from strawberry.types import get_object_definition

from gateway.api.spelling import schema_name

Input = TypeVar("Input")


def made_of_leaves(input_type: type[Input]) -> type[Input]:
    """Makes values of an input whose fields are all scalars from what is given, without a look at each field's type."""
    definition = get_object_definition(input_type, strict=True)
    names = {schema_name(field.python_name): field.python_name for field in definition.fields}

    def made(_type: type, given: Mapping[str, Any], _context: object) -> Input:
        return input_type(**{names[name]: value for name, value in given.items()})

    definition.from_input = made
    return input_type
