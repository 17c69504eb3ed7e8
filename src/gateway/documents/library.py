"""The documents that a process knows: parsed and validated once, kept in a bounded number."""

from collections import OrderedDict
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)

from gateway.documents.limits import Limits, check_size
from gateway.errors import (
    DocumentTooLargeError,
    GraphQLParseFailedError,
    GraphQLValidationFailedError,
    OperationNotFoundError,
)

MOST_VALIDATION_ERRORS = 20
LARGEST_KEPT_CHARACTERS = 32_768
"""A longer text is read anew each time: kept texts must not fill the memory."""
RULES = tuple(specified_rules)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document. `root_fields`: names of its top fields, through fragments."""

    name: str | None
    kind: str
    root_fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document. `operations`: by name, in the order they are written."""

    ast: DocumentNode
    operations: dict[str | None, Operation]

    def operation(self, name: str | None) -> Operation:
        """The operation of that name, or the only one. Raises OPERATION_NOT_FOUND."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if name is None:
            raise OperationNotFoundError("The document has several operations: set `operationName` to one of them.")
        if name not in self.operations:
            raise OperationNotFoundError(
                f"The document has no operation {name[:100]!r}: set `operationName` to one that it has."
            )
        return self.operations[name]


class Documents:
    """Least recently used documents leave first. What is not valid is not kept."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, size: int) -> None:
        self._schema = schema
        self._limits = limits
        self._size = size
        self._known: OrderedDict[str, Document] = OrderedDict()

    def get(self, text: str) -> Document:
        """The document of a text. Raises GRAPHQL_PARSE_FAILED, DOCUMENT_TOO_LARGE or GRAPHQL_VALIDATION_FAILED."""
        document = self._known.pop(text, None) or self._read(text)
        if len(text) <= LARGEST_KEPT_CHARACTERS:
            self._known[text] = document
        if len(self._known) > self._size:
            self._known.popitem(last=False)
        return document

    def _read(self, text: str) -> Document:
        try:
            return self._read_bounded(text)
        except RecursionError:
            raise DocumentTooLargeError("The document nests too deeply. Split it.") from None

    def _read_bounded(self, text: str) -> Document:
        ast = self._parse(text)
        check_size(ast, self._limits)
        if errors := validate(self._schema, ast, RULES, max_errors=MOST_VALIDATION_ERRORS):
            raise GraphQLValidationFailedError(errors)
        fragments = {node.name.value: node for node in ast.definitions if isinstance(node, FragmentDefinitionNode)}
        operations = [
            _operation(node, fragments) for node in ast.definitions if isinstance(node, OperationDefinitionNode)
        ]
        if not operations:
            raise OperationNotFoundError("The document has no operation: it only defines fragments.")
        return Document(ast, {operation.name: operation for operation in operations})

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_tokens=self._limits.tokens)
        except GraphQLSyntaxError as error:
            if "token" in error.message and str(self._limits.tokens) in error.message:
                raise DocumentTooLargeError(
                    f"The document has more than {self._limits.tokens} tokens. Split it or select fewer fields."
                ) from None
            raise GraphQLParseFailedError([error]) from None


def _operation(node: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]) -> Operation:
    name = node.name.value if node.name else None
    return Operation(name, node.operation.value, frozenset(_root_fields(node.selection_set, fragments)))


def _root_fields(node: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]) -> set[str]:
    names: set[str] = set()
    for selection in node.selections:
        if isinstance(selection, FieldNode):
            names.add(selection.name.value)
        elif isinstance(selection, FragmentSpreadNode):
            names |= _root_fields(fragments[selection.name.value].selection_set, fragments)
        elif isinstance(selection, InlineFragmentNode):
            names |= _root_fields(selection.selection_set, fragments)
    return names
