"""Keys: requests that could differ never share one; one request has one, however it is spelled."""

import json
from itertools import product
from typing import Any

import orjson
import pytest
from graphql import OperationDefinitionNode, parse, strip_ignored_characters
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache.keys import answer_key, defaults, operation_text, question, schema_version
from tests.cache.questions import asked, documents, json_values, operation

SHORT = settings(max_examples=80, deadline=None)

DIFFERENT = [
    "{ deal(id: 1) { id } }",
    "{ deal(id: 2) { id } }",
    '{ deal(id: "1") { id } }',
    "{ deal(id: 1.0) { id } }",
    "{ deal(id: true) { id } }",
    "{ deal(id: null) { id } }",
    "{ deal(id: [1]) { id } }",
    "{ deal(id: [1, 2]) { id } }",
    "{ deal(id: [[1], 2]) { id } }",
    "{ deal(id: {a: 1}) { id } }",
    "{ deal(id: {b: 1}) { id } }",
    "{ deal(id: ONE) { id } }",
    '{ deal(id: "ONE") { id } }',
    '{ deal(id: "a\\nb") { id } }',
    '{ deal(id: "a b") { id } }',
    '{ deal(id: "a,b") { id } }',
    '{ deal(id: "a  b") { id } }',
    '{ deal(id: "a#b") { id } }',
    '{ deal(id: "\\u00e9") { id } }',
    '{ deal(id: "e\\u0301") { id } }',
    "{ deal(id: $a) { id } }",
    "{ deal(id: $b) { id } }",
    "{ deal(no: 1) { id } }",
    "{ deal { id } }",
    "{ d: deal { id } }",
    "{ e: deal { id } }",
    "{ deal { d: id } }",
    "{ deal { id id2 } }",
    "{ deal { id2 id } }",
    "{ deal { id } deal2: deal { id } }",
    "query A { deal { id } }",
    "query B { deal { id } }",
    "query A($a: ID) { deal { id } }",
    "query A($a: ID = 1) { deal { id } }",
    "query A($a: ID!) { deal { id } }",
    "query A @live { deal { id } }",
    "{ deal @include(if: true) { id } }",
    "{ deal @include(if: false) { id } }",
    "{ deal @skip(if: true) { id } }",
    "{ deal { ... @skip(if: true) { id } } }",
    "{ deal { ... { id } } }",
    "{ deal { ... on Deal { id } } }",
    "{ deal { ... on Task { id } } }",
    "{ deal { ...F } } fragment F on Deal { id }",
    "{ deal { ...F } } fragment F on Deal { name }",
    "{ deal { ...F } } fragment F on Task { id }",
    "{ deal { ...F } } fragment F on Deal { ...G } fragment G on Deal { id }",
    "{ deal { ...F } } fragment F on Deal { ...G } fragment G on Deal { name }",
    "{ deal { ...G } } fragment G on Deal { id }",
    "{ deal { ...F @skip(if: true) } } fragment F on Deal { id }",
    "mutation { deal { id } }",
]


def test_documents_that_could_differ_never_share_a_key() -> None:
    assert len({asked(text) for text in DIFFERENT}) == len(DIFFERENT)


SAME = {
    "white space, commas and comments": ["{ deal(id: 1, no: 2) { id name } }", "{deal(id:1 no:2){id,name}}  # all\n"],
    "the order of fragments": [
        "{ deal { ...F ...G } } fragment F on Deal { id } fragment G on Deal { name }",
        "fragment G on Deal { name } { deal { ...F ...G } } fragment F on Deal { id }",
    ],
    "what is not used": [
        "query A { deal { ...F } } fragment F on Deal { id }",
        "query A { deal { ...F } } query B { deal { ...G } } fragment F on Deal { id } fragment G on Deal { name }",
    ],
}


@pytest.mark.parametrize("name", SAME)
def test_spellings_of_one_document_share_a_key(name: str) -> None:
    one, other = SAME[name]
    assert asked(one) == asked(other)


@SHORT
@given(documents())
def test_the_text_of_an_operation_loses_nothing_of_what_it_asks(text: str) -> None:
    document = parse(text, no_location=True)
    node, *fragments = document.definitions
    assert isinstance(node, OperationDefinitionNode)
    spelled = operation_text(document, node)
    assert parse(spelled, no_location=True).definitions == (node, *fragments)


@SHORT
@given(documents(), st.integers(0, 99))
def test_a_document_has_one_key_with_and_without_white_space_and_comments(text: str, number: int) -> None:
    noisy = text.replace("{", f" {{, #{number}}} {{\n", 1) + "  ,,\ufeff"
    assert asked(text) == asked(noisy) == asked(strip_ignored_characters(text))


TYPED = 'query ($a: Int, $b: [String!] = ["x"], $c: Filter = {since: ONE, few: 1}, $d: Float) { deal(id: $a) { id } }'

VARIABLES: list[dict[str, Any]] = [
    {},
    {"a": None},
    {"a": 0},
    {"a": False},
    {"a": ""},
    {"a": "0"},
    {"a": 0.0},
    {"a": -0.0},
    {"a": []},
    {"a": {}},
    {"a": [[]]},
    {"a": 1},
    {"a": True},
    {"a": 1.0},
    {"a": "1"},
    {"a": [1]},
    {"a": [1, 2]},
    {"a": [12]},
    {"a": ["1,2"]},
    {"a": ["1", "2"]},
    {"a": 2**53},
    {"a": 2**53 + 1},
    {"a": float(2**53)},
    {"a": 2**64 - 1},
    {"a": 1e22},
    {"a": 0.1},
    {"a": 0.1 + 2**-55},
    {"a": "é"},
    {"a": "e\u0301"},
    {"a": "\x00"},
    {"a": "\\u0000"},
    {"a": '","b":"'},
    {"a": {"b": 1}},
    {"a": {"b": {"c": 1}}},
    {"a": {"b": 1, "c": 1}},
    {"d": 1},
    {"a": 1, "d": 1},
    {"b": None},
    {"b": []},
    {"b": "x"},
    {"c": {"since": "ONE"}},
]


def test_variables_that_could_differ_never_share_a_key() -> None:
    assert len({asked(TYPED, variables) for variables in VARIABLES}) == len(VARIABLES)


def shuffled(value: Any) -> Any:
    """The same, its objects written the other way round."""
    if isinstance(value, dict):
        return {name: shuffled(inner) for name, inner in reversed(value.items())}
    return [shuffled(inner) for inner in value] if isinstance(value, list) else value


@SHORT
@given(st.dictionaries(st.sampled_from("abcd"), json_values()), json_values())
def test_the_order_of_variables_and_those_not_declared_do_not_matter(given: dict[str, Any], other: Any) -> None:
    assert asked(TYPED, given) == asked(TYPED, {"z": other, **shuffled(given), "A": other})


@settings(SHORT, max_examples=200)
@given(json_values(), json_values())
def test_two_values_of_a_variable_share_a_key_only_if_json_writes_them_alike(one: Any, other: Any) -> None:
    def spelled(value: Any) -> str:
        return json.dumps(value, sort_keys=True)

    assert (asked(TYPED, {"a": one}) == asked(TYPED, {"a": other})) == (spelled(one) == spelled(other))


@pytest.mark.parametrize(
    ("left_out", "given"),
    [
        ("query ($a: Int = 5) { deal(id: $a) { id } }", {"a": 5}),
        ('query ($a: String = "é") { deal(id: $a) { id } }', {"a": "é"}),
        ("query ($a: Interval = WEEK) { deal(id: $a) { id } }", {"a": "WEEK"}),
        ("query ($a: Boolean = true) { deal(id: $a) { id } }", {"a": True}),
        ("query ($a: Int = null) { deal(id: $a) { id } }", {"a": None}),
        (
            "query ($a: Filter = {few: [1, 2], since: ONE}) { deal(id: $a) { id } }",
            {"a": {"since": "ONE", "few": [1, 2]}},
        ),
    ],
)
def test_a_variable_left_out_is_its_default(left_out: str, given: dict[str, Any]) -> None:
    assert asked(left_out) == asked(left_out, given) != asked(left_out, {"a": "another"})


@pytest.mark.parametrize("literal", ["1e400", "-1e400", "[1e400]", "{a: 1e400}", "0.10000000000000000001", "-0"])
@pytest.mark.parametrize("given", [None, [None], {"a": None}, 0.1, 0, -0.0])
def test_a_default_that_json_cannot_say_is_no_other_value(literal: str, given: Any) -> None:
    text = f"query ($a: Anything = {literal}) {{ deal(id: $a) {{ id }} }}"
    assert asked(text) != asked(text, {"a": given})


@pytest.mark.parametrize("digits", [20, 5000])
def test_a_default_of_very_many_digits_is_a_question_like_others(digits: int) -> None:
    text = f"query ($a: ID = {'9' * digits}) {{ deal(id: $a) {{ id }} }}"
    assert asked(text) == asked(text, {"b": 1})
    assert asked(text) not in (asked(text, {"a": "9" * digits}), asked(text, {"a": None}))


def test_a_variable_left_out_without_a_default_is_not_null() -> None:
    text = "query ($a: Int) { deal(id: $a) { id } }"
    assert asked(text) != asked(text, {"a": None})


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800", {1: 2}, object()])
def test_what_json_cannot_write_has_no_key(value: Any) -> None:
    with pytest.raises(ValueError, match="variables"):
        asked(TYPED, {"a": value})


def test_numbers_are_those_that_were_read_from_json() -> None:
    for text in ("1e400", "-1e400", "NaN", "Infinity"):
        with pytest.raises(ValueError, match=r"."):
            orjson.loads(text)
    assert asked(TYPED, orjson.loads('{"d": 18446744073709551616}')) == asked(TYPED, {"d": 2.0**64})


def test_a_key_is_of_one_tenant_one_member_and_one_schema() -> None:
    texts = [b"1", b"11", b"", b"1:1"]
    keys = {answer_key(*parts) for parts in product(texts, [1, 11, 111], [None, 1, 11, 111], [1, 11])}
    assert len(keys) == len(texts) * 3 * 4 * 2
    versions = {schema_version(*parts) for parts in [("a", "bc"), ("ab", "c"), ("abc",), ("abc", ""), ("", "abc"), ()]}
    assert len(versions) == 6
    assert question("a", "b", {}, {}) != question("b", "a", {}, {}) != question("", "ab", {}, {})


def test_the_schemas_version_is_part_of_a_question() -> None:
    document, node = operation("{ deal { id } }")
    text = operation_text(document, node)
    assert question("one", text, defaults(node), {}) != question("two", text, defaults(node), {})
