"""Sign-in look-ups: the only reads that name a tenant before one is set."""

from typing import NamedTuple

from asyncpg import Connection

from loaders.reads import statements

SQL = statements("identity")


class Agreed(NamedTuple):
    """What a tenant may use, by its plan and what is agreed with it alone. `mode`: None where nothing is agreed."""

    bucket_points: int
    points_per_second: int
    most_points: int
    deadline_seconds: int
    page_size: int
    bulk_size: int
    concurrency: int
    stale_instead: bool
    mode: str | None


class SignedIn(NamedTuple):
    """A token's tenant, and its member: `member_id` is None when the tenant has no such member.

    `snapshot` and `incarnation`: as of `tenants.Moment`.
    """

    agreed: Agreed
    tenant_id: int
    currency: str
    time_zone: str
    member_id: int | None
    role: str | None
    active: bool | None
    snapshot: str
    incarnation: str | None


class Credentials(NamedTuple):
    tenant_id: int
    member_id: int
    subject: str
    active: bool
    password_hash: str | None


async def identify(connection: Connection, tenant_slug: str, subject: str) -> SignedIn | None:
    """The tenant and member that a token names; None for an unknown tenant. Source: app.identify."""
    row = await connection.fetchrow(SQL["identify"].sql, tenant_slug, subject)
    return row and SignedIn(Agreed(*row[8:]), *row[:8])


async def credentials_by_email(connection: Connection, tenant_slug: str, email: str) -> Credentials | None:
    """The credentials of a login; None when tenant or member is unknown. Source: app.login_lookup."""
    row = await connection.fetchrow(SQL["login_lookup"].sql, tenant_slug, email)
    return row and Credentials(*row)


async def credentials_by_subject(connection: Connection, tenant_slug: str, subject: str) -> Credentials | None:
    """The credentials behind a refresh token; None when they are gone. Source: app.credential_lookup."""
    row = await connection.fetchrow(SQL["credential_lookup"].sql, tenant_slug, subject)
    return row and Credentials(*row)
