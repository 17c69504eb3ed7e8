"""Everybody is told that tables changed, although they did not: what was read from them before is read anew."""

from collections.abc import Collection

from gateway.commands.change_deals import Roles
from gateway.postgres.writing import Writes
from loaders.reads import statements

SQL = statements("cache", "gateway.commands")


async def purge_cache(writes: Writes, _roles: Roles, tables: Collection[str]) -> None:
    """Of the writer's tenant, for every process that listens."""
    await writes.fetch(SQL["notify_change"], sorted(tables))
    writes.tables |= set(tables)
