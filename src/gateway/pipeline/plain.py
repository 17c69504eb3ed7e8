"""Values that are attributes all the way down, read in one walk.

Most of an answer is numbers, names and days of objects that are there already. The executor weighs each of them: is it
an error, is it still to be awaited, where in the answer does it stand? Here, what is selected of such a value becomes
one function that knows the expected alone. Anything else raises, upon which the executor completes the same value
again, and says what is wrong and where: attributes may be read twice.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
)

from gateway.api.attributes import class_of
from gateway.documents.memory import Reader

LEAF_CLASSES = frozenset({bool, int, float, str, Decimal, date, datetime})
"""Of these and of enums a leaf may be. Subclasses are unexpected: they could be anything besides."""


class UnexpectedError(Exception):
    """A value is not what its type lets expect."""


@cache
def leaf(type_: GraphQLOutputType) -> Reader | None:
    """Reads scalars, enums and lists of them; None for a type that has to be selected from."""
    if isinstance(type_, GraphQLNonNull | GraphQLList):
        inner = leaf(type_.of_type)
        return inner and wrapped(type_, inner)
    return _single(type_) if isinstance(type_, GraphQLScalarType | GraphQLEnumType) else None


def wrapped(type_: GraphQLNonNull[Any] | GraphQLList[Any], inner: Reader) -> Reader:
    """Reads what must not be null, or a list, of what `inner` reads."""
    return then(inner, _required) if isinstance(type_, GraphQLNonNull) else _listed(inner)


def selected(type_: GraphQLObjectType, fields: Mapping[str, Reader]) -> Reader:
    """Reads the fields of an object by response key."""
    expected = class_of(type_)
    reads = tuple(fields.items())

    def read(value: Any) -> Any:
        if value is None:
            return None
        if type(value) is not expected:
            raise UnexpectedError
        return {name: read_field(value) for name, read_field in reads}

    return read


def constant(value: Any) -> Reader:
    return lambda _source: value


def then(first: Reader, second: Reader) -> Reader:
    return lambda source: second(first(source))


attribute: Callable[[Reader, Reader], Reader] = cache(then)
"""As `then`, for what is the same in every document: kept once for all."""


def _single(type_: GraphQLLeafType) -> Reader:
    coerce = type_.coerce_output_value

    def read(value: Any) -> Any:
        if value is None:
            return None
        if type(value) not in LEAF_CLASSES and not isinstance(value, Enum):
            raise UnexpectedError
        return _required(coerce(value))

    return read


def _listed(read_item: Reader) -> Reader:
    def read(values: Any) -> Any:
        if values is None:
            return None
        if type(values) is not list:
            raise UnexpectedError
        return [read_item(value) for value in values]

    return read


def _required(value: Any) -> Any:
    if value is None:
        raise UnexpectedError
    return value
