"""Lists beneath their records: right for each parent, in one statement a level for all of them."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.app import create_app
from tests.api.test_statements import Counted
from tests.conftest import Client, Database, serving
from tests.lists.catalogue import ACTIVITIES, COMPANIES, CONTACTS, DEALS, MEMBERS, TASKS, Listed, keys_of
from tests.lists.conftest import Room
from tests.lists.room import NORTH

pytestmark = pytest.mark.same_lines

Json = dict[str, Any]


@dataclass(frozen=True)
class Nest:
    """A list beneath a kind of record. `column`: how its rows point at the record; `order`: its default one, in SQL."""

    parents: Listed
    listed: Listed
    column: str
    order: str

    def __str__(self) -> str:
        return f"{self.parents.name}.{self.listed.name}"


LATEST, BY_NAME = "created_at DESC, id DESC", "name, id"
DONE, DUE = "occurred_at DESC, id DESC", "due_at IS NULL, due_at, id"
NESTS = [
    Nest(COMPANIES, DEALS, "company_id", LATEST),
    Nest(COMPANIES, CONTACTS, "company_id", BY_NAME),
    Nest(COMPANIES, ACTIVITIES, "company_id", DONE),
    Nest(COMPANIES, TASKS, "company_id", DUE),
    Nest(MEMBERS, DEALS, "owner_id", LATEST),
    Nest(MEMBERS, COMPANIES, "owner_id", BY_NAME),
    Nest(MEMBERS, ACTIVITIES, "owner_id", DONE),
    Nest(MEMBERS, TASKS, "owner_id", DUE),
    Nest(DEALS, ACTIVITIES, "deal_id", DONE),
    Nest(DEALS, TASKS, "deal_id", DUE),
    Nest(CONTACTS, ACTIVITIES, "contact_id", DONE),
]


@pytest.fixture(scope="module")
async def counted(room: Room) -> AsyncIterator[Counted]:
    async with serving(create_app(room.database.settings()), None) as gateway:
        yield Counted(gateway)


async def children(room: Room, nest: Nest, order: str | None = None, where: str = "true") -> Mapping[int, list[int]]:
    """The keys beneath each parent that is not deleted, by plain SQL."""
    sql = f"""SELECT p.id, array_remove(array_agg(r.id ORDER BY {_of_r(order or nest.order)}), NULL)
                FROM {nest.parents.name} p
                LEFT JOIN {nest.listed.name} r ON r.tenant_id = $1 AND r.{nest.column} = p.id
                 AND {_alive("r", nest.listed)} AND ({where})
               WHERE p.tenant_id = $1 AND {_alive("p", nest.parents)} GROUP BY p.id"""
    async with room.database.as_owner() as owner:
        return dict(await owner.fetch(sql, room.rows.tenant_id))


def _alive(alias: str, listed: Listed) -> str:
    return "true" if listed is MEMBERS else f"{alias}.deleted_at IS NULL"


def _of_r(order: str) -> str:
    return ", ".join(f"r.{column}" for column in order.split(", "))


async def nested(client: Client, nest: Nest, arguments: str, selection: str = "nodes { id }") -> Mapping[int, Json]:
    """The connection beneath each parent."""
    query = (
        f"{{ {nest.parents.name}(first: 100) {{ nodes {{ id {nest.listed.name}{arguments} {{ {selection} }} }} }} }}"
    )
    parents = (await client.data(query))[nest.parents.name]
    return dict(zip(keys_of(parents), (node[nest.listed.name] for node in parents["nodes"]), strict=True))


@pytest.mark.parametrize("nest", NESTS, ids=str)
async def test_each_parent_has_its_own_entries_in_order(room: Room, nest: Nest) -> None:
    expected = await children(room, nest)
    assert sum(map(len, expected.values())) > 0
    found = await nested(room.client, nest, "(first: 3)", "nodes { id } totalCount pageInfo { hasNextPage }")
    assert {key: keys_of(connection) for key, connection in found.items()} == {
        key: keys[:3] for key, keys in expected.items()
    }
    assert {key: connection["totalCount"] for key, connection in found.items()} == {
        key: len(keys) for key, keys in expected.items()
    }
    assert {key: connection["pageInfo"]["hasNextPage"] for key, connection in found.items()} == {
        key: len(keys) > 3 for key, keys in expected.items()
    }


@pytest.mark.parametrize("nest", NESTS, ids=str)
async def test_the_last_entries_of_each_parent(room: Room, nest: Nest) -> None:
    expected = await children(room, nest)
    found = await nested(room.client, nest, "(last: 2)", "nodes { id } pageInfo { hasPreviousPage }")
    assert {key: (keys_of(page), page["pageInfo"]["hasPreviousPage"]) for key, page in found.items()} == {
        key: (keys[-2:], len(keys) > 2) for key, keys in expected.items()
    }


@pytest.mark.parametrize("nest", NESTS, ids=str)
@pytest.mark.parametrize("parents", [1, 100])
async def test_one_statement_a_level_for_all_parents(room: Room, counted: Counted, nest: Nest, parents: int) -> None:
    token = await room.database.token(NORTH)
    inner = f"{nest.listed.name}(first: 2) {{ nodes {{ id }} }}"
    query = f"{{ {nest.parents.name}(first: {parents}) {{ nodes {{ {inner} }} }} }}"
    below = f"{nest.listed.name}_by_{nest.column.removesuffix('_id')}"
    names = Counter(["moment", f"{nest.parents.name}_page", below])
    assert await counted.issued(query, token=token) == names
    counting = query.replace("{ nodes { id } }", "{ nodes { id } totalCount }")
    count = below.replace("_by_", "_count_by_")
    assert await counted.issued(counting, token=token) == names + Counter([count])


async def test_a_count_alone_reads_nothing_more_than_asked(room: Room, counted: Counted) -> None:
    token = await room.database.token(NORTH)
    for listed in (COMPANIES, MEMBERS):
        names = Counter(["moment", f"{listed.name}_page"])
        assert await counted.issued(f"{{ {listed.name} {{ nodes {{ id }} }} }}", token=token) == names
        query = f"{{ {listed.name} {{ nodes {{ id }} totalCount }} }}"
        assert await counted.issued(query, token=token) == names + Counter([f"{listed.name}_count"])


FIGURE = """query ($first: Int, $filter: CompanyFilter) { companies(first: $first, filter: $filter) { nodes { name
  deals(first: 5, orderBy: {field: CREATED_AT, direction: DESC}) { nodes { name amount owner { name } } } } } }"""


@pytest.mark.parametrize("companies", [1, 50])
async def test_companies_with_their_latest_deals_and_owners_take_four_statements(
    demo: Database, aurora: Client, companies: int
) -> None:
    # The demo is drawn anew each day: a single company must be one that has deals, else there are no owners to read.
    deals = (await aurora.data("{ deals(first: 100) { nodes { company { id } } } }"))["deals"]["nodes"]
    sold_to = [deal["company"]["id"] for deal in deals if deal["company"]]
    variables: Json = {"first": companies, "filter": {"ids": sold_to[:1]} if companies == 1 else None}
    nodes = (await aurora.data(FIGURE, **variables))["companies"]["nodes"]
    assert len(nodes) == companies
    assert any(node["deals"]["nodes"] for node in nodes)
    async with serving(create_app(demo.settings()), None) as gateway:
        issued = await Counted(gateway).issued(FIGURE, token=await demo.token("aurora"), **variables)
    assert issued == Counter(["moment", "companies_page", "deals_by_company", "members_by_id"])


async def test_three_levels_take_a_statement_each(room: Room, counted: Counted) -> None:
    activities = "activities { nodes { id } }"
    deals = f"deals {{ nodes {{ {activities} tasks {{ nodes {{ id }} }} }} }}"
    companies = f"companies {{ nodes {{ {deals} contacts {{ nodes {{ {activities} }} }} }} }}"
    query = f"{{ members {{ nodes {{ {companies} }} }} }}"
    first = ["moment", "members_page", "companies_by_owner", "deals_by_company", "contacts_by_company"]
    last = ["activities_by_deal", "tasks_by_deal", "activities_by_contact"]
    assert await counted.issued(query, token=await room.database.token(NORTH)) == Counter([*first, *last])


async def test_a_nested_cursor_goes_on_beneath_its_parent(room: Room) -> None:
    nest = NESTS[4]
    expected = await children(room, nest)
    parent = max(expected, key=lambda key: len(expected[key]))
    assert len(expected[parent]) > 4
    edges = "edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor }"
    page = (await nested(room.client, nest, "(first: 2)", edges))[parent]
    met = keys_of(page)
    while page["pageInfo"]["hasNextPage"]:
        after = f'(first: 2, after: "{page["pageInfo"]["endCursor"]}")'
        page = (await nested(room.client, nest, after, edges))[parent]
        assert page["pageInfo"]["hasPreviousPage"]
        met += keys_of(page)
    assert met == expected[parent]


ALIASES = """{ companies(first: 100) { nodes { id
  latest: deals(first: 2) { nodes { id } totalCount }
  dear: deals(first: 2, orderBy: {field: AMOUNT, direction: DESC}) { nodes { id } totalCount }
  won: deals(first: 2, filter: {outcomes: [WON]}) { nodes { id } totalCount }
  same: deals(first: 2) { nodes { id } } } } }"""


async def test_the_same_list_asked_in_several_ways(room: Room, counted: Counted) -> None:
    companies = (await room.client.data(ALIASES))["companies"]
    dear = await children(room, NESTS[0], "amount IS NULL, amount DESC, id DESC")
    latest, won = await children(room, NESTS[0]), await children(room, NESTS[0], where="r.outcome = 'won'")
    for key, node in zip(keys_of(companies), companies["nodes"], strict=True):
        assert keys_of(node["latest"]) == keys_of(node["same"]) == latest[key][:2]
        assert keys_of(node["dear"]) == dear[key][:2]
        assert (keys_of(node["won"]), node["won"]["totalCount"]) == (won[key][:2], len(won[key]))
        assert node["latest"]["totalCount"] == node["dear"]["totalCount"] == len(latest[key])
    assert await counted.issued(ALIASES, token=await room.database.token(NORTH)) == Counter(
        {"moment": 1, "companies_page": 1, "deals_by_company": 3, "deals_count_by_company": 2}
    )


@pytest.mark.parametrize(
    ("condition", "where"),
    [
        ('ids: ["RGVhbDox", "RGVhbDoy"]', "r.id IN (1, 2)"),
        ("ids: []", "false"),
        ("outcomes: [OPEN, LOST]", "r.outcome <> 'won'"),
        ('teams: ["East"]', "r.owner_id IN (SELECT id FROM members WHERE tenant_id = $1 AND team = 'East')"),
        ('amount: {min: "100"}', "r.amount >= 100"),
        (
            'closed: {from: "2024-04-01", to: "2024-04-20"}',
            "r.closed_day >= '2024-04-01' AND r.closed_day < '2024-04-20'",
        ),
        ('search: "alpha"', "r.name ILIKE '%alpha%'"),
    ],
)
async def test_a_nested_list_takes_every_filter(room: Room, condition: str, where: str) -> None:
    expected = await children(room, NESTS[0], where=where)
    found = await nested(room.client, NESTS[0], f"(first: 100, filter: {{{condition}}})", "nodes { id } totalCount")
    assert {key: keys_of(connection) for key, connection in found.items()} == expected
    assert {key: connection["totalCount"] for key, connection in found.items()} == {
        key: len(keys) for key, keys in expected.items()
    }


async def test_a_wrong_argument_beneath_is_refused_with_its_path(room: Room) -> None:
    query = "{ companies(first: 2) { nodes { deals(first: 101) { nodes { id } } } } }"
    (error, *_) = (await room.client.post(query)).json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["path"]) == ("BAD_USER_INPUT", ["first"])
