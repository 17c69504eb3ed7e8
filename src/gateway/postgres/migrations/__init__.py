"""The database's schema as Alembic steps with SQL written by hand."""

LOCK_TIMEOUT_SECONDS = 5.0
"""A step that gets no lock within this gives up and changes nothing: else it would queue every reader behind it."""
