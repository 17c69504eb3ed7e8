LOCK TABLE public.activities, public.companies, public.deal_stage_history, public.deals, public.tasks IN SHARE ROW EXCLUSIVE MODE;

SET ROLE rollup_owner;

CREATE TABLE rollup.deal_state_delta (
  tenant_id bigint NOT NULL,
  pipeline_id bigint NOT NULL,
  stage_id bigint NOT NULL,
  owner_id bigint NOT NULL,
  deals bigint NOT NULL DEFAULT 0,
  value numeric NOT NULL DEFAULT 0,
  created_days bigint NOT NULL DEFAULT 0,
  cycle_days bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE INDEX ON rollup.deal_state_delta (tenant_id);

CREATE TABLE rollup.deal_state_pending (
  tenant_id bigint NOT NULL,
  pipeline_id bigint NOT NULL,
  stage_id bigint NOT NULL,
  owner_id bigint NOT NULL,
  deals bigint NOT NULL DEFAULT 0,
  value numeric NOT NULL DEFAULT 0,
  created_days bigint NOT NULL DEFAULT 0,
  cycle_days bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, pipeline_id, stage_id, owner_id)
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE MATERIALIZED VIEW rollup.deal_state_base AS
SELECT tenant_id, pipeline_id, stage_id, owner_id, sum(deals)::bigint AS deals, sum(value)::numeric AS value, sum(created_days)::bigint AS created_days, sum(cycle_days)::bigint AS cycle_days
  FROM (SELECT tenant_id, pipeline_id, stage_id, owner_id, 1 AS deals, coalesce(amount, 0) AS value, coalesce(created_day - date '2000-01-01', 0) AS created_days, coalesce(closed_day - created_day, 0) AS cycle_days FROM public.deals WHERE deleted_at IS NULL) AS contribution
 GROUP BY tenant_id, pipeline_id, stage_id, owner_id
 ORDER BY tenant_id, pipeline_id, stage_id, owner_id;

CREATE UNIQUE INDEX ON rollup.deal_state_base (tenant_id, pipeline_id, stage_id, owner_id);

ANALYZE rollup.deal_state_base;

CREATE VIEW analytics.deal_state WITH (security_barrier) AS
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days, changed FROM (
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days, false AS changed FROM rollup.deal_state_base
UNION ALL
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days, true AS changed FROM rollup.deal_state_pending
UNION ALL
SELECT tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days, true AS changed FROM rollup.deal_state_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.deal_state IS 'Deals as they stand now, by stage and owner. created_days: sum of creation days, counted from 2000-01-01; cycle_days: sum of days from creation to close.';

GRANT SELECT ON analytics.deal_state TO gateway;

INSERT INTO rollup.registry (name, base_table, fingerprint, home, base_groups)
SELECT 'deal_state', 'deals', 'c99b078c50f44e15', rollup.home('deal_state'),
       count(*) FROM rollup.deal_state_base;

CREATE TABLE rollup.deal_flow_delta (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  pipeline_id bigint NOT NULL,
  created bigint NOT NULL DEFAULT 0,
  won bigint NOT NULL DEFAULT 0,
  lost bigint NOT NULL DEFAULT 0,
  won_value numeric NOT NULL DEFAULT 0,
  lost_value numeric NOT NULL DEFAULT 0,
  won_cycle_days bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE INDEX ON rollup.deal_flow_delta (tenant_id);

CREATE TABLE rollup.deal_flow_pending (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  pipeline_id bigint NOT NULL,
  created bigint NOT NULL DEFAULT 0,
  won bigint NOT NULL DEFAULT 0,
  lost bigint NOT NULL DEFAULT 0,
  won_value numeric NOT NULL DEFAULT 0,
  lost_value numeric NOT NULL DEFAULT 0,
  won_cycle_days bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day, pipeline_id)
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE MATERIALIZED VIEW rollup.deal_flow_base AS
SELECT tenant_id, day, pipeline_id, sum(created)::bigint AS created, sum(won)::bigint AS won, sum(lost)::bigint AS lost, sum(won_value)::numeric AS won_value, sum(lost_value)::numeric AS lost_value, sum(won_cycle_days)::bigint AS won_cycle_days
  FROM (SELECT tenant_id, created_day AS day, pipeline_id, 1 AS created, 0 AS won, 0 AS lost, 0 AS won_value, 0 AS lost_value, 0 AS won_cycle_days FROM public.deals WHERE deleted_at IS NULL
        UNION ALL SELECT tenant_id, closed_day AS day, pipeline_id, 0 AS created, CASE WHEN outcome = 'won' THEN 1 ELSE 0 END AS won, CASE WHEN outcome = 'lost' THEN 1 ELSE 0 END AS lost, CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END AS won_value, CASE WHEN outcome = 'lost' THEN coalesce(amount, 0) ELSE 0 END AS lost_value, CASE WHEN outcome = 'won' THEN coalesce(closed_day - created_day, 0) ELSE 0 END AS won_cycle_days FROM public.deals WHERE deleted_at IS NULL AND closed_day IS NOT NULL) AS contribution
 GROUP BY tenant_id, day, pipeline_id
 ORDER BY tenant_id, day, pipeline_id;

CREATE UNIQUE INDEX ON rollup.deal_flow_base (tenant_id, day, pipeline_id);

ANALYZE rollup.deal_flow_base;

CREATE VIEW analytics.deal_flow WITH (security_barrier) AS
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, changed FROM (
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, false AS changed FROM rollup.deal_flow_base
UNION ALL
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, true AS changed FROM rollup.deal_flow_pending
UNION ALL
SELECT tenant_id, day, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, true AS changed FROM rollup.deal_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.deal_flow IS 'What happened to deals on a day: created, won, lost, by pipeline.';

GRANT SELECT ON analytics.deal_flow TO gateway;

INSERT INTO rollup.registry (name, base_table, fingerprint, home, base_groups)
SELECT 'deal_flow', 'deals', '20d31d8eb01bc733', rollup.home('deal_flow'),
       count(*) FROM rollup.deal_flow_base;

CREATE TABLE rollup.owner_deal_flow_delta (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  owner_id bigint NOT NULL,
  pipeline_id bigint NOT NULL,
  created bigint NOT NULL DEFAULT 0,
  won bigint NOT NULL DEFAULT 0,
  lost bigint NOT NULL DEFAULT 0,
  won_value numeric NOT NULL DEFAULT 0,
  lost_value numeric NOT NULL DEFAULT 0,
  won_cycle_days bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE INDEX ON rollup.owner_deal_flow_delta (tenant_id);

CREATE TABLE rollup.owner_deal_flow_pending (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  owner_id bigint NOT NULL,
  pipeline_id bigint NOT NULL,
  created bigint NOT NULL DEFAULT 0,
  won bigint NOT NULL DEFAULT 0,
  lost bigint NOT NULL DEFAULT 0,
  won_value numeric NOT NULL DEFAULT 0,
  lost_value numeric NOT NULL DEFAULT 0,
  won_cycle_days bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day, owner_id, pipeline_id)
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE MATERIALIZED VIEW rollup.owner_deal_flow_base AS
SELECT tenant_id, day, owner_id, pipeline_id, sum(created)::bigint AS created, sum(won)::bigint AS won, sum(lost)::bigint AS lost, sum(won_value)::numeric AS won_value, sum(lost_value)::numeric AS lost_value, sum(won_cycle_days)::bigint AS won_cycle_days
  FROM (SELECT tenant_id, created_day AS day, owner_id, pipeline_id, 1 AS created, 0 AS won, 0 AS lost, 0 AS won_value, 0 AS lost_value, 0 AS won_cycle_days FROM public.deals WHERE deleted_at IS NULL
        UNION ALL SELECT tenant_id, closed_day AS day, owner_id, pipeline_id, 0 AS created, CASE WHEN outcome = 'won' THEN 1 ELSE 0 END AS won, CASE WHEN outcome = 'lost' THEN 1 ELSE 0 END AS lost, CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END AS won_value, CASE WHEN outcome = 'lost' THEN coalesce(amount, 0) ELSE 0 END AS lost_value, CASE WHEN outcome = 'won' THEN coalesce(closed_day - created_day, 0) ELSE 0 END AS won_cycle_days FROM public.deals WHERE deleted_at IS NULL AND closed_day IS NOT NULL) AS contribution
 GROUP BY tenant_id, day, owner_id, pipeline_id
 ORDER BY tenant_id, day, owner_id, pipeline_id;

CREATE UNIQUE INDEX ON rollup.owner_deal_flow_base (tenant_id, day, owner_id, pipeline_id);

CREATE INDEX ON rollup.owner_deal_flow_base (tenant_id, owner_id, day);

ANALYZE rollup.owner_deal_flow_base;

CREATE VIEW analytics.owner_deal_flow WITH (security_barrier) AS
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, changed FROM (
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, false AS changed FROM rollup.owner_deal_flow_base
UNION ALL
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, true AS changed FROM rollup.owner_deal_flow_pending
UNION ALL
SELECT tenant_id, day, owner_id, pipeline_id, created, won, lost, won_value, lost_value, won_cycle_days, true AS changed FROM rollup.owner_deal_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.owner_deal_flow IS 'What happened to deals on a day: created, won, lost, by owner and pipeline.';

GRANT SELECT ON analytics.owner_deal_flow TO gateway;

INSERT INTO rollup.registry (name, base_table, fingerprint, home, base_groups)
SELECT 'owner_deal_flow', 'deals', 'da56c1a1358fd4e5', rollup.home('owner_deal_flow'),
       count(*) FROM rollup.owner_deal_flow_base;

CREATE TABLE rollup.deal_forecast_delta (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  stage_id bigint NOT NULL,
  deals bigint NOT NULL DEFAULT 0,
  value numeric NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE INDEX ON rollup.deal_forecast_delta (tenant_id);

CREATE TABLE rollup.deal_forecast_pending (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  stage_id bigint NOT NULL,
  deals bigint NOT NULL DEFAULT 0,
  value numeric NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day, stage_id)
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE MATERIALIZED VIEW rollup.deal_forecast_base AS
SELECT tenant_id, day, stage_id, sum(deals)::bigint AS deals, sum(value)::numeric AS value
  FROM (SELECT tenant_id, expected_close AS day, stage_id, 1 AS deals, coalesce(amount, 0) AS value FROM public.deals WHERE deleted_at IS NULL AND outcome = 'open' AND expected_close IS NOT NULL) AS contribution
 GROUP BY tenant_id, day, stage_id
 ORDER BY tenant_id, day, stage_id;

CREATE UNIQUE INDEX ON rollup.deal_forecast_base (tenant_id, day, stage_id);

ANALYZE rollup.deal_forecast_base;

CREATE VIEW analytics.deal_forecast WITH (security_barrier) AS
SELECT tenant_id, day, stage_id, deals, value, changed FROM (
SELECT tenant_id, day, stage_id, deals, value, false AS changed FROM rollup.deal_forecast_base
UNION ALL
SELECT tenant_id, day, stage_id, deals, value, true AS changed FROM rollup.deal_forecast_pending
UNION ALL
SELECT tenant_id, day, stage_id, deals, value, true AS changed FROM rollup.deal_forecast_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.deal_forecast IS 'Open deals by the day on which they are expected to close, by stage.';

GRANT SELECT ON analytics.deal_forecast TO gateway;

INSERT INTO rollup.registry (name, base_table, fingerprint, home, base_groups)
SELECT 'deal_forecast', 'deals', '8ccc51f0c50e3d2a', rollup.home('deal_forecast'),
       count(*) FROM rollup.deal_forecast_base;

CREATE TABLE rollup.company_deals_delta (
  tenant_id bigint NOT NULL,
  company_id bigint NOT NULL,
  deals bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE INDEX ON rollup.company_deals_delta (tenant_id);

CREATE TABLE rollup.company_deals_pending (
  tenant_id bigint NOT NULL,
  company_id bigint NOT NULL,
  deals bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, company_id)
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE MATERIALIZED VIEW rollup.company_deals_base AS
SELECT tenant_id, company_id, sum(deals)::bigint AS deals
  FROM (SELECT tenant_id, coalesce(company_id, 0) AS company_id, 1 AS deals FROM public.deals WHERE deleted_at IS NULL) AS contribution
 GROUP BY tenant_id, company_id
 ORDER BY tenant_id, company_id;

CREATE UNIQUE INDEX ON rollup.company_deals_base (tenant_id, company_id);

ANALYZE rollup.company_deals_base;

CREATE VIEW analytics.company_deals WITH (security_barrier) AS
SELECT tenant_id, company_id, deals, changed FROM (
SELECT tenant_id, company_id, deals, false AS changed FROM rollup.company_deals_base
UNION ALL
SELECT tenant_id, company_id, deals, true AS changed FROM rollup.company_deals_pending
UNION ALL
SELECT tenant_id, company_id, deals, true AS changed FROM rollup.company_deals_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.company_deals IS 'How many deals a company has; company 0 stands for none.';

GRANT SELECT ON analytics.company_deals TO gateway;

INSERT INTO rollup.registry (name, base_table, fingerprint, home, base_groups)
SELECT 'company_deals', 'deals', '34cbf9affd7eba85', rollup.home('company_deals'),
       count(*) FROM rollup.company_deals_base;

CREATE TABLE rollup.stage_flow_delta (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  stage_id bigint NOT NULL,
  entered bigint NOT NULL DEFAULT 0,
  departed bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE INDEX ON rollup.stage_flow_delta (tenant_id);

CREATE TABLE rollup.stage_flow_pending (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  stage_id bigint NOT NULL,
  entered bigint NOT NULL DEFAULT 0,
  departed bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day, stage_id)
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE MATERIALIZED VIEW rollup.stage_flow_base AS
SELECT tenant_id, day, stage_id, sum(entered)::bigint AS entered, sum(departed)::bigint AS departed
  FROM (SELECT tenant_id, moved_day AS day, to_stage_id AS stage_id, 1 AS entered, 0 AS departed FROM public.deal_stage_history WHERE NOT deal_deleted
        UNION ALL SELECT tenant_id, moved_day AS day, from_stage_id AS stage_id, 0 AS entered, 1 AS departed FROM public.deal_stage_history WHERE NOT deal_deleted AND from_stage_id IS NOT NULL) AS contribution
 GROUP BY tenant_id, day, stage_id
 ORDER BY tenant_id, day, stage_id;

CREATE UNIQUE INDEX ON rollup.stage_flow_base (tenant_id, day, stage_id);

ANALYZE rollup.stage_flow_base;

CREATE VIEW analytics.stage_flow WITH (security_barrier) AS
SELECT tenant_id, day, stage_id, entered, departed, changed FROM (
SELECT tenant_id, day, stage_id, entered, departed, false AS changed FROM rollup.stage_flow_base
UNION ALL
SELECT tenant_id, day, stage_id, entered, departed, true AS changed FROM rollup.stage_flow_pending
UNION ALL
SELECT tenant_id, day, stage_id, entered, departed, true AS changed FROM rollup.stage_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.stage_flow IS 'How many times deals entered and departed from a stage on a day.';

GRANT SELECT ON analytics.stage_flow TO gateway;

INSERT INTO rollup.registry (name, base_table, fingerprint, home, base_groups)
SELECT 'stage_flow', 'deal_stage_history', '817c07ba7e19c737', rollup.home('stage_flow'),
       count(*) FROM rollup.stage_flow_base;

CREATE TABLE rollup.activity_flow_delta (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  calls bigint NOT NULL DEFAULT 0,
  emails bigint NOT NULL DEFAULT 0,
  meetings bigint NOT NULL DEFAULT 0,
  notes bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE INDEX ON rollup.activity_flow_delta (tenant_id);

CREATE TABLE rollup.activity_flow_pending (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  calls bigint NOT NULL DEFAULT 0,
  emails bigint NOT NULL DEFAULT 0,
  meetings bigint NOT NULL DEFAULT 0,
  notes bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day)
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE MATERIALIZED VIEW rollup.activity_flow_base AS
SELECT tenant_id, day, sum(calls)::bigint AS calls, sum(emails)::bigint AS emails, sum(meetings)::bigint AS meetings, sum(notes)::bigint AS notes
  FROM (SELECT tenant_id, occurred_day AS day, CASE WHEN kind = 'call' THEN 1 ELSE 0 END AS calls, CASE WHEN kind = 'email' THEN 1 ELSE 0 END AS emails, CASE WHEN kind = 'meeting' THEN 1 ELSE 0 END AS meetings, CASE WHEN kind = 'note' THEN 1 ELSE 0 END AS notes FROM public.activities WHERE deleted_at IS NULL) AS contribution
 GROUP BY tenant_id, day
 ORDER BY tenant_id, day;

CREATE UNIQUE INDEX ON rollup.activity_flow_base (tenant_id, day);

ANALYZE rollup.activity_flow_base;

CREATE VIEW analytics.activity_flow WITH (security_barrier) AS
SELECT tenant_id, day, calls, emails, meetings, notes, changed FROM (
SELECT tenant_id, day, calls, emails, meetings, notes, false AS changed FROM rollup.activity_flow_base
UNION ALL
SELECT tenant_id, day, calls, emails, meetings, notes, true AS changed FROM rollup.activity_flow_pending
UNION ALL
SELECT tenant_id, day, calls, emails, meetings, notes, true AS changed FROM rollup.activity_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.activity_flow IS 'Activities of a day; the kinds are measures.';

GRANT SELECT ON analytics.activity_flow TO gateway;

INSERT INTO rollup.registry (name, base_table, fingerprint, home, base_groups)
SELECT 'activity_flow', 'activities', '37044887347ab86a', rollup.home('activity_flow'),
       count(*) FROM rollup.activity_flow_base;

CREATE TABLE rollup.company_flow_delta (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  created bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE INDEX ON rollup.company_flow_delta (tenant_id);

CREATE TABLE rollup.company_flow_pending (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  created bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day)
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE MATERIALIZED VIEW rollup.company_flow_base AS
SELECT tenant_id, day, sum(created)::bigint AS created
  FROM (SELECT tenant_id, created_day AS day, 1 AS created FROM public.companies WHERE deleted_at IS NULL) AS contribution
 GROUP BY tenant_id, day
 ORDER BY tenant_id, day;

CREATE UNIQUE INDEX ON rollup.company_flow_base (tenant_id, day);

ANALYZE rollup.company_flow_base;

CREATE VIEW analytics.company_flow WITH (security_barrier) AS
SELECT tenant_id, day, created, changed FROM (
SELECT tenant_id, day, created, false AS changed FROM rollup.company_flow_base
UNION ALL
SELECT tenant_id, day, created, true AS changed FROM rollup.company_flow_pending
UNION ALL
SELECT tenant_id, day, created, true AS changed FROM rollup.company_flow_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.company_flow IS 'Companies by the day they were created.';

GRANT SELECT ON analytics.company_flow TO gateway;

INSERT INTO rollup.registry (name, base_table, fingerprint, home, base_groups)
SELECT 'company_flow', 'companies', 'b27a4ffdcc6c4f13', rollup.home('company_flow'),
       count(*) FROM rollup.company_flow_base;

CREATE TABLE rollup.task_agenda_delta (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  tasks bigint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE INDEX ON rollup.task_agenda_delta (tenant_id);

CREATE TABLE rollup.task_agenda_pending (
  tenant_id bigint NOT NULL,
  day date NOT NULL,
  tasks bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, day)
) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);

CREATE MATERIALIZED VIEW rollup.task_agenda_base AS
SELECT tenant_id, day, sum(tasks)::bigint AS tasks
  FROM (SELECT tenant_id, coalesce(due_day, date '9999-12-31') AS day, 1 AS tasks FROM public.tasks WHERE deleted_at IS NULL AND completed_at IS NULL) AS contribution
 GROUP BY tenant_id, day
 ORDER BY tenant_id, day;

CREATE UNIQUE INDEX ON rollup.task_agenda_base (tenant_id, day);

ANALYZE rollup.task_agenda_base;

CREATE VIEW analytics.task_agenda WITH (security_barrier) AS
SELECT tenant_id, day, tasks, changed FROM (
SELECT tenant_id, day, tasks, false AS changed FROM rollup.task_agenda_base
UNION ALL
SELECT tenant_id, day, tasks, true AS changed FROM rollup.task_agenda_pending
UNION ALL
SELECT tenant_id, day, tasks, true AS changed FROM rollup.task_agenda_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.task_agenda IS 'Open tasks by the day on which they are due; those without one stand on 9999-12-31, which is never over.';

GRANT SELECT ON analytics.task_agenda TO gateway;

INSERT INTO rollup.registry (name, base_table, fingerprint, home, base_groups)
SELECT 'task_agenda', 'tasks', '0b757295eaec4fe3', rollup.home('task_agenda'),
       count(*) FROM rollup.task_agenda_base;

CREATE OR REPLACE FUNCTION rollup.deals_insert() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rollup.deal_state_delta (tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days)
  SELECT tenant_id, pipeline_id, stage_id, owner_id, sum(deals)::bigint AS deals, sum(value)::numeric AS value, sum(created_days)::bigint AS created_days, sum(cycle_days)::bigint AS cycle_days
    FROM (SELECT tenant_id, pipeline_id, stage_id, owner_id, 1 AS deals, coalesce(amount, 0) AS value, coalesce(created_day - date '2000-01-01', 0) AS created_days, coalesce(closed_day - created_day, 0) AS cycle_days FROM new_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, pipeline_id, stage_id, owner_id HAVING sum(deals) <> 0 OR sum(value) <> 0 OR sum(created_days) <> 0 OR sum(cycle_days) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.deal_flow_delta (tenant_id, day, pipeline_id, created)
  SELECT tenant_id, day, pipeline_id, sum(created)::bigint AS created
    FROM (SELECT tenant_id, created_day AS day, pipeline_id, 1 AS created FROM new_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, day, pipeline_id HAVING sum(created) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.deal_flow_delta (tenant_id, day, pipeline_id, won, lost, won_value, lost_value, won_cycle_days)
  SELECT tenant_id, day, pipeline_id, sum(won)::bigint AS won, sum(lost)::bigint AS lost, sum(won_value)::numeric AS won_value, sum(lost_value)::numeric AS lost_value, sum(won_cycle_days)::bigint AS won_cycle_days
    FROM (SELECT tenant_id, closed_day AS day, pipeline_id, CASE WHEN outcome = 'won' THEN 1 ELSE 0 END AS won, CASE WHEN outcome = 'lost' THEN 1 ELSE 0 END AS lost, CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END AS won_value, CASE WHEN outcome = 'lost' THEN coalesce(amount, 0) ELSE 0 END AS lost_value, CASE WHEN outcome = 'won' THEN coalesce(closed_day - created_day, 0) ELSE 0 END AS won_cycle_days FROM new_rows WHERE deleted_at IS NULL AND closed_day IS NOT NULL) AS contribution
   GROUP BY tenant_id, day, pipeline_id HAVING sum(won) <> 0 OR sum(lost) <> 0 OR sum(won_value) <> 0 OR sum(lost_value) <> 0 OR sum(won_cycle_days) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.owner_deal_flow_delta (tenant_id, day, owner_id, pipeline_id, created)
  SELECT tenant_id, day, owner_id, pipeline_id, sum(created)::bigint AS created
    FROM (SELECT tenant_id, created_day AS day, owner_id, pipeline_id, 1 AS created FROM new_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, day, owner_id, pipeline_id HAVING sum(created) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.owner_deal_flow_delta (tenant_id, day, owner_id, pipeline_id, won, lost, won_value, lost_value, won_cycle_days)
  SELECT tenant_id, day, owner_id, pipeline_id, sum(won)::bigint AS won, sum(lost)::bigint AS lost, sum(won_value)::numeric AS won_value, sum(lost_value)::numeric AS lost_value, sum(won_cycle_days)::bigint AS won_cycle_days
    FROM (SELECT tenant_id, closed_day AS day, owner_id, pipeline_id, CASE WHEN outcome = 'won' THEN 1 ELSE 0 END AS won, CASE WHEN outcome = 'lost' THEN 1 ELSE 0 END AS lost, CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END AS won_value, CASE WHEN outcome = 'lost' THEN coalesce(amount, 0) ELSE 0 END AS lost_value, CASE WHEN outcome = 'won' THEN coalesce(closed_day - created_day, 0) ELSE 0 END AS won_cycle_days FROM new_rows WHERE deleted_at IS NULL AND closed_day IS NOT NULL) AS contribution
   GROUP BY tenant_id, day, owner_id, pipeline_id HAVING sum(won) <> 0 OR sum(lost) <> 0 OR sum(won_value) <> 0 OR sum(lost_value) <> 0 OR sum(won_cycle_days) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.deal_forecast_delta (tenant_id, day, stage_id, deals, value)
  SELECT tenant_id, day, stage_id, sum(deals)::bigint AS deals, sum(value)::numeric AS value
    FROM (SELECT tenant_id, expected_close AS day, stage_id, 1 AS deals, coalesce(amount, 0) AS value FROM new_rows WHERE deleted_at IS NULL AND outcome = 'open' AND expected_close IS NOT NULL) AS contribution
   GROUP BY tenant_id, day, stage_id HAVING sum(deals) <> 0 OR sum(value) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.company_deals_delta (tenant_id, company_id, deals)
  SELECT tenant_id, company_id, sum(deals)::bigint AS deals
    FROM (SELECT tenant_id, coalesce(company_id, 0) AS company_id, 1 AS deals FROM new_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, company_id HAVING sum(deals) <> 0 ORDER BY tenant_id;
  PERFORM pg_notify('gateway_changes', tenant_id || ':deals:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM new_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.deals_update() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE changed record;
BEGIN
  SELECT bool_or(n.id IS NULL OR o.id IS NULL) AS identity,
         bool_or(n.amount IS DISTINCT FROM o.amount) AS amount,
         bool_or(n.closed_day IS DISTINCT FROM o.closed_day) AS closed_day,
         bool_or(n.company_id IS DISTINCT FROM o.company_id) AS company_id,
         bool_or(n.created_day IS DISTINCT FROM o.created_day) AS created_day,
         bool_or(n.deleted_at IS DISTINCT FROM o.deleted_at) AS deleted_at,
         bool_or(n.expected_close IS DISTINCT FROM o.expected_close) AS expected_close,
         bool_or(n.outcome IS DISTINCT FROM o.outcome) AS outcome,
         bool_or(n.owner_id IS DISTINCT FROM o.owner_id) AS owner_id,
         bool_or(n.pipeline_id IS DISTINCT FROM o.pipeline_id) AS pipeline_id,
         bool_or(n.stage_id IS DISTINCT FROM o.stage_id) AS stage_id
    INTO changed
    FROM new_rows AS n FULL JOIN old_rows AS o ON n.tenant_id = o.tenant_id AND n.id = o.id;
  IF changed.identity OR changed.amount OR changed.closed_day OR changed.created_day OR changed.deleted_at OR changed.owner_id OR changed.pipeline_id OR changed.stage_id THEN
    INSERT INTO rollup.deal_state_delta (tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days)
    SELECT tenant_id, pipeline_id, stage_id, owner_id, sum(deals)::bigint AS deals, sum(value)::numeric AS value, sum(created_days)::bigint AS created_days, sum(cycle_days)::bigint AS cycle_days
      FROM (SELECT tenant_id, pipeline_id, stage_id, owner_id, 1 AS deals, coalesce(amount, 0) AS value, coalesce(created_day - date '2000-01-01', 0) AS created_days, coalesce(closed_day - created_day, 0) AS cycle_days FROM new_rows WHERE deleted_at IS NULL
            UNION ALL SELECT tenant_id, pipeline_id, stage_id, owner_id, -(1) AS deals, coalesce(-(amount), 0) AS value, coalesce(-(created_day - date '2000-01-01'), 0) AS created_days, coalesce(-(closed_day - created_day), 0) AS cycle_days FROM old_rows WHERE deleted_at IS NULL) AS contribution
     GROUP BY tenant_id, pipeline_id, stage_id, owner_id HAVING sum(deals) <> 0 OR sum(value) <> 0 OR sum(created_days) <> 0 OR sum(cycle_days) <> 0 ORDER BY tenant_id;
  END IF;
  IF changed.identity OR changed.created_day OR changed.deleted_at OR changed.pipeline_id THEN
    INSERT INTO rollup.deal_flow_delta (tenant_id, day, pipeline_id, created)
    SELECT tenant_id, day, pipeline_id, sum(created)::bigint AS created
      FROM (SELECT tenant_id, created_day AS day, pipeline_id, 1 AS created FROM new_rows WHERE deleted_at IS NULL
            UNION ALL SELECT tenant_id, created_day AS day, pipeline_id, -(1) AS created FROM old_rows WHERE deleted_at IS NULL) AS contribution
     GROUP BY tenant_id, day, pipeline_id HAVING sum(created) <> 0 ORDER BY tenant_id;
  END IF;
  IF changed.identity OR changed.amount OR changed.closed_day OR changed.created_day OR changed.deleted_at OR changed.outcome OR changed.pipeline_id THEN
    INSERT INTO rollup.deal_flow_delta (tenant_id, day, pipeline_id, won, lost, won_value, lost_value, won_cycle_days)
    SELECT tenant_id, day, pipeline_id, sum(won)::bigint AS won, sum(lost)::bigint AS lost, sum(won_value)::numeric AS won_value, sum(lost_value)::numeric AS lost_value, sum(won_cycle_days)::bigint AS won_cycle_days
      FROM (SELECT tenant_id, closed_day AS day, pipeline_id, CASE WHEN outcome = 'won' THEN 1 ELSE 0 END AS won, CASE WHEN outcome = 'lost' THEN 1 ELSE 0 END AS lost, CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END AS won_value, CASE WHEN outcome = 'lost' THEN coalesce(amount, 0) ELSE 0 END AS lost_value, CASE WHEN outcome = 'won' THEN coalesce(closed_day - created_day, 0) ELSE 0 END AS won_cycle_days FROM new_rows WHERE deleted_at IS NULL AND closed_day IS NOT NULL
            UNION ALL SELECT tenant_id, closed_day AS day, pipeline_id, CASE WHEN outcome = 'won' THEN -(1) ELSE 0 END AS won, CASE WHEN outcome = 'lost' THEN -(1) ELSE 0 END AS lost, CASE WHEN outcome = 'won' THEN coalesce(-(amount), 0) ELSE 0 END AS won_value, CASE WHEN outcome = 'lost' THEN coalesce(-(amount), 0) ELSE 0 END AS lost_value, CASE WHEN outcome = 'won' THEN coalesce(-(closed_day - created_day), 0) ELSE 0 END AS won_cycle_days FROM old_rows WHERE deleted_at IS NULL AND closed_day IS NOT NULL) AS contribution
     GROUP BY tenant_id, day, pipeline_id HAVING sum(won) <> 0 OR sum(lost) <> 0 OR sum(won_value) <> 0 OR sum(lost_value) <> 0 OR sum(won_cycle_days) <> 0 ORDER BY tenant_id;
  END IF;
  IF changed.identity OR changed.created_day OR changed.deleted_at OR changed.owner_id OR changed.pipeline_id THEN
    INSERT INTO rollup.owner_deal_flow_delta (tenant_id, day, owner_id, pipeline_id, created)
    SELECT tenant_id, day, owner_id, pipeline_id, sum(created)::bigint AS created
      FROM (SELECT tenant_id, created_day AS day, owner_id, pipeline_id, 1 AS created FROM new_rows WHERE deleted_at IS NULL
            UNION ALL SELECT tenant_id, created_day AS day, owner_id, pipeline_id, -(1) AS created FROM old_rows WHERE deleted_at IS NULL) AS contribution
     GROUP BY tenant_id, day, owner_id, pipeline_id HAVING sum(created) <> 0 ORDER BY tenant_id;
  END IF;
  IF changed.identity OR changed.amount OR changed.closed_day OR changed.created_day OR changed.deleted_at OR changed.outcome OR changed.owner_id OR changed.pipeline_id THEN
    INSERT INTO rollup.owner_deal_flow_delta (tenant_id, day, owner_id, pipeline_id, won, lost, won_value, lost_value, won_cycle_days)
    SELECT tenant_id, day, owner_id, pipeline_id, sum(won)::bigint AS won, sum(lost)::bigint AS lost, sum(won_value)::numeric AS won_value, sum(lost_value)::numeric AS lost_value, sum(won_cycle_days)::bigint AS won_cycle_days
      FROM (SELECT tenant_id, closed_day AS day, owner_id, pipeline_id, CASE WHEN outcome = 'won' THEN 1 ELSE 0 END AS won, CASE WHEN outcome = 'lost' THEN 1 ELSE 0 END AS lost, CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END AS won_value, CASE WHEN outcome = 'lost' THEN coalesce(amount, 0) ELSE 0 END AS lost_value, CASE WHEN outcome = 'won' THEN coalesce(closed_day - created_day, 0) ELSE 0 END AS won_cycle_days FROM new_rows WHERE deleted_at IS NULL AND closed_day IS NOT NULL
            UNION ALL SELECT tenant_id, closed_day AS day, owner_id, pipeline_id, CASE WHEN outcome = 'won' THEN -(1) ELSE 0 END AS won, CASE WHEN outcome = 'lost' THEN -(1) ELSE 0 END AS lost, CASE WHEN outcome = 'won' THEN coalesce(-(amount), 0) ELSE 0 END AS won_value, CASE WHEN outcome = 'lost' THEN coalesce(-(amount), 0) ELSE 0 END AS lost_value, CASE WHEN outcome = 'won' THEN coalesce(-(closed_day - created_day), 0) ELSE 0 END AS won_cycle_days FROM old_rows WHERE deleted_at IS NULL AND closed_day IS NOT NULL) AS contribution
     GROUP BY tenant_id, day, owner_id, pipeline_id HAVING sum(won) <> 0 OR sum(lost) <> 0 OR sum(won_value) <> 0 OR sum(lost_value) <> 0 OR sum(won_cycle_days) <> 0 ORDER BY tenant_id;
  END IF;
  IF changed.identity OR changed.amount OR changed.deleted_at OR changed.expected_close OR changed.outcome OR changed.stage_id THEN
    INSERT INTO rollup.deal_forecast_delta (tenant_id, day, stage_id, deals, value)
    SELECT tenant_id, day, stage_id, sum(deals)::bigint AS deals, sum(value)::numeric AS value
      FROM (SELECT tenant_id, expected_close AS day, stage_id, 1 AS deals, coalesce(amount, 0) AS value FROM new_rows WHERE deleted_at IS NULL AND outcome = 'open' AND expected_close IS NOT NULL
            UNION ALL SELECT tenant_id, expected_close AS day, stage_id, -(1) AS deals, coalesce(-(amount), 0) AS value FROM old_rows WHERE deleted_at IS NULL AND outcome = 'open' AND expected_close IS NOT NULL) AS contribution
     GROUP BY tenant_id, day, stage_id HAVING sum(deals) <> 0 OR sum(value) <> 0 ORDER BY tenant_id;
  END IF;
  IF changed.identity OR changed.company_id OR changed.deleted_at THEN
    INSERT INTO rollup.company_deals_delta (tenant_id, company_id, deals)
    SELECT tenant_id, company_id, sum(deals)::bigint AS deals
      FROM (SELECT tenant_id, coalesce(company_id, 0) AS company_id, 1 AS deals FROM new_rows WHERE deleted_at IS NULL
            UNION ALL SELECT tenant_id, coalesce(company_id, 0) AS company_id, -(1) AS deals FROM old_rows WHERE deleted_at IS NULL) AS contribution
     GROUP BY tenant_id, company_id HAVING sum(deals) <> 0 ORDER BY tenant_id;
  END IF;
  PERFORM pg_notify('gateway_changes', tenant_id || ':deals:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM new_rows UNION SELECT tenant_id FROM old_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.deals_delete() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rollup.deal_state_delta (tenant_id, pipeline_id, stage_id, owner_id, deals, value, created_days, cycle_days)
  SELECT tenant_id, pipeline_id, stage_id, owner_id, sum(deals)::bigint AS deals, sum(value)::numeric AS value, sum(created_days)::bigint AS created_days, sum(cycle_days)::bigint AS cycle_days
    FROM (SELECT tenant_id, pipeline_id, stage_id, owner_id, -(1) AS deals, coalesce(-(amount), 0) AS value, coalesce(-(created_day - date '2000-01-01'), 0) AS created_days, coalesce(-(closed_day - created_day), 0) AS cycle_days FROM old_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, pipeline_id, stage_id, owner_id HAVING sum(deals) <> 0 OR sum(value) <> 0 OR sum(created_days) <> 0 OR sum(cycle_days) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.deal_flow_delta (tenant_id, day, pipeline_id, created)
  SELECT tenant_id, day, pipeline_id, sum(created)::bigint AS created
    FROM (SELECT tenant_id, created_day AS day, pipeline_id, -(1) AS created FROM old_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, day, pipeline_id HAVING sum(created) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.deal_flow_delta (tenant_id, day, pipeline_id, won, lost, won_value, lost_value, won_cycle_days)
  SELECT tenant_id, day, pipeline_id, sum(won)::bigint AS won, sum(lost)::bigint AS lost, sum(won_value)::numeric AS won_value, sum(lost_value)::numeric AS lost_value, sum(won_cycle_days)::bigint AS won_cycle_days
    FROM (SELECT tenant_id, closed_day AS day, pipeline_id, CASE WHEN outcome = 'won' THEN -(1) ELSE 0 END AS won, CASE WHEN outcome = 'lost' THEN -(1) ELSE 0 END AS lost, CASE WHEN outcome = 'won' THEN coalesce(-(amount), 0) ELSE 0 END AS won_value, CASE WHEN outcome = 'lost' THEN coalesce(-(amount), 0) ELSE 0 END AS lost_value, CASE WHEN outcome = 'won' THEN coalesce(-(closed_day - created_day), 0) ELSE 0 END AS won_cycle_days FROM old_rows WHERE deleted_at IS NULL AND closed_day IS NOT NULL) AS contribution
   GROUP BY tenant_id, day, pipeline_id HAVING sum(won) <> 0 OR sum(lost) <> 0 OR sum(won_value) <> 0 OR sum(lost_value) <> 0 OR sum(won_cycle_days) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.owner_deal_flow_delta (tenant_id, day, owner_id, pipeline_id, created)
  SELECT tenant_id, day, owner_id, pipeline_id, sum(created)::bigint AS created
    FROM (SELECT tenant_id, created_day AS day, owner_id, pipeline_id, -(1) AS created FROM old_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, day, owner_id, pipeline_id HAVING sum(created) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.owner_deal_flow_delta (tenant_id, day, owner_id, pipeline_id, won, lost, won_value, lost_value, won_cycle_days)
  SELECT tenant_id, day, owner_id, pipeline_id, sum(won)::bigint AS won, sum(lost)::bigint AS lost, sum(won_value)::numeric AS won_value, sum(lost_value)::numeric AS lost_value, sum(won_cycle_days)::bigint AS won_cycle_days
    FROM (SELECT tenant_id, closed_day AS day, owner_id, pipeline_id, CASE WHEN outcome = 'won' THEN -(1) ELSE 0 END AS won, CASE WHEN outcome = 'lost' THEN -(1) ELSE 0 END AS lost, CASE WHEN outcome = 'won' THEN coalesce(-(amount), 0) ELSE 0 END AS won_value, CASE WHEN outcome = 'lost' THEN coalesce(-(amount), 0) ELSE 0 END AS lost_value, CASE WHEN outcome = 'won' THEN coalesce(-(closed_day - created_day), 0) ELSE 0 END AS won_cycle_days FROM old_rows WHERE deleted_at IS NULL AND closed_day IS NOT NULL) AS contribution
   GROUP BY tenant_id, day, owner_id, pipeline_id HAVING sum(won) <> 0 OR sum(lost) <> 0 OR sum(won_value) <> 0 OR sum(lost_value) <> 0 OR sum(won_cycle_days) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.deal_forecast_delta (tenant_id, day, stage_id, deals, value)
  SELECT tenant_id, day, stage_id, sum(deals)::bigint AS deals, sum(value)::numeric AS value
    FROM (SELECT tenant_id, expected_close AS day, stage_id, -(1) AS deals, coalesce(-(amount), 0) AS value FROM old_rows WHERE deleted_at IS NULL AND outcome = 'open' AND expected_close IS NOT NULL) AS contribution
   GROUP BY tenant_id, day, stage_id HAVING sum(deals) <> 0 OR sum(value) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.company_deals_delta (tenant_id, company_id, deals)
  SELECT tenant_id, company_id, sum(deals)::bigint AS deals
    FROM (SELECT tenant_id, coalesce(company_id, 0) AS company_id, -(1) AS deals FROM old_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, company_id HAVING sum(deals) <> 0 ORDER BY tenant_id;
  PERFORM pg_notify('gateway_changes', tenant_id || ':deals:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM old_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.deal_stage_history_insert() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rollup.stage_flow_delta (tenant_id, day, stage_id, entered)
  SELECT tenant_id, day, stage_id, sum(entered)::bigint AS entered
    FROM (SELECT tenant_id, moved_day AS day, to_stage_id AS stage_id, 1 AS entered FROM new_rows WHERE NOT deal_deleted) AS contribution
   GROUP BY tenant_id, day, stage_id HAVING sum(entered) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.stage_flow_delta (tenant_id, day, stage_id, departed)
  SELECT tenant_id, day, stage_id, sum(departed)::bigint AS departed
    FROM (SELECT tenant_id, moved_day AS day, from_stage_id AS stage_id, 1 AS departed FROM new_rows WHERE NOT deal_deleted AND from_stage_id IS NOT NULL) AS contribution
   GROUP BY tenant_id, day, stage_id HAVING sum(departed) <> 0 ORDER BY tenant_id;
  PERFORM pg_notify('gateway_changes', tenant_id || ':deal_stage_history:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM new_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.deal_stage_history_update() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE changed record;
BEGIN
  SELECT bool_or(n.id IS NULL OR o.id IS NULL) AS identity,
         bool_or(n.deal_deleted IS DISTINCT FROM o.deal_deleted) AS deal_deleted,
         bool_or(n.from_stage_id IS DISTINCT FROM o.from_stage_id) AS from_stage_id,
         bool_or(n.moved_day IS DISTINCT FROM o.moved_day) AS moved_day,
         bool_or(n.to_stage_id IS DISTINCT FROM o.to_stage_id) AS to_stage_id
    INTO changed
    FROM new_rows AS n FULL JOIN old_rows AS o ON n.tenant_id = o.tenant_id AND n.id = o.id;
  IF changed.identity OR changed.deal_deleted OR changed.moved_day OR changed.to_stage_id THEN
    INSERT INTO rollup.stage_flow_delta (tenant_id, day, stage_id, entered)
    SELECT tenant_id, day, stage_id, sum(entered)::bigint AS entered
      FROM (SELECT tenant_id, moved_day AS day, to_stage_id AS stage_id, 1 AS entered FROM new_rows WHERE NOT deal_deleted
            UNION ALL SELECT tenant_id, moved_day AS day, to_stage_id AS stage_id, -(1) AS entered FROM old_rows WHERE NOT deal_deleted) AS contribution
     GROUP BY tenant_id, day, stage_id HAVING sum(entered) <> 0 ORDER BY tenant_id;
  END IF;
  IF changed.identity OR changed.deal_deleted OR changed.from_stage_id OR changed.moved_day THEN
    INSERT INTO rollup.stage_flow_delta (tenant_id, day, stage_id, departed)
    SELECT tenant_id, day, stage_id, sum(departed)::bigint AS departed
      FROM (SELECT tenant_id, moved_day AS day, from_stage_id AS stage_id, 1 AS departed FROM new_rows WHERE NOT deal_deleted AND from_stage_id IS NOT NULL
            UNION ALL SELECT tenant_id, moved_day AS day, from_stage_id AS stage_id, -(1) AS departed FROM old_rows WHERE NOT deal_deleted AND from_stage_id IS NOT NULL) AS contribution
     GROUP BY tenant_id, day, stage_id HAVING sum(departed) <> 0 ORDER BY tenant_id;
  END IF;
  PERFORM pg_notify('gateway_changes', tenant_id || ':deal_stage_history:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM new_rows UNION SELECT tenant_id FROM old_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.deal_stage_history_delete() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rollup.stage_flow_delta (tenant_id, day, stage_id, entered)
  SELECT tenant_id, day, stage_id, sum(entered)::bigint AS entered
    FROM (SELECT tenant_id, moved_day AS day, to_stage_id AS stage_id, -(1) AS entered FROM old_rows WHERE NOT deal_deleted) AS contribution
   GROUP BY tenant_id, day, stage_id HAVING sum(entered) <> 0 ORDER BY tenant_id;
  INSERT INTO rollup.stage_flow_delta (tenant_id, day, stage_id, departed)
  SELECT tenant_id, day, stage_id, sum(departed)::bigint AS departed
    FROM (SELECT tenant_id, moved_day AS day, from_stage_id AS stage_id, -(1) AS departed FROM old_rows WHERE NOT deal_deleted AND from_stage_id IS NOT NULL) AS contribution
   GROUP BY tenant_id, day, stage_id HAVING sum(departed) <> 0 ORDER BY tenant_id;
  PERFORM pg_notify('gateway_changes', tenant_id || ':deal_stage_history:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM old_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.activities_insert() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rollup.activity_flow_delta (tenant_id, day, calls, emails, meetings, notes)
  SELECT tenant_id, day, sum(calls)::bigint AS calls, sum(emails)::bigint AS emails, sum(meetings)::bigint AS meetings, sum(notes)::bigint AS notes
    FROM (SELECT tenant_id, occurred_day AS day, CASE WHEN kind = 'call' THEN 1 ELSE 0 END AS calls, CASE WHEN kind = 'email' THEN 1 ELSE 0 END AS emails, CASE WHEN kind = 'meeting' THEN 1 ELSE 0 END AS meetings, CASE WHEN kind = 'note' THEN 1 ELSE 0 END AS notes FROM new_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, day HAVING sum(calls) <> 0 OR sum(emails) <> 0 OR sum(meetings) <> 0 OR sum(notes) <> 0 ORDER BY tenant_id;
  PERFORM pg_notify('gateway_changes', tenant_id || ':activities:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM new_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.activities_update() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE changed record;
BEGIN
  SELECT bool_or(n.id IS NULL OR o.id IS NULL) AS identity,
         bool_or(n.deleted_at IS DISTINCT FROM o.deleted_at) AS deleted_at,
         bool_or(n.kind IS DISTINCT FROM o.kind) AS kind,
         bool_or(n.occurred_day IS DISTINCT FROM o.occurred_day) AS occurred_day
    INTO changed
    FROM new_rows AS n FULL JOIN old_rows AS o ON n.tenant_id = o.tenant_id AND n.id = o.id;
  IF changed.identity OR changed.deleted_at OR changed.kind OR changed.occurred_day THEN
    INSERT INTO rollup.activity_flow_delta (tenant_id, day, calls, emails, meetings, notes)
    SELECT tenant_id, day, sum(calls)::bigint AS calls, sum(emails)::bigint AS emails, sum(meetings)::bigint AS meetings, sum(notes)::bigint AS notes
      FROM (SELECT tenant_id, occurred_day AS day, CASE WHEN kind = 'call' THEN 1 ELSE 0 END AS calls, CASE WHEN kind = 'email' THEN 1 ELSE 0 END AS emails, CASE WHEN kind = 'meeting' THEN 1 ELSE 0 END AS meetings, CASE WHEN kind = 'note' THEN 1 ELSE 0 END AS notes FROM new_rows WHERE deleted_at IS NULL
            UNION ALL SELECT tenant_id, occurred_day AS day, CASE WHEN kind = 'call' THEN -(1) ELSE 0 END AS calls, CASE WHEN kind = 'email' THEN -(1) ELSE 0 END AS emails, CASE WHEN kind = 'meeting' THEN -(1) ELSE 0 END AS meetings, CASE WHEN kind = 'note' THEN -(1) ELSE 0 END AS notes FROM old_rows WHERE deleted_at IS NULL) AS contribution
     GROUP BY tenant_id, day HAVING sum(calls) <> 0 OR sum(emails) <> 0 OR sum(meetings) <> 0 OR sum(notes) <> 0 ORDER BY tenant_id;
  END IF;
  PERFORM pg_notify('gateway_changes', tenant_id || ':activities:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM new_rows UNION SELECT tenant_id FROM old_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.activities_delete() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rollup.activity_flow_delta (tenant_id, day, calls, emails, meetings, notes)
  SELECT tenant_id, day, sum(calls)::bigint AS calls, sum(emails)::bigint AS emails, sum(meetings)::bigint AS meetings, sum(notes)::bigint AS notes
    FROM (SELECT tenant_id, occurred_day AS day, CASE WHEN kind = 'call' THEN -(1) ELSE 0 END AS calls, CASE WHEN kind = 'email' THEN -(1) ELSE 0 END AS emails, CASE WHEN kind = 'meeting' THEN -(1) ELSE 0 END AS meetings, CASE WHEN kind = 'note' THEN -(1) ELSE 0 END AS notes FROM old_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, day HAVING sum(calls) <> 0 OR sum(emails) <> 0 OR sum(meetings) <> 0 OR sum(notes) <> 0 ORDER BY tenant_id;
  PERFORM pg_notify('gateway_changes', tenant_id || ':activities:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM old_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.companies_insert() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rollup.company_flow_delta (tenant_id, day, created)
  SELECT tenant_id, day, sum(created)::bigint AS created
    FROM (SELECT tenant_id, created_day AS day, 1 AS created FROM new_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, day HAVING sum(created) <> 0 ORDER BY tenant_id;
  PERFORM pg_notify('gateway_changes', tenant_id || ':companies:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM new_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.companies_update() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE changed record;
BEGIN
  SELECT bool_or(n.id IS NULL OR o.id IS NULL) AS identity,
         bool_or(n.created_day IS DISTINCT FROM o.created_day) AS created_day,
         bool_or(n.deleted_at IS DISTINCT FROM o.deleted_at) AS deleted_at
    INTO changed
    FROM new_rows AS n FULL JOIN old_rows AS o ON n.tenant_id = o.tenant_id AND n.id = o.id;
  IF changed.identity OR changed.created_day OR changed.deleted_at THEN
    INSERT INTO rollup.company_flow_delta (tenant_id, day, created)
    SELECT tenant_id, day, sum(created)::bigint AS created
      FROM (SELECT tenant_id, created_day AS day, 1 AS created FROM new_rows WHERE deleted_at IS NULL
            UNION ALL SELECT tenant_id, created_day AS day, -(1) AS created FROM old_rows WHERE deleted_at IS NULL) AS contribution
     GROUP BY tenant_id, day HAVING sum(created) <> 0 ORDER BY tenant_id;
  END IF;
  PERFORM pg_notify('gateway_changes', tenant_id || ':companies:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM new_rows UNION SELECT tenant_id FROM old_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.companies_delete() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rollup.company_flow_delta (tenant_id, day, created)
  SELECT tenant_id, day, sum(created)::bigint AS created
    FROM (SELECT tenant_id, created_day AS day, -(1) AS created FROM old_rows WHERE deleted_at IS NULL) AS contribution
   GROUP BY tenant_id, day HAVING sum(created) <> 0 ORDER BY tenant_id;
  PERFORM pg_notify('gateway_changes', tenant_id || ':companies:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM old_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.tasks_insert() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rollup.task_agenda_delta (tenant_id, day, tasks)
  SELECT tenant_id, day, sum(tasks)::bigint AS tasks
    FROM (SELECT tenant_id, coalesce(due_day, date '9999-12-31') AS day, 1 AS tasks FROM new_rows WHERE deleted_at IS NULL AND completed_at IS NULL) AS contribution
   GROUP BY tenant_id, day HAVING sum(tasks) <> 0 ORDER BY tenant_id;
  PERFORM pg_notify('gateway_changes', tenant_id || ':tasks:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM new_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.tasks_update() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE changed record;
BEGIN
  SELECT bool_or(n.id IS NULL OR o.id IS NULL) AS identity,
         bool_or(n.completed_at IS DISTINCT FROM o.completed_at) AS completed_at,
         bool_or(n.deleted_at IS DISTINCT FROM o.deleted_at) AS deleted_at,
         bool_or(n.due_day IS DISTINCT FROM o.due_day) AS due_day
    INTO changed
    FROM new_rows AS n FULL JOIN old_rows AS o ON n.tenant_id = o.tenant_id AND n.id = o.id;
  IF changed.identity OR changed.completed_at OR changed.deleted_at OR changed.due_day THEN
    INSERT INTO rollup.task_agenda_delta (tenant_id, day, tasks)
    SELECT tenant_id, day, sum(tasks)::bigint AS tasks
      FROM (SELECT tenant_id, coalesce(due_day, date '9999-12-31') AS day, 1 AS tasks FROM new_rows WHERE deleted_at IS NULL AND completed_at IS NULL
            UNION ALL SELECT tenant_id, coalesce(due_day, date '9999-12-31') AS day, -(1) AS tasks FROM old_rows WHERE deleted_at IS NULL AND completed_at IS NULL) AS contribution
     GROUP BY tenant_id, day HAVING sum(tasks) <> 0 ORDER BY tenant_id;
  END IF;
  PERFORM pg_notify('gateway_changes', tenant_id || ':tasks:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM new_rows UNION SELECT tenant_id FROM old_rows) AS touched;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION rollup.tasks_delete() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO rollup.task_agenda_delta (tenant_id, day, tasks)
  SELECT tenant_id, day, sum(tasks)::bigint AS tasks
    FROM (SELECT tenant_id, coalesce(due_day, date '9999-12-31') AS day, -(1) AS tasks FROM old_rows WHERE deleted_at IS NULL AND completed_at IS NULL) AS contribution
   GROUP BY tenant_id, day HAVING sum(tasks) <> 0 ORDER BY tenant_id;
  PERFORM pg_notify('gateway_changes', tenant_id || ':tasks:' || pg_current_xact_id())
     FROM (SELECT tenant_id FROM old_rows) AS touched;
  RETURN NULL;
END $$;

RESET ROLE;

DROP TRIGGER IF EXISTS rollup_insert ON public.deals;

CREATE TRIGGER rollup_insert AFTER INSERT ON public.deals
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.deals_insert();

ALTER TABLE public.deals ENABLE ALWAYS TRIGGER rollup_insert;

DROP TRIGGER IF EXISTS rollup_update ON public.deals;

CREATE TRIGGER rollup_update AFTER UPDATE ON public.deals
  REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.deals_update();

ALTER TABLE public.deals ENABLE ALWAYS TRIGGER rollup_update;

DROP TRIGGER IF EXISTS rollup_delete ON public.deals;

CREATE TRIGGER rollup_delete AFTER DELETE ON public.deals
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.deals_delete();

ALTER TABLE public.deals ENABLE ALWAYS TRIGGER rollup_delete;

DROP TRIGGER IF EXISTS rollup_truncate ON public.deals;

CREATE TRIGGER rollup_truncate BEFORE TRUNCATE ON public.deals
  FOR EACH STATEMENT EXECUTE FUNCTION rollup.refuse_truncate();

ALTER TABLE public.deals ENABLE ALWAYS TRIGGER rollup_truncate;

DROP TRIGGER IF EXISTS rollup_insert ON public.deal_stage_history;

CREATE TRIGGER rollup_insert AFTER INSERT ON public.deal_stage_history
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.deal_stage_history_insert();

ALTER TABLE public.deal_stage_history ENABLE ALWAYS TRIGGER rollup_insert;

DROP TRIGGER IF EXISTS rollup_update ON public.deal_stage_history;

CREATE TRIGGER rollup_update AFTER UPDATE ON public.deal_stage_history
  REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.deal_stage_history_update();

ALTER TABLE public.deal_stage_history ENABLE ALWAYS TRIGGER rollup_update;

DROP TRIGGER IF EXISTS rollup_delete ON public.deal_stage_history;

CREATE TRIGGER rollup_delete AFTER DELETE ON public.deal_stage_history
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.deal_stage_history_delete();

ALTER TABLE public.deal_stage_history ENABLE ALWAYS TRIGGER rollup_delete;

DROP TRIGGER IF EXISTS rollup_truncate ON public.deal_stage_history;

CREATE TRIGGER rollup_truncate BEFORE TRUNCATE ON public.deal_stage_history
  FOR EACH STATEMENT EXECUTE FUNCTION rollup.refuse_truncate();

ALTER TABLE public.deal_stage_history ENABLE ALWAYS TRIGGER rollup_truncate;

DROP TRIGGER IF EXISTS rollup_insert ON public.activities;

CREATE TRIGGER rollup_insert AFTER INSERT ON public.activities
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.activities_insert();

ALTER TABLE public.activities ENABLE ALWAYS TRIGGER rollup_insert;

DROP TRIGGER IF EXISTS rollup_update ON public.activities;

CREATE TRIGGER rollup_update AFTER UPDATE ON public.activities
  REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.activities_update();

ALTER TABLE public.activities ENABLE ALWAYS TRIGGER rollup_update;

DROP TRIGGER IF EXISTS rollup_delete ON public.activities;

CREATE TRIGGER rollup_delete AFTER DELETE ON public.activities
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.activities_delete();

ALTER TABLE public.activities ENABLE ALWAYS TRIGGER rollup_delete;

DROP TRIGGER IF EXISTS rollup_truncate ON public.activities;

CREATE TRIGGER rollup_truncate BEFORE TRUNCATE ON public.activities
  FOR EACH STATEMENT EXECUTE FUNCTION rollup.refuse_truncate();

ALTER TABLE public.activities ENABLE ALWAYS TRIGGER rollup_truncate;

DROP TRIGGER IF EXISTS rollup_insert ON public.companies;

CREATE TRIGGER rollup_insert AFTER INSERT ON public.companies
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.companies_insert();

ALTER TABLE public.companies ENABLE ALWAYS TRIGGER rollup_insert;

DROP TRIGGER IF EXISTS rollup_update ON public.companies;

CREATE TRIGGER rollup_update AFTER UPDATE ON public.companies
  REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.companies_update();

ALTER TABLE public.companies ENABLE ALWAYS TRIGGER rollup_update;

DROP TRIGGER IF EXISTS rollup_delete ON public.companies;

CREATE TRIGGER rollup_delete AFTER DELETE ON public.companies
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.companies_delete();

ALTER TABLE public.companies ENABLE ALWAYS TRIGGER rollup_delete;

DROP TRIGGER IF EXISTS rollup_truncate ON public.companies;

CREATE TRIGGER rollup_truncate BEFORE TRUNCATE ON public.companies
  FOR EACH STATEMENT EXECUTE FUNCTION rollup.refuse_truncate();

ALTER TABLE public.companies ENABLE ALWAYS TRIGGER rollup_truncate;

DROP TRIGGER IF EXISTS rollup_insert ON public.tasks;

CREATE TRIGGER rollup_insert AFTER INSERT ON public.tasks
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.tasks_insert();

ALTER TABLE public.tasks ENABLE ALWAYS TRIGGER rollup_insert;

DROP TRIGGER IF EXISTS rollup_update ON public.tasks;

CREATE TRIGGER rollup_update AFTER UPDATE ON public.tasks
  REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.tasks_update();

ALTER TABLE public.tasks ENABLE ALWAYS TRIGGER rollup_update;

DROP TRIGGER IF EXISTS rollup_delete ON public.tasks;

CREATE TRIGGER rollup_delete AFTER DELETE ON public.tasks
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION rollup.tasks_delete();

ALTER TABLE public.tasks ENABLE ALWAYS TRIGGER rollup_delete;

DROP TRIGGER IF EXISTS rollup_truncate ON public.tasks;

CREATE TRIGGER rollup_truncate BEFORE TRUNCATE ON public.tasks
  FOR EACH STATEMENT EXECUTE FUNCTION rollup.refuse_truncate();

ALTER TABLE public.tasks ENABLE ALWAYS TRIGGER rollup_truncate;
