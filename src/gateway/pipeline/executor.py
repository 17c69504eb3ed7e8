"""The executor of operations: graphql-core's, which it leaves out of what is plain."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo
from graphql.execution import Executor
from graphql.execution.collect_fields import DeferUsage, FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path, UndefinedType

from gateway.api.attributes import Attribute
from gateway.documents.memory import Memory, Reader
from gateway.pipeline.plain import attribute, constant, leaf, selected, then, wrapped


class PlainExecutor(Executor[None]):
    """Reads what is plain in one walk. `memory`: what earlier executions found out about the same fields."""

    def __init__(self, *arguments: Any, memory: Memory, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._memory = memory
        self._relevant_sub_fields = memory.sub_fields

    def execute_collected_root_fields(
        self,
        root_type: GraphQLObjectType,
        root_value: Any,
        grouped_field_set: GroupedFieldSet,
        serially: bool,
        new_defer_usages: Sequence[DeferUsage],
    ) -> AwaitableOrValue[dict[str, Any]]:
        # What is remembered goes by the identity of the first execution's lists.
        self._memory.root_fields = self._memory.root_fields or grouped_field_set
        return super().execute_collected_root_fields(
            root_type, root_value, self._memory.root_fields, serially, new_defer_usages
        )

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: None,
    ) -> AwaitableOrValue[Any] | UndefinedType:
        read = self._field_reader(parent_type, field_details_list)
        if read is not None:
            with suppress(Exception):
                return read(source)
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: None,
    ) -> AwaitableOrValue[Any]:
        read = self._reader(return_type, field_details_list)
        if read is not None:
            with suppress(Exception):
                return read(result)
        return super().complete_value(return_type, field_details_list, info, path, result, position_context)

    def _field_reader(self, parent_type: GraphQLObjectType, fields: FieldDetailsList) -> Reader | None:
        """Reads a field of an object of that type; None where it is not plain."""
        readers, key = self._memory.field_readers, (parent_type, id(fields))
        if key not in readers:
            readers[key] = self._new_field_reader(parent_type, fields)
        return readers[key]

    def _new_field_reader(self, parent_type: GraphQLObjectType, fields: FieldDetailsList) -> Reader | None:
        name = fields[0].node.name.value
        if name == "__typename":
            return constant(parent_type.name)
        field = self.schema.get_field(parent_type, name)
        if field is None or not isinstance(field.resolve, Attribute):
            return None
        if read_leaf := leaf(field.type):
            return attribute(field.resolve.read, read_leaf)
        read = self._reader(field.type, fields)
        return read and then(field.resolve.read, read)

    def _reader(self, type_: GraphQLOutputType, fields: FieldDetailsList) -> Reader | None:
        """Reads a value of that type as far as it is selected; None where it is not plain."""
        readers, key = self._memory.value_readers, (type_, id(fields))
        if key not in readers:
            readers[key] = self._new_reader(type_, fields)
        return readers[key]

    def _new_reader(self, type_: GraphQLOutputType, fields: FieldDetailsList) -> Reader | None:
        if isinstance(type_, GraphQLNonNull | GraphQLList):
            read = self._reader(type_.of_type, fields)
            return read and wrapped(type_, read)
        if not isinstance(type_, GraphQLObjectType):
            return leaf(type_)
        grouped = self.collect_subfields(type_, fields).grouped_field_set
        reads = {name: self._field_reader(type_, subfields) for name, subfields in grouped.items()}
        plain = {name: read for name, read in reads.items() if read is not None}
        return selected(type_, plain) if len(plain) == len(reads) else None
