-- name: activities_by_id (planned once)
-- reads: activities
-- Activities of the given ids that are not deleted, in any order.
SELECT id, kind, subject, body, owner_id, company_id, contact_id, deal_id, occurred_at
  FROM activities WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;

-- name: recent_activities
-- reads: activities
-- The newest $3 activities, newest first; $2: an owner or null.
SELECT id, kind, subject, body, owner_id, company_id, contact_id, deal_id, occurred_at
  FROM activities
 WHERE tenant_id = $1 AND deleted_at IS NULL AND ($2::bigint IS NULL OR owner_id = $2)
 ORDER BY occurred_at DESC, id DESC LIMIT $3;

-- name: activity_summary (planned once)
-- reads: activities
-- One row: activities of [$3, $4) by kind, and those of local day $5 and of its ISO week; $2: an owner or null.
SELECT coalesce(sum(calls) FILTER (WHERE day >= $3::date AND day < $4::date), 0)::bigint AS calls,
       coalesce(sum(emails) FILTER (WHERE day >= $3 AND day < $4), 0)::bigint AS emails,
       coalesce(sum(meetings) FILTER (WHERE day >= $3 AND day < $4), 0)::bigint AS meetings,
       coalesce(sum(notes) FILTER (WHERE day >= $3 AND day < $4), 0)::bigint AS notes,
       coalesce(sum(calls + emails + meetings + notes) FILTER (WHERE day = $5::date), 0)::bigint AS today,
       coalesce(sum(calls + emails + meetings + notes)
         FILTER (WHERE day >= date_trunc('week', $5::timestamp)::date AND day < date_trunc('week', $5::timestamp)::date + 7), 0)::bigint AS week
  FROM (SELECT tenant_id, day, calls, emails, meetings, notes FROM analytics.activity_flow WHERE $2::bigint IS NULL
        UNION ALL
        SELECT tenant_id, day, calls, emails, meetings, notes FROM analytics.owner_activity_flow WHERE owner_id = $2) AS flow
 WHERE tenant_id = $1
   AND day >= least($3, date_trunc('week', $5::timestamp)::date)
   AND day < greatest($4, date_trunc('week', $5::timestamp)::date + 7);
