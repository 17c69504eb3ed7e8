"""The migrations: is the database at the newest revision that this code knows?"""

import asyncpg
from alembic.script import ScriptDirectory

from gateway.doctor.finding import Finding
from gateway.postgres.migrate import MIGRATIONS, head_revision

MIGRATE = "gateway migrate   # with MIGRATION_DATABASE_URL"


async def examine_revision(connection: asyncpg.Connection) -> tuple[Finding, bool]:
    """What was found, and whether there is a schema to look at."""
    if not await connection.fetchval("SELECT to_regclass('public.alembic_version') IS NOT NULL"):
        return Finding("migrations", "the database is empty", MIGRATE), False
    try:
        revision = await connection.fetchval("SELECT version_num FROM public.alembic_version")
    except asyncpg.InsufficientPrivilegeError:
        remedy = "GRANT SELECT ON public.alembic_version TO gateway, worker;"
        return Finding("migrations", "this role may not read the revision", remedy), True
    return _compare(revision), revision is not None


def _compare(revision: str | None) -> Finding:
    if revision == head_revision():
        return Finding("migrations", f"at {revision}, the newest")
    if revision is not None and revision not in _known_revisions():
        observation = f"at {revision}, which this version does not know: a newer one has migrated the database"
        return Finding(
            "migrations", observation, "Run the newer version of the gateway, or let it `gateway migrate` back."
        )
    return Finding("migrations", f"at {revision or 'no revision'}, and {head_revision()} is the newest", MIGRATE)


def _known_revisions() -> set[str]:
    return {step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
