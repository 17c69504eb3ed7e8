"""Alembic's environment: asyncpg as the owner role, one transaction and one lock timeout a step."""

from alembic import context
from sqlalchemy import Connection, text

from gateway.postgres.migrations import LOCK_TIMEOUT_SECONDS


def lock_timeout(seconds: float) -> str:
    return f"SET lock_timeout = {int(seconds * 1000)}"


def run_offline() -> None:
    """Prints the SQL of the steps instead of running them."""
    context.configure(dialect_name="postgresql", transaction_per_migration=True)
    with context.begin_transaction():
        context.execute(lock_timeout(LOCK_TIMEOUT_SECONDS))
        context.run_migrations()


def run_online(connection: Connection) -> None:
    connection.execute(text(lock_timeout(context.config.attributes["lock_timeout_seconds"])))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online(context.config.attributes["connection"])
