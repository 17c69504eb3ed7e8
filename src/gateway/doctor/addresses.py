"""The database's addresses: does each lead to the same database, as the role it is for?"""

from contextlib import AsyncExitStack

import asyncpg
from pydantic import SecretStr

from gateway.doctor.finding import Finding
from gateway.settings import Settings

CONNECT_SECONDS = 5

ROLES = {"database_url": "gateway", "migration_database_url": "owner", "worker_database_url": "worker"}

WHO_AND_WHERE = """
SELECT current_user::text AS role, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       current_database() AS database, pg_postmaster_start_time() AS started
"""

Connections = dict[str, asyncpg.Connection]


async def reach_all(settings: Settings, stack: AsyncExitStack) -> tuple[Connections, list[Finding]]:
    """Connections by the role that they are for, closed by `stack`, and what was found on the way.

    A connection of another role is used too: what it shows of the database is as true.
    """
    connections: Connections = {}
    findings: list[Finding] = []
    places: dict[str, object] = {}
    for name, role in ROLES.items():
        address: SecretStr | None = getattr(settings, name)
        if address is None:
            continue
        try:
            connection = await asyncpg.connect(address.get_secret_value(), timeout=CONNECT_SECONDS)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            findings.append(_unreachable(name.upper(), error))
            continue
        stack.push_async_callback(connection.close)
        found = await connection.fetchrow(WHO_AND_WHERE)
        findings.append(_role(name.upper(), role, found))
        connections[role] = connection
        places[name.upper()] = (found["database"], found["started"])
    return connections, findings + _same_place(places)


def _unreachable(name: str, error: Exception) -> Finding:
    reason = f"no answer within {CONNECT_SECONDS} s" if isinstance(error, TimeoutError) else error
    remedy = f'psql "${name}" -c "SELECT 1"   # then correct its host, port, database, role or password'
    return Finding(name, f"cannot be reached: {reason}", remedy)


def _role(name: str, wanted: str, found: asyncpg.Record) -> Finding:
    if found["role"] == wanted:
        return Finding(name, f"leads to database {found['database']} as role {wanted}")
    kind = "superuser" if found["superuser"] else "role"
    observation = f"logs in as {kind} {found['role']}, and is to log in as {wanted}"
    return Finding(name, observation, f"export {name}=postgresql://{wanted}:PASSWORD@HOST:5432/{found['database']}")


def _same_place(places: dict[str, object]) -> list[Finding]:
    first, *others = places or {"": None}
    return [
        Finding(name, f"leads to another database than {first}", f"Give {name} the host, port and database of {first}.")
        for name in others
        if places[name] != places[first]
    ]
