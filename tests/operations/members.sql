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

-- name: members_page
SELECT r.id, r.email, r.name, r.role, r.team, r.region, r.active, r.created_at, r.name AS sort_value, r.id AS sort_id
  FROM members AS r
  WHERE r.tenant_id = $1
  AND true
  AND r.active = $2::boolean
  ORDER BY r.name ASC, r.id ASC LIMIT $3::bigint;

-- name: deals_by_owner
SELECT parent.id, page.*
  FROM unnest($2::bigint[]) WITH ORDINALITY AS parent (id, place)
  CROSS JOIN LATERAL (SELECT r.id, r.pipeline_id, r.stage_id, r.owner_id, r.company_id, r.name, r.amount, r.outcome, r.expected_close, r.created_at, r.stage_entered_at, r.closed_at, r.updated_at, r.version, r.external_id, r.created_at AS sort_value, r.id AS sort_id
  FROM deals AS r
  WHERE r.tenant_id = $1
  AND r.deleted_at IS NULL
  AND r.owner_id = parent.id
  ORDER BY r.created_at DESC, r.id DESC LIMIT $3::bigint) AS page
  ORDER BY parent.place, (page.sort_value IS NULL) ASC, page.sort_value DESC, page.sort_id DESC;

-- name: deals_count_by_owner
SELECT r.owner_id, count(*)
  FROM deals AS r
  WHERE r.tenant_id = $1
  AND r.deleted_at IS NULL
  AND r.owner_id = ANY($2::bigint[])
  GROUP BY r.owner_id;
