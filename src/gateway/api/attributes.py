"""Fields without what Strawberry prepares every field for: extensions, permissions, handlers, arguments.

A field that has none of them is an attribute of its object or a method of it, and is read or called as such.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import strawberry
from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, is_object_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF


class Attribute:
    """The resolver of a field that is an attribute of its object. Reading it waits for nothing and changes nothing."""

    __slots__ = ("read",)

    def __init__(self, name: str) -> None:
        self.read: Callable[[Any], Any] = attrgetter(name)

    def __call__(self, source: Any, _info: GraphQLResolveInfo[Any]) -> Any:
        return self.read(source)


def resolve_directly(schema: GraphQLSchema) -> None:
    """Gives the schema's fields their plain resolvers; those with arguments keep Strawberry's."""
    for type_ in filter(is_object_type, schema.type_map.values()):
        for field in type_.fields.values() if DEFINITION in type_.extensions else ():
            definition = field.extensions[DEFINITION]
            if definition.is_basic_field:
                field.resolve = Attribute(definition.python_name)
            elif _is_method(definition):
                field.resolve = _method(definition)


def class_of(type_: GraphQLNamedType) -> type | None:
    """The class whose instances are values of an object type; None for one that Strawberry did not make."""
    definition = type_.extensions.get(DEFINITION) if isinstance(type_, GraphQLObjectType) else None
    return (definition.concrete_of or definition).origin if definition else None


def _is_method(field: StrawberryField) -> bool:
    resolver = field.base_resolver
    return bool(resolver and resolver.self_parameter and not field.arguments and not field.extensions)


def _method(field: StrawberryField) -> Callable[[Any, GraphQLResolveInfo[Any]], Any]:
    resolver: Any = field.base_resolver
    method = resolver.wrapped_func
    if resolver.info_parameter is None:
        return lambda source, _info: method(source)
    keyword = resolver.info_parameter.name
    return lambda source, info: method(source, **{keyword: strawberry.Info(_raw_info=info, _field=field)})
