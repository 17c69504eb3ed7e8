"""How long an answer may be kept and whose it is: the strictest of all that is selected decides."""

from functools import cache

import pytest
from graphql import (
    DirectiveNode,
    GraphQLField,
    GraphQLNamedType,
    build_schema,
    specified_rules,
    validate,
    value_from_ast_untyped,
)

from gateway.api.schema import graphql_schema
from gateway.cache.policy import NEVER, Hint, Policy, Scope, policy_of
from gateway.pipeline.prepared import preparation
from tests.cache.questions import operation

DAY = 86_400
TENANT, PRIVATE = Scope.TENANT, Scope.PRIVATE

SCHEMA = build_schema("""
directive @cacheControl(maxAge: Int, scope: Scope, inheritMaxAge: Boolean) on FIELD_DEFINITION | OBJECT
enum Scope { TENANT PRIVATE }

type Query {
    plain: String
    minute: String @cacheControl(maxAge: 60)
    hour(unit: Int): String @cacheControl(maxAge: 3600)
    never: String @cacheControl(maxAge: 0)
    own: String @cacheControl(scope: PRIVATE)
    shared: String @cacheControl(scope: TENANT)
    board: Board
    boards: [Board!]!
    quietly: Board @cacheControl(inheritMaxAge: true)
    quietlyHour: Board @cacheControl(maxAge: 3600, inheritMaxAge: true)
    quietlyMine: Secret @cacheControl(inheritMaxAge: true)
    secret: Secret
    node: Node
    found: Found
}
type Mutation { change: String @cacheControl(maxAge: 60) }
type Board implements Node @cacheControl(maxAge: 120) { id: ID, title: String, members: [Member!], next: Node }
type Member implements Node {
    id: ID @cacheControl(maxAge: 30)
    email: String @cacheControl(scope: PRIVATE)
    next: Node
}
type Secret @cacheControl(maxAge: 10, scope: PRIVATE) { word: String }
type Stage { title: String }
interface Node { id: ID, next: Node }
union Found = Stage | Secret
""")


class Written:
    """The hints that stand in `SCHEMA`."""

    def of_field(self, field: GraphQLField) -> Hint:
        return _hint(field.ast_node.directives if field.ast_node else ())

    def of_type(self, type_: GraphQLNamedType) -> Hint:
        return _hint(type_.ast_node.directives if type_.ast_node else ())


def _hint(directives: tuple[DirectiveNode, ...] | None) -> Hint:
    said = {
        one.name.value: value_from_ast_untyped(one.value) for node in directives or () for one in node.arguments or ()
    }
    scope = said.get("scope")
    return Hint(said.get("maxAge"), Scope(scope) if scope else None, bool(said.get("inheritMaxAge")))


def policy(text: str) -> Policy:
    document, node = operation(text)
    assert not validate(SCHEMA, document)
    return policy_of(SCHEMA, Written(), document, node, max_age_seconds=DAY)


POLICIES = {
    "{ plain }": Policy(DAY, TENANT),
    "{ __typename }": Policy(DAY, TENANT),
    "{ __schema { types { name } } }": Policy(DAY, TENANT),
    "{ minute }": Policy(60, TENANT),
    "{ plain hour minute hour }": Policy(60, TENANT),
    "{ minute never }": Policy(0, TENANT),
    "{ own }": Policy(DAY, PRIVATE),
    "{ own shared minute }": Policy(60, PRIVATE),
    "{ shared own }": Policy(DAY, PRIVATE),
    "{ never own }": Policy(0, PRIVATE),
    "{ minute: plain hour: minute }": Policy(60, TENANT),
    "{ board { title } }": Policy(120, TENANT),
    "{ boards { title } }": Policy(120, TENANT),
    "{ minute board { title } }": Policy(60, TENANT),
    "{ board { members { id } } }": Policy(30, TENANT),
    "{ board { members { email } } }": Policy(120, PRIVATE),
    "{ secret { word } }": Policy(10, PRIVATE),
    "{ secret { __typename } }": Policy(10, PRIVATE),
    "{ quietly { title } }": Policy(DAY, TENANT),
    "{ quietlyHour { title } }": Policy(3600, TENANT),
    "{ quietly { members { id } } }": Policy(30, TENANT),
    "{ quietly { next { id } } }": Policy(30, TENANT),
    "{ quietlyMine { word } }": Policy(DAY, PRIVATE),
    "{ ...F } fragment F on Query { minute }": Policy(60, TENANT),
    "{ ...F } fragment F on Query { board { ...G } } fragment G on Board { members { email } }": Policy(120, PRIVATE),
    "{ ... { minute } ... on Query { own } }": Policy(60, PRIVATE),
    "query A { plain } query B { never }": Policy(DAY, TENANT),
    "{ plain } fragment F on Query { board { title ...G } } fragment G on Board { id }": Policy(DAY, TENANT),
}
"""The second operation and what is not used do not matter."""


@pytest.mark.parametrize("text", POLICIES)
def test_the_strictest_of_all_that_is_selected_counts(text: str) -> None:
    document, node = operation(text)
    assert policy_of(SCHEMA, Written(), document, node, max_age_seconds=DAY) == POLICIES[text]


def test_what_a_field_says_never_loosens_what_is_allowed_at_most() -> None:
    document, node = operation("{ hour }")
    ages = [policy_of(SCHEMA, Written(), document, node, max_age_seconds=most).max_age_seconds for most in (5, 9000, 0)]
    assert ages == [5, 3600, 0]


@pytest.mark.parametrize("directive", ["@skip(if: true)", "@include(if: false)", "@skip(if: $a)"])
def test_what_a_directive_leaves_out_counts_all_the_same(directive: str) -> None:
    head = "query ($a: Boolean!)" if "$" in directive else ""
    for text in (
        f"{{ plain never {directive} }}",
        f"{{ plain ... {directive} {{ never }} }}",
        f"{{ plain ...F {directive} }} fragment F on Query {{ never }}",
    ):
        assert policy(head + text) == Policy(0, TENANT)


ABSTRACT = {
    "{ node { id } }": Policy(30, TENANT),
    "{ node { __typename } }": Policy(120, TENANT),
    "{ node { ... on Board { title } } }": Policy(120, TENANT),
    "{ node { ... on Member { email } } }": Policy(120, PRIVATE),
    "{ node { next { ... on Member { email } } } }": Policy(120, PRIVATE),
    "{ node { ...F } } fragment F on Node { id }": Policy(30, TENANT),
    "{ found { __typename } }": Policy(10, PRIVATE),
    "{ found { ... on Stage { title } } }": Policy(10, PRIVATE),
    "{ board { ... on Node { id } } }": Policy(30, TENANT),
}


@pytest.mark.parametrize("text", ABSTRACT)
def test_of_an_interface_or_a_union_the_strictest_member_counts(text: str) -> None:
    assert policy(text) == ABSTRACT[text]


def test_a_mutation_is_never_kept() -> None:
    assert policy("mutation { change }") == NEVER == Policy(0, PRIVATE)


@cache
def prepared_policy(text: str) -> Policy:
    """By the schema that is served."""
    document, node = operation(text)
    assert not validate(graphql_schema(), document, specified_rules)
    return preparation(graphql_schema(), max_age_seconds=DAY)(document, node).policy


def test_a_dashboard_is_kept_for_all_of_its_tenant() -> None:
    text = "{ dashboard { asOf overview { deals { total } tasks { overdue } } recent { activities { id } } } }"
    assert prepared_policy(text) == Policy(DAY, TENANT)


@pytest.mark.parametrize(
    "text",
    [
        "{ me { id } }",
        "{ dashboard { asOf } me { __typename } }",
        "{ dashboard: me { id } }",
        "{ dashboard { asOf } ...F } fragment F on Query { ...G } fragment G on Query { ... { who: me { name } } }",
        "{ dashboard { asOf } me @skip(if: true) { id } }",
        "query ($yes: Boolean!) { dashboard { asOf } ... @include(if: $yes) { me { id } } }",
    ],
)
def test_who_is_asking_is_ones_own_wherever_it_is_asked(text: str) -> None:
    assert prepared_policy(text) == Policy(DAY, PRIVATE)


@pytest.mark.parametrize("field", ["rollups { __typename }", "auditLog { __typename }", "budget { __typename }"])
def test_what_is_of_the_moment_or_for_few_is_never_kept(field: str) -> None:
    for text in (
        f"{{ {field} }}",
        f"{{ dashboard {{ asOf }} x: {field} }}",
        f"{{ dashboard {{ asOf }} ... @skip(if: true) {{ ...F }} }} fragment F on Query {{ {field} }}",
    ):
        assert prepared_policy(text).max_age_seconds == 0


def walked(text: str) -> int:
    """How many hints were asked for to find an operation's policy."""
    asked = 0

    class Counting(Written):
        def of_field(self, field: GraphQLField) -> Hint:
            nonlocal asked
            asked += 1
            return super().of_field(field)

    document, node = operation(text)
    policy_of(SCHEMA, Counting(), document, node, max_age_seconds=DAY)
    return asked


def doubling(fragments: int) -> str:
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(fragments))
    return f"{{ ...F0 }} {chain} fragment F{fragments} on Query {{ plain minute }}"


def nesting(levels: int) -> str:
    return "{ node" + " { id next" * levels + " { id }" + " }" * (levels + 1)


def test_fragments_that_double_are_walked_once_each() -> None:
    assert [walked(doubling(fragments)) for fragments in (1, 10, 100)] == [2, 2, 2]


def test_interfaces_within_interfaces_are_walked_in_time_with_their_text() -> None:
    assert [walked(nesting(levels)) for levels in (1, 2, 3, 18)] == [7, 11, 15, 75]
