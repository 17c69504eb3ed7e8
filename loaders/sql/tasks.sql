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

-- name: task_summary
-- reads: tasks
-- One row: open tasks, those due before instant $3, those due on local day $4; $2: an owner or null.
SELECT coalesce(sum(tasks), 0)::bigint AS open,
       coalesce(sum(tasks) FILTER (WHERE due_at < $3::timestamptz), 0)::bigint AS overdue,
       coalesce(sum(tasks) FILTER (WHERE due_day = $4::date), 0)::bigint AS due_today
  FROM analytics.open_tasks WHERE tenant_id = $1 AND ($2::bigint IS NULL OR owner_id = $2);
