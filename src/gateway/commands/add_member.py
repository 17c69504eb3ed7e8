"""A new member of a tenant."""

from dataclasses import dataclass, field

import asyncpg

from gateway.commands.refusals import CommandRefusedError

MEMBER = """
INSERT INTO members (tenant_id, email, name, role, team, region, subject, password_hash)
SELECT t.id, lower($2), $3, $4, $5, $6, coalesce($7, gen_random_uuid()::text), $8 FROM tenants t WHERE t.slug = $1
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class NewMember:
    """`subject`: the `sub` claim of the member's tokens, made up when None; `password_hash`: None for no password."""

    tenant_slug: str
    email: str
    name: str
    role: str
    team: str | None = None
    region: str | None = None
    subject: str | None = None
    password_hash: str | None = field(default=None, repr=False)


async def add_member(owner: asyncpg.Connection, member: NewMember) -> int:
    """Adds the member and gives the key. `owner` is a connection of that role."""
    try:
        member_id = await owner.fetchval(
            MEMBER,
            member.tenant_slug,
            member.email,
            member.name,
            member.role,
            member.team,
            member.region,
            member.subject,
            member.password_hash,
        )
    except asyncpg.UniqueViolationError as error:
        raise CommandRefusedError(TAKEN.get(error.constraint_name, f"Not accepted: {error}")) from None
    except asyncpg.CheckViolationError as error:
        raise CommandRefusedError(WRONG.get(error.constraint_name, f"Not accepted: {error}")) from None
    if member_id is None:
        raise CommandRefusedError(f"There is no tenant `{member.tenant_slug}`: create it with `gateway tenant create`.")
    return int(member_id)


TAKEN = {
    "members_tenant_id_email_key": "The tenant has a member with this email already.",
    "members_tenant_id_subject_key": "The tenant has a member with this subject already.",
}

WRONG = {
    "members_email_check": "An email needs something before and after its @, and has at most 254 characters.",
    "members_name_check": "A name has from 1 to 200 characters.",
    "members_role_check": "A role is viewer, rep, manager or admin.",
    "members_team_check": "A team has from 1 to 200 characters.",
    "members_region_check": "A region has from 1 to 200 characters.",
    "members_subject_check": "A subject has from 1 to 255 characters.",
}
"""What a broken constraint means to the one who typed."""
