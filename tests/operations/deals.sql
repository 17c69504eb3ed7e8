-- name: moment
-- The moment of a snapshot: one row with the clock, the snapshot itself, the tenant's local day and the presets' day ranges around it.
SELECT clock.as_of, pg_current_snapshot()::text, app.incarnation(), day.today, day.ends_at, t.id, t.slug, t.name, t.plan, t.currency, t.time_zone,
       presets.names, presets.from_days, presets.to_days
  FROM tenants t
 CROSS JOIN LATERAL (SELECT clock_timestamp() AS as_of OFFSET 0) AS clock
 CROSS JOIN LATERAL app.day_at(t.time_zone, clock.as_of) AS day (today, ends_at)
 CROSS JOIN LATERAL (SELECT array_agg(p.preset) AS names, array_agg(p.from_day) AS from_days, array_agg(p.to_day) AS to_days
                       FROM app.period_presets(day.today) AS p) AS presets
 WHERE t.id = $1;

-- name: deals_page
SELECT *
  FROM ((SELECT r.id, r.pipeline_id, r.stage_id, r.owner_id, r.company_id, r.name, r.amount, r.outcome, r.expected_close, r.created_at, r.stage_entered_at, r.closed_at, r.updated_at, r.version, r.external_id, r.amount_ten_thousandths AS sort_value, r.id AS sort_id
  FROM deals AS r
  WHERE r.tenant_id = $1
  AND r.deleted_at IS NULL
  AND r.owner_id IN (SELECT m.id
  FROM members m
  WHERE m.tenant_id = $1
  AND m.team = ANY($2::text[]))
  AND r.outcome = ANY($3::text[])
  AND r.created_day >= $4::date
  AND r.created_day < $5::date
  AND r.amount_ten_thousandths IS NOT NULL
  ORDER BY r.amount_ten_thousandths DESC, r.id DESC LIMIT $6::bigint)
  UNION ALL (SELECT r.id, r.pipeline_id, r.stage_id, r.owner_id, r.company_id, r.name, r.amount, r.outcome, r.expected_close, r.created_at, r.stage_entered_at, r.closed_at, r.updated_at, r.version, r.external_id, r.amount_ten_thousandths AS sort_value, r.id AS sort_id
  FROM deals AS r
  WHERE r.tenant_id = $1
  AND r.deleted_at IS NULL
  AND r.owner_id IN (SELECT m.id
  FROM members m
  WHERE m.tenant_id = $1
  AND m.team = ANY($2::text[]))
  AND r.outcome = ANY($3::text[])
  AND r.created_day >= $4::date
  AND r.created_day < $5::date
  AND r.amount_ten_thousandths IS NULL
  ORDER BY r.amount_ten_thousandths DESC, r.id DESC LIMIT $6::bigint)) AS page
  ORDER BY (page.sort_value IS NULL) ASC, page.sort_value DESC, page.sort_id DESC LIMIT $6::bigint;

-- name: deals_count
SELECT count(*)
  FROM deals AS r
  WHERE r.tenant_id = $1
  AND r.deleted_at IS NULL
  AND r.owner_id IN (SELECT m.id
  FROM members m
  WHERE m.tenant_id = $1
  AND m.team = ANY($2::text[]))
  AND r.outcome = ANY($3::text[])
  AND r.created_day >= $4::date
  AND r.created_day < $5::date;

-- name: stages_by_id
-- Stages of the given ids, in any order.
SELECT id, pipeline_id, name, position, probability, kind
  FROM stages WHERE tenant_id = $1 AND id = ANY($2::bigint[]);

-- name: members_by_id
-- Members of the given ids, in any order.
SELECT id, email, name, role, team, region, active, created_at
  FROM members WHERE tenant_id = $1 AND id = ANY($2::bigint[]);

-- name: companies_by_id
-- Companies of the given ids that are not deleted, in any order.
SELECT id, owner_id, name, industry, region, website, employees, created_at, created_day, updated_at
  FROM companies WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;
