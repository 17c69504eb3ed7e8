"""The database's schema as Alembic steps with SQL written by hand."""

LOCK_TIMEOUT = "5s"
"""A step that cannot get its locks within this gives up and changes nothing, instead of queueing every reader "
"behind it."""
