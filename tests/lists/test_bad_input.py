"""What a caller may get wrong about a list: each mistake has its code, and none is a fault of ours."""

import base64
import hashlib
from typing import Any

import pytest

from gateway.api.cursors import CHECK_BYTES, scope_of
from gateway.api.ids import encode_id
from loaders.keyset import PageRequest
from tests.conftest import Serve
from tests.lists.catalogue import ACTIVITIES, COMPANIES, DEALS, LISTS, Listed, Walk, page_of
from tests.lists.conditions import CONDITIONS
from tests.lists.conftest import Room
from tests.lists.room import NORTH

Json = dict[str, Any]
SELECTION = "nodes { id } totalCount"
URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


async def refusals(room: Room, listed: Listed, **variables: Any) -> list[tuple[str, Any]]:
    """The codes of the errors with the paths that they name; empty when the query is answered."""
    answer = (await room.client.post(listed.query(SELECTION), variables)).json()
    return [(error["extensions"]["code"], error["extensions"].get("path")) for error in answer.get("errors", [])]


@pytest.mark.parametrize("listed", LISTS, ids=str)
@pytest.mark.parametrize("name", ["first", "last"])
@pytest.mark.parametrize("size", [-1, 101, 2**31 - 1, -(2**31)])
async def test_a_page_has_from_none_to_a_hundred_entries(room: Room, listed: Listed, name: str, size: int) -> None:
    assert await refusals(room, listed, **{name: size}) == [("BAD_USER_INPUT", [name])]


@pytest.mark.parametrize("name", ["first", "last"])
@pytest.mark.parametrize("size", [2**31, -(2**31) - 1, 1.5, "5", True, [1, 2]], ids=repr)
async def test_a_size_that_is_no_int_is_refused_as_a_variable(room: Room, name: str, size: object) -> None:
    assert [code for code, _ in await refusals(room, DEALS, **{name: size})] == ["VARIABLES_INVALID"]


@pytest.mark.parametrize("size", ["2147483648", "1.5", '"5"', "true"])
async def test_a_size_that_is_no_int_is_refused_in_the_document(room: Room, size: str) -> None:
    assert await room.client.codes(f"{{ deals(first: {size}) {{ totalCount }} }}") == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize(
    "names", [["first", "last"], ["after", "last"], ["first", "before"], ["after", "before"]], ids=str
)
async def test_the_two_ways_of_paging_exclude_each_other(room: Room, names: list[str]) -> None:
    page = await page_of(room.client, Walk(DEALS, "CREATED_AT", "DESC", 1), None)
    values = {"first": 1, "last": 1, "after": page.info["endCursor"], "before": page.info["endCursor"]}
    assert [code for code, _ in await refusals(room, DEALS, **{name: values[name] for name in names})] == [
        "BAD_USER_INPUT"
    ]


async def test_a_cursor_alone_pages_by_twenty(room: Room) -> None:
    cursor = (await page_of(room.client, Walk(DEALS, "CREATED_AT", "DESC", 25), None)).info["endCursor"]
    query = DEALS.query(SELECTION)
    forwards = (await room.client.data(query, after=cursor))["deals"]
    backwards = (await room.client.data(query, before=cursor))["deals"]
    assert len(forwards["nodes"]) == len(backwards["nodes"]) == 20


async def cursor_of(room: Room, listed: Listed, **variables: Any) -> str:
    query = listed.query("pageInfo { endCursor }")
    cursor: str = (await room.client.data(query, first=2, **variables))[listed.name]["pageInfo"]["endCursor"]
    return cursor


@pytest.mark.parametrize("place", ["after", "before"])
@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        (ACTIVITIES, {}),
        (DEALS, {"orderBy": {"field": "NAME", "direction": "DESC"}}),
        (DEALS, {"orderBy": {"field": "CREATED_AT", "direction": "ASC"}}),
        (DEALS, {"filter": {"outcomes": ["WON"]}}),
        (DEALS, {"filter": {"teams": ["East"]}}),
        (DEALS, {"filter": {"search": "a"}}),
        (DEALS, {"filter": {"ids": []}}),
    ],
    ids=str,
)
async def test_a_cursor_is_good_for_its_own_list_alone(room: Room, place: str, listed: Listed, asked: Json) -> None:
    cursor = await cursor_of(room, DEALS)
    assert await refusals(room, DEALS, **{place: cursor}) == []
    assert await refusals(room, listed, **{place: cursor}, **asked) == [("CURSOR_INVALID", [place])]


async def test_a_cursor_of_one_filter_is_not_one_of_another(room: Room) -> None:
    values = [{"industries": ["Energy"]}, {"industries": ["Retail"]}, {"regions": ["North"]}, {"search": "a"}, {}]
    for one in values:
        cursor = await cursor_of(room, COMPANIES, filter=one)
        for other in values:
            expected = [] if one is other else [("CURSOR_INVALID", ["after"])]
            assert await refusals(room, COMPANIES, after=cursor, filter=other) == expected


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_a_cursor_of_another_tenant_is_refused(room: Room, listed: Listed) -> None:
    foreign = (await room.south.data(listed.query("pageInfo { endCursor }"), first=2))[listed.name]["pageInfo"][
        "endCursor"
    ]
    assert await refusals(room, listed, after=foreign) == [("CURSOR_INVALID", ["after"])]


@pytest.mark.parametrize("ordering", ["CREATED_AT", "AMOUNT"])
async def test_a_cursor_altered_anywhere_is_refused(room: Room, ordering: str) -> None:
    order = {"field": ordering, "direction": "ASC"}
    cursor = await cursor_of(room, DEALS, orderBy=order)
    for place, character in enumerate(cursor):
        for other in {URL_SAFE[(URL_SAFE.index(character) + step) % 64] for step in (1, 2, 32)} | {"=", "é", " "}:
            altered = cursor[:place] + other + cursor[place + 1 :]
            assert await refusals(room, DEALS, after=altered, orderBy=order) == [("CURSOR_INVALID", ["after"])], altered


async def test_every_spelling_of_a_cursors_last_character_but_its_own_is_refused(room: Room) -> None:
    cursor = await cursor_of(room, DEALS)
    good = [
        last
        for last in URL_SAFE
        if await refusals(room, DEALS, after=cursor[:-1] + last) != [("CURSOR_INVALID", ["after"])]
    ]
    assert good == [cursor[-1]]


async def test_a_cursor_cut_off_or_lengthened_is_refused(room: Room) -> None:
    cursor = await cursor_of(room, DEALS)
    wrong = [cursor[:length] for length in range(len(cursor))] + [cursor[1:], cursor + "A", cursor + "=", cursor * 2]
    for cut in wrong:
        assert await refusals(room, DEALS, after=cut) == [("CURSOR_INVALID", ["after"])], cut


@pytest.mark.parametrize(
    "cursor",
    ["x" * 10_000, "A" * 10_000, "=" * 4, "שלום", "🚀", "\0", "\n", "null", "1", encode_id("Deal", 1), "%00", "-_-_"],
    ids=lambda text: ascii(text[:20]),
)
@pytest.mark.parametrize("place", ["after", "before"])
async def test_what_was_never_a_cursor_is_refused(room: Room, cursor: str, place: str) -> None:
    assert await refusals(room, DEALS, **{place: cursor}) == [("CURSOR_INVALID", [place])]


@pytest.mark.parametrize("cursor", [5, True, ["x"], {"a": 1}], ids=repr)
async def test_a_cursor_that_is_no_text_is_refused_as_a_variable(room: Room, cursor: object) -> None:
    assert [code for code, _ in await refusals(room, DEALS, after=cursor)] == ["VARIABLES_INVALID"]


async def test_a_nested_list_refuses_a_foreign_cursor(room: Room) -> None:
    cursor = await cursor_of(room, DEALS)
    query = "query ($after: String) { companies(first: 3) { nodes { contacts(after: $after) { nodes { id } } } } }"
    answer = (await room.client.post(query, {"after": cursor})).json()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"CURSOR_INVALID"}


TYPES = ["Deal", "Company", "Contact", "Member", "Activity", "Task", "Pipeline", "Stage", "Product"]
ID_CONDITIONS = {
    "pipelineIds": "Pipeline",
    "stageIds": "Stage",
    "ownerIds": "Member",
    "companyIds": "Company",
    "contactIds": "Contact",
    "dealIds": "Deal",
}
ID_PLACES = [
    (listed, condition, listed.type_name if condition == "ids" else ID_CONDITIONS[condition])
    for listed in LISTS
    for condition in CONDITIONS[listed.name]
    if condition == "ids" or condition in ID_CONDITIONS
]


@pytest.mark.parametrize(("listed", "condition", "type_name"), ID_PLACES, ids=str)
async def test_an_id_of_another_type_is_refused(room: Room, listed: Listed, condition: str, type_name: str) -> None:
    good = encode_id(type_name, 1)
    for other in TYPES:
        expected = [] if other == type_name else [("BAD_USER_INPUT", ["filter", condition])]
        assert await refusals(room, listed, filter={condition: [good, encode_id(other, 1)]}) == expected


@pytest.mark.parametrize(
    "given", ["", "1", "x" * 10_000, "🚀", "\0", base64.b64encode(b"Deal:99999999999999999999").decode(), "RGVhbDotMQ"]
)
async def test_what_is_no_id_is_refused(room: Room, given: str) -> None:
    for condition in ("ids", "ownerIds"):
        refused = [("BAD_USER_INPUT", ["filter", condition])]
        assert await refusals(room, DEALS, filter={condition: [given]}) == refused


@pytest.mark.parametrize(("listed", "condition", "type_name"), ID_PLACES, ids=str)
async def test_more_than_a_thousand_ids_are_refused(room: Room, listed: Listed, condition: str, type_name: str) -> None:
    ids = [encode_id(type_name, key) for key in range(1, 1002)]
    assert await refusals(room, listed, filter={condition: ids}) == [("BAD_USER_INPUT", ["filter", condition])]


@pytest.mark.parametrize(("listed", "condition", "type_name"), ID_PLACES, ids=str)
async def test_ids_that_only_another_tenant_has_find_nothing(
    room: Room, listed: Listed, condition: str, type_name: str
) -> None:
    ids = [encode_id(type_name, key) for key in (999_999, 2**62)]
    answer = await room.client.data(listed.query(SELECTION), filter={condition: ids})
    assert answer[listed.name] == {"nodes": [], "totalCount": 0}


@pytest.mark.parametrize("condition", ["teams", "regions", "industries"])
@pytest.mark.parametrize("words", [["x"] * 1001, ["x" * 201], ["a\0b"]], ids=["many", "long", "nul"])
async def test_words_too_many_too_long_or_with_nul_are_refused(room: Room, condition: str, words: list[str]) -> None:
    assert await refusals(room, DEALS, filter={condition: words}) == [("BAD_USER_INPUT", ["filter", condition])]


RANGES = [
    (listed, condition)
    for listed in LISTS
    for condition in ("created", "closed", "expectedClose", "occurred", "due")
    if condition in CONDITIONS[listed.name]
]


@pytest.mark.parametrize(("listed", "condition"), RANGES, ids=str)
@pytest.mark.parametrize(
    ("first", "last"), [("2024-04-02", "2024-04-01"), ("2024-04-01", "2024-04-01"), ("2010-01-01", "2024-01-01")]
)
async def test_a_reversed_an_empty_and_an_endless_range_are_refused(
    room: Room, listed: Listed, condition: str, first: str, last: str
) -> None:
    refused = await refusals(room, listed, filter={condition: {"from": first, "to": last}})
    assert refused == [("BAD_USER_INPUT", ["filter", condition])]


async def test_reversed_amounts_are_refused(room: Room) -> None:
    refused = [("BAD_USER_INPUT", ["filter", "amount"])]
    assert await refusals(room, DEALS, filter={"amount": {"min": "2", "max": "1.9999"}}) == refused


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": {"min": "NaN"}},
        {"amount": {"min": "Infinity"}},
        {"amount": {"min": "1e5"}},
        {"amount": {"min": ""}},
        {"created": {"from": "1899-12-31", "to": "1900-01-02"}},
        {"created": {"from": "2024-02-30", "to": "2024-03-02"}},
        {"created": {"from": "2024-01-01"}},
        {"outcomes": ["won"]},
        {"ids": [None]},
        {"teams": [None]},
        {"nothing": 1},
        [],
        "x",
    ],
    ids=str,
)
async def test_a_filter_of_wrong_types_is_refused_as_a_variable(room: Room, wrong: Any) -> None:
    assert [code for code, _ in await refusals(room, DEALS, filter=wrong)] == ["VARIABLES_INVALID"]


@pytest.mark.parametrize(
    "order", [{}, {"field": "EMPLOYEES"}, {"field": None}, {"field": "NAME", "direction": "UP"}], ids=str
)
async def test_an_ordering_that_is_none_is_refused_as_a_variable(room: Room, order: Json) -> None:
    assert [code for code, _ in await refusals(room, DEALS, orderBy=order)] == ["VARIABLES_INVALID"]


FORGED = [
    "5",
    "[1]",
    '{"a": 1, "b": 2}',
    "xx",
    '["2026-01-01", "x"]',
    "[5, 5]",
    "[[1], 5]",
    "[null, true]",
    "[null, 1.5]",
]


@pytest.mark.parametrize("payload", [*FORGED, f'["2026-01-01", {2**70}]', '["no day", 1]'])
async def test_a_cursor_whose_check_was_forged_is_refused_all_the_same(room: Room, payload: str) -> None:
    async with room.database.as_owner() as owner:
        tenant_id = await owner.fetchval("SELECT id FROM tenants WHERE slug = $1", NORTH)
    scope = scope_of(tenant_id, "deals", PageRequest("created_at", True, 20))
    raw = hashlib.blake2b(payload.encode(), key=scope, digest_size=CHECK_BYTES).digest() + payload.encode()
    cursor = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    codes = await room.client.codes("query ($after: String) { deals(after: $after) { nodes { id } } }", after=cursor)
    assert codes in (["CURSOR_INVALID"], ["BAD_USER_INPUT"])


async def test_an_answer_of_too_many_entries_is_refused(room: Room, serve: Serve) -> None:
    client = await serve(room.database, NORTH, answer_entry_limit=100)
    page = "deals(first: 60) { nodes { id } }"
    assert await client.codes(f"{{ {page} }}") == []
    assert await client.codes(f"{{ a: {page} b: {page} }}") == ["ANSWER_TOO_LARGE"]
    nested = "deals(first: 100) { nodes { id } } activities(first: 100) { nodes { id } }"
    assert set(await client.codes(f"{{ members {{ nodes {{ {nested} }} }} }}")) == {"ANSWER_TOO_LARGE"}
