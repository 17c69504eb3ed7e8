"""Gateways and PostgreSQL are killed amid changes, which are repeated until they are answered: each is made once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from tests.changes.arena import Arena, Dice, open_arena
from tests.changes.careless import KeptLate
from tests.changes.hands import gateway, kill_backend, kill_server
from tests.changes.insisting import Callers, wrong_moves
from tests.changes.traces import read_traces
from tests.conftest import Serve, fresh_database
from tests.servers import free_port, postgres_server

DEALS = 10
SETTINGS = {"recovery_init_sync_method": "syncfs"}
"""Recovery first makes all files durable: at once, instead of one by one."""
ROLE = "manager"
SEED = "7"
MOST_BETWEEN = 15
LONGEST_PAUSE_SECONDS = 0.05


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server of this module's own, which keeps what it has committed."""
    with postgres_server(durable=True, settings=SETTINGS) as server:
        yield server


@pytest.fixture
async def arena(server: EmbeddedPostgres) -> Arena:
    database = await fresh_database(server)
    async with database.as_owner() as owner:
        settings = [await owner.fetchval(f"SHOW {name}") for name in ("fsync", "synchronous_commit")]
        assert settings == ["on", "on"]
        return await open_arena(database, owner, DEALS)


@asynccontextmanager
async def calling(arena: Arena, port: int) -> AsyncIterator[Callers]:
    """Callers who have begun, whether or not there is anybody who answers."""
    headers = {"Authorization": f"Bearer {await arena.database.token(arena.world.slug, ROLE)}"}
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as http:
        callers = Callers(arena, http, SEED)
        callers.begin()
        yield callers


async def wrong_now(arena: Arena, callers: Callers) -> list[str]:
    """What is wrong now that all is answered."""
    async with arena.database.as_owner() as owner:
        traces = await read_traces(owner, arena.tenant_id)
    assert traces.requests
    return wrong_moves(callers.moves, traces, arena.world.members[ROLE])


async def calm(callers: Callers, dice: Dice) -> None:
    """Some moves, and then any instant of others."""
    await callers.answered(dice.randrange(1, MOST_BETWEEN))
    await asyncio.sleep(dice.uniform(0, LONGEST_PAUSE_SECONDS))


async def test_a_key_that_is_kept_apart_from_its_change_is_caught(
    arena: Arena, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.commands.change_deals.answer_once", KeptLate().answer)
    client = await serve(arena.database, arena.world.slug, ROLE)
    client.http.headers["Authorization"] = f"Bearer {client.token}"
    callers = Callers(arena, client.http, SEED)
    callers.begin()
    await callers.answered(1)
    await callers.finish()
    assert callers.ends() == {"DATABASE_UNAVAILABLE": 1}
    wrong = await wrong_now(arena, callers)
    assert [line for line in wrong if line.endswith("was told of 0 times")]


async def test_killed_gateways(arena: Arena, tmp_path: Path) -> None:
    await survive_killed_gateways(arena, tmp_path, kills=2)


@pytest.mark.slow
async def test_many_killed_gateways(arena: Arena, tmp_path: Path) -> None:
    assert await survive_killed_gateways(arena, tmp_path, kills=60)


async def survive_killed_gateways(arena: Arena, logs: Path, kills: int) -> int:
    """How many moves had been made although their first caller heard nothing."""
    port, dice = free_port(), Dice(SEED)
    async with calling(arena, port) as callers:
        for number in range(kills):
            async with gateway(arena.database, port, logs / f"{number}.log"):
                await calm(callers, dice)
        async with gateway(arena.database, port, logs / "last.log"):
            await callers.finish()
    assert await wrong_now(arena, callers) == []
    assert callers.ends()
    return callers.replays()


async def test_killed_databases(arena: Arena, server: EmbeddedPostgres, tmp_path: Path) -> None:
    await survive_killed_databases(arena, server, tmp_path, kills=3)


@pytest.mark.slow
async def test_many_killed_databases(arena: Arena, server: EmbeddedPostgres, tmp_path: Path) -> None:
    assert await survive_killed_databases(arena, server, tmp_path, kills=100)


async def survive_killed_databases(arena: Arena, server: EmbeddedPostgres, logs: Path, kills: int) -> int:
    """Its sessions and all of it by turns. How many moves had been made although their first caller heard nothing."""
    port, dice = free_port(), Dice(SEED)
    async with gateway(arena.database, port, logs / "log"), calling(arena, port) as callers:
        for number in range(kills):
            await calm(callers, dice)
            await (kill_server(server) if number % 2 else kill_backend(arena.database, dice))
        await callers.finish()
    assert await wrong_now(arena, callers) == []
    assert callers.ends()
    return callers.replays()
