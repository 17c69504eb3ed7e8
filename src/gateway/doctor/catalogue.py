"""The catalogue: roles, policies, views, grants and functions, each as the two walls between tenants need it."""

import re
from dataclasses import dataclass
from importlib import resources

import asyncpg

from gateway.doctor.finding import Finding


@dataclass(frozen=True, slots=True)
class Check:
    """`query` returns a row (observation, remedy) for each fault; `fine` is what is said when there is none."""

    subject: str
    fine: str
    query: str


async def examine_catalogue(connection: asyncpg.Connection, *, migrated: bool) -> list[Finding]:
    """Faults of the roles, and of the schema where there is one."""
    findings = await _run(connection, "roles.sql")
    if not migrated:
        return [*findings, Finding("schema", "not examined: there is none yet")]
    return findings + await _run(connection, "schema.sql")


def checks(file: str) -> list[Check]:
    """Those of a file of `sql/`, in its order."""
    text = resources.files(__package__).joinpath("sql", file).read_text(encoding="utf-8")
    _, *parts = re.split(r"^-- check (\w[\w ]*): (.*)$", text, flags=re.MULTILINE)
    return [Check(*part) for part in zip(parts[::3], parts[1::3], parts[2::3], strict=True)]


async def _run(connection: asyncpg.Connection, file: str) -> list[Finding]:
    findings: list[Finding] = []
    for check in checks(file):
        faults = [Finding(check.subject, *row) for row in await connection.fetch(check.query)]
        findings += faults or [Finding(check.subject, check.fine)]
    return findings
