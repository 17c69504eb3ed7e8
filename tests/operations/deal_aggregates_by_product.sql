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
SELECT * FROM (SELECT l.product_id AS key_0, r.owner_id AS key_1, min(product.name) AS label_0, min(m.name) AS label_1, sum(1)::bigint AS deals, sum(coalesce(CASE WHEN l.deal_id IS NULL THEN r.amount ELSE l.amount END, 0)) AS value,
  coalesce(sum(1) FILTER (WHERE r.outcome = 'won'), 0)::bigint AS won,
  coalesce(sum(1) FILTER (WHERE r.outcome = 'lost'), 0)::bigint AS lost,
  coalesce(sum(coalesce(CASE WHEN l.deal_id IS NULL THEN r.amount ELSE l.amount END, 0)) FILTER (WHERE r.outcome = 'won'), 0) AS won_value,
  coalesce(sum(r.closed_day - r.created_day) FILTER (WHERE r.outcome = 'won'), 0)::bigint AS won_cycle_days, NULL AS sort_key FROM deals AS r LEFT JOIN deal_products AS l ON l.tenant_id = $1 AND l.deal_id = r.id LEFT JOIN products AS product ON product.tenant_id = $1 AND product.id = l.product_id LEFT JOIN members AS m ON m.tenant_id = $1 AND m.id = r.owner_id WHERE r.tenant_id = $1 AND r.deleted_at IS NULL GROUP BY l.product_id, r.owner_id HAVING sum(1) > 0) AS g ORDER BY value DESC NULLS LAST, key_0, key_1 LIMIT $2::bigint;

-- name: products_by_id
-- Products of the given ids that are not deleted, in any order.
SELECT id, name, series, unit_price
  FROM products WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;

-- name: members_by_id
-- Members of the given ids, in any order.
SELECT id, email, name, role, team, region, active, created_at
  FROM members WHERE tenant_id = $1 AND id = ANY($2::bigint[]);
