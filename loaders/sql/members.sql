-- name: members_by_id (planned once)
-- reads: members
-- Members of the given ids, in any order.
SELECT id, email, name, role, team, region, active, created_at
  FROM members WHERE tenant_id = $1 AND id = ANY($2::bigint[]);
