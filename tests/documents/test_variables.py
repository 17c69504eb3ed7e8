"""Variables and arguments of every wrong kind: explained to the caller, never INTERNAL."""

import base64
from typing import Any

import pytest

from tests.conftest import Client

REPORT = """query ($id: ID, $interval: Interval! = WEEK, $first: Int, $period: PeriodInput) {
  dashboard(ownerId: $id, period: $period) {
    asOf trend(interval: $interval) { start } leaderboard(first: $first) { won }
  }
}"""
TODAY = {"preset": "TODAY"}


def days(from_day: object, to_day: object) -> dict[str, Any]:
    return {"period": {"range": {"from": from_day, "to": to_day}}}


def each(name: str, *values: object) -> list[dict[str, Any]]:
    """One set of variables a value."""
    return [{name: value} for value in values]


NO_DAYS: list[Any] = [
    *(None, 1, 20260101, True, [], {}, "", "today", "2026-1-1", "20260101"),
    *("2026-01-01T00:00:00Z", "2026-W01-1", " 2026-01-01", "\uff12\uff10\uff12\uff16-01-01"),
    *("2026-02-30", "2025-02-29", "2026-13-01", "2026-00-01", "0000-01-01"),
    *("1899-12-31", "0001-01-01", "-2026-01-01", "10000-01-01", "+2026-01-01"),
    "9" * 3000,
]

WRONG_TYPES: list[dict[str, Any]] = [
    *each("id", True, 1.5, [], ["a", "b"], {}, {"a": 1}),
    *each("interval", None, "YEAR", "week", "", 1, True, 1.5, ["DAY", "DAY"], {"a": "DAY"}),
    *each("first", "1", "", True, 1.5, 2**31, -(2**31) - 1, 2**53, 1e300, [1, 2], {"a": 1}),
    *each("period", "TODAY", 1, True, [TODAY, TODAY], {}, {"preset": None}, {"range": None}),
    *each("period", {**TODAY, "range": None}, {"preset": None, "range": None}, {**TODAY, "x": 1}),
    {"period": {**TODAY, **days("2026-01-01", "2026-02-01")["period"]}},
    *({"period": member} for member in each("preset", "today", "EVER", 1, True, [], {})),
    *({"period": member} for member in each("range", "2026", 1, [], {}, {"from": "2026-01-01"}, {"to": "2026-01-01"})),
    {"period": {"range": {"from": "2026-01-01", "to": "2026-01-02", "until": "2026-01-03"}}},
    *(days(value, "2026-01-01") for value in NO_DAYS),
    *(days("2026-01-01", value) for value in NO_DAYS),
]

BAD_VALUES: list[tuple[dict[str, Any], str]] = [
    (days("2026-02-01", "2026-01-01"), "A range is half-open: `to` must come after `from`."),
    (days("2026-01-01", "2026-01-01"), "A range is half-open: `to` must come after `from`."),
    (days("2016-01-01", "2026-01-02"), "A period may cover at most 10 years."),
    (days("1900-01-01", "9999-12-31"), "A period may cover at most 10 years."),
    (days("2016-02-29", "2026-03-01"), "A period may cover at most 10 years."),
    ({"first": -1}, "`first` must be from 0 to 100; it is -1."),
    ({"first": 101}, "`first` must be from 0 to 100; it is 101."),
    ({"first": 2**31 - 1}, "`first` must be from 0 to 100; it is 2147483647."),
    ({"first": -(2**31)}, "`first` must be from 0 to 100; it is -2147483648."),
]

GOOD: list[dict[str, Any]] = [
    {},
    {"extra": {"any": ["thing"]}},
    {"id": None, "first": None, "period": None},
    {"first": 0},
    {"first": 1.0},
    {"first": 100, "interval": "QUARTER", "period": {"preset": "LAST_YEAR"}},
    days("2016-01-01", "2026-01-01"),
    days("1900-01-01", "1900-01-02"),
    days("9998-12-30", "9999-12-31"),
]


def opaque(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


MALFORMED_IDS = [
    "",
    " ",
    "rubbish",
    "x" * 10_000,
    "=" * 10,
    "Deal:1",
    "Дело",
    "RGVhbDox\n",
    "\x00",
    "-1",
    opaque("Deal"),
    opaque("Deal:"),
    opaque(":1"),
    opaque("Deal:0"),
    opaque("Deal:-1"),
    opaque("Deal:+1"),
    opaque("Deal:1.0"),
    opaque("Deal: 1"),
    opaque("Deal:1_0"),
    opaque("Deal:99999999999999999999"),
    opaque("Deal:9223372036854775808"),
    opaque("Deal:\u0661"),
    opaque("Deal:\u00b2"),
    opaque("D" * 9000 + ":1"),
    base64.urlsafe_b64encode(bytes(range(256))).decode(),
]


async def codes(client: Client, query: str, variables: dict[str, Any]) -> list[tuple[str, str]]:
    """Code and message of each error of an answer."""
    answer = (await client.post(query, variables)).json()
    return [(error["extensions"]["code"], error["message"]) for error in answer.get("errors", [])]


@pytest.mark.parametrize("variables", WRONG_TYPES, ids=lambda given: str(given)[:60])
async def test_a_variable_of_a_wrong_type_is_told_by_its_name(aurora: Client, variables: dict[str, Any]) -> None:
    response = await aurora.post(REPORT, variables, headers={"Accept": "application/graphql-response+json"})
    errors = response.json()["errors"]
    assert (response.status_code, list(response.json())) == (400, ["errors"])
    assert {error["extensions"]["code"] for error in errors} == {"VARIABLES_INVALID"}
    assert all(f"${next(iter(variables))}" in error["message"] for error in errors)
    assert all(len(error["message"]) < 1000 for error in errors)


@pytest.mark.parametrize(("variables", "message"), BAD_VALUES, ids=lambda given: str(given)[:60])
async def test_a_value_out_of_bounds_is_bad_user_input(aurora: Client, variables: dict[str, Any], message: str) -> None:
    assert await codes(aurora, REPORT, variables) == [("BAD_USER_INPUT", message)]


@pytest.mark.parametrize("variables", GOOD, ids=lambda given: str(given)[:60])
async def test_a_right_value_at_the_edge_is_taken(aurora: Client, variables: dict[str, Any]) -> None:
    assert await codes(aurora, REPORT, variables) == []


@pytest.mark.parametrize("query", ["deal(id: $id) { id }", "node(id: $id) { id }", "dashboard(ownerId: $id) { asOf }"])
@pytest.mark.parametrize("wrong", MALFORMED_IDS, ids=lambda given: given[:20].encode("unicode_escape").decode())
async def test_a_malformed_id_is_bad_user_input(aurora: Client, query: str, wrong: str) -> None:
    found = await codes(aurora, f"query ($id: ID!) {{ {query} }}", {"id": wrong})
    assert [code for code, _ in found] == ["BAD_USER_INPUT"]
    assert found[0][1].endswith("Ids are opaque: send one exactly as an earlier answer gave it.")


OF_ANOTHER_TYPE = {
    "dashboard(ownerId: $id) { asOf }": ("Deal", "`ownerId` is the id of a Deal; the id of a Member is wanted."),
    "pipelineStats(pipelineId: $id) { asOf }": (
        "Deal",
        "`pipelineId` is the id of a Deal; the id of a Pipeline is wanted.",
    ),
    "companyAnalytics(companyId: $id) { asOf }": (
        "Member",
        "`companyId` is the id of a Member; the id of a Company is wanted.",
    ),
    "company(id: $id) { id }": ("Deal", "`id` is the id of a Deal; the id of a Company is wanted."),
    "deal(id: $id) { id }": ("Company", "`id` is the id of a Company; the id of a Deal is wanted."),
}


@pytest.mark.parametrize("field", OF_ANOTHER_TYPE)
async def test_the_id_of_another_type_is_bad_user_input(aurora: Client, field: str) -> None:
    type_name, message = OF_ANOTHER_TYPE[field]
    found = await codes(aurora, f"query ($id: ID!) {{ {field} }}", {"id": opaque(f"{type_name}:1")})
    assert found == [("BAD_USER_INPUT", message)]


async def test_the_id_of_a_record_that_is_not_there_finds_nothing(aurora: Client) -> None:
    fields = "deal(id: $deal) { id } company(id: $company) { id } node(id: $deal) { id }"
    query = f"query ($deal: ID!, $company: ID!) {{ {fields} }}"
    largest = {"deal": opaque(f"Deal:{2**63 - 1}"), "company": opaque("Company:999999999")}
    assert await aurora.data(query, **largest) == {"deal": None, "company": None, "node": None}


async def test_a_missing_variable_is_told_by_its_name(aurora: Client) -> None:
    for variables in ({}, {"id": None}, {"ID": "x"}):
        found = await codes(aurora, "query ($id: ID!) { deal(id: $id) { id } }", variables)
        assert [code for code, _ in found] == ["VARIABLES_INVALID"]
        assert "$id" in found[0][1]


async def test_several_wrong_variables_are_told_at_once(aurora: Client) -> None:
    found = await codes(aurora, REPORT, {"id": {}, "interval": "YEAR", "first": "1", "period": TODAY})
    assert [code for code, _ in found] == ["VARIABLES_INVALID"] * 3


@pytest.mark.parametrize("value", [None, "yes", 1, [], {}])
async def test_a_condition_that_is_no_boolean_is_invalid(aurora: Client, value: Any) -> None:
    query = "query ($if: Boolean! = true) { me @include(if: $if) { id email @skip(if: $if) } }"
    assert [code for code, _ in await codes(aurora, query, {"if": value})] == ["VARIABLES_INVALID"]


async def test_null_for_an_argument_whose_default_forbids_it_is_bad_user_input(aurora: Client) -> None:
    query = "query ($i: Interval = DAY) { dashboard { trend(interval: $i) { start } } }"
    found = await codes(aurora, query, {"i": None})
    assert [code for code, _ in found] == ["BAD_USER_INPUT"]


async def test_null_for_a_condition_with_a_default_is_the_callers_error(aurora: Client) -> None:
    for query in ("me @include(if: $b) { id }", "me { id @skip(if: $b) }"):
        found = await codes(aurora, f"query ($b: Boolean = true) {{ {query} }}", {"b": None})
        assert [code for code, _ in found] in (["VARIABLES_INVALID"], ["BAD_USER_INPUT"])


LITERALS = [
    "dashboard(period: {}) { asOf }",
    "dashboard(period: {preset: TODAY, range: null}) { asOf }",
    "dashboard(period: {preset: null}) { asOf }",
    'dashboard(period: {preset: "TODAY"}) { asOf }',
    'dashboard(period: {range: {from: "2026-02-30", to: "2026-03-01"}}) { asOf }',
    'dashboard(period: {range: {from: "1899-12-31", to: "1900-03-01"}}) { asOf }',
    'dashboard(period: {range: {from: "9999-01-01", to: "10000-01-01"}}) { asOf }',
    "dashboard(period: {range: {from: 2026, to: 2027}}) { asOf }",
    "dashboard { leaderboard(first: 2147483648) { won } }",
    "dashboard { leaderboard(first: 1.5) { won } }",
    'dashboard { trend(interval: "WEEK") { start } }',
    "dashboard { trend(interval: YEAR) { start } }",
    "deal(id: 1.5) { id }",
    "deal(id: true) { id }",
    "deal(id: null) { id }",
]


@pytest.mark.parametrize("field", LITERALS)
async def test_a_literal_of_a_wrong_type_fails_validation(aurora: Client, field: str) -> None:
    assert {code for code, _ in await codes(aurora, f"{{ {field} }}", {})} == {"GRAPHQL_VALIDATION_FAILED"}


async def test_text_that_cannot_be_stored_is_bad_user_input(aurora: Client) -> None:
    mutation = 'mutation ($email: String!) { login(tenant: "aurora", email: $email, password: "x") { token } }'
    assert [code for code, _ in await codes(aurora, mutation, {"email": "a\x00b"})] == ["BAD_USER_INPUT"]
    for email in ("\uffff", "😀" * 1000, "x" * 100_000):
        assert [code for code, _ in await codes(aurora, mutation, {"email": email})] == ["LOGIN_FAILED"]


async def test_introspection_says_that_a_period_is_one_of_its_members(aurora: Client) -> None:
    assert await aurora.data('{ __type(name: "PeriodInput") { isOneOf } }') == {"__type": {"isOneOf": True}}
