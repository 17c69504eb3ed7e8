"""The statements: each answers one field from the base tables. `$1` is the tenant, [`$2`, `$3`) the period."""

CALENDAR = "SELECT timezone(time_zone, now())::date AS today FROM tenants WHERE id = $1"

PIPELINE = """
SELECT id, name, is_default FROM pipelines
 WHERE tenant_id = $1 AND CASE WHEN $2::bigint IS NULL THEN is_default ELSE id = $2 END
"""

PIPELINE_STAGES = """
SELECT id, pipeline_id, name, position, probability, kind FROM stages
 WHERE tenant_id = $1 AND pipeline_id = ANY($2::bigint[]) ORDER BY pipeline_id, position
"""

_DEALS = """
SELECT count(*) FILTER (WHERE d.created_day >= $2 AND d.created_day < $3) AS created,
       count(*) FILTER (WHERE d.outcome = 'open') AS open,
       count(*) FILTER (WHERE d.outcome = 'won' AND d.closed_day >= $2 AND d.closed_day < $3) AS won,
       count(*) FILTER (WHERE d.outcome = 'lost' AND d.closed_day >= $2 AND d.closed_day < $3) AS lost,
       coalesce(sum(d.amount) FILTER (WHERE d.outcome = 'open'), 0) AS pipeline_value,
       coalesce(sum(d.amount * s.probability) FILTER (WHERE d.outcome = 'open'), 0) AS weighted_value,
       coalesce(sum(d.amount) FILTER (WHERE d.outcome = 'won' AND d.closed_day >= $2 AND d.closed_day < $3), 0)
         AS won_value,
       coalesce(sum(d.amount) FILTER (WHERE d.outcome = 'lost' AND d.closed_day >= $2 AND d.closed_day < $3), 0)
         AS lost_value,
       coalesce(sum(d.closed_day - d.created_day)
         FILTER (WHERE d.outcome = 'won' AND d.closed_day >= $2 AND d.closed_day < $3), 0) AS cycle_days
  FROM deals d JOIN stages s ON s.tenant_id = d.tenant_id AND s.id = d.stage_id
 WHERE d.tenant_id = $1 AND d.deleted_at IS NULL {condition}
"""
DEALS = _DEALS.format(condition="")
PIPELINE_DEALS = _DEALS.format(condition="AND d.pipeline_id = $4")
COMPANY_DEALS = _DEALS.format(condition="AND d.company_id = $4")

_STAGES = """
WITH present AS (
  SELECT d.stage_id, count(*) AS deals, coalesce(sum(d.amount), 0) AS value, sum($4::date - d.created_day) AS age_days
    FROM deals d WHERE d.tenant_id = $1 AND d.deleted_at IS NULL {condition} GROUP BY d.stage_id
), moves AS MATERIALIZED (
  SELECT h.deal_id, h.from_stage_id, h.to_stage_id, h.days_in_stage
    FROM deal_stage_history h JOIN deals d ON d.tenant_id = h.tenant_id AND d.id = h.deal_id
   WHERE h.tenant_id = $1 AND h.moved_day >= $2 AND h.moved_day < $3 AND d.deleted_at IS NULL {condition}
), entered AS (
  SELECT to_stage_id AS stage_id, count(*) AS moves, count(DISTINCT deal_id) AS deals FROM moves GROUP BY to_stage_id
), departed AS (
  SELECT from_stage_id AS stage_id, count(*) AS moves,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY days_in_stage) AS median_days
    FROM moves WHERE from_stage_id IS NOT NULL GROUP BY from_stage_id
), furthest AS (
  SELECT m.deal_id, s.pipeline_id, max(s.position) AS position
    FROM moves m JOIN stages s ON s.tenant_id = $1 AND s.id = m.to_stage_id
   WHERE s.kind <> 'lost' GROUP BY m.deal_id, s.pipeline_id
), reached AS (
  SELECT pipeline_id, position, count(*) AS deals FROM furthest GROUP BY pipeline_id, position
)
SELECT s.id, s.pipeline_id, s.name, s.position, s.probability, s.kind,
       coalesce(present.deals, 0) AS deals, coalesce(present.value, 0) AS value,
       coalesce(present.age_days, 0) AS age_days,
       coalesce(entered.moves, 0) AS entered, coalesce(entered.deals, 0) AS entered_deals,
       coalesce(departed.moves, 0) AS departed, departed.median_days,
       (SELECT coalesce(sum(r.deals), 0)::bigint FROM reached r
         WHERE r.pipeline_id = s.pipeline_id AND r.position > s.position) AS later_deals
  FROM stages s JOIN pipelines p ON p.tenant_id = s.tenant_id AND p.id = s.pipeline_id
  LEFT JOIN present ON present.stage_id = s.id LEFT JOIN entered ON entered.stage_id = s.id
  LEFT JOIN departed ON departed.stage_id = s.id
 WHERE s.tenant_id = $1 {pipeline}
 ORDER BY p.is_default DESC, p.name, p.id, s.position
"""
STAGES = _STAGES.format(condition="", pipeline="")
ONE_PIPELINES_STAGES = _STAGES.format(condition="AND d.pipeline_id = $5", pipeline="AND s.pipeline_id = $5")

_TREND = """
SELECT date_trunc($4, day::timestamp)::date AS start, sum(created) AS created, sum(won) AS won, sum(lost) AS lost,
       sum(won_value) AS won_value
  FROM (SELECT created_day AS day, 1 AS created, 0 AS won, 0 AS lost, 0 AS won_value
          FROM deals d
         WHERE tenant_id = $1 AND deleted_at IS NULL AND created_day >= $2 AND created_day < $3 {condition}
        UNION ALL
        SELECT closed_day, 0, (outcome = 'won')::int, (outcome = 'lost')::int,
               CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END
          FROM deals d
         WHERE tenant_id = $1 AND deleted_at IS NULL AND closed_day >= $2 AND closed_day < $3 {condition}) AS events
 GROUP BY 1
"""
TREND = _TREND.format(condition="")
PIPELINE_TREND = _TREND.format(condition="AND d.pipeline_id = $5")
COMPANY_TREND = _TREND.format(condition="AND d.company_id = $5")

LEADERBOARD = """
SELECT owner_id, won, lost, won_value, open_value
  FROM (SELECT owner_id,
               count(*) FILTER (WHERE outcome = 'won' AND closed_day >= $2 AND closed_day < $3) AS won,
               count(*) FILTER (WHERE outcome = 'lost' AND closed_day >= $2 AND closed_day < $3) AS lost,
               coalesce(sum(amount) FILTER (WHERE outcome = 'won' AND closed_day >= $2 AND closed_day < $3), 0)
                 AS won_value,
               count(*) FILTER (WHERE outcome = 'open') AS open,
               coalesce(sum(amount) FILTER (WHERE outcome = 'open'), 0) AS open_value
          FROM deals WHERE tenant_id = $1 AND deleted_at IS NULL GROUP BY owner_id) AS sellers
 WHERE won + lost + open > 0
 ORDER BY won_value DESC, won DESC, open_value DESC, owner_id LIMIT $4
"""

_ACTIVITIES = """
SELECT count(*) FILTER (WHERE kind = 'call' AND occurred_day >= $2 AND occurred_day < $3) AS calls,
       count(*) FILTER (WHERE kind = 'email' AND occurred_day >= $2 AND occurred_day < $3) AS emails,
       count(*) FILTER (WHERE kind = 'meeting' AND occurred_day >= $2 AND occurred_day < $3) AS meetings,
       count(*) FILTER (WHERE kind = 'note' AND occurred_day >= $2 AND occurred_day < $3) AS notes,
       count(*) FILTER (WHERE occurred_day = $4::date) AS today,
       count(*) FILTER (WHERE occurred_day >= $5::date AND occurred_day < $5 + 7) AS week
  FROM activities
 WHERE tenant_id = $1 AND deleted_at IS NULL
   AND occurred_day >= least($2, $5) AND occurred_day < greatest($3, $5 + 7) {condition}
"""
ACTIVITIES = _ACTIVITIES.format(condition="")
COMPANY_ACTIVITIES = _ACTIVITIES.format(condition="AND company_id = $6")

COMPANIES = """
SELECT count(*) AS total,
       count(*) FILTER (WHERE EXISTS (SELECT FROM deals d WHERE d.tenant_id = c.tenant_id AND d.company_id = c.id
                                                            AND d.deleted_at IS NULL)) AS with_deals,
       count(*) FILTER (WHERE created_day >= $2 AND created_day < $3) AS new
  FROM companies c WHERE tenant_id = $1 AND deleted_at IS NULL
"""

TASKS = """
SELECT count(*) AS open, count(*) FILTER (WHERE due_at < now()) AS overdue,
       count(*) FILTER (WHERE due_day = $2) AS due_today
  FROM tasks WHERE tenant_id = $1 AND completed_at IS NULL AND deleted_at IS NULL
"""

RECENT_ACTIVITIES = """
SELECT kind, subject, occurred_at, owner_id, company_id, deal_id FROM activities
 WHERE tenant_id = $1 AND deleted_at IS NULL ORDER BY occurred_at DESC, id DESC LIMIT $2
"""

NEXT_TASKS = """
SELECT title, due_at, owner_id, company_id, deal_id FROM tasks
 WHERE tenant_id = $1 AND completed_at IS NULL AND deleted_at IS NULL ORDER BY due_at, id LIMIT $2
"""

LAST_CONTACT = """
SELECT occurred_at, occurred_day FROM activities
 WHERE tenant_id = $1 AND company_id = $2 AND deleted_at IS NULL AND kind <> 'note'
 ORDER BY occurred_at DESC, id DESC LIMIT 1
"""

ENGAGEMENT = """
WITH recent AS (
  SELECT company_id, count(*) AS contacts FROM activities
   WHERE tenant_id = $1 AND deleted_at IS NULL AND kind <> 'note' AND company_id IS NOT NULL
     AND occurred_day > $3::date - 30 AND occurred_day <= $3
   GROUP BY company_id
)
SELECT coalesce((SELECT contacts FROM recent WHERE company_id = $2), 0) AS contacts,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY contacts) FROM recent) AS typical,
       (SELECT count(DISTINCT contact_id) FROM activities
         WHERE tenant_id = $1 AND company_id = $2 AND deleted_at IS NULL AND kind <> 'note'
           AND occurred_day > $3 - 90 AND occurred_day <= $3) AS people,
       count(*) FILTER (WHERE outcome = 'open') AS open, count(*) FILTER (WHERE outcome = 'won') AS won,
       count(*) FILTER (WHERE outcome = 'lost') AS lost
  FROM deals WHERE tenant_id = $1 AND company_id = $2 AND deleted_at IS NULL
"""

MEMBERS_BY_ID = "SELECT id, name, email, role, team FROM members WHERE tenant_id = $1 AND id = ANY($2::bigint[])"

COMPANIES_BY_ID = """
SELECT id, owner_id, name, industry, region, website, employees, created_at, created_day, updated_at
  FROM companies WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL
"""

DEALS_BY_ID = """
SELECT id, name, amount FROM deals WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL
"""
