-- What every writer keeps true, whichever door it comes through: local days, outcomes, versions, stage history.
-- Derived columns are overwritten, never trusted: a row cannot say something else than its instants and its stage.
-- Tables are named with their schema where a function acts for its caller: a search path is not to be trusted either.

CREATE FUNCTION app.keep_company() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.created_day := app.local_day(NEW.tenant_id, NEW.created_at);
  RETURN NEW;
END $$;

CREATE TRIGGER keep_company_insert BEFORE INSERT ON companies
  FOR EACH ROW EXECUTE FUNCTION app.keep_company();

CREATE TRIGGER keep_company_update BEFORE UPDATE ON companies
  FOR EACH ROW WHEN (NEW.created_at <> OLD.created_at OR NEW.created_day <> OLD.created_day)
  EXECUTE FUNCTION app.keep_company();

CREATE FUNCTION app.keep_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.occurred_day := app.local_day(NEW.tenant_id, NEW.occurred_at);
  RETURN NEW;
END $$;

CREATE TRIGGER keep_activity_insert BEFORE INSERT ON activities
  FOR EACH ROW EXECUTE FUNCTION app.keep_activity();

CREATE TRIGGER keep_activity_update BEFORE UPDATE ON activities
  FOR EACH ROW WHEN (NEW.occurred_at <> OLD.occurred_at OR NEW.occurred_day <> OLD.occurred_day)
  EXECUTE FUNCTION app.keep_activity();

CREATE FUNCTION app.keep_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.due_day := app.local_day(NEW.tenant_id, NEW.due_at);
  RETURN NEW;
END $$;

CREATE TRIGGER keep_task_insert BEFORE INSERT ON tasks
  FOR EACH ROW EXECUTE FUNCTION app.keep_task();

CREATE TRIGGER keep_task_update BEFORE UPDATE ON tasks
  FOR EACH ROW WHEN (NEW.due_at IS DISTINCT FROM OLD.due_at OR NEW.due_day IS DISTINCT FROM OLD.due_day)
  EXECUTE FUNCTION app.keep_task();

-- A new deal: its outcome is its stage's kind, it entered that stage when it was created.
CREATE FUNCTION app.keep_new_deal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE zone text := (SELECT t.time_zone FROM public.tenants t WHERE t.id = NEW.tenant_id);
BEGIN
  NEW.outcome := (SELECT s.kind FROM public.stages s WHERE s.tenant_id = NEW.tenant_id AND s.id = NEW.stage_id);
  NEW.created_day := timezone(zone, NEW.created_at)::date;
  NEW.closed_at := CASE WHEN NEW.outcome <> 'open' THEN coalesce(NEW.closed_at, NEW.stage_entered_at, greatest(now(), NEW.created_at)) END;
  NEW.closed_day := timezone(zone, NEW.closed_at)::date;
  NEW.stage_entered_at := coalesce(NEW.stage_entered_at, NEW.closed_at, NEW.created_at);
  NEW.stage_entered_day := timezone(zone, NEW.stage_entered_at)::date;
  RETURN NEW;
END $$;

CREATE TRIGGER keep_new_deal BEFORE INSERT ON deals FOR EACH ROW EXECUTE FUNCTION app.keep_new_deal();

-- Every change counts the version up; what did not change costs no look-up.
CREATE FUNCTION app.keep_deal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE zone text; closing timestamptz;
BEGIN
  NEW.version := OLD.version + 1;
  NEW.updated_at := now();
  IF NEW.stage_id = OLD.stage_id AND NEW.outcome = OLD.outcome AND NEW.created_at = OLD.created_at
     AND NEW.created_day = OLD.created_day AND NEW.stage_entered_at = OLD.stage_entered_at
     AND NEW.stage_entered_day = OLD.stage_entered_day AND NEW.closed_at IS NOT DISTINCT FROM OLD.closed_at
     AND NEW.closed_day IS NOT DISTINCT FROM OLD.closed_day THEN
    RETURN NEW;
  END IF;
  SELECT t.time_zone INTO zone FROM public.tenants t WHERE t.id = NEW.tenant_id;
  NEW.outcome := (SELECT s.kind FROM public.stages s WHERE s.tenant_id = NEW.tenant_id AND s.id = NEW.stage_id);
  -- A deal closes at the instant at which it enters its stage, whichever of the two the writer gave; by default, now.
  IF NEW.outcome <> 'open' AND NEW.closed_at IS DISTINCT FROM OLD.closed_at THEN
    closing := NEW.closed_at;
  END IF;
  IF NEW.stage_id <> OLD.stage_id AND NEW.stage_entered_at = OLD.stage_entered_at THEN
    NEW.stage_entered_at := greatest(coalesce(closing, now()), OLD.stage_entered_at);
  END IF;
  NEW.closed_at := CASE
    WHEN NEW.outcome = 'open' THEN NULL
    WHEN closing IS NOT NULL THEN closing
    WHEN NEW.outcome = OLD.outcome THEN OLD.closed_at
    WHEN NEW.stage_id <> OLD.stage_id THEN greatest(NEW.stage_entered_at, NEW.created_at)
    ELSE greatest(now(), NEW.created_at)
  END;
  NEW.created_day := timezone(zone, NEW.created_at)::date;
  NEW.closed_day := timezone(zone, NEW.closed_at)::date;
  NEW.stage_entered_day := timezone(zone, NEW.stage_entered_at)::date;
  RETURN NEW;
END $$;

CREATE TRIGGER keep_deal BEFORE UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION app.keep_deal();

-- The kind of a stage is copied into its deals, so its change rewrites the copies.
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

-- History is written by the owner's right, so that the serving role needs no INSERT on it and cannot forge it.
CREATE FUNCTION app.record_created_deals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO deal_stage_history (tenant_id, deal_id, to_stage_id, moved_at, moved_day, member_id)
  SELECT n.tenant_id, n.id, n.stage_id, n.stage_entered_at, n.stage_entered_day,
         nullif(current_setting('app.member_id', true), '')::bigint
    FROM new_deals n ORDER BY n.tenant_id, n.id;
  RETURN NULL;
END $$;

CREATE TRIGGER record_created_deals AFTER INSERT ON deals
  REFERENCING NEW TABLE AS new_deals
  FOR EACH STATEMENT EXECUTE FUNCTION app.record_created_deals();

CREATE FUNCTION app.record_moved_deals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO deal_stage_history (tenant_id, deal_id, from_stage_id, to_stage_id, moved_at, moved_day, days_in_stage, member_id)
  SELECT n.tenant_id, n.id, o.stage_id, n.stage_id, n.stage_entered_at, n.stage_entered_day,
         greatest(n.stage_entered_day - o.stage_entered_day, 0),
         nullif(current_setting('app.member_id', true), '')::bigint
    FROM new_deals n JOIN old_deals o ON o.tenant_id = n.tenant_id AND o.id = n.id
   WHERE n.stage_id <> o.stage_id ORDER BY n.tenant_id, n.id;
  RETURN NULL;
END $$;

CREATE TRIGGER record_moved_deals AFTER UPDATE ON deals
  REFERENCING OLD TABLE AS old_deals NEW TABLE AS new_deals
  FOR EACH STATEMENT EXECUTE FUNCTION app.record_moved_deals();

GRANT EXECUTE ON FUNCTION app.local_day(bigint, timestamptz) TO gateway, worker, rollup_owner;
