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
