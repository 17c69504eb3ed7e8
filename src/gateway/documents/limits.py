"""How large a document may be: weighed on its tree, in one pass, before the validator sees it."""

from dataclasses import dataclass
from functools import reduce

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from gateway.errors import DocumentTooLargeError
from gateway.settings import Settings

# Introspection nests by itself, as deep as the tools that ask for it want; it costs no statement.
INTROSPECTION = "__schema"


@dataclass(frozen=True, slots=True)
class Limits:
    """Most tokens of a document, deepest nesting and most fields of an operation, fragments spelled out."""

    tokens: int
    depth: int
    fields: int

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(settings.document_token_limit, settings.document_depth_limit, settings.document_field_limit)


@dataclass(frozen=True, slots=True)
class Size:
    depth: int
    fields: int

    def beside(self, other: "Size") -> "Size":
        return Size(max(self.depth, other.depth), self.fields + other.fields)


EMPTY = Size(0, 0)


def check_size(document: DocumentNode, limits: Limits) -> int:
    """How many fields its operations select. Raises DOCUMENT_TOO_LARGE.

    Each fragment is weighed once: doubling fragments cost no more than their text.
    """
    weigh, fields = _Scale(document), 0
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            size = weigh.selections(definition.selection_set)
            if size.depth > limits.depth:
                raise DocumentTooLargeError(
                    f"The operation nests {size.depth} fields deep; {limits.depth} are accepted. Split it."
                )
            if size.fields > limits.fields:
                raise DocumentTooLargeError(
                    f"The operation selects {size.fields} fields, each use of a fragment counted; "
                    f"{limits.fields} are accepted. Split it or select fewer."
                )
            fields += size.fields
    return fields


class _Scale:
    """Weighs selections; a fragment within itself weighs nothing, the validator refuses it later."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._weighed: dict[str, Size] = {}

    def selections(self, node: SelectionSetNode | None) -> Size:
        return reduce(Size.beside, (self._selection(child) for child in node.selections), EMPTY) if node else EMPTY

    def _selection(self, node: SelectionNode) -> Size:
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        inner = self.selections(getattr(node, "selection_set", None))
        if not isinstance(node, FieldNode):
            return inner
        return Size(1 if node.name.value == INTROSPECTION else inner.depth + 1, inner.fields + 1)

    def _fragment(self, name: str) -> Size:
        if name not in self._weighed and name in self._fragments:
            self._weighed[name] = EMPTY
            self._weighed[name] = self.selections(self._fragments[name].selection_set)
        return self._weighed.get(name, EMPTY)
