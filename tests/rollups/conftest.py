"""The option that rewrites the rendered SQL, and each PostgreSQL that rollups are proven on."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from tests import world
from tests.conftest import Database
from tests.servers import SYSTEM_BIN_DIRS, postgres_server

OPTION = "--rewrite-rollups"
NEWEST = "that of the wheel"
SERVERS = [NEWEST, *(str(path) for path in SYSTEM_BIN_DIRS if int(path.parent.name) >= 15)]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="write tests/rollups/rendered.sql anew")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption(OPTION) and os.environ.get("CI"):
        raise pytest.UsageError(f"{OPTION} is for people: in CI, what is rendered is compared and never rewritten")


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """Each PostgreSQL at hand, old enough and new enough."""
    if request.param == NEWEST:
        yield postgres
        return
    with postgres_server(Path(request.param)) as system:
        yield system


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The owner of a database of two tenants with deals, moves, activities and companies."""
    async with database.as_owner() as connection:
        await populate(connection)
        yield connection


async def populate(owner: asyncpg.Connection) -> None:
    """Two tenants, with something to count for every rollup."""
    await world.tokyo(owner)
    await world.office(owner)
    await owner.execute("UPDATE deals SET expected_close = created_day + 30")
