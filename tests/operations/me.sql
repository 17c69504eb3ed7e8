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

-- name: members_by_id
-- Members of the given ids, in any order.
SELECT id, email, name, role, team, region, active, created_at
  FROM members WHERE tenant_id = $1 AND id = ANY($2::bigint[]);
