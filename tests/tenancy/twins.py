"""Tenants whose records have the same keys, so that a filter that forgets the tenant finds another's record.

Every text of a tenant carries its mark, which is its slug. `canary` has records besides whose keys nobody else has.
"""

import asyncpg

from gateway.api.ids import encode_id
from gateway.commands.create_tenant import TENANT

TWIN_KEYS = [1, 2, 3, 4]
TENANTS = {"adler": TWIN_KEYS, "canary": [*TWIN_KEYS, 1001], "dohle": TWIN_KEYS}
MARK = "canary"

KEYS = {
    **dict.fromkeys(("Company", "Contact", "Member", "Pipeline", "Product", "Task"), 1),
    **dict.fromkeys(("Activity", "Deal", "Stage"), 11),
}
"""A key of each type that every tenant has."""

NODE_TYPES = sorted(KEYS)
TWIN_IDS = {name: encode_id(name, key) for name, key in KEYS.items()}
CANARY_IDS = {name: encode_id(name, key + (10_000 if key == 11 else 1_000)) for name, key in KEYS.items()}
"""Ids of records that `canary` alone has."""
NOBODYS_IDS = {name: encode_id(name, 999_999) for name in KEYS}

# What stands in braces is our own text: the tenant, its mark, its keys, an amount of its own. A deal's key is that of the stage it ends in.
RECORDS = (
    """INSERT INTO members (tenant_id, id, subject, email, name, role, team, region, password_hash)
       SELECT {tenant}, k, '{mark}'::text || ' subject ' || k, '{mark}'::text || k || '@example.test', '{mark}'::text || ' member ' || k,
              (ARRAY['viewer', 'rep', 'manager', 'admin'])[1 + (k - 1) % 4], '{mark}'::text || ' team', '{mark}'::text || ' region', '{mark}'::text || ' hash'
         FROM unnest({keys}) AS k""",
    """INSERT INTO companies (tenant_id, id, owner_id, name, industry, region, website, employees, created_at, external_id)
       SELECT {tenant}, k, k, '{mark}'::text || ' company ' || k, '{mark}'::text || ' industry', '{mark}'::text || ' region', 'https://' || '{mark}'::text || '.test', {amount},
              now() - interval '50 days', '{mark}'::text || ' company ' || k FROM unnest({keys}) AS k""",
    """INSERT INTO contacts (tenant_id, id, company_id, owner_id, name, email, phone, title, external_id)
       SELECT {tenant}, k, k, k, '{mark}'::text || ' contact ' || k, '{mark}'::text || '@example.test', '{mark}'::text || ' phone', '{mark}'::text || ' title', '{mark}'::text || ' contact ' || k
         FROM unnest({keys}) AS k""",
    """INSERT INTO pipelines (tenant_id, id, name, is_default)
       SELECT {tenant}, k, '{mark}'::text || ' pipeline ' || k, k = 1 FROM unnest({keys}) AS k""",
    """INSERT INTO stages (tenant_id, id, pipeline_id, name, position, probability, kind)
       SELECT {tenant}, k * 10 + s, k, '{mark}'::text || ' stage ' || s, s, (ARRAY[0.5, 1, 0])[s], (ARRAY['open', 'won', 'lost'])[s]
         FROM unnest({keys}) AS k, generate_series(1, 3) AS s""",
    """INSERT INTO deals (tenant_id, id, pipeline_id, stage_id, owner_id, company_id, name, amount, expected_close,
                          created_at, external_id)
       SELECT {tenant}, k * 10 + s, k, k * 10 + 1, k, k, '{mark}'::text || ' deal ' || s, {amount} + k, current_date + 10,
              now() - interval '40 days', '{mark}'::text || ' deal ' || k * 10 + s
         FROM unnest({keys}) AS k, generate_series(1, 3) AS s""",
    """UPDATE deals SET stage_id = id WHERE tenant_id = {tenant}""",
    """INSERT INTO activities (tenant_id, id, kind, subject, body, owner_id, company_id, contact_id, deal_id, occurred_at,
                               external_id)
       SELECT {tenant}, k * 10 + s, (ARRAY['call', 'email', 'meeting', 'note'])[s], '{mark}'::text || ' subject', '{mark}'::text || ' body', k, k, k,
              k * 10 + 1, now() - s * interval '1 day', '{mark}'::text || ' activity ' || k * 10 + s
         FROM unnest({keys}) AS k, generate_series(1, 4) AS s""",
    """INSERT INTO tasks (tenant_id, id, title, owner_id, company_id, deal_id, due_at, external_id)
       SELECT {tenant}, k, '{mark}'::text || ' task ' || k, k, k, k * 10 + 1, now() + interval '1 hour', '{mark}'::text || ' task ' || k
         FROM unnest({keys}) AS k""",
    """INSERT INTO products (tenant_id, id, name, series, unit_price, external_id)
       SELECT {tenant}, k, '{mark}'::text || ' product ' || k, '{mark}'::text || ' series', {amount}, '{mark}'::text || ' product ' || k
         FROM unnest({keys}) AS k""",
    """INSERT INTO deal_products (tenant_id, deal_id, product_id, amount)
       SELECT {tenant}, k * 10 + 1, k, {amount} FROM unnest({keys}) AS k""",
    """INSERT INTO idempotency_keys (tenant_id, key, member_id, request_hash, answer)
       SELECT {tenant}, '{mark}'::text || ' key ' || k, k, '{mark}'::text || ' hash', to_jsonb('{mark}'::text) FROM unnest({keys}) AS k""",
    """INSERT INTO audit_log (tenant_id, id, member_id, request_id, action, record_type, record_id, before, after)
       SELECT {tenant}, k, k, '{mark}'::text || ' request', '{mark}'::text || ' action', '{mark}'::text || ' type', k, to_jsonb('{mark}'::text), to_jsonb('{mark}'::text)
         FROM unnest({keys}) AS k""",
)


async def add_tenant(owner: asyncpg.Connection, slug: str) -> int:
    """Adds one of `TENANTS` with all its records and gives its key."""
    amount = 1000 ** (1 + list(TENANTS).index(slug))
    async with owner.transaction():
        tenant_id: int = await owner.fetchval(TENANT, slug, f"{slug} tenant", "standard", "EUR", "UTC")
        for statement in RECORDS:
            keys = f"ARRAY{TENANTS[slug]}::bigint[]"
            await owner.execute(statement.format(tenant=tenant_id, mark=slug, keys=keys, amount=amount))
    return tenant_id
