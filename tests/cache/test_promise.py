"""The stress proof of kept answers in short: `make stress` runs it for longer, with more controls."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from tests.conftest import fresh_database
from tests.servers import RedisServer, postgres_server
from tests.stress.answers.__main__ import empty_redis
from tests.stress.answers.controls import IMMORTAL, QUICK, Control, stress_control
from tests.stress.answers.crashes import LOSSY, stress_crashes
from tests.stress.answers.faults import ANYWHERE, OF_REDIS
from tests.stress.answers.ground import Ground, prepare
from tests.stress.answers.run import ALONE, LIMIT_WITHOUT_REDIS_SECONDS, THREE, stress_answers, stress_redis
from tests.stress.answers.tally import Tally

SEED = "11"
PATIENCE_SECONDS = 60
SOME_CHECKS, SOME_HITS, SOME_FAULTS = 150, 30, 2
SHORT_CALM_SECONDS = 2
LONG_SECONDS = 120
HIT_SHARE = 0.1
CRASHES, MOST_CRASHES = 2, 20


@pytest.fixture(scope="module")
async def ground(postgres: EmbeddedPostgres, template: str) -> Ground:
    return await prepare(await fresh_database(postgres, template))


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gateway-promise-") as name:
        yield Path(name)


@pytest.fixture
def redis(directory: Path) -> Iterator[RedisServer]:
    with empty_redis(directory) as server:
        yield server


def is_enough(tally: Tally) -> bool:
    enough = tally.checks >= SOME_CHECKS, tally.statuses["HIT"] >= SOME_HITS, tally.faults.total() >= SOME_FAULTS
    return all(enough)


async def assert_kept(
    ground: Ground, directory: Path, names: tuple[str, ...], redis: RedisServer | None = None
) -> None:
    tally = await stress_answers(
        ground,
        directory,
        SEED,
        PATIENCE_SECONDS,
        names=names,
        redis=redis,
        longest_calm_seconds=SHORT_CALM_SECONDS,
        enough=is_enough,
    )
    assert tally.wrong == []
    assert is_enough(tally)


async def test_one_process_keeps_what_is_promised(ground: Ground, directory: Path) -> None:
    await assert_kept(ground, directory, ALONE)


async def test_several_processes_keep_what_is_promised(ground: Ground, directory: Path, redis: RedisServer) -> None:
    await assert_kept(ground, directory, THREE, redis)


@pytest.mark.parametrize("control", QUICK, ids=str)
async def test_a_safeguard_taken_away_breaks_the_promise_that_it_is_for(
    control: Control, ground: Ground, directory: Path, redis: RedisServer
) -> None:
    tally = await stress_control(control, ground, directory, redis, SEED, PATIENCE_SECONDS)
    assert set(control.breaks) - tally.broken == set()


@pytest.mark.slow
@pytest.mark.parametrize("names", [ALONE, THREE], ids=len)
async def test_whatever_befalls_its_parts_no_answer_is_wrong_or_late(
    names: tuple[str, ...], ground: Ground, directory: Path, redis: RedisServer
) -> None:
    shared = redis if names is THREE else None
    tally = await stress_answers(ground, directory, SEED, LONG_SECONDS, names=names, redis=shared)
    assert tally.wrong == []
    assert set(tally.faults) == {*ANYWHERE, *(OF_REDIS if shared else ())}
    assert tally.hit_share > HIT_SHARE


@pytest.mark.slow
async def test_whatever_befalls_redis_alone_nobody_waits_long(
    ground: Ground, directory: Path, redis: RedisServer
) -> None:
    tally = await stress_redis(ground, directory, redis, SEED, LONG_SECONDS)
    assert tally.wrong == []
    assert set(tally.faults) == set(OF_REDIS)
    assert 0 < tally.slowest_seconds < LIMIT_WITHOUT_REDIS_SECONDS


@pytest.mark.slow
async def test_commits_lost_in_a_crash_are_in_no_answer_after_it(directory: Path, redis: RedisServer) -> None:
    with postgres_server(data_dir=directory / "postgres", settings=LOSSY) as server:
        ground = await prepare(await fresh_database(server))
        tally = await stress_crashes(ground, directory, redis, SEED, CRASHES)
        assert tally.wrong == []
        assert tally.lost > 0
        forged = await stress_crashes(ground, directory, redis, SEED, MOST_CRASHES, control=IMMORTAL)
        assert set(IMMORTAL.breaks) - forged.broken == set()
