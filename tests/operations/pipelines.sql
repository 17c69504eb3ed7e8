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

-- name: pipelines
-- All pipelines, the default one first, then by name.
SELECT id, name, is_default FROM pipelines WHERE tenant_id = $1 ORDER BY is_default DESC, name, id;

-- name: stages_by_pipeline
-- Stages of the given pipelines, in order of pipeline and position.
SELECT id, pipeline_id, name, position, probability, kind
  FROM stages WHERE tenant_id = $1 AND pipeline_id = ANY($2::bigint[]) ORDER BY pipeline_id, position;
