"""What an operation selects of a type, as an executor collects it: fields by response key, through fragments."""

from collections.abc import Iterable, Mapping

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)

Fields = dict[str, list[FieldNode]]
Switches = Mapping[str, bool]
"""Variables of `@skip` and `@include`."""


class Selections:
    """Collects with the switches of one request. Each fragment is entered once for each set that it is spread in."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, switches: Switches) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._switches = switches

    def of(self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> Fields:
        """Nodes with the same response key are one field."""
        fields: Fields = {}
        visited: set[str] = set()
        for selections in sets:
            self._collect(type_, selections, fields, visited)
        return fields

    def _collect(
        self, type_: GraphQLObjectType, selections: SelectionSetNode, fields: Fields, visited: set[str]
    ) -> None:
        for node in selections.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                fields.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._applies(type_, node.type_condition.name.value):
                    self._collect(type_, node.selection_set, fields, visited)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
                visited.add(node.name.value)
                fragment = self._fragments[node.name.value]
                if self._applies(type_, fragment.type_condition.name.value):
                    self._collect(type_, fragment.selection_set, fields, visited)

    def _applies(self, type_: GraphQLObjectType, condition: str) -> bool:
        wanted = self._schema.type_map[condition]
        return wanted is type_ or (is_abstract_type(wanted) and self._schema.is_sub_type(wanted, type_))

    def _included(self, node: SelectionNode) -> bool:
        said = {directive.name.value: self._condition(directive) for directive in node.directives or ()}
        return said.get("include", True) and not said.get("skip", False)

    def _condition(self, directive: DirectiveNode) -> bool:
        value = directive.arguments[0].value if directive.arguments else None
        if isinstance(value, VariableNode):
            return self._switches[value.name.value]
        return isinstance(value, BooleanValueNode) and value.value


def switch_names(document: DocumentNode) -> tuple[str, ...]:
    """Names of the variables that a document skips and includes by, in order."""
    names: set[str] = set()
    unseen = [node.selection_set for node in document.definitions if isinstance(node, ExecutableDefinitionNode)]
    while unseen:
        for selection in unseen.pop().selections:
            values = [argument.value for said in selection.directives or () for argument in said.arguments or ()]
            names |= {value.name.value for value in values if isinstance(value, VariableNode)}
            if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set is not None:
                unseen.append(selection.selection_set)
    return tuple(sorted(names))
