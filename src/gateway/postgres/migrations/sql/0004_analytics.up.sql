-- What aggregates read. Each view gives keys and summable measures: readers only ever sum, filter and group,
-- so what stands beneath a view can change without changing a reader. Deleted records are left out here, once.
-- A view acts with its owner's rights, past the policies: each one filters by the session's tenant itself.

CREATE SCHEMA analytics;

COMMENT ON SCHEMA analytics IS 'Views that aggregates read: tenant-filtered keys and summable measures.';

GRANT USAGE ON SCHEMA analytics TO gateway, worker;

CREATE VIEW analytics.deal_state WITH (security_barrier) AS
SELECT tenant_id, pipeline_id, stage_id, owner_id,
       1::bigint AS deals, coalesce(amount, 0) AS value, (created_day - date '2000-01-01')::bigint AS created_days
  FROM deals WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL;

COMMENT ON VIEW analytics.deal_state IS
  'Deals as they stand now, by stage and owner. created_days: sum of creation days, counted from 2000-01-01.';

CREATE VIEW analytics.deal_flow WITH (security_barrier) AS
SELECT tenant_id, pipeline_id, owner_id, created_day AS day, 1::bigint AS created, 0::bigint AS won, 0::bigint AS lost,
       0::numeric AS won_value, 0::numeric AS lost_value, 0::bigint AS won_cycle_days
  FROM deals WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL
UNION ALL
SELECT tenant_id, pipeline_id, owner_id, closed_day, 0, (outcome = 'won')::int, (outcome = 'lost')::int,
       CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END,
       CASE WHEN outcome = 'lost' THEN coalesce(amount, 0) ELSE 0 END,
       CASE WHEN outcome = 'won' THEN closed_day - created_day ELSE 0 END
  FROM deals WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL AND closed_day IS NOT NULL;

COMMENT ON VIEW analytics.deal_flow IS 'What happened to deals on a day: created, won, lost, by pipeline and owner.';

CREATE VIEW analytics.company_deal_state WITH (security_barrier) AS
SELECT tenant_id, company_id, stage_id, 1::bigint AS deals, coalesce(amount, 0) AS value
  FROM deals WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL AND company_id IS NOT NULL;

COMMENT ON VIEW analytics.company_deal_state IS 'Deals of a company as they stand now, by stage.';

CREATE VIEW analytics.company_deal_flow WITH (security_barrier) AS
SELECT tenant_id, company_id, created_day AS day, 1::bigint AS created, 0::bigint AS won, 0::bigint AS lost,
       0::numeric AS won_value, 0::numeric AS lost_value, 0::bigint AS won_cycle_days
  FROM deals WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL AND company_id IS NOT NULL
UNION ALL
SELECT tenant_id, company_id, closed_day, 0, (outcome = 'won')::int, (outcome = 'lost')::int,
       CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END,
       CASE WHEN outcome = 'lost' THEN coalesce(amount, 0) ELSE 0 END,
       CASE WHEN outcome = 'won' THEN closed_day - created_day ELSE 0 END
  FROM deals WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL AND company_id IS NOT NULL AND closed_day IS NOT NULL;

COMMENT ON VIEW analytics.company_deal_flow IS 'What happened to a company''s deals on a day.';

-- Few deals are deleted, so moves leave those out by an index of them alone; the join falls away where no owner is asked for.
CREATE INDEX deals_deleted ON deals (tenant_id, id) WHERE deleted_at IS NOT NULL;

CREATE VIEW analytics.stage_moves WITH (security_barrier) AS
SELECT h.tenant_id, h.deal_id, d.owner_id, h.from_stage_id, h.to_stage_id, h.moved_day AS day, h.days_in_stage
  FROM deal_stage_history h
  LEFT JOIN deals d ON d.tenant_id = app.tenant_id() AND d.tenant_id = h.tenant_id AND d.id = h.deal_id
 WHERE h.tenant_id = app.tenant_id()
   AND NOT EXISTS (SELECT FROM deals gone WHERE gone.tenant_id = app.tenant_id() AND gone.tenant_id = h.tenant_id
                                            AND gone.id = h.deal_id AND gone.deleted_at IS NOT NULL);

COMMENT ON VIEW analytics.stage_moves IS
  'Single moves of deals between stages, by the deal''s present owner: for what does not sum, distinct deals and medians.';

CREATE VIEW analytics.activity_flow WITH (security_barrier) AS
SELECT tenant_id, owner_id, occurred_day AS day, (kind = 'call')::int::bigint AS calls, (kind = 'email')::int::bigint AS emails,
       (kind = 'meeting')::int::bigint AS meetings, (kind = 'note')::int::bigint AS notes
  FROM activities WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL;

COMMENT ON VIEW analytics.activity_flow IS 'Activities of a day by owner; the kinds are measures.';

CREATE VIEW analytics.company_activity_flow WITH (security_barrier) AS
SELECT tenant_id, company_id, occurred_day AS day, (kind = 'call')::int::bigint AS calls, (kind = 'email')::int::bigint AS emails,
       (kind = 'meeting')::int::bigint AS meetings, (kind = 'note')::int::bigint AS notes
  FROM activities WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL AND company_id IS NOT NULL;

COMMENT ON VIEW analytics.company_activity_flow IS 'Activities of a day with a company; the kinds are measures.';

CREATE VIEW analytics.company_flow WITH (security_barrier) AS
SELECT tenant_id, owner_id, created_day AS day, 1::bigint AS created
  FROM companies WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL;

COMMENT ON VIEW analytics.company_flow IS 'Companies by the day they were created and their owner.';

CREATE VIEW analytics.companies_with_deals WITH (security_barrier) AS
SELECT c.tenant_id, c.owner_id, c.id AS company_id
  FROM companies c
 WHERE c.tenant_id = app.tenant_id() AND c.deleted_at IS NULL
   AND EXISTS (SELECT FROM deals d WHERE d.tenant_id = c.tenant_id AND d.tenant_id = app.tenant_id()
                                     AND d.company_id = c.id AND d.deleted_at IS NULL);

COMMENT ON VIEW analytics.companies_with_deals IS 'Companies that have at least one deal, whoever owns it.';

CREATE VIEW analytics.open_tasks WITH (security_barrier) AS
SELECT tenant_id, owner_id, due_at, due_day, 1::bigint AS tasks
  FROM tasks WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL AND completed_at IS NULL;

COMMENT ON VIEW analytics.open_tasks IS 'Tasks not done yet; a bounded, indexed scan.';

GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO gateway;

-- Half-open ranges [from_day, to_day) of whole tenant-local days around a tenant's today; a week begins on Monday.
CREATE FUNCTION app.period_presets(today date) RETURNS TABLE (preset text, from_day date, to_day date)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT p.preset, p.from_day::date, p.to_day::date
      FROM (VALUES
        ('today', today, today + 1),
        ('last_7_days', today - 6, today + 1),
        ('last_30_days', today - 29, today + 1),
        ('last_90_days', today - 89, today + 1),
        ('this_month', date_trunc('month', today::timestamp), date_trunc('month', today::timestamp) + interval '1 month'),
        ('last_month', date_trunc('month', today::timestamp) - interval '1 month', date_trunc('month', today::timestamp)),
        ('this_quarter', date_trunc('quarter', today::timestamp), date_trunc('quarter', today::timestamp) + interval '3 months'),
        ('last_quarter', date_trunc('quarter', today::timestamp) - interval '3 months', date_trunc('quarter', today::timestamp)),
        ('this_year', date_trunc('year', today::timestamp), date_trunc('year', today::timestamp) + interval '1 year'),
        ('last_year', date_trunc('year', today::timestamp) - interval '1 year', date_trunc('year', today::timestamp))
      ) AS p (preset, from_day, to_day);
  END;

-- The intervals ('day', 'week', 'month', 'quarter') that meet [from_day, to_day), oldest first; without a period, the last
-- twelve up to the one of today. The whole range stands on every row. A driver may send the calendar's last day as
-- infinity, where no series ends, hence `least`.
CREATE FUNCTION app.intervals(unit text, from_day date, to_day date, today date)
  RETURNS TABLE (start date, range_from date, range_to date)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT i::date, r.from_day, r.to_day
      FROM (SELECT CASE unit WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || unit)::interval END AS step) AS s,
           LATERAL (SELECT coalesce(from_day, (date_trunc(unit, today::timestamp) - 11 * s.step)::date) AS from_day,
                           least(coalesce(to_day, (date_trunc(unit, today::timestamp) + s.step)::date), date '9999-12-31') AS to_day) AS r,
           generate_series(date_trunc(unit, r.from_day::timestamp), r.to_day - interval '1 day', s.step) AS i;
  END;

GRANT EXECUTE ON FUNCTION app.period_presets(date), app.intervals(text, date, date, date) TO gateway, worker;
