"""`gateway doctor`: is everything as the gateway needs it, and if not, what mends it?"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from gateway.doctor.addresses import reach_all
from gateway.doctor.catalogue import examine_catalogue
from gateway.doctor.changes import examine_changes
from gateway.doctor.configuration import examine_configuration
from gateway.doctor.finding import Finding
from gateway.doctor.plans import examine_plans
from gateway.doctor.revision import examine_revision
from gateway.doctor.rollups import examine_rollups
from gateway.doctor.server import examine_server
from gateway.settings import Settings

__all__ = ["Finding", "examine"]


def _now() -> datetime:
    return datetime.now(UTC)


async def examine(settings: Settings, *, clock: Callable[[], datetime] = _now) -> list[Finding]:
    """Looks at the configuration, then at the database as far as it can be reached. Changes nothing.

    `clock` tells the time here, for comparison with the database's.
    """
    findings = await examine_configuration(settings)
    async with AsyncExitStack() as stack:
        connections, of_addresses = await reach_all(settings, stack)
        findings += of_addresses
        if not connections:
            return [*findings, Finding("database", "not examined: no address leads to one")]
        # The owner can read everything that is looked at; with another role a check may have to say that it cannot.
        connection = connections.get("owner") or next(iter(connections.values()))
        findings += await examine_server(connection, clock)
        of_revision, migrated = await examine_revision(connection)
        findings.append(of_revision)
        findings += await examine_catalogue(connection, migrated=migrated)
        if of_revision.remedy is None:
            findings += await examine_changes(settings)
            findings += await examine_plans(connection)
            findings += await examine_rollups(
                [connections[role] for role in ("owner", "worker") if role in connections]
            )
    return findings
