CREATE VIEW analytics.stage_moves WITH (security_barrier) AS
SELECT h.tenant_id, h.deal_id, d.owner_id, h.from_stage_id, h.to_stage_id, h.moved_day AS day, h.days_in_stage
  FROM deal_stage_history h
  LEFT JOIN deals d ON d.tenant_id = app.tenant_id() AND d.tenant_id = h.tenant_id AND d.id = h.deal_id
 WHERE h.tenant_id = app.tenant_id() AND NOT h.deal_deleted;

COMMENT ON VIEW analytics.stage_moves IS
  'Single moves of deals between stages, by the deal''s present owner: for what does not sum, distinct deals and medians.';

GRANT SELECT ON analytics.stage_moves TO gateway;

ALTER TABLE deal_stage_history RESET (autovacuum_vacuum_insert_threshold, autovacuum_vacuum_insert_scale_factor);

DROP INDEX deal_stage_history_by_day;
