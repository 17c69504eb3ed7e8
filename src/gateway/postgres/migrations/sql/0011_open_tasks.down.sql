DROP TRIGGER rollup_insert ON public.tasks;

DROP TRIGGER rollup_update ON public.tasks;

DROP TRIGGER rollup_delete ON public.tasks;

DROP TRIGGER rollup_truncate ON public.tasks;

DROP FUNCTION rollup.tasks_insert(), rollup.tasks_update(), rollup.tasks_delete();

DELETE FROM rollup.registry WHERE name = 'task_agenda';

DROP VIEW analytics.task_agenda;

DROP TABLE rollup.task_agenda_pending, rollup.task_agenda_delta;

DROP MATERIALIZED VIEW rollup.task_agenda_base;

COMMENT ON VIEW analytics.open_tasks IS 'Tasks not done yet; a bounded, indexed scan.';

DROP INDEX tasks_open_by_due, tasks_open_by_owner;

CREATE INDEX tasks_open_by_due ON tasks (tenant_id, due_at, id) WHERE completed_at IS NULL AND deleted_at IS NULL;

CREATE INDEX tasks_open_by_owner ON tasks (tenant_id, owner_id, due_at, id) WHERE completed_at IS NULL AND deleted_at IS NULL;

CREATE OR REPLACE FUNCTION app.keep_deal() RETURNS trigger LANGUAGE plpgsql AS $$
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
