"""Sessions of the role `worker`, refused where their work would be wrong."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from gateway.settings import ConfigurationError

CONNECT_SECONDS = 10
CLOSE_SECONDS = 2

SESSION_SETTINGS = {
    # What a crash undoes is done again: no need to wait for the disk.
    "synchronous_commit": "off",
    # A machine that is gone must not keep its locks for hours.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

WHO = """
SELECT current_user::text AS role, r.rolbypassrls OR r.rolsuper AS bypasses,
       coalesce(pg_has_role(to_regrole('rollup_owner'), 'USAGE'), false) AS member,
       coalesce((SELECT rolbypassrls FROM pg_roles WHERE rolname = 'rollup_owner'), false) AS owner_bypasses,
       to_regclass('public.alembic_version') IS NOT NULL AS migrated
  FROM pg_roles AS r WHERE r.rolname = current_user
"""
REVISION = "SELECT version_num FROM public.alembic_version"


@asynccontextmanager
async def worker_session(dsn: str, revision: str, **server_settings: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may fold and refresh, to a database at `revision`.

    Raises ConfigurationError for a role or a database that will not do, and what asyncpg raises.
    """
    settings = {"application_name": "gateway", **SESSION_SETTINGS, **server_settings}
    connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, server_settings=settings)
    try:
        await _check(connection, revision)
        yield connection
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            await connection.close(timeout=CLOSE_SECONDS)


async def _check(connection: asyncpg.Connection, revision: str) -> None:
    """Under policies a fold would find nothing and a refresh would empty the views, and neither would say so."""
    found = await connection.fetchrow(WHO)
    role = f"Role `{found['role']}`"
    named = "let WORKER_DATABASE_URL name the role `worker`, made by bootstrap.sql."
    if not found["bypasses"]:
        raise ConfigurationError(f"{role} cannot bypass row-level security, so it cannot keep rollups: {named}")
    if not found["member"]:
        raise ConfigurationError(f"{role} is no member of `rollup_owner`, so it cannot keep rollups: {named}")
    if not found["owner_bypasses"]:
        raise ConfigurationError(
            "Role `rollup_owner` cannot bypass row-level security, so a refresh would empty the rollups: "
            "ALTER ROLE rollup_owner BYPASSRLS;"
        )
    now = await connection.fetchval(REVISION) if found["migrated"] else None
    if now != revision:
        raise ConfigurationError(
            f"The schema is at {now or 'no revision'}, this version needs {revision}: run `gateway migrate`."
        )
