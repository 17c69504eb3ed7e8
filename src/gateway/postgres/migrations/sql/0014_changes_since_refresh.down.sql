SET ROLE rollup_owner;

DROP VIEW analytics.deal_state;

CREATE VIEW analytics.deal_state WITH (security_barrier) AS
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days FROM (
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days FROM rollup.deal_state_base
UNION ALL
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days FROM rollup.deal_state_pending
UNION ALL
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days FROM rollup.deal_state_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.deal_state IS 'Deals as they stand now, by stage and owner. created_days: sum of creation days, counted from 2000-01-01; cycle_days: sum of days from creation to close.';

GRANT SELECT ON analytics.deal_state TO gateway;

UPDATE rollup.registry SET fingerprint = 'b15e244dde4218ee' WHERE name = 'deal_state';

DROP VIEW analytics.deal_flow;

CREATE VIEW analytics.deal_flow WITH (security_barrier) AS
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days FROM (
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days FROM rollup.deal_flow_base
UNION ALL
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days FROM rollup.deal_flow_pending
UNION ALL
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days FROM rollup.deal_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.deal_flow IS 'What happened to deals on a day: created, won, lost, by pipeline.';

GRANT SELECT ON analytics.deal_flow TO gateway;

UPDATE rollup.registry SET fingerprint = 'db52356e2eec6100' WHERE name = 'deal_flow';

DROP VIEW analytics.owner_deal_flow;

CREATE VIEW analytics.owner_deal_flow WITH (security_barrier) AS
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days FROM (
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days FROM rollup.owner_deal_flow_base
UNION ALL
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days FROM rollup.owner_deal_flow_pending
UNION ALL
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days FROM rollup.owner_deal_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.owner_deal_flow IS 'What happened to deals on a day: created, won, lost, by owner and pipeline.';

GRANT SELECT ON analytics.owner_deal_flow TO gateway;

UPDATE rollup.registry SET fingerprint = '52c5281241b5d912' WHERE name = 'owner_deal_flow';

DROP VIEW analytics.deal_forecast;

CREATE VIEW analytics.deal_forecast WITH (security_barrier) AS
SELECT tenant_id, day, stage_id, deals, value FROM (
SELECT tenant_id, day, stage_id, deals, value FROM rollup.deal_forecast_base
UNION ALL
SELECT tenant_id, day, stage_id, deals, value FROM rollup.deal_forecast_pending
UNION ALL
SELECT tenant_id, day, stage_id, deals, value FROM rollup.deal_forecast_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.deal_forecast IS 'Open deals by the day on which they are expected to close, by stage.';

GRANT SELECT ON analytics.deal_forecast TO gateway;

UPDATE rollup.registry SET fingerprint = 'bcbf636364c8fd93' WHERE name = 'deal_forecast';

DROP VIEW analytics.company_deals;

CREATE VIEW analytics.company_deals WITH (security_barrier) AS
SELECT tenant_id, company_id, deals FROM (
SELECT tenant_id, company_id, deals FROM rollup.company_deals_base
UNION ALL
SELECT tenant_id, company_id, deals FROM rollup.company_deals_pending
UNION ALL
SELECT tenant_id, company_id, deals FROM rollup.company_deals_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.company_deals IS 'How many deals a company has; company 0 stands for none.';

GRANT SELECT ON analytics.company_deals TO gateway;

UPDATE rollup.registry SET fingerprint = '240f44eab2eaca77' WHERE name = 'company_deals';

DROP VIEW analytics.stage_flow;

CREATE VIEW analytics.stage_flow WITH (security_barrier) AS
SELECT tenant_id, day, stage_id, entered, departed FROM (
SELECT tenant_id, day, stage_id, entered, departed FROM rollup.stage_flow_base
UNION ALL
SELECT tenant_id, day, stage_id, entered, departed FROM rollup.stage_flow_pending
UNION ALL
SELECT tenant_id, day, stage_id, entered, departed FROM rollup.stage_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.stage_flow IS 'How many times deals entered and departed from a stage on a day.';

GRANT SELECT ON analytics.stage_flow TO gateway;

UPDATE rollup.registry SET fingerprint = '905f7c692764b793' WHERE name = 'stage_flow';

DROP VIEW analytics.activity_flow;

CREATE VIEW analytics.activity_flow WITH (security_barrier) AS
SELECT tenant_id, day, calls, emails, meetings, notes FROM (
SELECT tenant_id, day, calls, emails, meetings, notes FROM rollup.activity_flow_base
UNION ALL
SELECT tenant_id, day, calls, emails, meetings, notes FROM rollup.activity_flow_pending
UNION ALL
SELECT tenant_id, day, calls, emails, meetings, notes FROM rollup.activity_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.activity_flow IS 'Activities of a day; the kinds are measures.';

GRANT SELECT ON analytics.activity_flow TO gateway;

UPDATE rollup.registry SET fingerprint = 'bdae16bb0ebedaf4' WHERE name = 'activity_flow';

DROP VIEW analytics.company_flow;

CREATE VIEW analytics.company_flow WITH (security_barrier) AS
SELECT tenant_id, day, created FROM (
SELECT tenant_id, day, created FROM rollup.company_flow_base
UNION ALL
SELECT tenant_id, day, created FROM rollup.company_flow_pending
UNION ALL
SELECT tenant_id, day, created FROM rollup.company_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.company_flow IS 'Companies by the day they were created.';

GRANT SELECT ON analytics.company_flow TO gateway;

UPDATE rollup.registry SET fingerprint = 'ecb8dc061c7283e0' WHERE name = 'company_flow';

DROP VIEW analytics.task_agenda;

CREATE VIEW analytics.task_agenda WITH (security_barrier) AS
SELECT tenant_id, day, tasks FROM (
SELECT tenant_id, day, tasks FROM rollup.task_agenda_base
UNION ALL
SELECT tenant_id, day, tasks FROM rollup.task_agenda_pending
UNION ALL
SELECT tenant_id, day, tasks FROM rollup.task_agenda_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.task_agenda IS 'Open tasks by the day on which they are due; those without one stand on 9999-12-31, which is never over.';

GRANT SELECT ON analytics.task_agenda TO gateway;

UPDATE rollup.registry SET fingerprint = '586d61e02d244d86' WHERE name = 'task_agenda';

RESET ROLE;
