-- name: identify
-- reads: members, plans, tenant_terms, tenants
-- A token's tenant and member, before a tenant is set: no row for an unknown tenant, nulls for an unknown member.
SELECT tenant_id, currency, time_zone, member_id, role, active, pg_current_snapshot()::text, app.incarnation(),
       bucket_points, points_per_second, most_points, deadline_seconds, page_size, bulk_size, concurrency, stale_instead, mode
  FROM app.identify($1, $2);

-- name: login_lookup
-- reads: members, tenants
-- The credentials behind a tenant's slug and a member's email: one row or none.
SELECT tenant_id, member_id, subject, active, password_hash FROM app.login_lookup($1, $2);

-- name: credential_lookup
-- reads: members, tenants
-- The credentials behind a tenant's slug and a token's subject: one row or none.
SELECT tenant_id, member_id, subject, active, password_hash FROM app.credential_lookup($1, $2);
