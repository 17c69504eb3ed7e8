"""The runs: gateways with or without Redis under readers, writers, faults and intruders; and weakened ones."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.changes.arena import Dice
from tests.changes.hands import kill_server
from tests.servers import RedisServer
from tests.stress.answers.faults import ANYWHERE, OF_REDIS, Faults, maintain
from tests.stress.answers.gateways import DEADLINE_SECONDS, PATIENT_SECONDS, Gateway, serving_processes
from tests.stress.answers.ground import Ground
from tests.stress.answers.intruders import Intruder
from tests.stress.answers.readers import Reader
from tests.stress.answers.tally import Tally
from tests.stress.answers.wire import Wire
from tests.stress.answers.writers import Writer

READERS, WRITERS, INTRUDERS = 6, 4, 2
ALONE, TWO, THREE = ("alone",), ("one", "two"), ("one", "two", "three")
NOTICES_LATE_SECONDS = 0.2
PROGRESS_SECONDS = 10
LONGEST_CALM_SECONDS = 8
LIMIT_SECONDS = DEADLINE_SECONDS + 5.0
"""Nobody waits longer, not of a gateway that was stopped for a while either."""
LIMIT_WITHOUT_REDIS_SECONDS = 2.0
"""Nobody waits longer where nothing but Redis fails: a few trips that are given up, and half a second after a write."""

Player = Coroutine[Any, Any, None]


@dataclass
class Scene:
    """What one run plays on."""

    ground: Ground
    gateways: list[Gateway]
    wire: Wire
    redis: RedisServer | None
    tally: Tally
    seed: str

    def dice(self, player: str) -> Dice:
        return Dice(f"{self.seed} {player}")

    @property
    def faults(self) -> Faults:
        return Faults(self.ground, self.gateways, self.wire, self.redis, self.dice("faults"), self.tally)

    def reader(self, name: str) -> Reader:
        return Reader(self.ground, self.gateways, self.dice(name), self.tally)

    def players(self, *, refreshing: bool = True) -> list[Player]:
        """Readers, writers, and the worker's work: folds, and refreshes where it is `refreshing`."""
        readers = [self.reader(f"reader {number}").read() for number in range(READERS)]
        writers = [
            Writer(
                self.ground, self.gateways, self.reader(f"behind {number}"), self.dice(f"writer {number}"), self.tally
            ).write()
            for number in range(WRITERS)
        ]
        return [*readers, *writers, maintain(self.ground, self.dice("worker"), refreshing=refreshing)]

    def intruders(self) -> list[Player]:
        return [
            Intruder(self.ground, self.gateways, self.dice(f"intruder {number}"), self.tally).intrude()
            for number in range(INTRUDERS)
        ]

    async def crash(self) -> None:
        """PostgreSQL is killed, and with it what was committed last; gateways and Redis live on."""
        ground = self.ground
        async with ground.all_turns():
            ground.known = False
            ground.crashes += 1
            await kill_server(ground.database.server)
            self.tally.lost += await ground.read_truth()
            ground.known = True


@asynccontextmanager
async def scene(
    ground: Ground,
    directory: Path,
    seed: str,
    *,
    names: Sequence[str],
    redis: RedisServer | None = None,
    control: str | None = None,
    limit_seconds: float = LIMIT_SECONDS,
    redis_timeout_seconds: float | None = PATIENT_SECONDS,
) -> AsyncIterator[Scene]:
    """Gateways that keep answers; notices come late from then on. `redis_timeout_seconds`: None for their default."""
    wire = Wire(Dice(f"{seed} wire"))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(wire.to(ground.database.server.port))
        processes = serving_processes(
            ground.database,
            directory,
            wire,
            names=names,
            redis_url=redis.url if redis else None,
            redis_timeout_seconds=redis_timeout_seconds,
            control=control,
        )
        gateways = await stack.enter_async_context(processes)
        wire.longest_seconds = NOTICES_LATE_SECONDS
        yield Scene(ground, gateways, wire, redis, Tally(limit_seconds), seed)


async def stress_answers(
    ground: Ground,
    directory: Path,
    seed: str,
    seconds: float,
    *,
    names: Sequence[str],
    redis: RedisServer | None = None,
    longest_calm_seconds: float = LONGEST_CALM_SECONDS,
    enough: Callable[[Tally], bool] = lambda _: False,
    tell: Callable[[str], None] = lambda _: None,
) -> Tally:
    """The main run: everybody at once, and all faults in turn, with times of calm between them; until something is
    wrong, it is enough, or the time is over."""
    async with scene(ground, directory, seed, names=names, redis=redis) as stage:
        faults = stage.faults.befall(ANYWHERE + OF_REDIS if redis else ANYWHERE, longest_calm_seconds)
        players = [*stage.players(), *stage.intruders(), faults]
        return await play(stage, players, seconds, enough=lambda tally: bool(tally.wrong) or enough(tally), tell=tell)


async def stress_redis(
    ground: Ground,
    directory: Path,
    redis: RedisServer,
    seed: str,
    seconds: float,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Tally:
    """Three gateways of which nothing fails but their Redis, which they wait for as they do by default: how long
    anybody waits then is a part of what is checked."""
    limit = LIMIT_WITHOUT_REDIS_SECONDS
    opened = scene(
        ground, directory, f"{seed} redis", names=THREE, redis=redis, limit_seconds=limit, redis_timeout_seconds=None
    )
    async with opened as stage:
        players = [*stage.players(), stage.faults.befall(OF_REDIS, LONGEST_CALM_SECONDS)]
        return await play(stage, players, seconds, enough=lambda tally: bool(tally.wrong), tell=tell)


async def play(
    scene: Scene,
    players: Sequence[Player],
    seconds: float,
    *,
    enough: Callable[[Tally], bool],
    tell: Callable[[str], None] = lambda _: None,
) -> Tally:
    """Everybody plays until it is enough, or the time is over."""
    clock = asyncio.get_running_loop().time
    begun = told = clock()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(player) for player in players]
        while clock() < begun + seconds and not enough(scene.tally):
            await asyncio.sleep(0.05)
            if clock() >= told + PROGRESS_SECONDS:
                told = clock()
                tell(f"{told - begun:4.0f} s: {scene.tally.line()}")
        for task in tasks:
            task.cancel()
    return scene.tally
