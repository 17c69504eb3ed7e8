"""Bringing a database to the schema that this version of the gateway works on."""

import io
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.postgres.migrations import LOCK_TIMEOUT_SECONDS
from gateway.settings import ConfigurationError

MIGRATIONS = Path(__file__).parent / "migrations"

# One migration at a time, whoever starts it: the lock is held by the session that migrates.
ADVISORY_LOCK = 7_203_045_117


@cache
def head_revision() -> str:
    """The newest revision that this code knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""


async def migrate(
    dsn: str,
    revision: str = "head",
    *,
    lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS,
    allow_down: bool = True,
) -> None:
    """Moves the database up to `revision`, or down to it (`base`: an empty one). `dsn` is of the role `owner`.

    Each step is a transaction of its own: a failure leaves the steps before it done and itself undone. A step that
    waits for a lock for longer than `lock_timeout_seconds` fails. Raises ConfigurationError, also for going down unless
    `allow_down`, and what asyncpg raises.
    """
    engine = create_async_engine(make_url(dsn).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_check_role)
            await connection.exec_driver_sql(f"SELECT pg_advisory_lock({ADVISORY_LOCK})")
            await connection.commit()
            await connection.run_sync(_run, revision, lock_timeout_seconds, allow_down)
    except DBAPIError as error:
        # What the driver raised, as everywhere else; SQLAlchemy's own error repeats the whole statement.
        raise (error.orig and error.orig.__cause__) or error from None
    finally:
        await engine.dispose()


def offline_sql() -> str:
    """The SQL of all the steps, for a review or for running by hand."""
    output = io.StringIO()
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(MIGRATIONS))
    command.upgrade(config, "head", sql=True)
    return output.getvalue()


def _check_role(connection: Connection) -> None:
    """Under policies, a step that moves data would find none, and say nothing of it."""
    role = "SELECT rolname FROM pg_roles WHERE rolname = current_user AND NOT (rolbypassrls OR rolsuper)"
    if name := connection.exec_driver_sql(role).scalar():
        raise ConfigurationError(
            f"Role `{name}` cannot bypass row-level security, so it cannot migrate: "
            "let MIGRATION_DATABASE_URL name the role `owner`, made by bootstrap.sql."
        )
    connection.commit()


def _run(connection: Connection, revision: str, lock_timeout_seconds: float, allow_down: bool) -> None:
    config = Config(attributes={"connection": connection, "lock_timeout_seconds": lock_timeout_seconds})
    config.set_main_option("script_location", str(MIGRATIONS))
    known = ["head", *(step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()), "base"]
    now = _current_revision(connection)
    if revision not in known:
        raise ConfigurationError(f"There is no revision `{revision}`: there are {', '.join(known)}.")
    if now not in known:
        raise ConfigurationError(
            f"The database is at {now}, which this version does not know: migrate with a newer one."
        )
    down = known.index(revision) > known.index(now)
    if down and not allow_down:
        raise ConfigurationError(
            f"Going down from {now} to {revision} drops what came after it, data too: say --down if that is meant."
        )
    (command.downgrade if down else command.upgrade)(config, revision)
    if revision == "base":
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
        connection.commit()


def _current_revision(connection: Connection) -> str:
    there = connection.exec_driver_sql("SELECT to_regclass('public.alembic_version')").scalar()
    now = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() if there else None
    connection.commit()
    return now or "base"
