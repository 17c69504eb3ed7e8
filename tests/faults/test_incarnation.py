"""What a restart, a crash and a standby do to the present life of a database."""

import asyncio

import asyncpg
import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import Database, fresh_database
from tests.incarnations import BEGIN, PRESENT, ask
from tests.servers import fast_directory, kill_postgres, postgres_server


@pytest.fixture(scope="module")
async def database(server: EmbeddedPostgres) -> Database:
    return await fresh_database(server)


async def test_a_clean_restart_goes_on_with_the_same_life(database: Database) -> None:
    begun = await ask(database, BEGIN)
    database.server.stop()
    database.server.start()
    assert [await ask(database, question) for question in (PRESENT, BEGIN)] == [begun, begun]


async def test_a_crash_ends_a_life(database: Database) -> None:
    begun = await ask(database, BEGIN)
    kill_postgres(database.server)
    database.server.start()
    assert await ask(database, PRESENT) is None
    assert await ask(database, BEGIN) not in {begun, None}


async def test_a_standby_has_no_life_until_it_is_promoted_to_one_of_its_own(database: Database) -> None:
    begun, primary = await ask(database, BEGIN), database.server
    primary.stop()
    with fast_directory() as parent:
        copying = await asyncio.create_subprocess_exec("cp", "-a", primary.data_dir, parent / "copy")
        assert await copying.wait() == 0
        primary.start()
        (parent / "copy" / "cluster" / "standby.signal").touch()
        with postgres_server(data_dir=parent / "copy", durable=True) as server:
            standby = Database(database.name, server)
            assert [await ask(standby, question) for question in (PRESENT, BEGIN)] == [None, None]
            superuser = await asyncpg.connect(server.superuser_dsn)
            assert await superuser.fetchval("SELECT pg_promote()")
            await superuser.close()
            assert await ask(standby, PRESENT) is None
            assert await ask(standby, BEGIN) not in {begun, None}
