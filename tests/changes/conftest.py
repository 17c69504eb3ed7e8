"""A tenant with one member of each role and a few deals, and callers of each role."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from gateway.api.ids import encode_id
from gateway.app import create_app
from gateway.commands.add_member import NewMember, add_member
from gateway.commands.create_tenant import NewTenant, create_tenant
from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import Client, Database, passing_database, serving
from tests.world import World

ROLES = ("viewer", "rep", "manager", "admin")
TABLES = ("deals", "deal_stage_history", "operations", "audit_log", "idempotency_keys")
"""Everything that a change of deals writes to."""

_numbers = itertools.count(1)

Json = dict[str, Any]


@dataclass(frozen=True)
class Board:
    """A tenant's deals, written through the gateway by its members, looked at as the owner. Keys are the database's.

    `stages`: of the default pipeline, by name. Each role is also the name of the one member who has it.
    """

    world: World
    stages: Mapping[str, int]
    callers: Mapping[str, Client]

    @property
    def owner(self) -> asyncpg.Connection:
        return self.world.owner

    async def deals(self, count: int, *, owner: str = "rep", stage: str = "Lead", amount: str = "100") -> list[int]:
        return [
            await self.world.deal("2026-01-05T10:00", owner=owner, stage=stage, amount=amount) for _ in range(count)
        ]

    async def row(self, deal: int) -> asyncpg.Record:
        return await self.owner.fetchrow(
            "SELECT d.*, s.name AS stage FROM deals d JOIN stages s ON s.id = d.stage_id WHERE d.id = $1", deal
        )

    async def all_rows(self) -> dict[str, list[asyncpg.Record]]:
        """Every row of the tenant that a change of deals could have touched."""
        tables = {name: f"SELECT * FROM {name} t WHERE tenant_id = $1 ORDER BY t::text" for name in TABLES}
        return {name: await self.owner.fetch(sql, self.world.tenant_id) for name, sql in tables.items()}

    async def change(self, field: str, role: str = "manager", asked: str = "", **given: Any) -> Json:
        """The payload of one of the mutations that take an input."""
        payload: Json = (await self.callers[role].data(mutation(field, asked), input=given))[field]
        return payload

    async def refused(self, field: str, role: str = "manager", **given: Any) -> Json:
        """The extensions of the only error of a mutation that is refused as a whole."""
        answer = (await self.callers[role].post(mutation(field), {"input": given})).json()
        return only_error(answer)

    async def undo(self, operation: str, role: str = "manager", asked: str = "", **given: Any) -> Json:
        """The payload of `undoOperation`."""
        payload: Json = (await self.callers[role].data(undoing(asked), id=operation, **given))["undoOperation"]
        return payload

    async def undo_refused(self, operation: str, role: str = "manager", **given: Any) -> Json:
        """The extensions of the only error of an `undoOperation` that is refused as a whole."""
        return only_error((await self.callers[role].post(undoing(), {"id": operation, **given})).json())

    async def move(self, deals: list[int], stage: str, role: str = "manager", **given: Any) -> Json:
        """The payload of `updateDealStages` for deals that all go to one stage."""
        return await self.change(
            "updateDealStages", role, dealIds=[deal_id(deal) for deal in deals], stageId=self.stage_id(stage), **given
        )

    def stage_id(self, name: str) -> str:
        return encode_id("Stage", self.stages[name])

    def member_id(self, name: str) -> str:
        return encode_id("Member", self.world.members[name])


ANSWER = """
operationId dryRun replayed summary { requested updated unchanged failed notApplied }
results {
  dealId status error { code currentVersion currentStage { name } } deal { version stage { name } owner { name } }
}
"""


def mutation(field: str, asked: str = "") -> str:
    """The document of a mutation that takes an input."""
    name = f"{field[0].upper()}{field[1:]}Input!"
    return f"mutation ($input: {name}) {{ {field}(input: $input) {{ {ANSWER} {asked} }} }}"


def undoing(asked: str = "") -> str:
    """The document of `undoOperation`."""
    return f"""mutation ($id: ID!, $key: String, $dryRun: Boolean! = false, $note: String) {{
      undoOperation(operationId: $id, idempotencyKey: $key, dryRun: $dryRun, note: $note) {{ {ANSWER} {asked} }} }}"""


def only_error(answer: Json) -> Json:
    """The extensions of the one error of an answer without data."""
    (error,) = answer["errors"]
    assert answer.get("data") is None
    extensions: Json = error["extensions"]
    return extensions


def paths(refusal: Json) -> list[list[str | int]]:
    """Where the problems of a refused input lie."""
    return [problem["path"] for problem in refusal["problems"]]


def deal_id(key: int) -> str:
    return encode_id("Deal", key)


def statuses(payload: Json) -> list[str]:
    return [result["status"] for result in payload["results"]]


def codes(payload: Json) -> list[str | None]:
    return [result["error"] and result["error"]["code"] for result in payload["results"]]


async def new_world(owner: asyncpg.Connection, slug: str, currency: str = "EUR") -> World:
    """A tenant with a member of each role, who is named like it."""
    tenant_id = await create_tenant(owner, NewTenant(slug, slug.title(), "enterprise", currency))
    members = {role: await add_member(owner, NewMember(slug, f"{role}@{slug}.example", role, role)) for role in ROLES}
    return World(owner, slug, tenant_id, members)


OpenBoard = Callable[..., Awaitable[Board]]
"""(name, currency="EUR", **settings) to the board of a new tenant."""


@asynccontextmanager
async def boards(database: Database) -> AsyncIterator[OpenBoard]:
    """Opens boards in a database until the block ends."""
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(database.as_owner())

        async def open_one(name: str, currency: str = "EUR", **changes: Any) -> Board:
            slug = f"{name}-{next(_numbers)}"
            world = await new_world(owner, slug, currency)
            app = create_app(database.settings(**changes))
            gateway = await stack.enter_async_context(serving(app, None))
            callers = {role: Client(app, gateway.http, await database.token(slug, role)) for role in ROLES}
            stages = await owner.fetch("SELECT name, id FROM stages WHERE tenant_id = $1", world.tenant_id)
            return Board(world, {row["name"]: row["id"] for row in stages}, callers)

        yield open_one


@pytest.fixture(scope="module")
async def database(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Database]:
    """One for all tests of a module: each has tenants of its own in it."""
    async with passing_database(postgres, template) as database:
        yield database


@pytest.fixture
async def open_board(database: Database) -> AsyncIterator[OpenBoard]:
    async with boards(database) as open_one:
        yield open_one


@pytest.fixture
async def board(open_board: OpenBoard) -> Board:
    return await open_board("acme")


@pytest.fixture(scope="module")
async def shared_board(database: Database) -> AsyncIterator[Board]:
    """A board for tests that look at their own deals alone."""
    async with boards(database) as open_one:
        yield await open_one("acme")
