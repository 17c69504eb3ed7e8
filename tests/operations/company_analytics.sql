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

-- name: companies_by_id
-- Companies of the given ids that are not deleted, in any order.
SELECT id, owner_id, name, industry, region, website, employees, created_at, created_day, updated_at
  FROM companies WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;

-- name: company_deal_trend
-- As deal_trend, of company $2; $3: unit, [$4, $5): the period or nulls, $6: the local day.
WITH intervals AS MATERIALIZED (
  SELECT start, range_from, range_to FROM app.intervals($3::text, $4::date, $5::date, $6::date)
), flow AS (
  SELECT date_trunc($3, day::timestamp)::date AS start, sum(created)::bigint AS created, sum(won)::bigint AS won,
         sum(lost)::bigint AS lost, sum(won_value) AS won_value
    FROM analytics.company_deal_flow
   WHERE tenant_id = $1 AND company_id = $2
     AND day >= (SELECT min(range_from) FROM intervals) AND day < (SELECT max(range_to) FROM intervals)
   GROUP BY 1
)
SELECT start, coalesce(created, 0) AS created, coalesce(won, 0) AS won, coalesce(lost, 0) AS lost,
       coalesce(won_value, 0) AS won_value
  FROM intervals LEFT JOIN flow USING (start) ORDER BY start;

-- name: company_totals
-- One row of company $2: its open deals as they stand now, what happened to its deals in [$3, $4), and its activities of
-- those days by kind, of local day $5, and of that day's ISO week.
SELECT state.open, state.open_value, state.weighted_value,
       flow.created, flow.won, flow.lost, flow.won_value, flow.lost_value, flow.won_cycle_days,
       activity.calls, activity.emails, activity.meetings, activity.notes, activity.today, activity.week
  FROM (SELECT coalesce(sum(d.deals), 0)::bigint AS open, coalesce(sum(d.value), 0) AS open_value,
               coalesce(sum(d.value * s.probability), 0) AS weighted_value
          FROM analytics.company_deal_state d JOIN stages s ON s.tenant_id = $1 AND s.id = d.stage_id
         WHERE d.tenant_id = $1 AND d.company_id = $2 AND s.kind = 'open') AS state,
       (SELECT coalesce(sum(created), 0)::bigint AS created, coalesce(sum(won), 0)::bigint AS won,
               coalesce(sum(lost), 0)::bigint AS lost, coalesce(sum(won_value), 0) AS won_value,
               coalesce(sum(lost_value), 0) AS lost_value, coalesce(sum(won_cycle_days), 0)::bigint AS won_cycle_days
          FROM analytics.company_deal_flow
         WHERE tenant_id = $1 AND company_id = $2 AND day >= $3::date AND day < $4::date) AS flow,
       (SELECT coalesce(sum(calls) FILTER (WHERE day >= $3::date AND day < $4::date), 0)::bigint AS calls,
               coalesce(sum(emails) FILTER (WHERE day >= $3 AND day < $4), 0)::bigint AS emails,
               coalesce(sum(meetings) FILTER (WHERE day >= $3 AND day < $4), 0)::bigint AS meetings,
               coalesce(sum(notes) FILTER (WHERE day >= $3 AND day < $4), 0)::bigint AS notes,
               coalesce(sum(calls + emails + meetings + notes) FILTER (WHERE day = $5::date), 0)::bigint AS today,
               coalesce(sum(calls + emails + meetings + notes)
                 FILTER (WHERE day >= date_trunc('week', $5::timestamp)::date AND day < date_trunc('week', $5::timestamp)::date + 7), 0)::bigint AS week
          FROM analytics.company_activity_flow
         WHERE tenant_id = $1 AND company_id = $2
           AND day >= least($3, date_trunc('week', $5::timestamp)::date)
           AND day < greatest($4, date_trunc('week', $5::timestamp)::date + 7)) AS activity;

-- name: company_engagement
-- One row of what engagement is scored from, for company $2 on local day $3: the last contact (a call, email or meeting;
-- one planned for a later day is none yet), contacts made and people reached lately, the tenant's median of contacts made (over companies that had any), its deals.
WITH recent AS (
  SELECT company_id, count(*) AS contacts
    FROM activities
   WHERE tenant_id = $1 AND deleted_at IS NULL AND kind <> 'note' AND company_id IS NOT NULL
     AND occurred_day > $3::date - 30 AND occurred_day <= $3::date
   GROUP BY company_id
)
SELECT last.last_contact_at, last.last_contact_day,
       coalesce((SELECT contacts FROM recent WHERE company_id = $2), 0) AS contacts_30_days,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY contacts) FROM recent) AS typical_contacts_30_days,
       reach.people_90_days, deals.open_deals, deals.won, deals.lost
  FROM (SELECT 1) AS one
  LEFT JOIN LATERAL (
    SELECT occurred_at AS last_contact_at, occurred_day AS last_contact_day FROM activities
     WHERE tenant_id = $1 AND company_id = $2 AND deleted_at IS NULL AND kind <> 'note' AND occurred_day <= $3::date
     ORDER BY occurred_at DESC, id DESC LIMIT 1) AS last ON true,
       (SELECT count(DISTINCT contact_id) AS people_90_days FROM activities
         WHERE tenant_id = $1 AND company_id = $2 AND deleted_at IS NULL AND kind <> 'note'
           AND occurred_day > $3::date - 90 AND occurred_day <= $3::date) AS reach,
       (SELECT coalesce(sum(d.deals) FILTER (WHERE s.kind = 'open'), 0)::bigint AS open_deals,
               coalesce(sum(d.deals) FILTER (WHERE s.kind = 'won'), 0)::bigint AS won,
               coalesce(sum(d.deals) FILTER (WHERE s.kind = 'lost'), 0)::bigint AS lost
          FROM analytics.company_deal_state d JOIN stages s ON s.tenant_id = $1 AND s.id = d.stage_id
         WHERE d.tenant_id = $1 AND d.company_id = $2) AS deals;

-- name: members_by_id
-- Members of the given ids, in any order.
SELECT id, email, name, role, team, region, active, created_at
  FROM members WHERE tenant_id = $1 AND id = ANY($2::bigint[]);
