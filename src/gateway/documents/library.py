"""The documents that a process knows: parsed and validated once, kept in a bounded number."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

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
from gateway.documents.memory import Memory
from gateway.errors import (
    DocumentTooLargeError,
    GraphQLParseFailedError,
    GraphQLValidationFailedError,
    OperationNotFoundError,
)

Prepared = TypeVar("Prepared")

MOST_VALIDATION_ERRORS = 20
LARGEST_KEPT_CHARACTERS = 32_768
"""A longer text is read anew each time: kept texts must not fill the memory."""
MOST_KEPT_CHARACTERS = 1_048_576
"""Of all kept texts together. A tree takes about 100 bytes for each character of its text."""
CHARACTERS_A_FIELD = 5
"""What is remembered of a field takes as much, each use of a fragment counted: fragments multiply a short text."""
NESTS_TOO_DEEPLY = "The document nests too deeply. Split it."
RULES = tuple(specified_rules)

# What the parser says of its own limits, in words only.
TOO_MANY_TOKENS = "Syntax Error: Document contains more "
TOO_DEEP = "Syntax Error: Document is nested too deeply"


@dataclass(frozen=True, slots=True)
class Operation(Generic[Prepared]):
    """One operation of a document. `root_fields`: names of its top fields by response key, through fragments.

    `prepared`: what others found out about it, once. `varies`: directives may leave fields out.
    """

    name: str | None
    kind: str
    root_fields: Mapping[str, str]
    prepared: Prepared
    varies: bool = False
    _memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    def memory(self) -> Memory:
        """What is known of its fields; a new one for each execution where variables decide what is selected."""
        return Memory() if self.varies else self._memory


@dataclass(frozen=True, slots=True)
class Document(Generic[Prepared]):
    """A valid document. `operations`: by name, in the order they are written. `fields`: how many they select."""

    ast: DocumentNode
    operations: dict[str | None, Operation[Prepared]]
    fields: int

    def operation(self, name: str | None) -> Operation[Prepared]:
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


class Documents(Generic[Prepared]):
    """Least recently used documents leave first. What is not valid is not kept.

    `prepare`: finds out once what others want to know of an operation.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        size: int,
        prepare: Callable[[DocumentNode, OperationDefinitionNode], Prepared],
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._size = size
        self._prepare = prepare
        self._known: OrderedDict[str, Document[Prepared]] = OrderedDict()
        self._kept_characters = 0

    def get(self, text: str) -> Document[Prepared]:
        """The document of a text. Raises GRAPHQL_PARSE_FAILED, DOCUMENT_TOO_LARGE or GRAPHQL_VALIDATION_FAILED."""
        document = self._known.get(text)
        if document is None:
            document = self._read(text)
            self._keep(text, document)
        else:
            self._known.move_to_end(text)
        return document

    def _keep(self, text: str, document: Document[Prepared]) -> None:
        if len(text) > LARGEST_KEPT_CHARACTERS:
            return
        self._known[text] = document
        self._kept_characters += _weight(text, document)
        while len(self._known) > self._size or self._kept_characters > MOST_KEPT_CHARACTERS:
            self._kept_characters -= _weight(*self._known.popitem(last=False))

    def _read(self, text: str) -> Document[Prepared]:
        try:
            return self._read_bounded(text)
        except RecursionError:
            raise DocumentTooLargeError(NESTS_TOO_DEEPLY) from None

    def _read_bounded(self, text: str) -> Document[Prepared]:
        ast = self._parse(text)
        fields = check_size(ast, self._limits)
        if errors := validate(self._schema, ast, RULES, max_errors=MOST_VALIDATION_ERRORS):
            raise GraphQLValidationFailedError(errors)
        fragments = {node.name.value: node for node in ast.definitions if isinstance(node, FragmentDefinitionNode)}
        operations = [
            Operation(
                node.name.value if node.name else None,
                node.operation.value,
                dict(_root_fields(node.selection_set, dict(fragments))),
                self._prepare(ast, node),
                varies="@" in text,
            )
            for node in ast.definitions
            if isinstance(node, OperationDefinitionNode)
        ]
        if not operations:
            raise OperationNotFoundError("The document has no operation: it only defines fragments.")
        return Document(ast, {operation.name: operation for operation in operations}, fields)

    def _parse(self, text: str) -> DocumentNode:
        try:
            return parse(text, max_tokens=self._limits.tokens)
        except GraphQLSyntaxError as error:
            if error.message.startswith(TOO_MANY_TOKENS):
                raise DocumentTooLargeError(
                    f"The document has more than {self._limits.tokens} tokens. Split it or select fewer fields."
                ) from None
            if error.message.startswith(TOO_DEEP):
                raise DocumentTooLargeError(NESTS_TOO_DEEPLY) from None
            raise GraphQLParseFailedError([error]) from None


def _weight(text: str, document: Document[Prepared]) -> int:
    """In characters, what a document takes of what may be kept."""
    return max(len(text), CHARACTERS_A_FIELD * document.fields)


def _root_fields(node: SelectionSetNode, unvisited: dict[str, FragmentDefinitionNode]) -> Iterator[tuple[str, str]]:
    for selection in node.selections:
        if isinstance(selection, FieldNode):
            yield (selection.alias or selection.name).value, selection.name.value
        elif isinstance(selection, InlineFragmentNode):
            yield from _root_fields(selection.selection_set, unvisited)
        elif isinstance(selection, FragmentSpreadNode) and (found := unvisited.pop(selection.name.value, None)):
            yield from _root_fields(found.selection_set, unvisited)
