"""Everybody is told that tables changed, although they did not: what was read from them before is read anew.

And that it was on purpose, so that it does not stand in as stale either.
"""

from collections.abc import Collection

from gateway.commands.change_deals import Roles
from gateway.postgres.writing import Writes
from loaders.reads import statements

SQL = statements("cache", "gateway.commands")
PURGED = "purged "
"""Before the name of a table: told beside it, as `cache/changes.py` hears it."""


async def purge_cache(writes: Writes, _roles: Roles, tables: Collection[str]) -> None:
    """Of the writer's tenant, for every process that listens."""
    tags = sorted({*tables, *(PURGED + table for table in tables)})
    await writes.fetch(SQL["notify_change"], tags)
    writes.tables |= set(tags)
