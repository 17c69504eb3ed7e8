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

-- name: activities_page
SELECT r.id, r.kind, r.subject, r.body, r.owner_id, r.company_id, r.contact_id, r.deal_id, r.occurred_at, r.occurred_at AS sort_value, r.id AS sort_id
  FROM activities AS r
  WHERE r.tenant_id = $1
  AND r.deleted_at IS NULL
  AND r.kind = ANY($2::text[])
  AND r.occurred_day >= $3::date
  AND r.occurred_day < $4::date
  ORDER BY r.occurred_at DESC, r.id DESC LIMIT $5::bigint;

-- name: members_by_id
-- Members of the given ids, in any order.
SELECT id, email, name, role, team, region, active, created_at
  FROM members WHERE tenant_id = $1 AND id = ANY($2::bigint[]);

-- name: companies_by_id
-- Companies of the given ids that are not deleted, in any order.
SELECT id, owner_id, name, industry, region, website, employees, created_at, created_day, updated_at
  FROM companies WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;

-- name: deals_by_id
-- Deals of the given ids that are not deleted, in any order.
SELECT id, pipeline_id, stage_id, owner_id, company_id, name, amount, outcome, expected_close,
       created_at, stage_entered_at, closed_at, updated_at, version, external_id
  FROM deals WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;

-- name: contacts_by_id
-- Contacts of the given ids that are not deleted, in any order.
SELECT id, company_id, owner_id, name, email, phone, title, created_at
  FROM contacts WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;
