"""A database of the room's two tenants, and a viewer of one of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from gateway.app import create_app
from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import Client, Database, fresh_database, serving
from tests.lists.room import MARK, NORTH, SOUTH, add_room
from tests.lists.rows import Rows


@dataclass(frozen=True)
class Room:
    """For reading only. `client`: a viewer of `north`; `rows`: what `north` holds; `south`: a viewer of the other."""

    database: Database
    client: Client
    south: Client
    rows: Rows


@pytest.fixture(scope="session")
async def room(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Room]:
    database = await fresh_database(postgres, template)
    async with database.as_owner() as owner:
        await add_room(owner, NORTH, "Asia/Tokyo", 7)
        await add_room(owner, SOUTH, "UTC", 8, mark=MARK)
        rows = await Rows.read(owner, NORTH)
    async with serving(create_app(database.settings()), await database.token(NORTH)) as client:
        south = Client(client.app, client.http, await database.token(SOUTH))
        yield Room(database, client, south, rows)
