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

-- name: deal_groups
SELECT * FROM (SELECT c.industry AS key_0, date_trunc('month', r.closed_day::timestamp)::date AS key_1, c.industry AS label_0, to_char(date_trunc('month', r.closed_day::timestamp)::date, 'YYYY-MM') AS label_1, sum(1)::bigint AS deals, sum(coalesce(r.amount, 0)) AS value,
  coalesce(sum(1) FILTER (WHERE r.outcome = 'won'), 0)::bigint AS won,
  coalesce(sum(1) FILTER (WHERE r.outcome = 'lost'), 0)::bigint AS lost,
  coalesce(sum(coalesce(r.amount, 0)) FILTER (WHERE r.outcome = 'won'), 0) AS won_value,
  coalesce(sum(r.closed_day - r.created_day) FILTER (WHERE r.outcome = 'won'), 0)::bigint AS won_cycle_days, date_trunc('month', r.closed_day::timestamp)::date AS sort_key FROM deals AS r LEFT JOIN companies AS c ON c.tenant_id = $1 AND c.id = r.company_id WHERE r.tenant_id = $1 AND r.deleted_at IS NULL AND r.owner_id IN (SELECT m.id FROM members m WHERE m.tenant_id = $1 AND m.team = ANY($2::text[])) AND r.outcome = ANY($3::text[]) AND r.closed_day >= $4::date AND r.closed_day < $5::date GROUP BY c.industry, date_trunc('month', r.closed_day::timestamp)::date HAVING sum(1) > 0) AS g ORDER BY sort_key ASC NULLS LAST, key_0, key_1 LIMIT $6::bigint;
