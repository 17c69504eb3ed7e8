"""The data that is measured: the demo of some size in an embedded PostgreSQL, made once and kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.demo.load import load_demo
from gateway.demo.serve import PASSWORD, Secrets
from gateway.demo.shape import Size
from gateway.identity.passwords import hash_password
from gateway.postgres.bootstrap import RolePasswords, bootstrap
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.migrate import migrate
from gateway.settings import Settings, load_settings

TOKEN_LIFETIME_SECONDS = 86_400


@asynccontextmanager
async def demo_database(directory: Path, size: Size, console: Console) -> AsyncIterator[Settings]:
    """Settings of a gateway on the running, migrated, loaded database in `directory`, which must exist.

    The server ends with the block.
    """
    async with empty_database(directory, f"demo_{size}") as settings:
        await _load(settings.require("migration_database_url"), size, console)
        yield settings


@asynccontextmanager
async def empty_database(directory: Path, name: str) -> AsyncIterator[Settings]:
    """Settings of a gateway on the running, migrated database of a name; it keeps what an earlier run left in it."""
    secrets = Secrets.of(directory)
    with EmbeddedPostgres(directory / "postgres") as server:
        passwords = RolePasswords(secrets.owner, secrets.worker, secrets.gateway)
        await bootstrap(server.superuser_dsn, database=name, passwords=passwords)
        settings = load_settings(
            database_url=SecretStr(server.dsn("gateway", secrets.gateway, name)),
            migration_database_url=SecretStr(server.dsn("owner", secrets.owner, name)),
            worker_database_url=SecretStr(server.dsn("worker", secrets.worker, name)),
            jwt_secret=SecretStr(secrets.jwt),
            access_token_lifetime_seconds=TOKEN_LIFETIME_SECONDS,
        )
        await migrate(settings.require("migration_database_url"))
        yield settings


async def _load(owner_dsn: str, size: Size, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"Loading {size} demo data, once", total=None)
        await load_demo(
            owner_dsn,
            size,
            password_hash=hash_password(PASSWORD),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
