-- All that a tenant can hold. In braces: the tenant's key, its mark, its keys of records, an amount of its own.
-- A deal's key is that of the stage that it ends in.

INSERT INTO members (tenant_id, id, subject, email, name, role, team, region, password_hash)
SELECT {tenant}, k, '{mark} subject ' || k, '{mark}' || k || '@example.test', '{mark} member ' || k,
       (ARRAY['viewer', 'rep', 'manager', 'admin'])[1 + (k - 1) % 4], '{mark} team', '{mark} region', '{mark} hash'
  FROM unnest({keys}) AS k;

INSERT INTO tenant_terms (tenant_id, mode) VALUES ({tenant}, 'off');

INSERT INTO companies (tenant_id, id, owner_id, name, industry, region, website, employees, created_at, external_id)
SELECT {tenant}, k, k, '{mark} company ' || k, '{mark} industry', '{mark} region', 'https://{mark}.test', {amount},
       now() - interval '50 days', '{mark} company ' || k FROM unnest({keys}) AS k;

INSERT INTO contacts (tenant_id, id, company_id, owner_id, name, email, phone, title, external_id)
SELECT {tenant}, k, k, k, '{mark} contact ' || k, '{mark}@example.test', '{mark} phone', '{mark} title', '{mark} contact ' || k
  FROM unnest({keys}) AS k;

INSERT INTO pipelines (tenant_id, id, name, is_default)
SELECT {tenant}, k, '{mark} pipeline ' || k, k = 1 FROM unnest({keys}) AS k;

INSERT INTO stages (tenant_id, id, pipeline_id, name, position, probability, kind)
SELECT {tenant}, k * 10 + s, k, '{mark} stage ' || s, s, (ARRAY[0.5, 1, 0])[s], (ARRAY['open', 'won', 'lost'])[s]
  FROM unnest({keys}) AS k, generate_series(1, 3) AS s;

INSERT INTO deals (tenant_id, id, pipeline_id, stage_id, owner_id, company_id, name, amount, expected_close,
                   created_at, external_id)
SELECT {tenant}, k * 10 + s, k, k * 10 + 1, k, k, '{mark} deal ' || s, {amount} + k, current_date + 10,
       now() - interval '40 days', '{mark} deal ' || k * 10 + s
  FROM unnest({keys}) AS k, generate_series(1, 3) AS s;

UPDATE deals SET stage_id = id WHERE tenant_id = {tenant};

INSERT INTO activities (tenant_id, id, kind, subject, body, owner_id, company_id, contact_id, deal_id, occurred_at,
                        external_id)
SELECT {tenant}, k * 10 + s, (ARRAY['call', 'email', 'meeting', 'note'])[s], '{mark} subject', '{mark} body', k, k, k,
       k * 10 + 1, now() - s * interval '1 day', '{mark} activity ' || k * 10 + s
  FROM unnest({keys}) AS k, generate_series(1, 4) AS s;

INSERT INTO tasks (tenant_id, id, title, owner_id, company_id, deal_id, due_at, completed_at, external_id)
SELECT {tenant}, k, '{mark} task ' || k, k, k, k * 10 + 1, now() + interval '1 hour', CASE WHEN k = 2 THEN now() END,
       '{mark} task ' || k
  FROM unnest({keys}) AS k;

INSERT INTO products (tenant_id, id, name, series, unit_price, external_id)
SELECT {tenant}, k, '{mark} product ' || k, '{mark} series', {amount}, '{mark} product ' || k
  FROM unnest({keys}) AS k;

INSERT INTO deal_products (tenant_id, deal_id, product_id, amount)
SELECT {tenant}, k * 10 + 1, k, {amount} FROM unnest({keys}) AS k;

INSERT INTO idempotency_keys (tenant_id, key, member_id, request_hash, answer)
SELECT {tenant}, '{mark} key ' || k, k, '{mark} hash', to_jsonb('{mark}'::text) FROM unnest({keys}) AS k;

-- An operation's key is the uuid that ends with the member's.
INSERT INTO operations (tenant_id, id, member_id, request_id, action, note)
SELECT {tenant}, ('00000000-0000-4000-8000-' || lpad(k::text, 12, '0'))::uuid, k, '{mark} request', '{mark} action', '{mark} note'
  FROM unnest({keys}) AS k;

INSERT INTO audit_log (tenant_id, id, member_id, request_id, operation_id, action, record_type, record_id, before, after)
SELECT {tenant}, k, k, '{mark} request', ('00000000-0000-4000-8000-' || lpad(k::text, 12, '0'))::uuid, '{mark} action', 'Deal',
       k * 10 + 1, jsonb_build_object('name', '{mark} before'), jsonb_build_object('name', '{mark} after')
  FROM unnest({keys}) AS k;

-- Rows that the gateway adds do not meet these.
SELECT setval(pg_get_serial_sequence('audit_log', 'id'), 1000000);
