"""Access tokens from the command line."""

import asyncpg

from gateway.app import token_issuer
from gateway.commands.refusals import CommandRefusedError
from gateway.identity.issuing import IssuedToken
from gateway.settings import ConfigurationError, Settings
from loaders.identity import identify

SUBJECT = """
SELECT subject, active FROM members
 WHERE tenant_id = $1 AND ($2::text IS NULL OR email = lower($2)) AND ($3::text IS NULL OR (role = $3 AND active))
 ORDER BY id LIMIT 1
"""


async def issue_token(settings: Settings, tenant: str, *, email: str | None, role: str | None) -> IssuedToken:
    """An access token of a member, named by email or as the first active one of a role."""
    issuer = token_issuer(settings)
    if issuer is None:
        raise ConfigurationError("JWT_SECRET is not set, so tokens come from your identity provider.")
    connection = await asyncpg.connect(settings.require("database_url"))
    try:
        subject = await _subject(connection, tenant, email, role)
    finally:
        await connection.close()
    return issuer.access(tenant, subject)


async def _subject(connection: asyncpg.Connection, tenant: str, email: str | None, role: str | None) -> str:
    found = await identify(connection, tenant, "")
    if found is None:
        raise CommandRefusedError(f"There is no tenant `{tenant}`: create it with `gateway tenant create`.")
    async with connection.transaction(readonly=True):
        await connection.execute(f"SET LOCAL app.tenant_id = '{found.tenant_id:d}'")
        row = await connection.fetchrow(SUBJECT, found.tenant_id, email, role)
    if row is None:
        raise CommandRefusedError(f"{tenant} has no {f'member {email}' if email else f'active {role}'}.")
    if not row["active"]:
        raise CommandRefusedError(f"{email} is deactivated, so no token of theirs would be accepted.")
    return str(row["subject"])
