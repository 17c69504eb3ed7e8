"""What the stress stands on: tenants in several time zones, small enough that recounting them takes milliseconds."""

from dataclasses import dataclass

import asyncpg

from tests.conftest import Database
from tests.stress.writes import WRITES
from tests.world import NEW_YORK, TOKYO, World

TIME_ZONES = {"tokyo": TOKYO, "york": NEW_YORK, "london": "Europe/London", "apia": "Pacific/Apia", "utc": "UTC"}
FIRST_WRITES = {"company insert": 40, "deal insert": 250, "activity insert": 200, "task insert": 100, "deal move": 150}

SECOND_PIPELINE = """
WITH second AS (INSERT INTO pipelines (tenant_id, name) VALUES ($1, 'Renewals') RETURNING tenant_id, id)
INSERT INTO stages (tenant_id, pipeline_id, name, position, probability, kind)
SELECT tenant_id, second.id, s.name, s.position, s.probability, s.kind
  FROM second, (VALUES ('Due', 1, 0.5, 'open'), ('Kept', 2, 1, 'won'), ('Left', 3, 0, 'lost'))
    AS s (name, position, probability, kind)
"""


@dataclass(frozen=True)
class Ground:
    """A database and the keys of its tenants."""

    database: Database
    tenants: tuple[int, ...]


async def prepare(database: Database) -> Ground:
    """Fills a migrated, empty database."""
    async with database.as_owner() as owner:
        worlds = [await World.create(owner, slug, zone) for slug, zone in TIME_ZONES.items()]
        for world in worlds:
            await _fill(owner, world.tenant_id)
    return Ground(database, tuple(world.tenant_id for world in worlds))


async def _fill(owner: asyncpg.Connection, tenant: int) -> None:
    await owner.execute(SECOND_PIPELINE, tenant)
    for kind, rows in FIRST_WRITES.items():
        await owner.execute(WRITES[kind].format(tenant=tenant, other=tenant, rows=rows, dice=tenant))
