-- name: pipelines (planned once)
-- reads: pipelines
-- All pipelines, the default one first, then by name.
SELECT id, name, is_default FROM pipelines WHERE tenant_id = $1 ORDER BY is_default DESC, name, id;

-- name: pipelines_by_id (planned once)
-- reads: pipelines
-- Pipelines of the given ids, in any order.
SELECT id, name, is_default FROM pipelines WHERE tenant_id = $1 AND id = ANY($2::bigint[]);

-- name: stages_by_id (planned once)
-- reads: stages
-- Stages of the given ids, in any order.
SELECT id, pipeline_id, name, position, probability, kind
  FROM stages WHERE tenant_id = $1 AND id = ANY($2::bigint[]);

-- name: stages_by_pipeline (planned once)
-- reads: stages
-- Stages of the given pipelines, in order of pipeline and position.
SELECT id, pipeline_id, name, position, probability, kind
  FROM stages WHERE tenant_id = $1 AND pipeline_id = ANY($2::bigint[]) ORDER BY pipeline_id, position;
