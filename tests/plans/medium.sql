-- A fifth of the demo's size `medium`, in its proportions: as uneven tenants, as many rows to a deal, to a company, to an
-- owner. Made by numbers alone, so that it takes seconds; triggers are off, so what they write is written here.

SET session_replication_role = replica;
SET maintenance_work_mem = '256MB';

INSERT INTO tenants (id, slug, name, plan) SELECT t, 'tenant-' || t, 'Tenant ' || t, 'enterprise' FROM generate_series(1, 100) AS t;

-- Deals of the n-th tenant have the weight n^-0.9, as in the demo. No two tenants share an id, as ids come from sequences:
-- those of a tenant begin at its base.
CREATE TEMPORARY TABLE sizes AS
SELECT t AS tenant_id, t * 1000000 AS base, (200000 * t ^ -0.9 / sum(t ^ -0.9) OVER ())::bigint AS deals,
       12 + round(48 * least(1, greatest(0, log((1000000 * t ^ -0.9 / sum(t ^ -0.9) OVER ())::numeric) - 3) / 2))::bigint AS members
  FROM generate_series(1, 100) AS t;

INSERT INTO members (tenant_id, id, subject, email, name, role, team, region)
SELECT tenant_id, base + m, m || '', m || '@t.example', 'Member ' || m, CASE WHEN m = 1 THEN 'viewer' ELSE 'rep' END, 'Team ' || m % 6, 'Region ' || m % 4
  FROM sizes, generate_series(1, members) AS m;

INSERT INTO pipelines (tenant_id, id, name, is_default) SELECT t, t * 1000000 + p, 'Pipeline ' || p, p = 1 FROM generate_series(1, 100) AS t, generate_series(1, 2) AS p;

INSERT INTO stages (tenant_id, id, pipeline_id, name, position, probability, kind)
SELECT t, t * 1000000 + 6 * (p - 1) + s, t * 1000000 + p, 'Stage ' || s, s, CASE s WHEN 5 THEN 1 WHEN 6 THEN 0 ELSE s * 0.2 END,
       CASE s WHEN 5 THEN 'won' WHEN 6 THEN 'lost' ELSE 'open' END
  FROM generate_series(1, 100) AS t, generate_series(1, 2) AS p, generate_series(1, 6) AS s;

INSERT INTO companies (tenant_id, id, owner_id, name, industry, region, employees, created_at, created_day, deleted_at)
SELECT tenant_id, base + c, base + 1 + c % members, md5(tenant_id || '-' || c), 'Industry ' || c % 20, 'Region ' || c % 8,
       CASE WHEN c % 9 > 0 THEN c % 500 END, at, at::date, CASE WHEN c % 100 = 0 THEN at END
  FROM sizes, generate_series(1, deals / 8) AS c, LATERAL (SELECT timestamptz '2022-01-01' + c % 1000 * interval '1 day' AS at) AS a;

INSERT INTO contacts (tenant_id, id, company_id, owner_id, name, email, created_at)
SELECT tenant_id, base + k, base + 1 + k % greatest(deals / 8, 1), base + 1 + k % members, md5(k || '-' || tenant_id), k || '@c.example',
       timestamptz '2022-01-01' + k % 1000 * interval '1 day'
  FROM sizes, generate_series(1, deals * 33 / 100) AS k;

INSERT INTO products (tenant_id, id, name) SELECT t, t * 1000000 + p, 'Product ' || p FROM generate_series(1, 100) AS t, generate_series(1, 8) AS p;

-- One deal in five is open; nine in a hundred have no company, no amount or no expected close.
INSERT INTO deals (tenant_id, id, pipeline_id, stage_id, owner_id, company_id, name, amount, outcome, expected_close, created_at,
                   created_day, stage_entered_at, stage_entered_day, closed_at, closed_day, deleted_at)
SELECT tenant_id, base + d, base + 1 + d % 10 / 9, base + 6 * (d % 10 / 9) + stage, base + 1 + d % members,
       CASE WHEN d % 11 > 0 THEN base + 1 + d * 7 % greatest(deals / 8, 1) END,
       md5(d || '/' || tenant_id), CASE WHEN d % 11 <> 1 THEN d * 37 % 20000 END, CASE stage WHEN 5 THEN 'won' WHEN 6 THEN 'lost' ELSE 'open' END,
       CASE WHEN d % 11 <> 2 THEN at::date + 60 END, at, at::date, entered, entered::date,
       CASE WHEN stage > 4 THEN entered END, CASE WHEN stage > 4 THEN entered::date END, CASE WHEN d % 100 = 0 THEN entered END
  FROM sizes, generate_series(1, deals) AS d,
       LATERAL (SELECT CASE WHEN d % 5 = 0 THEN 1 + d / 5 % 4 WHEN d % 2 = 0 THEN 5 ELSE 6 END AS stage,
                       timestamptz '2022-01-01 12:00Z' + d * 7919 % 1090 * interval '1 day' + d * interval '1 second' AS at) AS a,
       LATERAL (SELECT at + (1 + d % 50) * interval '1 day' AS entered) AS b;

SET app.ways_kept = 'on';

INSERT INTO deal_stage_history (tenant_id, id, deal_id, from_stage_id, to_stage_id, moved_at, moved_day, days_in_stage, straight)
SELECT tenant_id, tenant_id * 1000000 + d.id % 1000000 * 3 + n, d.id, CASE WHEN n > 0 THEN tenant_id * 1000000 + n END, tenant_id * 1000000 + n + 1, at, at::date, CASE WHEN n > 0 THEN 3 END, true
  FROM deals d, generate_series(0, 2) AS n, LATERAL (SELECT created_at + n * interval '3 days' AS at) AS a;

INSERT INTO audit_log (tenant_id, id, at, member_id, action, record_type, record_id)
SELECT tenant_id, id, created_at, owner_id, 'updateDealStages', 'Deal', id FROM deals;

INSERT INTO deal_products (tenant_id, deal_id, product_id, amount)
SELECT tenant_id, id, tenant_id * 1000000 + 1 + (id + n) % 8, 100 FROM deals, generate_series(0, 1) AS n WHERE n = 0 OR id % 5 = 0;

INSERT INTO activities (tenant_id, id, kind, subject, owner_id, company_id, contact_id, deal_id, occurred_at, occurred_day, created_at)
SELECT d.tenant_id, d.tenant_id * 1000000 + d.id % 1000000 * 3 + n, (ARRAY['call', 'email', 'meeting', 'note'])[1 + (d.id + n) % 4], md5(d.id || '+' || n), d.owner_id, d.company_id,
       CASE WHEN n = 0 AND company_id IS NOT NULL THEN company_id END, CASE WHEN n < 2 THEN d.id END, at, at::date, at
  FROM deals d, generate_series(0, 2) AS n, LATERAL (SELECT d.created_at + n * interval '9 days' AS at) AS a;

INSERT INTO tasks (tenant_id, id, title, owner_id, company_id, deal_id, due_at, due_day, completed_at, created_at)
SELECT tenant_id, id, 'Task ' || id, owner_id, company_id, CASE WHEN id % 2 = 0 THEN id END, CASE WHEN id % 7 > 0 THEN created_at END,
       CASE WHEN id % 7 > 0 THEN created_day END, CASE WHEN id % 3 > 0 THEN created_at END, created_at
  FROM deals WHERE id % 5 = 0;

SET session_replication_role = origin;

RESET app.ways_kept;
