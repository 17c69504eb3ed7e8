-- Whose day tells too little is looked at one by one: an owner's open tasks, and those that are due around now. The index
-- holds all that is asked of them.
DROP INDEX tasks_open_by_due, tasks_open_by_owner;

CREATE INDEX tasks_open_by_due ON tasks (tenant_id, due_at, id) INCLUDE (due_day)
 WHERE completed_at IS NULL AND deleted_at IS NULL;

CREATE INDEX tasks_open_by_owner ON tasks (tenant_id, owner_id, due_at, id) INCLUDE (due_day)
 WHERE completed_at IS NULL AND deleted_at IS NULL;

COMMENT ON VIEW analytics.open_tasks IS 'Single tasks that are not done yet: of an owner, or due around now; an index scan.';

-- As before, but that a deal enters its next stage after the one before, never at the same instant.
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
    -- Who began first and waited for the one before does not close at the same instant: an undo could not tell them apart.
    IF closing IS NULL AND NEW.stage_entered_at = OLD.stage_entered_at THEN
      NEW.stage_entered_at := OLD.stage_entered_at + interval '1 microsecond';
    END IF;
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

-- Rendered from the declarations in gateway.rollups.declared by `gateway rollups diff`.

LOCK TABLE public.tasks IN SHARE ROW EXCLUSIVE MODE;

SET ROLE rollup_owner;

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
SELECT tenant_id, day, tasks FROM (
SELECT tenant_id, day, tasks FROM rollup.task_agenda_base
UNION ALL
SELECT tenant_id, day, tasks FROM rollup.task_agenda_pending
UNION ALL
SELECT tenant_id, day, tasks FROM rollup.task_agenda_delta
) AS branch WHERE tenant_id = app.tenant_id();

COMMENT ON VIEW analytics.task_agenda IS 'Open tasks by the day on which they are due; those without one stand on 9999-12-31, which is never over.';

GRANT SELECT ON analytics.task_agenda TO gateway;

INSERT INTO rollup.registry (name, base_table, fingerprint, home, base_groups)
SELECT 'task_agenda', 'tasks', '586d61e02d244d86', rollup.home('task_agenda'),
       count(*) FROM rollup.task_agenda_base;

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
