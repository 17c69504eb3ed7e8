"""Documents: wrong ones are explained, large ones refused early, good ones kept in a bounded number."""

from typing import Any

import pytest
from graphql import get_introspection_query

from gateway.api.schema import graphql_schema
from gateway.documents.library import (
    CHARACTERS_A_FIELD,
    LARGEST_KEPT_CHARACTERS,
    MOST_KEPT_CHARACTERS,
    Documents,
)
from gateway.documents.limits import Limits
from gateway.errors import GatewayError, OperationNotFoundError
from tests.conftest import Client

LIMITS = Limits(tokens=3000, depth=20, fields=500)


def documents(size: int = 10) -> Documents[None]:
    return Documents(graphql_schema(), LIMITS, size=size, prepare=lambda _document, _operation: None)


async def errors(client: Client, query: str) -> list[dict[str, Any]]:
    """The errors of an operation, without their request ids."""
    found: list[dict[str, Any]] = (await client.post(query)).json()["errors"]
    for error in found:
        assert error["extensions"].pop("requestId")
    return found


def refusal(text: str, operation: str | None = None) -> tuple[str, str]:
    with pytest.raises(GatewayError) as caught:
        documents().get(text).operation(operation)
    return caught.value.code, caught.value.message


async def test_a_syntax_error_says_where(aurora: Client) -> None:
    assert await errors(aurora, "query {\n  me )\n}") == [
        {
            "message": "Syntax Error: Expected Name, found ')'.",
            "locations": [{"line": 2, "column": 6}],
            "extensions": {"code": "GRAPHQL_PARSE_FAILED"},
        }
    ]


async def test_a_validation_error_says_where(aurora: Client) -> None:
    assert await errors(aurora, "{ me { id nmae } }") == [
        {
            "message": "Cannot query field 'nmae' on type 'Member'. Did you mean 'name'?",
            "locations": [{"line": 1, "column": 11}],
            "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
        }
    ]


async def test_several_validation_errors_are_told_at_once(aurora: Client) -> None:
    found = await errors(aurora, "query ($unused: Int) { nothing me { id(x: 1) } deal { id } }")
    assert [(error["locations"], error["extensions"]["code"]) for error in found] == [
        ([{"line": 1, "column": column}], "GRAPHQL_VALIDATION_FAILED") for column in (8, 24, 40, 48)
    ]


async def test_a_thousand_validation_errors_are_told_as_twenty(aurora: Client) -> None:
    found = await errors(aurora, "{" + " ".join(f"x{number}" for number in range(400)) + "}")
    assert len(found) == 21
    assert found[-1]["message"].startswith("Too many validation errors")


OPERATIONS = {
    "query A { __typename } query B { __typename }": (
        None,
        "The document has several operations: set `operationName` to one of them.",
    ),
    "query A { __typename }": ("B", "The document has no operation 'B': set `operationName` to one that it has."),
    "{ __typename }": ("A", "The document has no operation 'A': set `operationName` to one that it has."),
}


@pytest.mark.parametrize("text", OPERATIONS)
def test_an_unknown_or_ambiguous_operation_is_refused(text: str) -> None:
    name, message = OPERATIONS[text]
    assert refusal(text, name) == ("OPERATION_NOT_FOUND", message)


def test_a_document_of_fragments_alone_has_no_operation() -> None:
    with pytest.raises(GatewayError) as caught:
        documents().get("fragment A on Query { __typename }")
    assert caught.value.code in ("OPERATION_NOT_FOUND", "GRAPHQL_VALIDATION_FAILED")


@pytest.mark.parametrize("text", ["", " ", "# nothing", "\ufeff", "{", '"', "{ me(", "\x00", "type A { b: Int }"])
def test_text_that_is_no_executable_document_is_refused(text: str) -> None:
    assert refusal(text)[0] in ("GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED")


def doubling(fragments: int, innermost: str = "__typename") -> str:
    spelled = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(fragments)]
    return " ".join(["{ ...F0 }", *spelled, f"fragment F{fragments} on Query {{ {innermost} }}"])


TOO_LARGE = {
    "10 000 aliases": "{" + " ".join(f"a{number}: __typename" for number in range(10_000)) + "}",
    "10 000 directives": "{ __typename " + "@include(if: true) " * 10_000 + "}",
    "one field more than 500": "{" + "__typename " * 501 + "}",
    "1 000 levels": "{ a " * 1000 + "}" * 1000,
    "1 400 lists": "{ me(a: " + "[" * 1400 + "]" * 1400 + ") { id } }",
    "1 000 inline fragments": "{" + "... {" * 1000 + "__typename" + "}" * 1001,
    "wide introspection": "{ __schema { types { " + " ".join(f"a{n}: fields {{ name }}" for n in range(260)) + " } } }",
    "doubling fragments": doubling(60),
    "doubling within a field": doubling(60, "me { id }"),
    "10 MB": "{" + "__typename " * 900_000 + "}",
}


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_a_document_too_large_is_refused(kind: str) -> None:
    assert refusal(TOO_LARGE[kind])[0] == "DOCUMENT_TOO_LARGE"


def test_doubling_fragments_that_select_nothing_cost_no_more_than_their_text() -> None:
    assert documents().get(doubling(60, "")).operation(None).root_fields == {}


def test_a_document_at_the_limits_is_read() -> None:
    assert documents().get("{" + "__typename " * 500 + "}").operation(None).root_fields == {"__typename": "__typename"}


def test_a_document_is_as_deep_as_the_limit_at_most() -> None:
    at_limit, deeper = ("{ a " * levels + "}" * levels for levels in (20, 21))
    assert refusal(at_limit)[0] == "GRAPHQL_VALIDATION_FAILED"  # nobody has a field `a`
    assert refusal(deeper)[1] == "The operation nests 21 fields deep; 20 are accepted. Split it."


def test_a_document_has_as_many_tokens_as_the_limit_at_most() -> None:
    at_limit, longer = ("query (" + "$a: Int " * variables + ") { b }" for variables in (748, 749))
    assert refusal(at_limit)[0] == "GRAPHQL_VALIDATION_FAILED"
    assert refusal(longer)[1] == "The document has more than 3000 tokens. Split it or select fewer fields."


def test_a_syntax_error_that_speaks_of_tokens_is_no_size_error() -> None:
    assert refusal("{ me token3000 token! 3000 }")[0] == "GRAPHQL_PARSE_FAILED"


CYCLES = {
    "{ ...A } fragment A on Query { ...A }",
    "{ ...A } fragment A on Query { __typename ...B } fragment B on Query { ...A }",
    "{ me { ...A } } fragment A on Member { id ...B } fragment B on Member { ...A ...A }",
}


@pytest.mark.parametrize("text", sorted(CYCLES))
def test_fragments_in_a_circle_are_refused(text: str) -> None:
    code, message = refusal(text)
    assert code == "GRAPHQL_VALIDATION_FAILED"
    assert "Cannot spread fragment" in message


def test_introspection_that_multiplies_is_refused() -> None:
    deep = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }"
    assert refusal(deep)[0] == "GRAPHQL_VALIDATION_FAILED"
    by_name = deep.replace("__schema { types", '__type(name: "Query") { possibleTypes')
    assert refusal(by_name)[0] == "GRAPHQL_VALIDATION_FAILED"


def test_a_known_text_is_not_read_again() -> None:
    known = documents()
    assert known.get("{ __typename }") is known.get("{ __typename }")


def test_the_least_recently_used_document_leaves_first() -> None:
    known = documents(size=2)
    first, second = known.get("{ a: __typename }"), known.get("{ b: __typename }")
    assert known.get("{ a: __typename }") is first
    known.get("{ c: __typename }")
    assert known.get("{ a: __typename }") is first
    assert known.get("{ b: __typename }") is not second
    assert len(known._known) == 2


def test_kept_texts_are_bounded_in_their_sum() -> None:
    known = documents(size=1000)
    padding = "#" * (LARGEST_KEPT_CHARACTERS - 100)
    for number in range(40):
        known.get(f"query Q{number} {{ __typename }} {padding}")
    assert len(known._known) == MOST_KEPT_CHARACTERS // len(next(iter(known._known)))
    assert sum(map(len, known._known)) == known._kept_characters <= MOST_KEPT_CHARACTERS


def test_a_short_text_that_selects_much_counts_by_its_fields() -> None:
    known = documents(size=1000)
    fragment = f"fragment F on Query {{ {' '.join(f'f{number}: me {{ name }}' for number in range(24))} }}"
    spread = " ".join(f"... on Query {{ q{number}: node(id: 1) {{ id }} ...F }}" for number in range(8))
    text = f"{{ {spread} }} {fragment}"
    known.get(text)
    assert known._kept_characters == CHARACTERS_A_FIELD * 8 * (2 + 48) > len(text)


def test_what_is_remembered_of_an_operation_is_shared_unless_it_varies() -> None:
    known = documents()
    fixed, varied = (known.get(text).operation(None) for text in ("{ me { id } }", "{ me { id @skip(if: true) } }"))
    assert fixed.memory() is fixed.memory()
    assert varied.memory() is not varied.memory()


def test_a_huge_text_and_an_invalid_one_are_not_kept() -> None:
    known = documents()
    huge = "{ __typename } #" + "x" * LARGEST_KEPT_CHARACTERS
    assert known.get(huge) is not known.get(huge)
    with pytest.raises(OperationNotFoundError):
        known.get("{ __typename }").operation("other")
    for text in ("{ nothing }", "{", "{" + "a " * 3000 + "}"):
        with pytest.raises(GatewayError):
            known.get(text)
    assert list(known._known) == ["{ __typename }"]


async def test_a_signed_in_caller_may_introspect(aurora: Client) -> None:
    for query in (get_introspection_query(), get_introspection_query(input_value_deprecation=True)):
        data = await aurora.data(query)
        assert data["__schema"]["queryType"]["name"] == "Query"
