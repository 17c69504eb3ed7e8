"""The demo: an embedded PostgreSQL, made-up data, and the gateway on top. One command, nothing else needed."""

import asyncio
import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import TypedDict

import asyncpg
from pydantic import SecretStr
from rich.console import Console
from rich.markup import escape

from gateway.demo.load import load_demo
from gateway.demo.rollups import keep_rollups, refresh_changed
from gateway.demo.shape import Size
from gateway.identity.passwords import hash_password
from gateway.identity.permissions import Role
from gateway.postgres.bootstrap import RolePasswords, bootstrap
from gateway.postgres.embedded import EmbeddedError, EmbeddedPostgres
from gateway.postgres.migrate import migrate
from gateway.progress import bar
from gateway.serve import check_port, leave_on_sigterm, serve_one
from gateway.settings import ConfigurationError, Settings, load_settings
from gateway.tokens import issue_token

HOST = "127.0.0.1"
PASSWORD = "demo"  # noqa: S105 - of made-up people, and printed on purpose
TOKEN_LIFETIME_SECONDS = 365 * 86_400
SIGNED_IN = 3
"""For so many tenants, the largest first, tokens are written into demo.json."""

TO_TRY = "{ dashboard { asOf overview { deals { total open won winRate pipelineValue } } } }"

LARGEST_TENANTS = "SELECT t.slug FROM tenants t ORDER BY t.id LIMIT $1"


class DemoTenant(TypedDict):
    """`tokens`: by role."""

    slug: str
    tokens: dict[str, str]


class Demo(TypedDict):
    """What scripts need to know of a running demo, as it stands in demo.json."""

    url: str
    graphql_url: str
    database_url: str
    migration_database_url: str
    worker_database_url: str
    tenants: list[DemoTenant]


@dataclass(frozen=True)
class Secrets:
    """Kept beside the data, readable by their owner alone."""

    owner: str
    worker: str
    gateway: str
    jwt: str

    @classmethod
    def of(cls, directory: Path) -> "Secrets":
        """Those of a directory, made at its first use."""
        path = directory / "secrets.json"
        if not path.exists():
            made = cls(*(secrets.token_urlsafe(48) for _ in fields(cls)))
            write_private(path, json.dumps(asdict(made)))
        return cls(**json.loads(path.read_text()))


def run_demo(*, port: int, size: str, directory: Path, console: Console) -> None:
    """Starts everything, serves until Ctrl-C or SIGTERM, and stops all that it started."""
    check_port(HOST, port)
    leave_on_sigterm()
    with _in_one_sentence(directory), suppress(KeyboardInterrupt):
        directory.mkdir(parents=True, exist_ok=True)
        with EmbeddedPostgres(directory / "postgres") as server:
            settings = asyncio.run(_prepare(server, Secrets.of(directory), Size(size), console))
            demo = asyncio.run(_describe(settings, port))
            write_private(directory / "demo.json", json.dumps(demo, indent=2))
            ready = partial(_announce, console, demo, directory)
            serve_one(
                _signed_in(settings, demo), host=HOST, port=port, ready=ready, beside=partial(keep_rollups, settings)
            )
    console.print("Stopped.")


@contextmanager
def _in_one_sentence(directory: Path) -> Iterator[None]:
    """What goes wrong with the directory or its server, as a ConfigurationError."""
    try:
        yield
    except EmbeddedError as error:
        raise ConfigurationError(str(error)) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if _is_full(error, directory):
            raise ConfigurationError(str(EmbeddedError.no_space(directory))) from None
        if isinstance(error, OSError) and error.filename is not None:
            raise ConfigurationError(str(EmbeddedError.from_os_error(error, directory))) from None
        raise


def _is_full(error: Exception, directory: Path) -> bool:
    """Whether the device is. A server that cannot write its log of changes ends, and only its log tells why."""
    log_file = directory / "postgres" / "postgres.log"
    said = log_file.read_text(errors="replace") if log_file.exists() else ""
    return getattr(error, "errno", None) == errno.ENOSPC or "No space left on device" in said


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step, readable by its owner alone from the start."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


async def _prepare(server: EmbeddedPostgres, kept: Secrets, size: Size, console: Console) -> Settings:
    """Roles, database, schema and data; each only where it is missing. Each size has a database of its own."""
    database = f"demo_{size}"
    await bootstrap(
        server.superuser_dsn, database=database, passwords=RolePasswords(kept.owner, kept.worker, kept.gateway)
    )
    owner_dsn = server.dsn("owner", kept.owner, database)
    worker_dsn = server.dsn("worker", kept.worker, database)
    await migrate(owner_dsn)
    await _load(owner_dsn, size, console)
    await refresh_changed(worker_dsn, console)
    return load_settings(
        database_url=SecretStr(server.dsn("gateway", kept.gateway, database)),
        migration_database_url=SecretStr(owner_dsn),
        worker_database_url=SecretStr(worker_dsn),
        jwt_secret=SecretStr(kept.jwt),
        access_token_lifetime_seconds=TOKEN_LIFETIME_SECONDS,
        log_format="console",
        log_level="warning",
    )


async def _load(owner_dsn: str, size: Size, console: Console) -> None:
    with bar(console) as progress:
        task = progress.add_task(f"Loading the {size} demo (deals)", total=None)
        await load_demo(
            owner_dsn,
            size,
            password_hash=hash_password(PASSWORD),
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


async def _describe(settings: Settings, port: int) -> Demo:
    connection = await asyncpg.connect(settings.require("migration_database_url"))
    try:
        slugs = [row["slug"] for row in await connection.fetch(LARGEST_TENANTS, SIGNED_IN)]
    finally:
        await connection.close()
    return {
        "url": f"http://{HOST}:{port}",
        "graphql_url": f"http://{HOST}:{port}/graphql",
        "database_url": settings.require("database_url"),
        "migration_database_url": settings.require("migration_database_url"),
        "worker_database_url": settings.require("worker_database_url"),
        "tenants": [{"slug": slug, "tokens": await _tokens(settings, slug)} for slug in slugs],
    }


async def _tokens(settings: Settings, slug: str) -> dict[str, str]:
    return {
        role.value: (await issue_token(settings, slug, email=f"{role.value}@{slug}.example", role=None)).token
        for role in Role
    }


def _signed_in(settings: Settings, demo: Demo) -> Settings:
    token = demo["tenants"][0]["tokens"]["viewer"]
    return settings.model_copy(update={"graphiql_token": SecretStr(token)})


def _announce(console: Console, demo: Demo, directory: Path) -> None:
    slug, token = demo["tenants"][0]["slug"], demo["tenants"][0]["tokens"]["viewer"]
    others = ", ".join(tenant["slug"] for tenant in demo["tenants"])
    kept = escape(str(directory / "demo.json"))
    body = json.dumps({"query": TO_TRY})
    console.print(f"""
[bold]GraphiQL: {demo["graphql_url"]}[/]  (in a browser; signed in as a viewer of {slug})

Logins    viewer@{slug}.example, rep@…, manager@…, admin@…, each with the password `{PASSWORD}`
Tenants   {others}; tokens and addresses are in {kept}
Try       curl -s {demo["graphql_url"]} -H 'Content-Type: application/json' \\
            -H 'Authorization: Bearer {token}' \\
            -d '{body}'

Ctrl-C stops it.
""")
