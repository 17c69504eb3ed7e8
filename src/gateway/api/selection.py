"""What a field was asked for: the names of the fields selected anywhere beneath it."""

from collections.abc import Iterable
from typing import Any

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, GraphQLResolveInfo, SelectionNode


def selected_names(info: GraphQLResolveInfo[Any]) -> frozenset[str]:
    """Names of all fields beneath the present one, through fragments. Directives are not weighed: at worst too many."""
    names: set[str] = set()
    fragments = dict(info.fragments)
    for node in info.field_nodes:
        _collect(node.selection_set.selections if node.selection_set else (), fragments, names)
    return frozenset(names)


def _collect(
    selections: Iterable[SelectionNode], unvisited: dict[str, FragmentDefinitionNode], names: set[str]
) -> None:
    for selection in selections:
        if isinstance(selection, FragmentSpreadNode):
            fragment = unvisited.pop(selection.name.value, None)
            children = fragment.selection_set if fragment else None
        else:
            children = getattr(selection, "selection_set", None)
        if isinstance(selection, FieldNode):
            names.add(selection.name.value)
        _collect(children.selections if children else (), unvisited, names)
