DROP TRIGGER rollup_insert ON public.deals;

DROP TRIGGER rollup_update ON public.deals;

DROP TRIGGER rollup_delete ON public.deals;

DROP TRIGGER rollup_truncate ON public.deals;

DROP FUNCTION rollup.deals_insert(), rollup.deals_update(), rollup.deals_delete();

DROP TRIGGER rollup_insert ON public.deal_stage_history;

DROP TRIGGER rollup_update ON public.deal_stage_history;

DROP TRIGGER rollup_delete ON public.deal_stage_history;

DROP TRIGGER rollup_truncate ON public.deal_stage_history;

DROP FUNCTION rollup.deal_stage_history_insert(), rollup.deal_stage_history_update(), rollup.deal_stage_history_delete();

DROP TRIGGER rollup_insert ON public.activities;

DROP TRIGGER rollup_update ON public.activities;

DROP TRIGGER rollup_delete ON public.activities;

DROP TRIGGER rollup_truncate ON public.activities;

DROP FUNCTION rollup.activities_insert(), rollup.activities_update(), rollup.activities_delete();

DROP TRIGGER rollup_insert ON public.companies;

DROP TRIGGER rollup_update ON public.companies;

DROP TRIGGER rollup_delete ON public.companies;

DROP TRIGGER rollup_truncate ON public.companies;

DROP FUNCTION rollup.companies_insert(), rollup.companies_update(), rollup.companies_delete();

DELETE FROM rollup.registry WHERE name = 'company_flow';

DROP VIEW analytics.company_flow;

DROP TABLE rollup.company_flow_pending, rollup.company_flow_delta;

DROP MATERIALIZED VIEW rollup.company_flow_base;

DELETE FROM rollup.registry WHERE name = 'activity_flow';

DROP VIEW analytics.activity_flow;

DROP TABLE rollup.activity_flow_pending, rollup.activity_flow_delta;

DROP MATERIALIZED VIEW rollup.activity_flow_base;

DELETE FROM rollup.registry WHERE name = 'stage_flow';

DROP VIEW analytics.stage_flow;

DROP TABLE rollup.stage_flow_pending, rollup.stage_flow_delta;

DROP MATERIALIZED VIEW rollup.stage_flow_base;

DELETE FROM rollup.registry WHERE name = 'company_deals';

DROP VIEW analytics.company_deals;

DROP TABLE rollup.company_deals_pending, rollup.company_deals_delta;

DROP MATERIALIZED VIEW rollup.company_deals_base;

DELETE FROM rollup.registry WHERE name = 'deal_forecast';

DROP VIEW analytics.deal_forecast;

DROP TABLE rollup.deal_forecast_pending, rollup.deal_forecast_delta;

DROP MATERIALIZED VIEW rollup.deal_forecast_base;

DELETE FROM rollup.registry WHERE name = 'owner_deal_flow';

DROP VIEW analytics.owner_deal_flow;

DROP TABLE rollup.owner_deal_flow_pending, rollup.owner_deal_flow_delta;

DROP MATERIALIZED VIEW rollup.owner_deal_flow_base;

DELETE FROM rollup.registry WHERE name = 'deal_flow';

DROP VIEW analytics.deal_flow;

DROP TABLE rollup.deal_flow_pending, rollup.deal_flow_delta;

DROP MATERIALIZED VIEW rollup.deal_flow_base;

DELETE FROM rollup.registry WHERE name = 'deal_state';

DROP VIEW analytics.deal_state;

DROP TABLE rollup.deal_state_pending, rollup.deal_state_delta;

DROP MATERIALIZED VIEW rollup.deal_state_base;

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

CREATE VIEW analytics.activity_flow WITH (security_barrier) AS
SELECT tenant_id, owner_id, occurred_day AS day, (kind = 'call')::int::bigint AS calls, (kind = 'email')::int::bigint AS emails,
       (kind = 'meeting')::int::bigint AS meetings, (kind = 'note')::int::bigint AS notes
  FROM activities WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL;

COMMENT ON VIEW analytics.activity_flow IS 'Activities of a day by owner; the kinds are measures.';

CREATE VIEW analytics.company_flow WITH (security_barrier) AS
SELECT tenant_id, owner_id, created_day AS day, 1::bigint AS created
  FROM companies WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL;

COMMENT ON VIEW analytics.company_flow IS 'Companies by the day they were created and their owner.';

GRANT SELECT ON analytics.deal_state, analytics.deal_flow, analytics.activity_flow, analytics.company_flow TO gateway;
