-- name: notify_change
-- Tells of a change of each tag of $2, as the triggers of tables do.
SELECT pg_notify('gateway_changes', concat_ws(':', $1::bigint, changed, pg_current_xact_id()))
  FROM unnest($2::text[]) AS changed;
