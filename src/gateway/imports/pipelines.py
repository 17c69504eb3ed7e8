"""The pipelines and stages that a mapping declares, created where they are missing and never changed."""

from collections.abc import Sequence

import asyncpg

from gateway.imports.mapping import PipelineMapping

CREATE = "INSERT INTO pipelines (tenant_id, name) VALUES ($1, $2) ON CONFLICT (tenant_id, name) DO NOTHING RETURNING id"

# The default that a tenant is created with makes room, unless somebody works with it.
LEAVE_EMPTY_DEFAULT = """
UPDATE pipelines AS p SET is_default = false
 WHERE p.tenant_id = $1 AND p.is_default
   AND NOT EXISTS (SELECT FROM deals AS d WHERE d.tenant_id = $1 AND d.pipeline_id = p.id)
"""

BECOME_DEFAULT = """
UPDATE pipelines AS p SET is_default = true
 WHERE p.tenant_id = $1 AND p.id = $2
   AND NOT EXISTS (SELECT FROM pipelines AS o WHERE o.tenant_id = $1 AND o.is_default)
"""

ADD_STAGES = """
INSERT INTO stages (tenant_id, pipeline_id, name, position, probability, kind)
SELECT $1, p.id, n.name, n.number + coalesce((SELECT max(s.position) FROM stages AS s
                                               WHERE s.tenant_id = $1 AND s.pipeline_id = p.id), 0),
       n.probability::numeric, n.kind
  FROM pipelines AS p
 CROSS JOIN unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS n (name, probability, kind, number)
 WHERE p.tenant_id = $1 AND p.name = $2
   AND NOT EXISTS (SELECT FROM stages AS s WHERE s.tenant_id = $1 AND s.pipeline_id = p.id AND s.name = n.name)
"""


async def ensure_pipelines(owner: asyncpg.Connection, tenant_id: int, pipelines: Sequence[PipelineMapping]) -> None:
    """Creates what is missing. A new pipeline becomes the tenant's default if it asks to and the present is empty."""
    for pipeline in pipelines:
        created = await owner.fetchval(CREATE, tenant_id, pipeline.name)
        names, chances, kinds = zip(*((s.name, str(s.chance), s.kind) for s in pipeline.stages), strict=True)
        await owner.execute(ADD_STAGES, tenant_id, pipeline.name, names, chances, kinds)
        if created and pipeline.default:
            await owner.execute(LEAVE_EMPTY_DEFAULT, tenant_id)
            await owner.execute(BECOME_DEFAULT, tenant_id, created)
