"""The only step that a superuser takes: the four roles, and the database that `owner` owns.

The statements stand in `sql/bootstrap.sql`, which an operator runs with psql.
"""

import re
from dataclasses import dataclass, field
from importlib.resources import files

import asyncpg

from gateway.postgres.scram import scram_verifier, verifies


@dataclass(frozen=True)
class RolePasswords:
    """The passwords of the three roles that log in."""

    owner: str = field(repr=False)
    worker: str = field(repr=False)
    gateway: str = field(repr=False)


async def bootstrap(superuser_dsn: str, *, database: str, passwords: RolePasswords) -> None:
    """Makes the roles, their privileges and `database` as they should be; a second run changes nothing.

    Raises what asyncpg raises.
    """
    in_server, in_database = _queries()
    server = await asyncpg.connect(superuser_dsn)
    try:
        for name, value in {"gateway_database": database, **await _new_verifiers(server, passwords)}.items():
            await server.execute("SELECT set_config($1, $2, false)", f"bootstrap.{name}", value)
        await _execute_missing(server, in_server)
    finally:
        await server.close()
    inside = await asyncpg.connect(superuser_dsn, database=database)
    try:
        await _execute_missing(inside, in_database)
    finally:
        await inside.close()


def _queries() -> tuple[list[str], list[str]]:
    """The queries for the server and those for the new database; what precedes them is for psql alone."""
    text = files("gateway.postgres").joinpath("sql/bootstrap.sql").read_text()
    _, in_server, in_database = re.split(r"^\\(?:echo|connect) .*$", text, flags=re.MULTILINE)
    return in_server.split("\\gexec")[:-1], in_database.split("\\gexec")[:-1]


async def _new_verifiers(server: asyncpg.Connection, passwords: RolePasswords) -> dict[str, str]:
    """What to set each role's password to; empty where it is right already."""
    stored = dict(await server.fetch("SELECT rolname, rolpassword FROM pg_authid"))
    return {
        f"{role}_password": "" if verifies(stored.get(role), password) else scram_verifier(password)
        for role, password in vars(passwords).items()
    }


async def _execute_missing(connection: asyncpg.Connection, queries: list[str]) -> None:
    """Each query returns the statements that are still to be executed."""
    for query in queries:
        for (statement,) in await connection.fetch(query):
            await connection.execute(statement)
