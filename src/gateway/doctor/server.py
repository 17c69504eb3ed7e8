"""The server: its version, its clock, the extensions that help but are not needed."""

from collections.abc import Callable
from datetime import datetime

import asyncpg

from gateway.doctor.finding import Finding

OLDEST_MAJOR = 15
CLOCK_TOLERANCE_SECONDS = 5

EXTENSIONS = {
    "pg_trgm": "an index for search by part of a name",
    "pg_stat_statements": "a record of which statements cost the most",
}


async def examine_server(connection: asyncpg.Connection, clock: Callable[[], datetime]) -> list[Finding]:
    return [
        version_finding(connection.get_server_version().major),
        await _clock(connection, clock),
        *[await _extension(connection, name, use) for name, use in EXTENSIONS.items()],
    ]


def version_finding(major: int) -> Finding:
    if major >= OLDEST_MAJOR:
        return Finding("version", f"PostgreSQL {major}")
    observation = f"PostgreSQL {major}, and {OLDEST_MAJOR} is the oldest that will do"
    return Finding("version", observation, "pg_upgrade   # or a dump loaded into a newer server")


async def _clock(connection: asyncpg.Connection, clock: Callable[[], datetime]) -> Finding:
    there = await connection.fetchval("SELECT clock_timestamp()")
    apart_seconds = abs((clock() - there).total_seconds())
    if apart_seconds <= CLOCK_TOLERANCE_SECONDS:
        return Finding("clock", "the database's is this machine's")
    observation = (
        f"the database's and this machine's are {apart_seconds:.0f} s apart, so tokens end too early or too late"
    )
    return Finding("clock", observation, "timedatectl set-ntp true   # on both machines")


async def _extension(connection: asyncpg.Connection, name: str, use: str) -> Finding:
    present = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = $1)", name)
    return Finding(name, "present" if present else f"absent; it is optional: {use}")
