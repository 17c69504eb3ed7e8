"""Bringing a database to the schema that this version of the gateway works on."""

import io
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).parent / "migrations"

# One migration at a time, whoever starts it: the lock is held by the session that migrates.
ADVISORY_LOCK = 7_203_045_117


def head_revision() -> str:
    """The newest revision that this code knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""


async def migrate(dsn: str, revision: str = "head") -> None:
    """Moves the database up to `revision`, or down to it (`base`: an empty one). `dsn` is of the role `owner`.

    Each step is a transaction of its own: a failure leaves the steps before it done and itself undone.
    """
    engine = create_async_engine(make_url(dsn).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_lock({ADVISORY_LOCK})")
            await connection.commit()
            await connection.run_sync(_run, revision)
    finally:
        await engine.dispose()


def offline_sql() -> str:
    """The SQL of all the steps, for a review or for running by hand."""
    output = io.StringIO()
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(MIGRATIONS))
    command.upgrade(config, "head", sql=True)
    return output.getvalue()


def _run(connection: Connection, revision: str) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS))
    known = [step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    current = connection.exec_driver_sql("SELECT to_regclass('public.alembic_version')").scalar()
    now = current and connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    connection.commit()
    older = revision == "base" or (revision in known and now in known and known.index(now) < known.index(revision))
    (command.downgrade if older else command.upgrade)(config, revision)
