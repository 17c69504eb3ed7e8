"""Fixtures that several rooms of tests share: one PostgreSQL, fresh databases, a gateway on top of them."""

import itertools
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.demo.load import load_demo
from gateway.demo.shape import Size
from gateway.identity.passwords import hash_password
from gateway.postgres.bootstrap import RolePasswords, bootstrap
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.migrate import migrate
from gateway.settings import Settings
from gateway.tokens import issue_token
from tests.pipeline.listening import listening
from tests.servers import postgres_server, redis_server

PASSWORDS = RolePasswords(owner="owner-password", worker="worker-password", gateway="gateway-password")
JWT_SECRET = "a secret of tests, long enough for HS256"
DEMO_PASSWORD = "demo"
ANCHOR = datetime.now(UTC)
"""The demo's present: recent, so that today and the last days hold data."""

_numbers = itertools.count(1)


_counted: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Counts the lines that `same_lines` covers with a test's first parameters alone: counting doubles its time."""
    name = item.nodeid.partition("[")[0]
    if item.get_closest_marker("same_lines") is None or name not in _counted:
        _counted.add(name)
        return (yield)
    counting = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(counting)


@dataclass(frozen=True)
class Database:
    """A migrated database: its addresses by role. None of the roles is a superuser."""

    name: str
    server: EmbeddedPostgres

    @property
    def owner_dsn(self) -> str:
        return self.server.dsn("owner", PASSWORDS.owner, self.name)

    @property
    def gateway_dsn(self) -> str:
        return self.server.dsn("gateway", PASSWORDS.gateway, self.name)

    @property
    def worker_dsn(self) -> str:
        return self.server.dsn("worker", PASSWORDS.worker, self.name)

    def settings(self, **changes: Any) -> Settings:
        """Settings of a gateway on this database."""
        given: dict[str, Any] = {
            "database_url": SecretStr(self.gateway_dsn),
            "migration_database_url": SecretStr(self.owner_dsn),
            "worker_database_url": SecretStr(self.worker_dsn),
            "jwt_secret": SecretStr(JWT_SECRET),
            "log_level": "error",
            # What tests write past the gateway would be seen within the lag of notices, not at once.
            "cache_max_age_seconds": 0,
            # What a test asks in a second is nobody's budget.
            "cost_mode": "off",
            **changes,
        }
        return Settings(**given)

    async def token(self, tenant: str, role: str = "viewer", **changes: Any) -> str:
        """A token of the tenant's first active member of a role."""
        return (await issue_token(self.settings(**changes), tenant, email=None, role=role)).token

    @asynccontextmanager
    async def as_owner(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.owner_dsn)
        try:
            yield connection
        finally:
            await connection.close()


class Client:
    """A caller of a gateway in this process. `token`: sent with each request where there is one."""

    def __init__(self, app: Starlette, http: httpx.AsyncClient, token: str | None) -> None:
        self.app = app
        self.http = http
        self.token = token

    async def post(
        self, query: str, variables: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The response to one operation, errors and all."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        body = {"query": query, "variables": variables} if variables else {"query": query}
        return await self.http.post("/graphql", json=body, headers={**sent, **(headers or {})})

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """The `data` of an operation that must succeed."""
        answer = (await self.post(query, variables)).json()
        assert "errors" not in answer, json.dumps(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data

    async def codes(self, query: str, **variables: Any) -> list[str]:
        """The codes of the errors of an operation, in order; empty when there are none."""
        answer = (await self.post(query, variables)).json()
        return [error["extensions"]["code"] for error in answer.get("errors", [])]


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One server for the whole run."""
    with postgres_server() as server:
        yield server


async def fresh_database(server: EmbeddedPostgres, template: str | None = None) -> Database:
    """A new database: a copy of a template, or an empty one that is then migrated."""
    database = Database(f"test_{next(_numbers)}", server)
    if template is None:
        await bootstrap(server.superuser_dsn, database=database.name, passwords=PASSWORDS)
        await migrate(database.owner_dsn)
        return database
    bootstrapper = await asyncpg.connect(server.superuser_dsn)
    try:
        copy = f"CREATE DATABASE {database.name} TEMPLATE {template} OWNER owner STRATEGY file_copy"
        await bootstrapper.execute(copy)
    finally:
        await bootstrapper.close()
    # Privileges of a database are not copied with it.
    await bootstrap(server.superuser_dsn, database=database.name, passwords=PASSWORDS)
    return database


@pytest.fixture(scope="session")
async def template(postgres: EmbeddedPostgres) -> str:
    """Name of a migrated, empty database to copy."""
    return (await fresh_database(postgres)).name


@asynccontextmanager
async def passing_database(server: EmbeddedPostgres, template: str) -> AsyncIterator[Database]:
    """A copy of a template, which is gone after the block: there is not room for hundreds, nor time to tend them."""
    database = await fresh_database(server, template)
    yield database
    superuser = await asyncpg.connect(server.superuser_dsn)
    await superuser.execute(f"DROP DATABASE {database.name} WITH (FORCE)")
    await superuser.close()


@pytest.fixture
async def database(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Database]:
    """A migrated, empty database of one's own."""
    async with passing_database(postgres, template) as database:
        yield database


@pytest.fixture(scope="session")
async def demo(postgres: EmbeddedPostgres, template: str) -> Database:
    """The small demo, for tests that only read: tenants aurora, birch and cobalt."""
    database = await fresh_database(postgres, template)
    await load_demo(database.owner_dsn, Size.SMALL, anchor=ANCHOR, password_hash=hash_password(DEMO_PASSWORD))
    return database


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of one Redis for the whole run."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
async def redis_url(redis_process: str) -> str:
    """The URL of a Redis that is empty."""
    async with Redis.from_url(redis_process) as redis:
        await redis.flushall()
    return redis_process


Serve = Callable[..., Awaitable[Client]]
"""(database, tenant=None, role="viewer", **settings) to a client of a gateway on it; without a tenant: anonymous."""


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts gateways in this process, for one test."""
    async with AsyncExitStack() as stack:

        async def start(database: Database, tenant: str | None = None, role: str = "viewer", **changes: Any) -> Client:
            token = await database.token(tenant, role) if tenant else None
            return await stack.enter_async_context(serving(create_app(database.settings(**changes)), token))

        yield start


@asynccontextmanager
async def serving(app: Starlette, token: str | None) -> AsyncIterator[Client]:
    """A client of an application whose lifespan runs."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=60) as http:
            yield Client(app, http, token)


@pytest.fixture(scope="session")
async def aurora(demo: Database) -> AsyncIterator[Client]:
    """A viewer of the demo's largest tenant, on a gateway that all reading tests share."""
    async with serving(create_app(demo.settings()), await demo.token("aurora")) as client:
        yield client


@pytest.fixture(scope="session")
async def gateway_url(demo: Database) -> AsyncIterator[str]:
    """A gateway on a real port, in demo mode: browsers are signed in as a viewer of aurora."""
    token = SecretStr(await demo.token("aurora"))
    with listening(create_app(demo.settings(graphiql_token=token))) as url:
        yield url
