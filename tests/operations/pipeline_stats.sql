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

-- name: deal_forecast
-- One row an interval of unit $4 that meets [$5, $6), earliest first, zeros included; with nulls for the period: twelve
-- intervals from the one of local day $7 on. Open deals by expected close. $2: a pipeline, $3: an owner or null.
WITH range AS (
  SELECT coalesce($5::date, date_trunc($4::text, $7::date::timestamp)::date) AS from_day,
         coalesce($6::date, (date_trunc($4, $7::timestamp) + 12 * step)::date) AS to_day
    FROM (SELECT CASE $4 WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || $4)::interval END AS step) AS s
), expected AS MATERIALIZED (
  SELECT day, stage_id, deals, value FROM analytics.deal_forecast
   WHERE tenant_id = $1 AND $3::bigint IS NULL
     AND day >= (SELECT from_day FROM range) AND day < (SELECT to_day FROM range)
  UNION ALL
  SELECT expected_close, stage_id, 1, coalesce(amount, 0) FROM deals
   WHERE tenant_id = $1 AND deleted_at IS NULL AND outcome = 'open' AND owner_id = $3
     AND expected_close >= (SELECT from_day FROM range) AND expected_close < (SELECT to_day FROM range)
), open AS (
  SELECT date_trunc($4, e.day::timestamp)::date AS start, sum(e.deals)::bigint AS deals,
         sum(e.value) AS value, sum(e.value * s.probability) AS weighted_value
    FROM expected e JOIN stages s ON s.tenant_id = $1 AND s.id = e.stage_id AND s.pipeline_id = $2
   GROUP BY 1
)
SELECT i.start, coalesce(open.deals, 0) AS deals, coalesce(open.value, 0) AS value,
       coalesce(open.weighted_value, 0) AS weighted_value
  FROM range, app.intervals($4, range.from_day, range.to_day, $7) AS i LEFT JOIN open USING (start) ORDER BY start;
