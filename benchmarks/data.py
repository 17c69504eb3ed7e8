"""The data that is measured: made-up tenants in an embedded PostgreSQL, made once and kept."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pydantic import SecretStr
from rich.console import Console

from gateway.demo.load import load_demo
from gateway.demo.rollups import refresh_changed
from gateway.demo.serve import PASSWORD, Secrets
from gateway.demo.shape import Shape, Size
from gateway.identity.passwords import hash_password
from gateway.postgres.bootstrap import RolePasswords, bootstrap
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.migrate import migrate
from gateway.progress import bar
from gateway.settings import Settings, load_settings

TOKEN_LIFETIME_SECONDS = 86_400


@dataclass(frozen=True)
class Databases:
    """The databases of one running server."""

    server: EmbeddedPostgres
    secrets: Secrets

    async def open(self, name: str) -> Settings:
        """Settings of a gateway on the migrated database of a name; it keeps what an earlier run left in it."""
        kept = self.secrets
        passwords = RolePasswords(kept.owner, kept.worker, kept.gateway)
        await bootstrap(self.server.superuser_dsn, database=name, passwords=passwords)
        settings = load_settings(
            database_url=SecretStr(self.server.dsn("gateway", kept.gateway, name)),
            migration_database_url=SecretStr(self.server.dsn("owner", kept.owner, name)),
            worker_database_url=SecretStr(self.server.dsn("worker", kept.worker, name)),
            jwt_secret=SecretStr(kept.jwt),
            access_token_lifetime_seconds=TOKEN_LIFETIME_SECONDS,
        )
        await migrate(settings.require("migration_database_url"))
        return settings

    async def load(self, name: str, shape: Shape, console: Console) -> Settings:
        """The same, with made-up tenants of a shape in it, and no change waiting for a refresh."""
        settings = await self.open(name)
        owner_dsn = settings.require("migration_database_url")
        with bar(console) as progress:
            task = progress.add_task(f"Loading {shape.deals:,} deals, once", total=None)
            await load_demo(
                owner_dsn,
                shape,
                password_hash=hash_password(PASSWORD),
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        await refresh_changed(settings.require("worker_database_url"), console)
        return settings

    @asynccontextmanager
    async def copied(self, name: str) -> AsyncIterator[Settings]:
        """Settings of a gateway on a copy of a database that nobody uses; the copy goes with the block."""
        copy = f"{name}_copy"
        superuser = await asyncpg.connect(self.server.superuser_dsn)
        try:
            await superuser.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")
            await superuser.execute(f"CREATE DATABASE {copy} TEMPLATE {name} OWNER owner STRATEGY file_copy")
            yield await self.open(copy)
        finally:
            await superuser.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")
            await superuser.close()


@contextmanager
def databases(directory: Path) -> Iterator[Databases]:
    """A server on `directory`, which must exist; it ends with the block."""
    with EmbeddedPostgres(directory / "postgres") as server:
        yield Databases(server, Secrets.of(directory))


@asynccontextmanager
async def demo_database(directory: Path, size: Size, console: Console) -> AsyncIterator[Settings]:
    """Settings of a gateway on the running, migrated, loaded database in `directory`, which must exist.

    The server ends with the block.
    """
    with databases(directory) as running:
        yield await running.load(f"demo_{size}", size, console)


@asynccontextmanager
async def empty_database(directory: Path, name: str) -> AsyncIterator[Settings]:
    """Settings of a gateway on the running, migrated database of a name; it keeps what an earlier run left in it."""
    with databases(directory) as running:
        yield await running.open(name)
