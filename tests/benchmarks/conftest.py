"""Databases of the benchmarks, on the server of the tests."""

import io
from collections.abc import AsyncIterator

import pytest
from rich.console import Console

from benchmarks.data import Databases
from benchmarks.rollups.subject import Scale, database_of
from gateway.demo.serve import Secrets
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.settings import Settings
from tests.conftest import JWT_SECRET, PASSWORDS

SHAPE = Scale(3, 450)
QUIET = Console(file=io.StringIO())


@pytest.fixture(scope="package")
def running(postgres: EmbeddedPostgres) -> Databases:
    return Databases(postgres, Secrets(PASSWORDS.owner, PASSWORDS.worker, PASSWORDS.gateway, JWT_SECRET))


@pytest.fixture(scope="package")
async def template_name(running: Databases) -> str:
    """The name of a database of three tenants with a few hundred deals, for copies."""
    await running.load(database_of(SHAPE), SHAPE, QUIET)
    return database_of(SHAPE)


@pytest.fixture
async def settings(running: Databases, template_name: str) -> AsyncIterator[Settings]:
    """Of a gateway on a copy of one's own of it."""
    async with running.copied(template_name) as settings:
        yield settings
