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

-- name: contacts_page
SELECT r.id, r.company_id, r.owner_id, r.name, r.email, r.phone, r.title, r.created_at, r.created_at AS sort_value, r.id AS sort_id
  FROM contacts AS r
  WHERE r.tenant_id = $1
  AND r.deleted_at IS NULL
  AND r.id IN (SELECT app.search_contacts($2::text))
  ORDER BY r.created_at DESC, r.id DESC LIMIT $3::bigint;

-- name: contacts_count
SELECT count(*)
  FROM contacts AS r
  WHERE r.tenant_id = $1
  AND r.deleted_at IS NULL
  AND r.id IN (SELECT app.search_contacts($2::text));

-- name: companies_by_id
-- Companies of the given ids that are not deleted, in any order.
SELECT id, owner_id, name, industry, region, website, employees, created_at, created_day, updated_at
  FROM companies WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;
