"""What tenants may use: by their plans, and what is agreed with one of them alone. Read and set as the owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from gateway.commands.refusals import CommandRefusedError

Value = int | bool | str | None
Values = Mapping[str, Value]
"""By column of `plans` and `tenant_terms`. None: nothing is agreed, its plan or the settings decide."""

PARTS = (
    *("bucket_points", "points_per_second", "most_points", "deadline_seconds", "page_size", "bulk_size"),
    *("concurrency", "stale_instead"),
)
"""What a plan says."""
OWN_PARTS = (*PARTS, "mode")
"""What may be agreed with one tenant."""

# Who sets a plan or a tenant's terms waits for whoever does: what was found to fit does so until it is written.
LOCK = "LOCK TABLE plans IN SHARE ROW EXCLUSIVE MODE"

PLANS = "SELECT * FROM plans ORDER BY bucket_points, name"
PLAN = "SELECT * FROM plans WHERE name = $1"
SET_PLAN = """
UPDATE plans
   SET bucket_points = $2, points_per_second = $3, most_points = $4, deadline_seconds = $5, page_size = $6,
       bulk_size = $7, concurrency = $8, stale_instead = $9
 WHERE name = $1
"""

TENANT = "SELECT id, plan FROM tenants WHERE slug = $1"
SET_TENANT_PLAN = "UPDATE tenants SET plan = $2 WHERE id = $1"
TERMS = "SELECT * FROM app.terms($1)"
OWN = "SELECT * FROM tenant_terms WHERE tenant_id = $1"
ALL_OWN = "SELECT t.slug, t.plan, own.* FROM tenant_terms own JOIN tenants t ON t.id = own.tenant_id ORDER BY t.slug"
CLEAR_OWN = "DELETE FROM tenant_terms WHERE tenant_id = $1"
SET_OWN = """
INSERT INTO tenant_terms (tenant_id, bucket_points, points_per_second, most_points, deadline_seconds, page_size,
                          bulk_size, concurrency, stale_instead, mode)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

# By the tenant's own terms, an operation may cost more than its plan's budget holds, or the reverse.
NEVER_ADMITTED = """
SELECT t.slug, terms.most_points, terms.bucket_points
  FROM tenants t CROSS JOIN LATERAL app.terms(t.id) AS terms
 WHERE t.plan = $1 AND terms.most_points > terms.bucket_points ORDER BY t.slug LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A plan, or a tenant and what is agreed with it. `plan`: the tenant's; None of a plan."""

    name: str
    plan: str | None
    values: Values


@dataclass(frozen=True, slots=True)
class Held:
    """What holds for a plan or a tenant. `own`: the parts that are agreed with the tenant alone."""

    plan: str
    values: Values
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    before: Held
    after: Held


async def list_terms(owner: asyncpg.Connection) -> Sequence[Listed]:
    """The plans, smallest budget first; then each tenant with which something is agreed."""
    plans = [Listed(row["name"], None, _parts(row, PARTS)) for row in await owner.fetch(PLANS)]
    tenants = [Listed(row["slug"], row["plan"], _parts(row, OWN_PARTS)) for row in await owner.fetch(ALL_OWN)]
    return plans + tenants


async def check_plan(owner: asyncpg.Connection, name: str) -> None:
    """Refuses a plan that there is not."""
    names = [row["name"] for row in await owner.fetch(PLANS)]
    if name not in names:
        raise CommandRefusedError(f"There is no plan `{name}`: there are {', '.join(names)}.")


async def set_plan(owner: asyncpg.Connection, name: str, given: Values) -> Change:
    """Sets parts of a plan, for all its tenants."""
    async with owner.transaction():
        await owner.execute(LOCK)
        await check_plan(owner, name)
        before = _parts(await owner.fetchrow(PLAN, name), PARTS)
        after = {**before, **given}
        if after != before:
            _check_admitted(name, after)
            await owner.execute(SET_PLAN, name, *after.values())
            await _check_tenants(owner, name)
    return Change(Held(name, before), Held(name, after))


async def set_tenant_plan(owner: asyncpg.Connection, slug: str, plan: str) -> Change:
    """Puts a tenant on a plan; what is agreed with it alone stays."""
    async with owner.transaction():
        await owner.execute(LOCK)
        await check_plan(owner, plan)
        tenant_id, before = await _held(owner, slug)
        if plan != before.plan:
            await owner.execute(SET_TENANT_PLAN, tenant_id, plan)
            await _check_tenants(owner, plan)
        _, after = await _held(owner, slug)
    return Change(before, after)


async def set_own(owner: asyncpg.Connection, slug: str, given: Values, *, clear: bool) -> Change:
    """Sets what is agreed with a tenant alone; None takes a part back. `clear`: all is taken back first."""
    async with owner.transaction():
        await owner.execute(LOCK)
        tenant_id, before = await _held(owner, slug)
        kept = {} if clear else {part: before.values[part] for part in before.own}
        own = {part: value for part, value in {**kept, **given}.items() if value is not None}
        await owner.execute(CLEAR_OWN, tenant_id)
        if own:
            await owner.execute(SET_OWN, tenant_id, *(own.get(part) for part in OWN_PARTS))
        _, after = await _held(owner, slug)
        _check_admitted(slug, after.values)
    return Change(before, after)


async def _held(owner: asyncpg.Connection, slug: str) -> tuple[int, Held]:
    """A tenant's key, and what holds for it."""
    tenant = await owner.fetchrow(TENANT, slug)
    if tenant is None:
        raise CommandRefusedError(f"There is no tenant `{slug}`: create it with `gateway tenant create`.")
    own = await owner.fetchrow(OWN, tenant["id"])
    agreed = frozenset(part for part in OWN_PARTS if own is not None and own[part] is not None)
    values = _parts(await owner.fetchrow(TERMS, tenant["id"]), OWN_PARTS)
    return tenant["id"], Held(tenant["plan"], values, agreed)


async def _check_tenants(owner: asyncpg.Connection, plan: str) -> None:
    """Refuses what would leave a tenant on the plan, by its own terms, with operations that no budget holds."""
    for slug, most, bucket in await owner.fetch(NEVER_ADMITTED, plan):
        raise CommandRefusedError(
            f"By its own terms an operation of {slug} could cost {most} points, and its budget would hold {bucket}: it "
            f"could never be admitted. Set them first: gateway plans set --tenant {slug} --most {bucket}"
        )


def _check_admitted(name: str, values: Values) -> None:
    most, bucket = values["most_points"], values["bucket_points"]
    if int(most or 0) > int(bucket or 0):
        raise CommandRefusedError(
            f"An operation of {name} could cost {most} points, and its budget would hold {bucket}: it could never be "
            f"admitted. Give --points {most} or more, or --most {bucket} or less."
        )


def _parts(row: Mapping[str, Value], names: Sequence[str]) -> dict[str, Value]:
    return {name: row[name] for name in names}
