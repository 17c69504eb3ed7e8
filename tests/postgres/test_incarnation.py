"""The present life of a database, in which no transaction id comes twice: when it begins, and where it is another."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.conftest import Database, fresh_database
from tests.incarnations import BEGIN, PRESENT, ask
from tests.servers import run_program

PLACE = """
SELECT format('%s/%s', system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database()))
  FROM pg_control_system()
"""


@pytest.fixture
async def gateway(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The serving role in a database in which no life has begun."""
    connection = await asyncpg.connect(database.gateway_dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_life_begins_once_and_names_its_server_and_database(gateway: asyncpg.Connection) -> None:
    assert await gateway.fetchval(PRESENT) is None
    begun = await gateway.fetchval(BEGIN)
    assert begun.rpartition("/")[0] == await gateway.fetchval(PLACE)
    assert [await gateway.fetchval(question) for question in (PRESENT, BEGIN, PRESENT)] == [begun] * 3


async def test_processes_that_begin_at_once_begin_the_same_life(database: Database) -> None:
    assert len({await each for each in asyncio.as_completed([ask(database, BEGIN) for _ in range(12)])}) == 1


async def test_a_process_that_comes_second_waits_for_the_first(gateway: asyncpg.Connection, database: Database) -> None:
    first = gateway.transaction()
    await first.start()
    begun = await gateway.fetchval(BEGIN)
    second = asyncio.create_task(ask(database, BEGIN))
    while not await gateway.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
        assert not second.done()
    await first.commit()
    assert await second == begun


async def test_a_snapshot_older_than_a_life_is_not_of_it(gateway: asyncpg.Connection, database: Database) -> None:
    async with gateway.transaction(isolation="repeatable_read", readonly=True):
        assert await gateway.fetchval(PRESENT) is None
        assert await ask(database, BEGIN) is not None
        assert await gateway.fetchval(PRESENT) is None


async def test_a_copied_database_begins_a_life_of_its_own(database: Database) -> None:
    begun = await ask(database, BEGIN)
    copy = await fresh_database(database.server, database.name)
    assert await ask(copy, PRESENT) is None
    assert await ask(copy, BEGIN) not in {begun, None}
    assert await ask(database, PRESENT) == begun


async def test_a_restored_dump_begins_a_life_of_its_own(database: Database, tmp_path: Path) -> None:
    begun = await ask(database, BEGIN)
    dump = str(tmp_path / "dump")
    table = ("--format=custom", "--table=app.incarnations", f"--file={dump}")
    await run_program(database.server, "pg_dump", *table, database.owner_dsn)
    await run_program(database.server, "pg_restore", "--clean", f"--dbname={database.owner_dsn}", dump)
    async with database.as_owner() as owner:
        assert str(begun).endswith(await owner.fetchval("SELECT id::text FROM app.incarnations"))
    assert await ask(database, PRESENT) is None
    assert await ask(database, BEGIN) not in {begun, None}


async def test_what_came_from_another_server_is_replaced(database: Database) -> None:
    begun = await ask(database, BEGIN)
    async with database.as_owner() as owner:
        await owner.execute("UPDATE app.incarnations SET place = '1/' || split_part(place, '/', 2)")
    assert await ask(database, BEGIN) not in {begun, None}
    async with database.as_owner() as owner:
        assert await owner.fetchval("SELECT count(*) FROM app.incarnations") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM app.incarnations",
        "TRUNCATE app.incarnations",
        "UPDATE app.incarnations SET id = gen_random_uuid()",
        "INSERT INTO app.incarnations VALUES (true, 'here', 'there')",
    ],
)
async def test_the_serving_role_can_neither_end_nor_forge_a_life(gateway: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await gateway.execute(statement)
