"""A new tenant, with a default pipeline to start from."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from gateway.commands.plans import check_plan
from gateway.commands.refusals import CommandRefusedError
from gateway.commands.time_zones import check_time_zone

TENANT = """
INSERT INTO tenants (slug, name, plan, currency, time_zone) VALUES ($1, $2, $3, $4, $5) RETURNING id
"""

PIPELINE = "INSERT INTO pipelines (tenant_id, name, is_default) VALUES ($1, 'Sales', true) RETURNING id"

STAGES = """
INSERT INTO stages (tenant_id, pipeline_id, name, position, probability, kind)
SELECT $1, $2, s.name, s.position, s.probability, s.kind
  FROM unnest($3::text[], $4::int[], $5::numeric[], $6::text[]) AS s (name, position, probability, kind)
"""

DEFAULT_STAGES: Sequence[tuple[str, int, str, str]] = (
    ("Lead", 1, "0.1", "open"),
    ("Qualified", 2, "0.3", "open"),
    ("Proposal", 3, "0.5", "open"),
    ("Negotiation", 4, "0.75", "open"),
    ("Won", 5, "1", "won"),
    ("Lost", 6, "0", "lost"),
)


@dataclass(frozen=True, slots=True)
class NewTenant:
    """`currency`: three letters; `time_zone`: a name that PostgreSQL knows."""

    slug: str
    name: str
    plan: str = "standard"
    currency: str = "EUR"
    time_zone: str = "UTC"


async def create_tenant(owner: asyncpg.Connection, tenant: NewTenant) -> int:
    """Creates it, all or nothing, and gives its key. `owner` is a connection of that role."""
    await check_time_zone(owner, tenant.time_zone)
    try:
        async with owner.transaction():
            tenant_id = await _insert_tenant(owner, tenant)
            pipeline_id = await owner.fetchval(PIPELINE, tenant_id)
            await owner.execute(STAGES, tenant_id, pipeline_id, *zip(*DEFAULT_STAGES, strict=True))
    except asyncpg.ForeignKeyViolationError:
        await check_plan(owner, tenant.plan)
        raise
    return tenant_id


async def _insert_tenant(owner: asyncpg.Connection, tenant: NewTenant) -> int:
    try:
        return int(
            await owner.fetchval(TENANT, tenant.slug, tenant.name, tenant.plan, tenant.currency, tenant.time_zone)
        )
    except asyncpg.UniqueViolationError:
        raise CommandRefusedError(f"There is a tenant `{tenant.slug}` already.") from None
    except asyncpg.CheckViolationError as error:
        raise CommandRefusedError(WRONG.get(error.constraint_name, f"Not accepted: {error}")) from None


WRONG = {
    "tenants_slug_check": "A slug is made of lower-case letters, digits and hyphens, 63 at most.",
    "tenants_name_check": "A name has from 1 to 200 characters.",
    "tenants_currency_check": "A currency is three capital letters, such as EUR.",
}
"""What a broken constraint means to the one who typed."""
