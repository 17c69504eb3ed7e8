"""What befalls the parts while everybody reads and writes: one thing after another, at random."""

import asyncio
import os
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.rollups.declaration import Rollup
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.maintain import fold_rollup, refresh_rollup
from tests.changes.arena import Dice
from tests.servers import RedisServer
from tests.stress.answers.gateways import Gateway
from tests.stress.answers.ground import Ground, unless_gone
from tests.stress.answers.tally import Tally
from tests.stress.answers.wire import Wire

CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gateway listener' AND datname = $1
"""
ANYWHERE = ("cut_listeners", "cut_wire", "stall_wire", "stop_gateway", "hold_reads", "hold_deal")
OF_REDIS = ("empty_redis", "set_redis_back", "pause_redis", "fill_redis", "forget")
LOCK_DEAL = "SELECT 1 FROM deals WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
LONGEST_REST_SECONDS = 0.5
MOST_TOGETHER = 3
NARROWER_BYTES = 10_000
FULL_WITHIN_SECONDS = 10

Work = Callable[[asyncpg.Connection, Rollup], Awaitable[object]]


@dataclass
class Faults:
    """`redis`: None where there is none."""

    ground: Ground
    gateways: list[Gateway]
    wire: Wire
    redis: RedisServer | None
    dice: Dice
    tally: Tally
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever changes what Redis knows, so that each sees what it did."""

    async def befall(self, kinds: Sequence[str], longest_calm_seconds: float) -> None:
        """A few of them together, then a time of calm, until cancelled. Each comes before any comes again."""
        coming: list[str] = []
        while True:
            coming = coming or self.dice.sample(kinds, len(kinds))
            together = [coming.pop() for _ in range(min(len(coming), self.dice.randint(1, MOST_TOGETHER)))]
            await asyncio.sleep(self.dice.uniform(0.2, 1) * longest_calm_seconds)
            await asyncio.gather(*(self.strike(kind, LONGEST_REST_SECONDS) for kind in together))

    async def repeat(self, kind: str, longest_pause_seconds: float) -> None:
        """One kind alone, until cancelled."""
        while True:
            await self.strike(kind, longest_pause_seconds)

    async def strike(self, kind: str, longest_pause_seconds: float) -> None:
        """One, after a pause."""
        await asyncio.sleep(self.dice.uniform(0, longest_pause_seconds))
        await getattr(self, kind)()
        self.tally.faults[kind] += 1

    async def cut_listeners(self) -> None:
        """The server ends their sessions."""
        superuser = await asyncpg.connect(self.ground.database.server.superuser_dsn)
        try:
            await superuser.fetch(CUT, self.ground.database.name)
        finally:
            await superuser.close()

    async def cut_wire(self) -> None:
        """Their connections break off."""
        self.wire.cut()

    async def stall_wire(self) -> None:
        """They hear nothing for longer than they are to be trusted."""
        await self.wire.stall(self.dice.uniform(0.6, 2))

    async def stop_gateway(self) -> None:
        """One process stands still, and then goes on as if nothing had been."""
        process = self.dice.choice(self.gateways).process
        os.kill(process.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(1)
        finally:
            os.kill(process.pid, signal.SIGCONT)

    async def hold_reads(self) -> None:
        """Answers that show tasks wait, with the snapshot that they have taken already."""
        async with self.ground.database.as_owner() as owner, owner.transaction():
            await owner.execute("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(self.dice.uniform(0.3, 1.2))

    async def hold_deal(self) -> None:
        """A write that has its id waits, and those with later ids are committed before it."""
        lane = self.dice.choice(self.ground.lanes)
        async with self.ground.database.as_owner() as owner, owner.transaction():
            await owner.execute(LOCK_DEAL, lane.tenant_id, max(lane.deals))
            await asyncio.sleep(self.dice.uniform(0.1, 0.4))

    async def empty_redis(self) -> None:
        """It is killed, and comes back knowing nothing."""
        async with self._changing:
            await self._restart_redis(None)

    async def set_redis_back(self) -> None:
        """It is killed, and comes back with what it knew a while ago."""
        dump = self._server.dump
        old = dump.with_suffix(".old")
        async with self._changing:
            if old.exists():
                await self._restart_redis(old)
            await self._tell_redis("SAVE")
            if dump.exists():
                dump.replace(old)

    async def pause_redis(self) -> None:
        """It is there, and answers nobody for two seconds."""
        await self._tell_redis("CLIENT", "PAUSE", "2000", "ALL")
        await asyncio.sleep(2)

    async def fill_redis(self) -> None:
        """It has no room: it drops what it likes, or refuses to write."""
        policy = self.dice.choice(("allkeys-lru", "allkeys-random", "noeviction"))
        async with self._changing:
            await self._tell_redis("CONFIG", "SET", "maxmemory-policy", policy)
            try:
                await self._narrow_redis()
                await asyncio.sleep(self.dice.uniform(0.5, 1.5))
            finally:
                await self._tell_redis("CONFIG", "SET", "maxmemory", "0")

    async def _narrow_redis(self) -> None:
        """Gives it less and less room, until it dropped something or refused a write: what clients take varies."""
        told = await self._tell_redis("INFO", "ALL")
        room_bytes, before = told["used_memory"], _losses(told)
        async with asyncio.timeout(FULL_WITHIN_SECONDS):
            while _losses(await self._tell_redis("INFO", "ALL")) == before:
                room_bytes = max(1, room_bytes - NARROWER_BYTES)
                await self._tell_redis("CONFIG", "SET", "maxmemory", str(room_bytes))
                await asyncio.sleep(0.05)

    async def forget(self) -> None:
        """It loses everything, and goes on."""
        async with self._changing:
            await self._tell_redis("FLUSHALL")

    @property
    def _server(self) -> RedisServer:
        assert self.redis is not None
        return self.redis

    async def _restart_redis(self, dump: Path | None) -> None:
        server = self._server
        server.kill()
        server.dump.unlink(missing_ok=True)
        if dump is not None:
            shutil.copy(dump, server.dump)
        await asyncio.sleep(self.dice.uniform(0, 0.5))
        await asyncio.to_thread(server.start)

    async def _tell_redis(self, *words: str) -> Any:
        # With a timeout it sends by `asyncio.wait_for`, which up to Python 3.11 can lose that it is cancelled.
        client = Redis.from_url(self._server.url, socket_timeout=None)
        try:
            with suppress(RedisError):
                return await client.execute_command(*words)  # type: ignore[no-untyped-call]
        finally:
            await client.aclose()


def _losses(told: Mapping[str, Any]) -> int:
    """How many keys a Redis dropped and writes it refused so far for want of room."""
    refused: Mapping[str, int] = told.get("errorstat_OOM", {"count": 0})
    return int(told["evicted_keys"]) + refused["count"]


async def maintain(ground: Ground, dice: Dice, *, refreshing: bool) -> None:
    """Folds, and refreshes, until cancelled, as the worker does; on a new connection where the one before was lost."""
    works = (fold_rollup, refresh_rollup) if refreshing else (fold_rollup,)
    dsn = ground.database.worker_dsn
    while True:
        with unless_gone():
            worker = await asyncpg.connect(dsn)
            try:
                await _maintain_on(worker, dice, works)
            finally:
                worker.terminate()
        await asyncio.sleep(LONGEST_REST_SECONDS)


async def _maintain_on(worker: asyncpg.Connection, dice: Dice, works: Sequence[Work]) -> None:
    while True:
        await dice.choice(works)(worker, dice.choice(ROLLUPS))
        await asyncio.sleep(dice.uniform(0, LONGEST_REST_SECONDS))
