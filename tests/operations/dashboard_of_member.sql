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

-- name: deal_trend
-- One row an interval of unit $4 that meets [$5, $6), oldest first, zeros included; with nulls for the period: the last
-- twelve up to the one of local day $7. $2: a pipeline or null, $3: an owner or null.
WITH intervals AS MATERIALIZED (
  SELECT start, range_from, range_to FROM app.intervals($4::text, $5::date, $6::date, $7::date)
), days AS (
  SELECT day, pipeline_id, created, won, lost, won_value FROM analytics.deal_flow
   WHERE tenant_id = $1 AND $3::bigint IS NULL
     AND day >= (SELECT min(range_from) FROM intervals) AND day < (SELECT max(range_to) FROM intervals)
  UNION ALL
  SELECT day, pipeline_id, created, won, lost, won_value FROM analytics.owner_deal_flow
   WHERE tenant_id = $1 AND owner_id = $3
     AND day >= (SELECT min(range_from) FROM intervals) AND day < (SELECT max(range_to) FROM intervals)
), flow AS (
  SELECT date_trunc($4, day::timestamp)::date AS start, sum(created)::bigint AS created, sum(won)::bigint AS won,
         sum(lost)::bigint AS lost, sum(won_value) AS won_value
    FROM days WHERE $2::bigint IS NULL OR pipeline_id = $2
   GROUP BY 1
)
SELECT start, coalesce(created, 0) AS created, coalesce(won, 0) AS won, coalesce(lost, 0) AS lost,
       coalesce(won_value, 0) AS won_value
  FROM intervals LEFT JOIN flow USING (start) ORDER BY start;

-- name: leaderboard
-- One row an owner, best won value of [$3, $4) first, at most $5; $2: one owner or null. Open value is of now.
WITH state AS MATERIALIZED (
  SELECT d.owner_id, s.kind, sum(d.deals)::bigint AS deals, sum(d.value) AS value
    FROM analytics.deal_state d JOIN stages s ON s.tenant_id = $1 AND s.id = d.stage_id
   WHERE d.tenant_id = $1 AND ($2::bigint IS NULL OR d.owner_id = $2)
   GROUP BY d.owner_id, s.kind HAVING sum(d.deals) > 0
), closed AS (
  SELECT owner_id, won, lost, won_value FROM analytics.owner_deal_flow
   WHERE tenant_id = $1 AND day >= $3::date AND day < $4::date AND ($2 IS NULL OR owner_id = $2)
     AND ($3, $4) <> ('-infinity', 'infinity')
  UNION ALL
  SELECT owner_id, CASE WHEN kind = 'won' THEN deals ELSE 0 END, CASE WHEN kind = 'lost' THEN deals ELSE 0 END,
         CASE WHEN kind = 'won' THEN value ELSE 0 END
    FROM state WHERE ($3, $4) = ('-infinity', 'infinity')
)
SELECT owner_id, coalesce(flow.won, 0) AS won, coalesce(flow.lost, 0) AS lost,
       coalesce(flow.won_value, 0) AS won_value, coalesce(pipe.open_value, 0) AS open_value
  FROM (SELECT owner_id, sum(won)::bigint AS won, sum(lost)::bigint AS lost, sum(won_value) AS won_value
          FROM closed GROUP BY owner_id HAVING sum(won) + sum(lost) > 0) AS flow
  FULL JOIN (SELECT owner_id, value AS open_value FROM state WHERE kind = 'open') AS pipe USING (owner_id)
 ORDER BY won_value DESC, won DESC, open_value DESC, owner_id
 LIMIT $5;

-- name: activity_summary
-- One row: activities of [$3, $4) by kind, and those of local day $5 and of its ISO week; $2: an owner or null.
SELECT coalesce(sum(calls) FILTER (WHERE day >= $3::date AND day < $4::date), 0)::bigint AS calls,
       coalesce(sum(emails) FILTER (WHERE day >= $3 AND day < $4), 0)::bigint AS emails,
       coalesce(sum(meetings) FILTER (WHERE day >= $3 AND day < $4), 0)::bigint AS meetings,
       coalesce(sum(notes) FILTER (WHERE day >= $3 AND day < $4), 0)::bigint AS notes,
       coalesce(sum(calls + emails + meetings + notes) FILTER (WHERE day = $5::date), 0)::bigint AS today,
       coalesce(sum(calls + emails + meetings + notes)
         FILTER (WHERE day >= date_trunc('week', $5::timestamp)::date AND day < date_trunc('week', $5::timestamp)::date + 7), 0)::bigint AS week
  FROM (SELECT tenant_id, day, calls, emails, meetings, notes FROM analytics.activity_flow WHERE $2::bigint IS NULL
        UNION ALL
        SELECT tenant_id, day, calls, emails, meetings, notes FROM analytics.owner_activity_flow WHERE owner_id = $2) AS flow
 WHERE tenant_id = $1
   AND day >= least($3, date_trunc('week', $5::timestamp)::date)
   AND day < greatest($4, date_trunc('week', $5::timestamp)::date + 7);

-- name: company_summary
-- One row: companies of an owner ($2, null: everyone), those with deals (0 unless $5), those created in [$3, $4).
-- Companies may be many, and those whose deals changed since the last refresh, or that are deleted, are few: only these are summed,
-- and joined with what the refresh computed, one row a company.
SELECT coalesce(sum(created), 0)::bigint AS total,
       CASE WHEN NOT $5::boolean THEN 0
            WHEN $2 IS NOT NULL
            THEN (SELECT count(*) FROM analytics.companies_with_deals WHERE tenant_id = $1 AND owner_id = $2)
            ELSE (SELECT count(*)
                    FROM (SELECT company_id, deals FROM analytics.company_deals WHERE tenant_id = $1 AND NOT changed) AS refreshed
                    FULL JOIN (SELECT company_id, sum(deals)::bigint AS deals, bool_or(deleted) AS deleted
                                 FROM (SELECT company_id, deals, false AS deleted FROM analytics.company_deals
                                        WHERE tenant_id = $1 AND changed
                                       UNION ALL
                                       SELECT id, 0, true FROM companies WHERE tenant_id = $1 AND deleted_at IS NOT NULL) AS each
                                GROUP BY company_id) AS since USING (company_id)
                   WHERE company_id <> 0 AND deleted IS NOT TRUE
                     AND coalesce(refreshed.deals, 0) + coalesce(since.deals, 0) > 0)
       END AS with_deals,
       coalesce(sum(created) FILTER (WHERE day >= $3::date AND day < $4::date), 0)::bigint AS new
  FROM (SELECT day, created FROM analytics.company_flow WHERE tenant_id = $1 AND $2::bigint IS NULL
        UNION ALL
        SELECT day, created FROM analytics.owner_company_flow WHERE tenant_id = $1 AND owner_id = $2) AS flow;

-- name: task_summary
-- One row: open tasks, those due before instant $3, those due on local day $4, when the next is due; $2: an owner or null. Clocks
-- are put back by a day at most: what is due two local days before that of $3 is overdue, and of later days only what 72 hours hold
-- can be.
WITH unsure AS (SELECT app.local_day($1, $3::timestamptz) - 1 AS from_day)
SELECT sum(open)::bigint AS open, sum(overdue)::bigint AS overdue, sum(due_today)::bigint AS due_today,
       coalesce((SELECT due_at FROM analytics.open_tasks
                  WHERE tenant_id = $1 AND $2 IS NULL AND due_at >= $3 ORDER BY due_at LIMIT 1),
                (SELECT due_at FROM analytics.open_tasks
                  WHERE tenant_id = $1 AND owner_id = $2 AND due_at >= $3 ORDER BY due_at LIMIT 1)) AS next_due_at
  FROM (SELECT sum(tasks) AS open, sum(tasks) FILTER (WHERE day < (SELECT from_day FROM unsure)) AS overdue,
               sum(tasks) FILTER (WHERE day = $4::date) AS due_today
          FROM analytics.task_agenda WHERE tenant_id = $1 AND $2::bigint IS NULL
        UNION ALL
        SELECT 0, count(*), 0 FROM analytics.open_tasks
         WHERE tenant_id = $1 AND $2 IS NULL AND due_at >= $3 - interval '72 hours' AND due_at < $3
           AND due_day >= (SELECT from_day FROM unsure)
        UNION ALL
        SELECT count(*), count(*) FILTER (WHERE due_at < $3), count(*) FILTER (WHERE due_day = $4)
          FROM analytics.open_tasks WHERE tenant_id = $1 AND owner_id = $2) AS counted;

-- name: recent_activities
-- The newest $3 activities, newest first; $2: an owner or null.
SELECT id, kind, subject, body, owner_id, company_id, contact_id, deal_id, occurred_at
  FROM activities
 WHERE tenant_id = $1 AND deleted_at IS NULL AND ($2::bigint IS NULL OR owner_id = $2)
 ORDER BY occurred_at DESC, id DESC LIMIT $3;

-- name: next_tasks
-- The $3 open tasks that are due first, earliest first, those without a due date last; $2: an owner or null.
SELECT id, title, priority, owner_id, company_id, deal_id, due_at, completed_at, created_at
  FROM tasks
 WHERE tenant_id = $1 AND completed_at IS NULL AND deleted_at IS NULL AND ($2::bigint IS NULL OR owner_id = $2)
 ORDER BY due_at ASC NULLS LAST, id LIMIT $3;

-- name: deal_board
-- One row a stage, in order of pipeline (default first) and position; a pipeline without stages has one row without a stage.
-- $2: whether one pipeline is wanted, $3: which (null: the default one), $4: an owner or null, [$5, $6): the period,
-- $7: whether entered and departed are wanted, whoever the owner. The totals of the period stand on every row.
WITH board AS (
  SELECT p.id AS pipeline_id, p.name AS pipeline_name, p.is_default,
         s.id AS stage_id, s.name AS stage_name, s.position, s.probability, s.kind
    FROM pipelines p LEFT JOIN stages s ON s.tenant_id = $1 AND s.pipeline_id = p.id
   WHERE p.tenant_id = $1 AND (NOT $2::boolean OR CASE WHEN $3::bigint IS NULL THEN p.is_default ELSE p.id = $3 END)
), state AS MATERIALIZED (
  SELECT stage_id, sum(deals)::bigint AS deals, sum(value) AS value, sum(created_days)::bigint AS created_days,
         sum(cycle_days)::bigint AS cycle_days
    FROM analytics.deal_state
   WHERE tenant_id = $1 AND ($4::bigint IS NULL OR owner_id = $4)
     AND (NOT $2 OR pipeline_id IN (SELECT pipeline_id FROM board))
   GROUP BY stage_id
), flow AS (
  SELECT created, won, lost, won_value, lost_value, won_cycle_days
    FROM analytics.deal_flow
   WHERE tenant_id = $1 AND day >= $5::date AND day < $6::date AND $4 IS NULL AND ($5, $6) <> ('-infinity', 'infinity')
     AND (NOT $2 OR pipeline_id IN (SELECT pipeline_id FROM board))
  UNION ALL
  SELECT created, won, lost, won_value, lost_value, won_cycle_days
    FROM analytics.owner_deal_flow
   WHERE tenant_id = $1 AND day >= $5 AND day < $6 AND owner_id = $4 AND ($5, $6) <> ('-infinity', 'infinity')
     AND (NOT $2 OR pipeline_id IN (SELECT pipeline_id FROM board))
  UNION ALL
  SELECT deals, CASE WHEN kind = 'won' THEN deals ELSE 0 END, CASE WHEN kind = 'lost' THEN deals ELSE 0 END,
         CASE WHEN kind = 'won' THEN value ELSE 0 END, CASE WHEN kind = 'lost' THEN value ELSE 0 END,
         CASE WHEN kind = 'won' THEN cycle_days ELSE 0 END
    FROM state JOIN board USING (stage_id) WHERE ($5, $6) = ('-infinity', 'infinity')
), totals AS MATERIALIZED (
  SELECT coalesce(sum(created), 0)::bigint AS created, coalesce(sum(won), 0)::bigint AS won,
         coalesce(sum(lost), 0)::bigint AS lost, coalesce(sum(won_value), 0) AS won_value,
         coalesce(sum(lost_value), 0) AS lost_value, coalesce(sum(won_cycle_days), 0)::bigint AS won_cycle_days
    FROM flow
), passing AS (
  SELECT stage_id, sum(entered)::bigint AS entered, sum(departed)::bigint AS departed
    FROM analytics.stage_flow
   WHERE $7::boolean AND tenant_id = $1 AND day >= $5 AND day < $6
   GROUP BY stage_id
)
SELECT b.pipeline_id, b.pipeline_name, b.is_default, b.stage_id, b.stage_name, b.position, b.probability, b.kind,
       coalesce(state.deals, 0) AS deals, coalesce(state.value, 0) AS value, coalesce(state.created_days, 0) AS created_days,
       coalesce(passing.entered, 0) AS entered, coalesce(passing.departed, 0) AS departed,
       totals.created, totals.won, totals.lost, totals.won_value, totals.lost_value, totals.won_cycle_days
  FROM board b CROSS JOIN totals LEFT JOIN state USING (stage_id) LEFT JOIN passing USING (stage_id)
 ORDER BY b.is_default DESC, b.pipeline_name, b.pipeline_id, b.position;

-- name: stage_passages
-- One row a stage that was entered or left in [$5, $6), from single moves: how often, how many distinct deals entered it and
-- how many a later stage that is not lost, the median of the days spent in it. $2, $3: as of deal_board, $4: an owner or null.
-- Straight deals, which only ever went forward, need not be looked at one by one. One enters a stage once. Of its moves in the
-- period into stages after some stage, one is the first; each other one comes after a stay in such a stage that began in the period.
-- Of other deals, each one's way is a bit for each stage that it entered; the few ways that there are are looked at. So are all
-- deals when stages were changed and a straight move goes back now: what rows say is of the stages as they were.
WITH flagged AS MATERIALIZED (
  SELECT s.id AS stage_id, s.pipeline_id, s.position, s.kind,
         set_bit(repeat('0', count(*) OVER ()::int)::bit varying, (row_number() OVER () - 1)::int, 1) AS flag
    FROM stages s WHERE s.tenant_id = $1
), lookup AS MATERIALIZED (
  SELECT array_agg(stage_id ORDER BY stage_id) AS ids, array_agg(flag ORDER BY stage_id) AS flags FROM flagged
), board AS (
  SELECT f.* FROM flagged f JOIN pipelines p ON p.tenant_id = $1 AND p.id = f.pipeline_id
   WHERE NOT $2::boolean OR CASE WHEN $3::bigint IS NULL THEN p.is_default ELSE p.id = $3 END
), moves AS NOT MATERIALIZED (
  SELECT deal_id, from_stage_id, to_stage_id, days_in_stage, straight, moved_day - days_in_stage >= $5::date AS stayed_within
    FROM deal_stage_history
   WHERE tenant_id = $1 AND NOT deal_deleted AND moved_day >= $5 AND moved_day < $6::date
     AND ($4::bigint IS NULL OR deal_id IN (SELECT id FROM deals WHERE tenant_id = $1 AND owner_id = $4))
), alike AS MATERIALIZED (
  SELECT from_stage_id, to_stage_id, days_in_stage AS days, count(*) AS times, count(*) FILTER (WHERE straight) AS straight,
         count(*) FILTER (WHERE straight AND stayed_within) AS onward
    FROM moves GROUP BY from_stage_id, to_stage_id, days_in_stage
), steps AS MATERIALIZED (
  SELECT t.stage_id, t.pipeline_id, t.position, t.kind, f.position AS from_position, s.times, s.straight, s.onward,
         s.straight > 0 AND (f.pipeline_id <> t.pipeline_id OR f.position >= t.position OR f.kind = 'lost') AS goes_back
    FROM (SELECT from_stage_id, to_stage_id, sum(times) AS times, sum(straight) AS straight, sum(onward) AS onward
            FROM alike GROUP BY from_stage_id, to_stage_id) AS s
    JOIN flagged t ON t.stage_id = s.to_stage_id LEFT JOIN flagged f ON f.stage_id = s.from_stage_id
), ranked AS (
  SELECT from_stage_id AS stage_id, days, times, sum(times) OVER (PARTITION BY from_stage_id ORDER BY days) AS last,
         sum(times) OVER (PARTITION BY from_stage_id) AS of
    FROM (SELECT from_stage_id, days, sum(times)::bigint AS times FROM alike
           WHERE from_stage_id IS NOT NULL GROUP BY from_stage_id, days) AS stays
), departed AS (
  SELECT stage_id, sum(times)::bigint AS times,
         avg(days) FILTER (WHERE 2 * last >= of AND 2 * (last - times) <= of)::float8 AS median_days
    FROM ranked GROUP BY stage_id
), looked_at AS MATERIALIZED (
  SELECT EXISTS (SELECT FROM steps WHERE goes_back) AS all_deals
), ways AS MATERIALIZED (
  SELECT way, count(*) AS deals
    FROM (SELECT bit_or((SELECT flags FROM lookup)[width_bucket(to_stage_id, (SELECT ids FROM lookup))]) AS way
            FROM (SELECT deal_id, to_stage_id FROM moves WHERE NOT straight
                  UNION ALL
                  SELECT deal_id, to_stage_id FROM moves WHERE straight AND (SELECT all_deals FROM looked_at)) AS single
           GROUP BY deal_id) AS deals
   GROUP BY way
)
SELECT b.stage_id, entered.times AS entered, coalesce(departed.times, 0) AS departed,
       CASE WHEN all_deals THEN 0 ELSE entered.straight END
       + (SELECT coalesce(sum(deals), 0)::bigint FROM ways WHERE bit_count(way & b.flag) > 0) AS entered_deals,
       CASE WHEN all_deals THEN 0 ELSE later.straight END
       + (SELECT coalesce(sum(deals), 0)::bigint FROM ways
           WHERE bit_count(way & (SELECT bit_or(flag) FROM board l
                                   WHERE l.pipeline_id = b.pipeline_id AND l.position > b.position AND l.kind <> 'lost')) > 0
         ) AS later_deals,
       departed.median_days
  FROM looked_at CROSS JOIN board b LEFT JOIN departed USING (stage_id)
 CROSS JOIN LATERAL (SELECT coalesce(sum(times), 0)::bigint AS times, coalesce(sum(straight), 0)::bigint AS straight
                       FROM steps WHERE stage_id = b.stage_id) AS entered
 CROSS JOIN LATERAL (SELECT coalesce(sum(CASE WHEN from_position > b.position THEN straight - onward ELSE straight END), 0)::bigint AS straight
                       FROM steps WHERE pipeline_id = b.pipeline_id AND position > b.position AND kind <> 'lost') AS later
 WHERE entered.times > 0 OR departed.times > 0;

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
