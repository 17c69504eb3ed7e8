-- Whose day tells too little is looked at one by one: an owner's open tasks, and those that are due around now. The index
-- holds all that is asked of them.
DROP INDEX tasks_open_by_due, tasks_open_by_owner;

CREATE INDEX tasks_open_by_due ON tasks (tenant_id, due_at, id) INCLUDE (due_day)
 WHERE completed_at IS NULL AND deleted_at IS NULL;

CREATE INDEX tasks_open_by_owner ON tasks (tenant_id, owner_id, due_at, id) INCLUDE (due_day)
 WHERE completed_at IS NULL AND deleted_at IS NULL;

COMMENT ON VIEW analytics.open_tasks IS 'Single tasks that are not done yet: of an owner, or due around now; an index scan.';

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
