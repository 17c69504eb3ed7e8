"""Alembic's environment: asyncpg as the owner role, one transaction and one lock timeout a step."""

from alembic import context
from sqlalchemy import Connection, text

from gateway.postgres.migrations import LOCK_TIMEOUT


def run_offline() -> None:
    """Prints the SQL of the steps instead of running them."""
    context.configure(dialect_name="postgresql", transaction_per_migration=True)
    with context.begin_transaction():
        context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        context.run_migrations()


def run_online(connection: Connection) -> None:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online(context.config.attributes["connection"])
