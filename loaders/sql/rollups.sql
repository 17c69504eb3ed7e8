-- name: rollups (planned once)
-- reads: activities, companies, deal_stage_history, deals, tasks
-- One row a rollup, by name.
SELECT name, groups, pending_changes, last_fold, last_refresh, last_audit
  FROM app.rollups() WHERE tenant_id = $1 ORDER BY name;
