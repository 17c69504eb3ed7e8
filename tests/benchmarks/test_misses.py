"""The comparison with the plain server: each of its requests is a miss of a gateway that keeps answers."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.contenders import MISS, kept
from benchmarks.crowd import CROWD, measure_crowd
from benchmarks.measure import EXECUTIONS, GATEWAY, MIX, PLAIN, Pace, Question, compare, metrics
from benchmarks.queries import OPERATIONS, anew_requests, find_tenants, http_requests
from benchmarks.servers import Server, gateway, plain
from tests.conftest import Database

PACE = Pace(rounds=2, warmup_seconds=0.05, seconds=0.2)
BY_STATUS = 'gateway_cache_requests_total{status="%s"}'


@pytest.fixture
def ours(demo: Database, tmp_path: Path) -> Iterator[Server]:
    with gateway(demo.settings(), tmp_path / "gateway.log", cached=True) as server:
        yield replace(server, marked=MISS)


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_what_is_asked_anew_each_time_is_executed_and_kept_each_time(
    operation: str, ours: Server, demo: Database, tmp_path: Path
) -> None:
    tenants = await find_tenants(demo.settings())
    with plain(demo.settings(), tmp_path / "plain.log") as theirs:
        servers = {name: replace(each, asking=anew_requests) for name, each in ((GATEWAY, ours), (PLAIN, theirs))}
        cells = await compare(Question(operation, MIX, 4), tenants, servers, PACE, lambda: None)
    assert [(cell.server, cell.errors, cell.requests > 0) for cell in cells] == [
        (GATEWAY, 0, True),
        (PLAIN, 0, True),
    ]
    counted = metrics(ours)
    assert counted["gateway_cache_entries"] == counted[BY_STATUS % "MISS"] == counted[EXECUTIONS] > cells[0].requests
    assert BY_STATUS % "HIT" not in counted


async def test_what_is_asked_again_is_not_taken_for_a_miss(ours: Server, demo: Database) -> None:
    tenants = await find_tenants(demo.settings())
    server = replace(ours, asking=http_requests)
    (cell,) = await compare(Question("dashboard", MIX, 4), tenants, {GATEWAY: server}, PACE, lambda: None)
    assert cell.errors > 0


async def test_a_crowd_is_given_one_answer_that_is_not_executed_for_each_of_them(ours: Server, demo: Database) -> None:
    tenants = await find_tenants(demo.settings())
    await asyncio.to_thread(kept, tenants, ours)
    figures = await measure_crowd(ours, tenants)
    assert (figures.askers, figures.times) == (CROWD, len(tenants))
    # One more only where the machine lets the gateway hear of changes too late.
    assert figures.times <= figures.executions <= 2 * figures.times <= figures.misses
