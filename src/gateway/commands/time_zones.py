"""Names of time zones."""

import asyncpg

from gateway.commands.refusals import CommandRefusedError

KNOWN = "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)"


async def check_time_zone(owner: asyncpg.Connection, zone: str) -> None:
    """Refuses what PostgreSQL has no name for. It would take `Foo+3`, too, and mean the other direction."""
    if not await owner.fetchval(KNOWN, zone):
        raise CommandRefusedError(f"`{zone}` is not a time zone, such as Europe/Berlin.")
