-- Live views tell changes from what the last refresh computed. As rendered, but that only the views are new: bases, triggers and
-- what is pending stay as they are.
SET ROLE rollup_owner;

CREATE OR REPLACE VIEW analytics.deal_state WITH (security_barrier) AS
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days, changed FROM (
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days, false AS changed FROM rollup.deal_state_base
UNION ALL
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days, true AS changed FROM rollup.deal_state_pending
UNION ALL
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days, true AS changed FROM rollup.deal_state_delta
) AS branch WHERE tenant_id = app.tenant_id();

UPDATE rollup.registry SET fingerprint = 'c99b078c50f44e15' WHERE name = 'deal_state';

CREATE OR REPLACE VIEW analytics.deal_flow WITH (security_barrier) AS
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, changed FROM (
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, false AS changed FROM rollup.deal_flow_base
UNION ALL
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, true AS changed FROM rollup.deal_flow_pending
UNION ALL
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, true AS changed FROM rollup.deal_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

UPDATE rollup.registry SET fingerprint = '20d31d8eb01bc733' WHERE name = 'deal_flow';

CREATE OR REPLACE VIEW analytics.owner_deal_flow WITH (security_barrier) AS
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, changed FROM (
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, false AS changed FROM rollup.owner_deal_flow_base
UNION ALL
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, true AS changed FROM rollup.owner_deal_flow_pending
UNION ALL
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, true AS changed FROM rollup.owner_deal_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

UPDATE rollup.registry SET fingerprint = 'da56c1a1358fd4e5' WHERE name = 'owner_deal_flow';

CREATE OR REPLACE VIEW analytics.deal_forecast WITH (security_barrier) AS
SELECT tenant_id, day, stage_id, deals, value, changed FROM (
SELECT tenant_id, day, stage_id, deals, value, false AS changed FROM rollup.deal_forecast_base
UNION ALL
SELECT tenant_id, day, stage_id, deals, value, true AS changed FROM rollup.deal_forecast_pending
UNION ALL
SELECT tenant_id, day, stage_id, deals, value, true AS changed FROM rollup.deal_forecast_delta
) AS branch WHERE tenant_id = app.tenant_id();

UPDATE rollup.registry SET fingerprint = '8ccc51f0c50e3d2a' WHERE name = 'deal_forecast';

CREATE OR REPLACE VIEW analytics.company_deals WITH (security_barrier) AS
SELECT tenant_id, company_id, deals, changed FROM (
SELECT tenant_id, company_id, deals, false AS changed FROM rollup.company_deals_base
UNION ALL
SELECT tenant_id, company_id, deals, true AS changed FROM rollup.company_deals_pending
UNION ALL
SELECT tenant_id, company_id, deals, true AS changed FROM rollup.company_deals_delta
) AS branch WHERE tenant_id = app.tenant_id();

UPDATE rollup.registry SET fingerprint = '34cbf9affd7eba85' WHERE name = 'company_deals';

CREATE OR REPLACE VIEW analytics.stage_flow WITH (security_barrier) AS
SELECT tenant_id, day, stage_id, entered, departed, changed FROM (
SELECT tenant_id, day, stage_id, entered, departed, false AS changed FROM rollup.stage_flow_base
UNION ALL
SELECT tenant_id, day, stage_id, entered, departed, true AS changed FROM rollup.stage_flow_pending
UNION ALL
SELECT tenant_id, day, stage_id, entered, departed, true AS changed FROM rollup.stage_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

UPDATE rollup.registry SET fingerprint = '817c07ba7e19c737' WHERE name = 'stage_flow';

CREATE OR REPLACE VIEW analytics.activity_flow WITH (security_barrier) AS
SELECT tenant_id, day, calls, emails, meetings, notes, changed FROM (
SELECT tenant_id, day, calls, emails, meetings, notes, false AS changed FROM rollup.activity_flow_base
UNION ALL
SELECT tenant_id, day, calls, emails, meetings, notes, true AS changed FROM rollup.activity_flow_pending
UNION ALL
SELECT tenant_id, day, calls, emails, meetings, notes, true AS changed FROM rollup.activity_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

UPDATE rollup.registry SET fingerprint = '37044887347ab86a' WHERE name = 'activity_flow';

CREATE OR REPLACE VIEW analytics.company_flow WITH (security_barrier) AS
SELECT tenant_id, day, created, changed FROM (
SELECT tenant_id, day, created, false AS changed FROM rollup.company_flow_base
UNION ALL
SELECT tenant_id, day, created, true AS changed FROM rollup.company_flow_pending
UNION ALL
SELECT tenant_id, day, created, true AS changed FROM rollup.company_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

UPDATE rollup.registry SET fingerprint = 'b27a4ffdcc6c4f13' WHERE name = 'company_flow';

CREATE OR REPLACE VIEW analytics.task_agenda WITH (security_barrier) AS
SELECT tenant_id, day, tasks, changed FROM (
SELECT tenant_id, day, tasks, false AS changed FROM rollup.task_agenda_base
UNION ALL
SELECT tenant_id, day, tasks, true AS changed FROM rollup.task_agenda_pending
UNION ALL
SELECT tenant_id, day, tasks, true AS changed FROM rollup.task_agenda_delta
) AS branch WHERE tenant_id = app.tenant_id();

UPDATE rollup.registry SET fingerprint = '0b757295eaec4fe3' WHERE name = 'task_agenda';

RESET ROLE;
