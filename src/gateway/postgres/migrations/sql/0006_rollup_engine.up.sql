-- What rollups stand on: their schema and registry, and what is copied into rows so that a contribution needs no join.

-- First of all, so that what waits too long gives up before anything is done.
LOCK TABLE stages, deals, deal_stage_history, companies, activities IN ACCESS EXCLUSIVE MODE;

-- A deal's history leaves the totals with the deal: the copy is rewritten when the deal is deleted or restored.
ALTER TABLE deal_stage_history ADD COLUMN deal_deleted boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN deal_stage_history.deal_deleted IS 'Copy of whether the deal is deleted, kept by triggers on both tables.';

UPDATE deal_stage_history h SET deal_deleted = true
  FROM deals d WHERE d.tenant_id = h.tenant_id AND d.id = h.deal_id AND d.deleted_at IS NOT NULL;

-- plpgsql keeps a statement's plan for as long as the session lasts: made for one row, a join of what was and what is would be
-- a nested loop over ten thousand. Hence a full join, which cannot be one, and statements that are planned each time.
CREATE FUNCTION app.copy_deal_deleted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF (SELECT bool_or((n.deleted_at IS NULL) <> (o.deleted_at IS NULL))
        FROM new_deals n FULL JOIN old_deals o ON o.tenant_id = n.tenant_id AND o.id = n.id) THEN
    EXECUTE 'UPDATE deal_stage_history h SET deal_deleted = n.deleted_at IS NOT NULL
               FROM new_deals n JOIN old_deals o ON o.tenant_id = n.tenant_id AND o.id = n.id
              WHERE (n.deleted_at IS NULL) <> (o.deleted_at IS NULL) AND h.tenant_id = n.tenant_id AND h.deal_id = n.id';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER copy_deal_deleted AFTER UPDATE ON deals
  REFERENCING OLD TABLE AS old_deals NEW TABLE AS new_deals
  FOR EACH STATEMENT EXECUTE FUNCTION app.copy_deal_deleted();

-- As the rollups of the history do: else a copy would stay behind where a session has its triggers replicated.
ALTER TABLE deals ENABLE ALWAYS TRIGGER copy_deal_deleted;

-- A row cannot say otherwise than its deal. What a trigger writes must be right already, as it is of those on deals.
CREATE FUNCTION app.keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.deal_deleted := coalesce((SELECT d.deleted_at IS NOT NULL FROM public.deals d
                                 WHERE d.tenant_id = NEW.tenant_id AND d.id = NEW.deal_id FOR SHARE), false);
  RETURN NEW;
END $$;

CREATE TRIGGER keep_history_insert BEFORE INSERT ON deal_stage_history
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION app.keep_history();

CREATE TRIGGER keep_history_update BEFORE UPDATE ON deal_stage_history
  FOR EACH ROW WHEN (NEW.deal_deleted <> OLD.deal_deleted OR NEW.deal_id <> OLD.deal_id OR NEW.tenant_id <> OLD.tenant_id)
  EXECUTE FUNCTION app.keep_history();

CREATE OR REPLACE FUNCTION app.record_created_deals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO deal_stage_history (tenant_id, deal_id, to_stage_id, moved_at, moved_day, member_id, deal_deleted)
  SELECT n.tenant_id, n.id, n.stage_id, n.stage_entered_at, n.stage_entered_day,
         nullif(current_setting('app.member_id', true), '')::bigint, n.deleted_at IS NOT NULL
    FROM new_deals n ORDER BY n.tenant_id, n.id;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION app.record_moved_deals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  SET enable_nestloop = off AS $$
BEGIN
  INSERT INTO deal_stage_history (tenant_id, deal_id, from_stage_id, to_stage_id, moved_at, moved_day, days_in_stage, member_id,
                                  deal_deleted)
  SELECT n.tenant_id, n.id, o.stage_id, n.stage_id, n.stage_entered_at, n.stage_entered_day,
         greatest(n.stage_entered_day - o.stage_entered_day, 0),
         nullif(current_setting('app.member_id', true), '')::bigint, n.deleted_at IS NOT NULL
    FROM new_deals n JOIN old_deals o ON o.tenant_id = n.tenant_id AND o.id = n.id
   WHERE n.stage_id <> o.stage_id ORDER BY n.tenant_id, n.id;
  RETURN NULL;
END $$;

-- A deal and its stage cannot disagree, whoever changes them at the same time: the key says so, where the trigger on stages saw
-- only deals that were committed. Who loses the race is refused, and may try again.
UPDATE deals d SET outcome = s.kind
  FROM stages s WHERE s.tenant_id = d.tenant_id AND s.id = d.stage_id AND s.kind <> d.outcome;

ALTER TABLE stages ADD UNIQUE (tenant_id, pipeline_id, id, kind);

ALTER TABLE deals DROP CONSTRAINT deals_tenant_id_pipeline_id_stage_id_fkey;

ALTER TABLE deals ADD CONSTRAINT deals_stage_fkey FOREIGN KEY (tenant_id, pipeline_id, stage_id, outcome)
  REFERENCES stages (tenant_id, pipeline_id, id, kind) ON UPDATE CASCADE;

DROP TRIGGER copy_stage_kind ON stages;

DROP FUNCTION app.copy_stage_kind();

COMMENT ON COLUMN deals.outcome IS 'Copy of the kind of the deal''s stage, kept by a trigger and a foreign key.';

-- Scans that no rollup answers, bounded by an index: what one owner did, and what does not sum.
CREATE INDEX activities_by_owner_and_day ON activities (tenant_id, owner_id, occurred_day) INCLUDE (kind) WHERE deleted_at IS NULL;

CREATE INDEX companies_deleted ON companies (tenant_id, id) WHERE deleted_at IS NOT NULL;

-- The filter stands around a union, not in its parts: those would be merged into the query, where its own conditions could come
-- before it.
CREATE OR REPLACE VIEW analytics.company_deal_flow WITH (security_barrier) AS
SELECT tenant_id, company_id, day, created, won, lost, won_value, lost_value, won_cycle_days
  FROM (SELECT tenant_id, company_id, created_day AS day, 1::bigint AS created, 0::bigint AS won, 0::bigint AS lost,
               0::numeric AS won_value, 0::numeric AS lost_value, 0::bigint AS won_cycle_days
          FROM deals WHERE deleted_at IS NULL AND company_id IS NOT NULL
        UNION ALL
        SELECT tenant_id, company_id, closed_day, 0, (outcome = 'won')::int, (outcome = 'lost')::int,
               CASE WHEN outcome = 'won' THEN coalesce(amount, 0) ELSE 0 END,
               CASE WHEN outcome = 'lost' THEN coalesce(amount, 0) ELSE 0 END,
               CASE WHEN outcome = 'won' THEN closed_day - created_day ELSE 0 END
          FROM deals WHERE deleted_at IS NULL AND company_id IS NOT NULL AND closed_day IS NOT NULL) AS flow
 WHERE tenant_id = app.tenant_id();

DROP VIEW analytics.stage_moves;

CREATE VIEW analytics.owner_activity_flow WITH (security_barrier) AS
SELECT tenant_id, owner_id, occurred_day AS day, (kind = 'call')::int::bigint AS calls, (kind = 'email')::int::bigint AS emails,
       (kind = 'meeting')::int::bigint AS meetings, (kind = 'note')::int::bigint AS notes
  FROM activities WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL;

COMMENT ON VIEW analytics.owner_activity_flow IS 'Activities of a day by owner; an index scan of the owner''s days.';

CREATE VIEW analytics.owner_company_flow WITH (security_barrier) AS
SELECT tenant_id, owner_id, created_day AS day, 1::bigint AS created
  FROM companies WHERE tenant_id = app.tenant_id() AND deleted_at IS NULL;

COMMENT ON VIEW analytics.owner_company_flow IS 'Companies by the day they were created and their owner; an index scan.';

-- The join falls away where no owner is asked for.
CREATE VIEW analytics.stage_moves WITH (security_barrier) AS
SELECT h.tenant_id, h.deal_id, d.owner_id, h.from_stage_id, h.to_stage_id, h.moved_day AS day, h.days_in_stage
  FROM deal_stage_history h
  LEFT JOIN deals d ON d.tenant_id = app.tenant_id() AND d.tenant_id = h.tenant_id AND d.id = h.deal_id
 WHERE h.tenant_id = app.tenant_id() AND NOT h.deal_deleted;

COMMENT ON VIEW analytics.stage_moves IS
  'Single moves of deals between stages, by the deal''s present owner: for what does not sum, distinct deals and medians.';

GRANT SELECT ON analytics.owner_activity_flow, analytics.owner_company_flow, analytics.stage_moves TO gateway;

DROP INDEX deals_deleted;

CREATE SCHEMA rollup AUTHORIZATION rollup_owner;

GRANT CREATE, USAGE ON SCHEMA analytics TO rollup_owner;

ALTER DEFAULT PRIVILEGES FOR ROLE rollup_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

SET ROLE rollup_owner;

CREATE TABLE rollup.registry (
  name         text PRIMARY KEY,
  base_table   text NOT NULL,
  fingerprint  text NOT NULL,
  home         text NOT NULL,
  base_groups  bigint NOT NULL,
  last_fold    timestamptz,
  last_refresh timestamptz NOT NULL DEFAULT now(),
  last_audit   timestamptz,
  differing    bigint
);

COMMENT ON TABLE rollup.registry IS 'One row a rollup: what it was rendered as, when it was folded, refreshed and audited.';

COMMENT ON COLUMN rollup.registry.home IS
  'Where it was made or last refreshed. Out of a dump it comes with another: what was pending then counts twice until a refresh.';

COMMENT ON COLUMN rollup.registry.differing IS 'Groups that the last audit found wrong; null before the first.';

CREATE FUNCTION rollup.home(name text) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('%s/%s', (SELECT system_identifier FROM pg_control_system()), to_regclass('rollup.' || name || '_base')::oid)
$$;

COMMENT ON FUNCTION rollup.home(text) IS 'The server and the relation that a rollup''s base is. A copy of the database file by file has the same: it is as true.';

CREATE FUNCTION rollup.refuse_truncate() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'TRUNCATE of % would leave its rollups wrong', TG_TABLE_NAME
    USING ERRCODE = 'feature_not_supported', HINT = 'Use DELETE.';
END $$;

RESET ROLE;

-- What a tenant may know of the rollups: how many groups are its own, how many of them wait for a refresh.
CREATE FUNCTION app.rollups()
  RETURNS TABLE (tenant_id bigint, name text, groups bigint, pending_changes bigint, last_fold timestamptz, last_refresh timestamptz, last_audit timestamptz)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known rollup.registry;
BEGIN
  tenant_id := app.tenant_id();
  FOR known IN SELECT * FROM rollup.registry AS r WHERE app.tenant_id() IS NOT NULL ORDER BY r.name LOOP
    name := known.name;
    last_fold := known.last_fold;
    last_refresh := known.last_refresh;
    last_audit := known.last_audit;
    EXECUTE format('SELECT (SELECT count(*) FROM rollup.%I WHERE tenant_id = app.tenant_id()),
                           (SELECT count(*) FROM rollup.%I WHERE tenant_id = app.tenant_id())
                         + (SELECT count(*) FROM rollup.%I WHERE tenant_id = app.tenant_id())',
                   known.name || '_base', known.name || '_pending', known.name || '_delta')
       INTO groups, pending_changes;
    RETURN NEXT;
  END LOOP;
END $$;

GRANT EXECUTE ON FUNCTION app.rollups() TO gateway;
