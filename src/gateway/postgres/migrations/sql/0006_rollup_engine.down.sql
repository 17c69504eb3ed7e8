DROP FUNCTION app.rollups();

ALTER DEFAULT PRIVILEGES FOR ROLE rollup_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC;

DROP SCHEMA rollup CASCADE;

REVOKE CREATE, USAGE ON SCHEMA analytics FROM rollup_owner;

DROP VIEW analytics.owner_activity_flow, analytics.owner_company_flow, analytics.stage_moves;

CREATE OR REPLACE VIEW analytics.company_deal_flow WITH (security_barrier) AS
SELECT tenant_id, company_id, created_day AS day, 1::bigint AS created, 0::bigint AS won, 0::bigint AS lost,
       0::numeric AS won_value, 0::numeric AS lost_value, 0::bigint AS won_cycle_days
  FROM deals WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL AND company_id IS NOT NULL
UNION ALL
SELECT tenant_id, company_id, closed_day, 0, (outcome = 'won')::int, (outcome = 'lost')::int,
       CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END,
       CASE WHEN outcome = 'lost' THEN coalesce(amount, 0) ELSE 0 END,
       CASE WHEN outcome = 'won' THEN closed_day - created_day ELSE 0 END
  FROM deals WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL AND company_id IS NOT NULL AND closed_day IS NOT NULL;

DROP INDEX activities_by_owner_and_day, companies_deleted;

ALTER TABLE deals DROP CONSTRAINT deals_stage_fkey;

ALTER TABLE deals ADD FOREIGN KEY (tenant_id, pipeline_id, stage_id) REFERENCES stages (tenant_id, pipeline_id, id);

ALTER TABLE stages DROP CONSTRAINT stages_tenant_id_pipeline_id_id_kind_key;

COMMENT ON COLUMN deals.outcome IS 'Copy of the kind of the deal''s stage, kept by triggers on both tables.';

CREATE FUNCTION app.copy_stage_kind() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE deals d SET outcome = n.kind
    FROM new_stages n JOIN old_stages o ON o.tenant_id = n.tenant_id AND o.id = n.id
   WHERE n.kind <> o.kind AND d.tenant_id = n.tenant_id AND d.stage_id = n.id;
  RETURN NULL;
END $$;

CREATE TRIGGER copy_stage_kind AFTER UPDATE ON stages
  REFERENCING OLD TABLE AS old_stages NEW TABLE AS new_stages
  FOR EACH STATEMENT EXECUTE FUNCTION app.copy_stage_kind();

DROP TRIGGER keep_history_update ON deal_stage_history;

DROP TRIGGER keep_history_insert ON deal_stage_history;

DROP TRIGGER copy_deal_deleted ON deals;

DROP FUNCTION app.keep_history(), app.copy_deal_deleted();

CREATE OR REPLACE FUNCTION app.record_created_deals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO deal_stage_history (tenant_id, deal_id, to_stage_id, moved_at, moved_day, member_id)
  SELECT n.tenant_id, n.id, n.stage_id, n.stage_entered_at, n.stage_entered_day,
         nullif(current_setting('app.member_id', true), '')::bigint
    FROM new_deals n ORDER BY n.tenant_id, n.id;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION app.record_moved_deals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO deal_stage_history (tenant_id, deal_id, from_stage_id, to_stage_id, moved_at, moved_day, days_in_stage, member_id)
  SELECT n.tenant_id, n.id, o.stage_id, n.stage_id, n.stage_entered_at, n.stage_entered_day,
         greatest(n.stage_entered_day - o.stage_entered_day, 0),
         nullif(current_setting('app.member_id', true), '')::bigint
    FROM new_deals n JOIN old_deals o ON o.tenant_id = n.tenant_id AND o.id = n.id
   WHERE n.stage_id <> o.stage_id ORDER BY n.tenant_id, n.id;
  RETURN NULL;
END $$;

ALTER FUNCTION app.record_moved_deals() RESET enable_nestloop;

ALTER TABLE deal_stage_history DROP COLUMN deal_deleted;

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

GRANT SELECT ON analytics.stage_moves TO gateway;
