"""The demo's rollups: refreshed after a load, then kept beside the server."""

import asyncpg
from rich.console import Console

from gateway.observe import Observer
from gateway.postgres.migrate import head_revision
from gateway.progress import bar
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.refreshing import refresh_and_vacuum, waiting
from gateway.rollups.session import worker_session
from gateway.rollups.worker import Pace, Worker
from gateway.settings import ConfigurationError, Settings

WAITING_ENOUGH = 1000
"""Changes that wait for a refresh: from here on a start begins with it."""


async def refresh_changed(worker_dsn: str, console: Console) -> None:
    """What a load left waiting would be read with every dashboard until the worker gets round to it."""
    async with worker_session(worker_dsn, head_revision()) as worker:
        changed = [rollup for rollup in ROLLUPS if await waiting(worker, rollup) >= WAITING_ENOUGH]
        with bar(console) as progress:
            task = progress.add_task("", total=len(changed))
            for rollup in changed:
                progress.update(task, description=f"Refreshing {rollup.name}")
                await refresh_and_vacuum(worker, rollup)
                progress.advance(task)


async def keep_rollups(settings: Settings, observer: Observer) -> None:
    """The worker, counted in the server's metrics. Runs until it is cancelled."""
    dsn = settings.require("worker_database_url")
    try:
        await Worker(dsn, head_revision(), ROLLUPS, observer, Pace.of(settings)).run()
    except (ConfigurationError, asyncpg.PostgresError) as error:
        observer.fault("the worker has stopped", error=error)
