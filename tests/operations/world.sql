-- The data that the results here stand on: one tenant, every id and instant fixed, all of it in the first half of 2024.
-- Only the clock differs between two runs: no record is recent, every task that is open is overdue.

INSERT INTO tenants (id, slug, name, plan, currency, time_zone, created_at)
VALUES (1, 'meadow', 'Meadow', 'enterprise', 'EUR', 'Europe/Berlin', '2023-12-01T08:00Z');

INSERT INTO members (tenant_id, id, subject, email, name, role, team, region, active, created_at) VALUES
  (1, 1, 'vera', 'vera@meadow.example', 'Vera Lind', 'viewer', NULL, NULL, true, '2023-12-01T09:00Z'),
  (1, 2, 'ann', 'ann@meadow.example', 'Ann Berg', 'rep', 'East', 'Berlin', true, '2023-12-01T09:01Z'),
  (1, 3, 'bob', 'bob@meadow.example', 'Bob Stern', 'rep', 'East', 'Leipzig', true, '2023-12-01T09:02Z'),
  (1, 4, 'cleo', 'cleo@meadow.example', 'Cleo Adler', 'manager', 'West', 'Köln', true, '2023-12-01T09:03Z'),
  (1, 5, 'dan', 'dan@meadow.example', 'Dan Frei', 'rep', 'West', 'Köln', false, '2023-12-01T09:04Z');

INSERT INTO pipelines (tenant_id, id, name, is_default, created_at) VALUES
  (1, 1, 'Sales', true, '2023-12-01T08:00Z'),
  (1, 2, 'Renewals', false, '2023-12-01T08:00Z');

INSERT INTO stages (tenant_id, id, pipeline_id, name, position, probability, kind) VALUES
  (1, 1, 1, 'Lead', 1, 0.1, 'open'),
  (1, 2, 1, 'Proposal', 2, 0.5, 'open'),
  (1, 3, 1, 'Won', 3, 1, 'won'),
  (1, 4, 1, 'Lost', 4, 0, 'lost'),
  (1, 5, 2, 'Due', 1, 0.8, 'open'),
  (1, 6, 2, 'Renewed', 2, 1, 'won'),
  (1, 7, 2, 'Ended', 3, 0, 'lost');

INSERT INTO companies (tenant_id, id, owner_id, name, industry, region, website, employees, created_at, updated_at, deleted_at) VALUES
  (1, 1, 2, 'Acme', 'retail', 'Berlin', 'https://acme.example', 120, '2024-01-05T10:00Z', '2024-05-02T10:00Z', NULL),
  (1, 2, 2, 'Birkenhof', 'food', 'Leipzig', NULL, 45, '2024-01-20T10:00Z', '2024-01-20T10:00Z', NULL),
  (1, 3, 4, 'Cedar & Sons', 'retail', 'Köln', 'https://cedar.example', NULL, '2024-02-10T10:00Z', '2024-02-10T10:00Z', NULL),
  (1, 4, NULL, 'Dünenwerk', 'energy', NULL, NULL, 8, '2024-03-31T22:30Z', '2024-03-31T22:30Z', NULL),
  (1, 5, 3, 'Gone', 'food', 'Leipzig', NULL, 3, '2024-01-02T10:00Z', '2024-04-01T10:00Z', '2024-04-01T10:00Z');

INSERT INTO contacts (tenant_id, id, company_id, owner_id, name, email, phone, title, created_at) VALUES
  (1, 1, 1, 2, 'Iris Moll', 'iris@acme.example', '+49 30 1', 'Buyer', '2024-01-06T10:00Z'),
  (1, 2, 1, 2, 'Jan Oster', 'jan@acme.example', NULL, NULL, '2024-01-07T10:00Z'),
  (1, 3, 2, 2, 'Kai Roth', NULL, NULL, 'Head of purchasing', '2024-01-21T10:00Z'),
  (1, 4, NULL, 4, 'Lea Quast', 'lea@nowhere.example', NULL, NULL, '2024-02-01T10:00Z');

INSERT INTO products (tenant_id, id, name, series, unit_price, created_at) VALUES
  (1, 1, 'Meter', 'M', 250, '2023-12-01T08:00Z'),
  (1, 2, 'Support', NULL, 99.5, '2023-12-01T08:00Z');

-- Deals begin in the first stage of their pipeline and are then moved, so that triggers write their history.
INSERT INTO deals (tenant_id, id, pipeline_id, stage_id, owner_id, company_id, name, amount, expected_close, created_at, external_id) VALUES
  (1, 1, 1, 1, 2, 1, 'Meters for Acme', 1200.50, '2024-03-01', '2024-01-10T09:00Z', 'M-1'),
  (1, 2, 1, 1, 2, 2, 'Ovens', 800, '2024-04-15', '2024-02-01T09:00Z', NULL),
  (1, 3, 1, 1, 3, 1, 'Support for Acme', NULL, NULL, '2024-02-14T09:00Z', NULL),
  (1, 4, 1, 1, 4, 3, 'Shelves', 5000, '2024-05-20', '2024-03-01T09:00Z', 'M-4'),
  (1, 5, 1, 1, 3, NULL, 'A call from nowhere', 75.25, '2024-04-02', '2024-03-31T22:30Z', NULL),
  (1, 6, 2, 5, 4, 3, 'Renewal of Cedar', 640, '2024-06-30', '2024-04-02T09:00Z', NULL),
  (1, 7, 1, 1, 2, 5, 'Meters for Gone', 300, NULL, '2024-01-15T09:00Z', NULL),
  (1, 8, 1, 1, 2, 1, 'Entered by mistake', 9999, NULL, '2024-01-15T09:00Z', NULL);

UPDATE deals SET stage_id = 2, stage_entered_at = '2024-01-25T09:00Z' WHERE tenant_id = 1 AND id = 1;
UPDATE deals SET stage_id = 3, closed_at = '2024-02-20T09:00Z' WHERE tenant_id = 1 AND id = 1;
UPDATE deals SET stage_id = 2, stage_entered_at = '2024-03-05T09:00Z' WHERE tenant_id = 1 AND id = 2;
UPDATE deals SET stage_id = 4, closed_at = '2024-03-10T09:00Z' WHERE tenant_id = 1 AND id = 3;
UPDATE deals SET stage_id = 2, stage_entered_at = '2024-03-04T09:00Z' WHERE tenant_id = 1 AND id = 4;
UPDATE deals SET stage_id = 3, closed_at = '2024-04-10T09:00Z' WHERE tenant_id = 1 AND id = 4;
UPDATE deals SET stage_id = 3, closed_at = '2024-02-05T09:00Z' WHERE tenant_id = 1 AND id = 7;
UPDATE deals SET deleted_at = '2024-01-16T09:00Z' WHERE tenant_id = 1 AND id = 8;

INSERT INTO deal_products (tenant_id, deal_id, product_id, quantity, amount) VALUES
  (1, 1, 1, 4, 1000), (1, 1, 2, 1, 200.50), (1, 4, 1, 20, 5000);

INSERT INTO activities (tenant_id, id, kind, subject, body, owner_id, company_id, contact_id, deal_id, occurred_at, created_at) VALUES
  (1, 1, 'call', 'First call', NULL, 2, 1, 1, 1, '2024-01-10T10:00Z', '2024-01-10T10:05Z'),
  (1, 2, 'meeting', 'Proposal presented', 'They liked it.', 2, 1, 2, 1, '2024-01-25T10:00Z', '2024-01-25T12:00Z'),
  (1, 3, 'email', 'Offer sent', NULL, 3, 1, NULL, 3, '2024-02-15T10:00Z', '2024-02-15T10:00Z'),
  (1, 4, 'note', 'Wants a discount', NULL, 2, 2, NULL, 2, '2024-03-06T10:00Z', '2024-03-06T10:00Z'),
  (1, 5, 'call', 'Talked about shelves', NULL, 4, 3, NULL, 4, '2024-03-04T10:00Z', '2024-03-04T10:30Z'),
  (1, 6, 'call', 'Talked to someone at Gone', NULL, 2, 5, NULL, 7, '2024-01-20T10:00Z', '2024-01-20T10:00Z'),
  (1, 7, 'email', 'Hello', NULL, 4, NULL, 4, NULL, '2024-02-02T10:00Z', '2024-02-02T10:00Z');

INSERT INTO tasks (tenant_id, id, title, priority, owner_id, company_id, deal_id, due_at, completed_at, created_at) VALUES
  (1, 1, 'Call Acme again', 'high', 2, 1, 3, '2024-03-01T09:00Z', NULL, '2024-02-20T09:00Z'),
  (1, 2, 'Send the ovens'' data sheet', 'normal', 2, 2, 2, '2024-03-08T09:00Z', NULL, '2024-03-05T09:00Z'),
  (1, 3, 'Tidy up', 'low', 3, NULL, NULL, NULL, NULL, '2024-03-01T09:00Z'),
  (1, 4, 'Prepare the contract', 'normal', 4, 3, 4, '2024-04-08T09:00Z', '2024-04-07T15:00Z', '2024-03-20T09:00Z');
