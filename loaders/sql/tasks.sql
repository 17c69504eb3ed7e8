-- name: tasks_by_id (planned once)
-- reads: tasks
-- Tasks of the given ids that are not deleted, in any order.
SELECT id, title, priority, owner_id, company_id, deal_id, due_at, completed_at, created_at
  FROM tasks WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;

-- name: next_tasks
-- reads: tasks
-- The $3 open tasks that are due first, earliest first, those without a due date last; $2: an owner or null.
SELECT id, title, priority, owner_id, company_id, deal_id, due_at, completed_at, created_at
  FROM tasks
 WHERE tenant_id = $1 AND completed_at IS NULL AND deleted_at IS NULL AND ($2::bigint IS NULL OR owner_id = $2)
 ORDER BY due_at ASC NULLS LAST, id LIMIT $3;

-- name: task_summary (planned once)
-- reads: tasks, tenants
-- One row: open tasks, those due before instant $3, those due on local day $4, when the next is due; $2: an owner or null. Clocks
-- are put back by a day at most: what is due two local days before that of $3 is overdue, and of later days only what 72 hours hold
-- can be.
WITH unsure AS (SELECT app.local_day($1, $3::timestamptz) - 1 AS from_day)
SELECT sum(open)::bigint AS open, sum(overdue)::bigint AS overdue, sum(due_today)::bigint AS due_today,
       coalesce((SELECT due_at FROM analytics.open_tasks
                  WHERE tenant_id = $1 AND $2 IS NULL AND due_at >= $3 ORDER BY due_at LIMIT 1),
                (SELECT due_at FROM analytics.open_tasks
                  WHERE tenant_id = $1 AND owner_id = $2 AND due_at >= $3 ORDER BY due_at LIMIT 1)) AS next_due_at
  FROM (SELECT sum(tasks) AS open, sum(tasks) FILTER (WHERE day < (SELECT from_day FROM unsure)) AS overdue,
               sum(tasks) FILTER (WHERE day = $4::date) AS due_today
          FROM analytics.task_agenda WHERE tenant_id = $1 AND $2::bigint IS NULL
        UNION ALL
        SELECT 0, count(*), 0 FROM analytics.open_tasks
         WHERE tenant_id = $1 AND $2 IS NULL AND due_at >= $3 - interval '72 hours' AND due_at < $3
           AND due_day >= (SELECT from_day FROM unsure)
        UNION ALL
        SELECT count(*), count(*) FILTER (WHERE due_at < $3), count(*) FILTER (WHERE due_day = $4)
          FROM analytics.open_tasks WHERE tenant_id = $1 AND owner_id = $2) AS counted;
