"""Tenants whose records have the same keys, so that a filter that forgets the tenant finds another's record.

Every text of a tenant carries its mark, which is its slug. `canary` has records besides whose keys nobody else has.
"""

from pathlib import Path

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


def operation_id(key: int) -> str:
    """That of an operation of the member of a key."""
    return f"00000000-0000-4000-8000-{key:012}"


TWIN_IDS = {name: encode_id(name, key) for name, key in KEYS.items()} | {"Operation": operation_id(1)}
CANARY_IDS = {name: encode_id(name, key + (10_000 if key == 11 else 1_000)) for name, key in KEYS.items()} | {
    "Operation": operation_id(1001)
}
"""Ids of records that `canary` alone has."""
NOBODYS_IDS = {name: encode_id(name, 999_999) for name in KEYS} | {"Operation": operation_id(999_999)}

RECORDS = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


async def add_tenant(owner: asyncpg.Connection, slug: str) -> int:
    """Adds one of `TENANTS` with all its records and gives its key."""
    amount = 1000 ** (1 + list(TENANTS).index(slug))
    keys = f"ARRAY{TENANTS[slug]}::bigint[]"
    async with owner.transaction():
        tenant_id: int = await owner.fetchval(TENANT, slug, f"{slug} tenant", "enterprise", "EUR", "UTC")
        await owner.execute(RECORDS.format(tenant=tenant_id, mark=slug, keys=keys, amount=amount))
    return tenant_id
