"""Without a token a caller may sign in and ask for `__typename`, however the document spells it, and nothing else."""

import pytest
from graphql import get_introspection_query

from tests.conftest import DEMO_PASSWORD, Client, Database, Serve

LOGIN = f'login(tenant: "aurora", email: "viewer@aurora.example", password: "{DEMO_PASSWORD}")'

ALLOWED = {
    "{ __typename }": {"__typename": "Query"},
    "{ dashboard: __typename }": {"dashboard": "Query"},
    "query { ...F } fragment F on Query { ... { a: __typename } }": {"a": "Query"},
    "mutation { __typename }": {"__typename": "Mutation"},
    f"mutation {{ {LOGIN} {{ member {{ email }} }} }}": {"login": {"member": {"email": "viewer@aurora.example"}}},
    f"mutation {{ me: {LOGIN} {{ __typename }} }}": {"me": {"__typename": "LoginPayload"}},
    f"mutation {{ ...F }} fragment F on Mutation {{ ... on Mutation {{ {LOGIN} {{ __typename }} }} }}": {
        "login": {"__typename": "LoginPayload"}
    },
}
REFUSED = [
    "{ me { id } }",
    "{ __typename: me { id } }",
    "{ login: me { id } }",
    "{ __typename me { id } }",
    "{ __typename ...F } fragment F on Query { me { id } }",
    "{ ... { ... on Query { login: dashboard { asOf } } } }",
    "{ me @skip(if: true) { id } __typename }",
    "query ($a: Boolean = false) { __typename me @include(if: $a) { id } }",
    "{ __schema { queryType { name } } }",
    '{ __type(name: "Query") { name } }',
    get_introspection_query(),
]


@pytest.fixture
async def stranger(demo: Database, serve: Serve) -> Client:
    return await serve(demo)


@pytest.mark.parametrize("query", ALLOWED)
async def test_a_stranger_may_sign_in_and_ask_for_typename(stranger: Client, query: str) -> None:
    assert await stranger.data(query) == ALLOWED[query]


@pytest.mark.parametrize("query", REFUSED)
async def test_a_stranger_may_do_nothing_else(stranger: Client, query: str) -> None:
    response = await stranger.post(query)
    assert (response.status_code, list(response.json())) == (401, ["errors"])
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["UNAUTHENTICATED"]


async def test_only_the_chosen_operation_of_a_document_counts(stranger: Client) -> None:
    query = "query Open { __typename } query Closed { me { id } }"
    answers = [
        (await stranger.http.post("/graphql", json={"query": query, "operationName": name})).status_code
        for name in ("Open", "Closed")
    ]
    assert answers == [200, 401]


async def test_what_a_login_returns_signs_in_and_refreshes(stranger: Client) -> None:
    session = (await stranger.data(f"mutation {{ {LOGIN} {{ token refreshToken }} }}"))["login"]
    response = await stranger.post("{ me { email } }", headers={"Authorization": f"Bearer {session['token']}"})
    assert response.json() == {"data": {"me": {"email": "viewer@aurora.example"}}}
    refresh = "mutation ($token: String!) { refreshToken(token: $token) { member { email } } }"
    refreshed = await stranger.data(refresh, token=session["refreshToken"])
    assert refreshed == {"refreshToken": {"member": {"email": "viewer@aurora.example"}}}
