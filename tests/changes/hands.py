"""Hands that kill: gateways, sessions of PostgreSQL, and PostgreSQL itself."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import Popen

import asyncpg

from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.faults import is_unavailable
from tests.changes.arena import Dice
from tests.cli.processes import GATEWAY, get, running, wait_until
from tests.conftest import JWT_SECRET, Database
from tests.servers import kill_postgres

RETRY_SECONDS = 0.02
BACKENDS = """
SELECT pid FROM pg_stat_activity WHERE datname = $1 AND usename = 'gateway' ORDER BY state = 'idle', pid LIMIT 4
"""


@asynccontextmanager
async def gateway(
    database: Database, port: int, log: Path, *, program: Sequence[str] = (GATEWAY,), **settings: str
) -> AsyncIterator[Popen[bytes]]:
    """A gateway as a process, which is up; killed at the end of the block, whatever it is doing then."""
    needed = {"DATABASE_URL": database.gateway_dsn, "JWT_SECRET": JWT_SECRET}
    with running(log, "serve", "--port", str(port), program=program, **needed, **settings) as process:
        ready = f"http://127.0.0.1:{port}/health/ready"
        await asyncio.to_thread(wait_until, lambda: get(ready), process)
        yield process


async def kill_backend(database: Database, dice: Dice) -> None:
    """A session of the gateway, one at work where there is one: PostgreSQL ends all others too, and recovers."""
    while True:
        try:
            if await _killed_one(database, dice):
                return
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not is_unavailable(error) and not isinstance(error, ProcessLookupError):
                raise
        await asyncio.sleep(RETRY_SECONDS)


async def _killed_one(database: Database, dice: Dice) -> bool:
    superuser = await asyncpg.connect(database.server.superuser_dsn)
    try:
        pids = [row["pid"] for row in await superuser.fetch(BACKENDS, database.name)]
        if pids:
            os.kill(dice.choice(pids), signal.SIGKILL)
        return bool(pids)
    finally:
        superuser.terminate()


async def kill_server(server: EmbeddedPostgres) -> None:
    """All of PostgreSQL, which is started again then."""
    kill_postgres(server)
    await asyncio.to_thread(server.stop)  # what remains of it
    await asyncio.to_thread(server.start)
