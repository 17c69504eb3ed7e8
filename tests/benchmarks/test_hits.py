"""The benchmark of cached answers: its peers are compared only while they answer rightly, and from their caches."""

import asyncio
import json
import re
import urllib.error
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.contenders import HIT, NotAHitError
from benchmarks.hits import check_only_hits, fill, measure, trips_for_budget
from benchmarks.hits_page import BARE, GET, PEERS, SEVERAL, UNCHANGED, UNPRICED
from benchmarks.measure import GATEWAY, MIX, Pace, Question, compare
from benchmarks.peers.node import FOLDER, has_node
from benchmarks.queries import Tenant, find_tenants, headers
from benchmarks.servers import HOST, Server, constant, gateway, get, peer
from gateway.settings import Settings
from tests.conftest import Database

LEADERBOARD = "{ dashboard(period: { preset: %s }) { asOf leaderboard(first: %d) { won } } }"
OURS = (GATEWAY, GET, UNCHANGED, UNPRICED, SEVERAL)
PACE = Pace(rounds=1, warmup_seconds=0.05, seconds=0.1)

needs_node = pytest.mark.skipif(not has_node(), reason="no Node 20 or later with npm")


@pytest.fixture(scope="module")
async def tenants(demo: Database) -> list[Tenant]:
    return await find_tenants(demo.settings())


@pytest.fixture(scope="module")
def ours(demo: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with gateway(demo.settings(), tmp_path_factory.mktemp("logs") / "gateway.log") as server:
        yield server


@pytest.fixture(scope="module", params=PEERS)
def theirs(
    request: pytest.FixtureRequest, demo: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with peer(request.param, demo.settings(), tmp_path_factory.mktemp("logs") / "peer.log") as server:
        yield server


@needs_node
async def test_cached_answers_are_measured_end_to_end(settings: Settings) -> None:
    figures = await measure(settings, PACE, (2,))
    assert [(cell.server, cell.errors) for cell in figures.cells] == [(name, 0) for name in (*OURS, *PEERS, BARE)]
    assert all(cell.requests > 0 for cell in figures.cells)
    assert {cell.statements for cell in figures.cells} == {0, None}
    # Beside the trips of hits, what hits cost is paid about once a second.
    assert 1 <= figures.trips < 1.5
    assert (figures.memory.ratio < 1.2, 600 < figures.memory.fixed_bytes < 1200) == (True, True)
    _, sentence, turns, *_ = figures.sentences()
    assert sentence.startswith("Hits at 2 connections: the gateway to the fastest peer ")
    assert ", and for the budget of an answer that it reads 2.00 times." in turns


async def test_the_budget_of_an_answer_that_is_read_takes_two_trips(settings: Settings) -> None:
    (tenant,) = await find_tenants(settings, ranks=(1,))
    assert await trips_for_budget(settings, tenant) == 2


async def test_an_answer_without_the_demanded_mark_is_an_error(tenants: list[Tenant], tmp_path: Path) -> None:
    with constant(tmp_path / "constant.log") as server:
        servers = {mark: replace(server, marked=mark) for mark in ("content-type: ", HIT)}
        cells = await compare(Question("dashboard", MIX, 1), tenants, servers, PACE, lambda: None)
    assert [cell.errors == 0 for cell in cells] == [True, False]
    assert cells[1].errors >= cells[1].requests > 0


@needs_node
async def test_a_peer_answers_each_tenant_from_its_cache_with_the_tenants_own_data(
    ours: Server, theirs: Server, tenants: list[Tenant]
) -> None:
    filled = await asyncio.to_thread(fill, tenants, {GATEWAY: ours, "peer": theirs}, "peer")
    assert len(set(filled.answers)) == len(tenants) == 3
    await asyncio.to_thread(check_only_hits, tenants, theirs, filled)
    await ask(theirs, tenants[0], LEADERBOARD % ("LAST_90_DAYS", 3))
    with pytest.raises(NotAHitError, match=re.escape("were measured: 1 (peer)")):
        await asyncio.to_thread(check_only_hits, tenants, theirs, filled)


@needs_node
async def test_a_peer_takes_no_question_for_another(theirs: Server, tenants: list[Tenant]) -> None:
    asked = [LEADERBOARD % (preset, first) for preset in ("LAST_30_DAYS", "LAST_90_DAYS") for first in (1, 2)]
    found = [(await ask(theirs, tenants[0], query))["dashboard"] for query in asked]
    assert [len(dashboard["leaderboard"]) for dashboard in found] == [1, 2, 1, 2]
    assert len({dashboard["asOf"] for dashboard in found}) == len(asked)


@needs_node
async def test_a_peer_refuses_a_token_with_another_signature(theirs: Server, tenants: list[Tenant]) -> None:
    query = LEADERBOARD % ("LAST_90_DAYS", 1)
    await ask(theirs, tenants[0], query)
    stranger = replace(tenants[0], token=tenants[0].token[:-6] + "AAAAAA")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        await ask(theirs, stranger, query)


def test_the_lock_file_names_no_registry() -> None:
    lock = (FOLDER / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


async def ask(server: Server, tenant: Tenant, query: str) -> Any:
    """The `data` of an answer."""
    body = json.dumps({"query": query}).encode()
    answer = await asyncio.to_thread(get, f"http://{HOST}:{server.port}/graphql", headers(tenant), body)
    return json.loads(answer)["data"]
