"""Gateways as processes, whose notices come late: each listens through a wire that holds up what the database sends."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from urllib.parse import urlsplit

import httpx

from tests.changes.hands import gateway
from tests.cli.processes import GATEWAY
from tests.conftest import Database
from tests.servers import free_port
from tests.stress.answers.wire import Wire

DEADLINE_SECONDS = 10
PATIENCE_SECONDS = 60
PATIENT_SECONDS = 0.5
"""Of gateways with Redis: on a busy machine too, it is without an answer only where a fault makes it so."""
BY_ITSELF = {"Connection": "close"}
"""Each request has a connection of its own: on one that was idle it may come to a closed door, which proves nothing.
And of several idle ones that are over, httpx closes the first alone where the request that finds them is cancelled."""


@dataclass(frozen=True)
class Gateway:
    name: str
    process: Popen[bytes]
    http: httpx.AsyncClient


@asynccontextmanager
async def serving_processes(
    database: Database,
    directory: Path,
    wire: Wire,
    *,
    names: Sequence[str],
    redis_url: str | None = None,
    redis_timeout_seconds: float | None = PATIENT_SECONDS,
    control: str | None = None,
) -> AsyncIterator[list[Gateway]]:
    """One gateway for each name, all of them up. `redis_timeout_seconds`: None for the default; `control`: what is
    taken away from them, see `weakened`."""
    settings = {
        "LISTEN_DATABASE_URL": through(wire, database.gateway_dsn),
        "LOG_LEVEL": "error",
        "REQUEST_DEADLINE_SECONDS": str(DEADLINE_SECONDS),
        **({"REDIS_TIMEOUT_SECONDS": str(redis_timeout_seconds)} if redis_timeout_seconds else {}),
        **({"REDIS_URL": redis_url} if redis_url else {}),
    }
    weakened = (sys.executable, "-m", "tests.stress.answers.weakened")
    program = (GATEWAY,) if control is None else (*weakened, control)

    async with AsyncExitStack() as stack:

        async def start(name: str) -> Gateway:
            port, log = free_port(), directory / f"{name}.log"
            process = await stack.enter_async_context(gateway(database, port, log, program=program, **settings))
            url = f"http://127.0.0.1:{port}"
            client = httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS, headers=BY_ITSELF)
            return Gateway(name, process, await stack.enter_async_context(client))

        yield list(await asyncio.gather(*map(start, names)))


def through(wire: Wire, dsn: str) -> str:
    """The same database, by way of the wire."""
    return dsn.replace(f":{urlsplit(dsn).port}/", f":{wire.port}/")
