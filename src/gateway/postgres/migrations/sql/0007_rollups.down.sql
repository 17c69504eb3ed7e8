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
