-- name: deals_by_id (planned once)
-- reads: deals
-- Deals of the given ids that are not deleted, in any order.
SELECT id, pipeline_id, stage_id, owner_id, company_id, name, amount, outcome, expected_close,
       created_at, stage_entered_at, closed_at, updated_at, version, external_id
  FROM deals WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;
