-- What lists are paged and searched by.

-- Comparing numerics is not leakproof, so under a policy a page could not begin in the middle of an index of amounts: every
-- row before it would be read. Comparing integers is.
ALTER TABLE deals ADD COLUMN amount_ten_thousandths bigint GENERATED ALWAYS AS ((amount * 10000)::bigint) STORED;

COMMENT ON COLUMN deals.amount_ten_thousandths IS 'The amount in units of 0.0001, to be ordered by.';

-- An index for each ordering, led by the tenant and ended by the id that breaks ties.

CREATE INDEX deals_by_created_at ON deals (tenant_id, created_at, id) WHERE deleted_at IS NULL;

CREATE INDEX deals_by_name ON deals (tenant_id, name, id) WHERE deleted_at IS NULL;

CREATE INDEX deals_by_amount ON deals (tenant_id, amount_ten_thousandths, id) WHERE deleted_at IS NULL;

CREATE INDEX deals_by_expected_close ON deals (tenant_id, expected_close, id) WHERE deleted_at IS NULL;

CREATE INDEX deals_by_closed_at ON deals (tenant_id, closed_at, id) WHERE deleted_at IS NULL;

CREATE INDEX companies_by_name ON companies (tenant_id, name, id) WHERE deleted_at IS NULL;

CREATE INDEX companies_by_created_at ON companies (tenant_id, created_at, id) WHERE deleted_at IS NULL;

CREATE INDEX companies_by_employees ON companies (tenant_id, employees, id) WHERE deleted_at IS NULL;

CREATE INDEX contacts_by_name ON contacts (tenant_id, name, id) WHERE deleted_at IS NULL;

CREATE INDEX contacts_by_created_at ON contacts (tenant_id, created_at, id) WHERE deleted_at IS NULL;

CREATE INDEX activities_by_created_at ON activities (tenant_id, created_at, id) WHERE deleted_at IS NULL;

CREATE INDEX tasks_by_due_at ON tasks (tenant_id, due_at, id) WHERE deleted_at IS NULL;

CREATE INDEX tasks_by_created_at ON tasks (tenant_id, created_at, id) WHERE deleted_at IS NULL;

CREATE INDEX tasks_by_completed_at ON tasks (tenant_id, completed_at, id) WHERE deleted_at IS NULL;

-- A member's deals and tasks.
CREATE INDEX deals_by_owner_and_created_at ON deals (tenant_id, owner_id, created_at, id) WHERE deleted_at IS NULL;

CREATE INDEX tasks_by_owner ON tasks (tenant_id, owner_id, due_at, id) WHERE deleted_at IS NULL;

CREATE INDEX members_by_name ON members (tenant_id, name, id);

-- Searching a text is not leakproof, so under a policy it could use no index. These act with the owner's right and take the
-- tenant from the setting, never from an argument. Where pg_trgm can be had, they use its indexes; else the tenant's rows
-- are read one by one.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX deals_by_text ON deals USING gin (name gin_trgm_ops);
    CREATE INDEX companies_by_text ON companies USING gin (name gin_trgm_ops);
    CREATE INDEX contacts_by_text ON contacts USING gin (name gin_trgm_ops, email gin_trgm_ops);
    CREATE INDEX activities_by_text ON activities USING gin (subject gin_trgm_ops);
    CREATE INDEX tasks_by_text ON tasks USING gin (title gin_trgm_ops);
  END IF;
END $$;

CREATE FUNCTION app.search_deals(pattern text) RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  BEGIN ATOMIC
    SELECT id FROM deals WHERE tenant_id = app.tenant_id() AND name ILIKE pattern AND deleted_at IS NULL;
  END;

CREATE FUNCTION app.search_companies(pattern text) RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  BEGIN ATOMIC
    SELECT id FROM companies WHERE tenant_id = app.tenant_id() AND name ILIKE pattern AND deleted_at IS NULL;
  END;

CREATE FUNCTION app.search_contacts(pattern text) RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  BEGIN ATOMIC
    SELECT id FROM contacts
     WHERE tenant_id = app.tenant_id() AND (name ILIKE pattern OR email ILIKE pattern) AND deleted_at IS NULL;
  END;

CREATE FUNCTION app.search_activities(pattern text) RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  BEGIN ATOMIC
    SELECT id FROM activities WHERE tenant_id = app.tenant_id() AND subject ILIKE pattern AND deleted_at IS NULL;
  END;

CREATE FUNCTION app.search_tasks(pattern text) RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  BEGIN ATOMIC
    SELECT id FROM tasks WHERE tenant_id = app.tenant_id() AND title ILIKE pattern AND deleted_at IS NULL;
  END;

CREATE FUNCTION app.search_members(pattern text) RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  BEGIN ATOMIC
    SELECT id FROM members WHERE tenant_id = app.tenant_id() AND (name ILIKE pattern OR email ILIKE pattern);
  END;

GRANT EXECUTE ON FUNCTION app.search_deals(text), app.search_companies(text), app.search_contacts(text),
  app.search_activities(text), app.search_tasks(text), app.search_members(text) TO gateway;
