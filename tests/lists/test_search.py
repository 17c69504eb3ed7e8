"""Search finds a text literally and in any case; with pg_trgm and without it, the same."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.app import create_app
from tests.conftest import Client, Database, fresh_database, serving
from tests.lists.catalogue import CONTACTS, LISTS, MEMBERS, Listed, keys_of
from tests.lists.conditions import chosen
from tests.lists.conftest import Room
from tests.lists.room import NORTH, TEXTS, add_room
from tests.servers import SYSTEM_BIN_DIRS, postgres_server

pytestmark = pytest.mark.same_lines

SEARCHES = [
    *TEXTS,
    "",
    " ",
    "alpha",
    "ALPHA",
    "aLpHaB",
    "al",
    "a",
    "100%",
    "0% s",
    "r_s",
    "k\\s",
    "\\\\",
    "%%",
    "' OR 1=1 --",
    'Bob"',
    "O'",
    "🚀",
    "👩‍👧",
    "םולש",
    "שלום",
    "عالم",
    "ärger",
    "ÄRGER",
    "дело",
    "ДЕЛО",
    "X" * 200,
    "x" * 199,
    "\n",
    "\u202e",
    "$1",
    "{}",
]
BY_EMAIL = ["@example.test", "M3@", "m_@", "%@"]


async def found(client: Client, listed: Listed, text: str) -> set[int]:
    answer = await client.data(listed.query("nodes { id } totalCount"), first=100, filter={"search": text})
    keys = set(keys_of(answer[listed.name]))
    assert answer[listed.name]["totalCount"] == len(keys)
    return keys


@pytest.mark.parametrize("text", SEARCHES, ids=ascii)
async def test_a_search_finds_the_text_itself_in_every_list(room: Room, text: str) -> None:
    for listed in LISTS:
        assert await found(room.client, listed, text) == chosen(room.rows, listed.name, {"search": text}), listed.name


@pytest.mark.parametrize("listed", [CONTACTS, MEMBERS], ids=str)
@pytest.mark.parametrize("text", BY_EMAIL)
async def test_people_are_found_by_email_too(room: Room, listed: Listed, text: str) -> None:
    assert await found(room.client, listed, text) == chosen(room.rows, listed.name, {"search": text})


def test_most_searches_find_something_and_not_everything(room: Room) -> None:
    sizes = [len(chosen(room.rows, "deals", {"search": text})) for text in SEARCHES]
    assert sum(0 < size < len(room.rows.alive("deals")) for size in sizes) > len(SEARCHES) / 2


@pytest.mark.parametrize("listed", LISTS, ids=str)
@pytest.mark.parametrize("text", ["x" * 201, "x" * 10_000, "a\0b", "\0", "🚀" * 201], ids=lambda text: f"{len(text)}")
async def test_a_search_too_long_or_with_nul_is_refused(room: Room, listed: Listed, text: str) -> None:
    answer = (await room.client.post(listed.query("totalCount"), {"filter": {"search": text}})).json()
    (error,) = answer["errors"]
    assert (error["extensions"]["code"], error["extensions"]["path"]) == ("BAD_USER_INPUT", ["filter", "search"])


async def test_half_a_character_is_refused_before_it_is_searched(room: Room) -> None:
    sent = b'{"query": "{ deals(filter: {search: \\"\\\\ud83d\\"}) { totalCount } }"}'
    headers = {"Authorization": f"Bearer {room.client.token}", "Content-Type": "application/json"}
    answer = (await room.client.http.post("/graphql", content=sent, headers=headers)).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["GRAPHQL_PARSE_FAILED"]


@pytest.fixture(scope="module")
async def trigram() -> AsyncIterator[Database]:
    """The room's tenant on a server that has pg_trgm."""
    if not SYSTEM_BIN_DIRS:
        pytest.skip("no PostgreSQL is installed on this machine; the embedded one has no pg_trgm")
    with postgres_server(SYSTEM_BIN_DIRS[0]) as server:
        database = await fresh_database(server)
        async with database.as_owner() as owner:
            if not await owner.fetchval("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm')"):
                pytest.skip("the installed PostgreSQL comes without pg_trgm")
            await add_room(owner, NORTH, "Asia/Tokyo", 7)
        yield database


async def extensions(owner: asyncpg.Connection) -> set[str]:
    return {name for (name,) in await owner.fetch("SELECT extname FROM pg_extension")}


async def test_trigrams_find_what_is_found_without_them(room: Room, trigram: Database) -> None:
    async with room.database.as_owner() as without, trigram.as_owner() as with_them:
        assert "pg_trgm" not in await extensions(without)
        assert "pg_trgm" in await extensions(with_them)
    async with serving(create_app(trigram.settings()), await trigram.token(NORTH)) as client:
        for text in SEARCHES + BY_EMAIL:
            for listed in LISTS:
                assert await found(client, listed, text) == await found(room.client, listed, text), (listed.name, text)


async def test_every_long_text_has_a_trigram_index_where_it_can(room: Room, trigram: Database) -> None:
    names = "SELECT indexname FROM pg_indexes WHERE indexname LIKE '%by_text'"
    async with room.database.as_owner() as without, trigram.as_owner() as with_them:
        assert await without.fetch(names) == []
        assert {name for (name,) in await with_them.fetch(names)} == {
            f"{listed.name}_by_text" for listed in LISTS if listed is not MEMBERS
        }
