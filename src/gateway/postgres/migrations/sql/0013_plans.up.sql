-- What a tenant may use: by its plan, with what is agreed with it alone.

-- First of all, so that what waits too long gives up before anything is done.
LOCK TABLE tenants IN ACCESS EXCLUSIVE MODE;

-- The largest number of points is the largest Int of the schema, in which `budget` tells them.
CREATE TABLE plans (
  name              text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  bucket_points     bigint NOT NULL CHECK (bucket_points BETWEEN 1 AND 2147483647),
  points_per_second bigint NOT NULL CHECK (points_per_second BETWEEN 1 AND 2147483647),
  most_points       bigint NOT NULL CHECK (most_points BETWEEN 1 AND 2147483647),
  deadline_seconds  int NOT NULL CHECK (deadline_seconds BETWEEN 1 AND 3600),
  page_size         int NOT NULL CHECK (page_size BETWEEN 1 AND 100),
  bulk_size         int NOT NULL CHECK (bulk_size BETWEEN 1 AND 10000),
  concurrency       int NOT NULL CHECK (concurrency BETWEEN 1 AND 1000),
  stale_instead     boolean NOT NULL DEFAULT false,
  CONSTRAINT plans_admit_what_they_permit CHECK (most_points <= bucket_points)
);

COMMENT ON TABLE plans IS 'What the tenants of a plan may use. Changed with `gateway plans set`.';

COMMENT ON COLUMN plans.bucket_points IS 'The size of a tenant''s budget.';

COMMENT ON COLUMN plans.points_per_second IS 'So many points are restored.';

COMMENT ON COLUMN plans.most_points IS 'Of one operation.';

COMMENT ON COLUMN plans.concurrency IS 'Requests of a tenant that are at work in one process.';

COMMENT ON COLUMN plans.stale_instead IS 'Whether a kept answer that was overtaken is given where the budget is spent.';

INSERT INTO plans (name, bucket_points, points_per_second, most_points, deadline_seconds, page_size, bulk_size, concurrency) VALUES
  ('standard', 20000, 1000, 5000, 15, 100, 500, 4),
  ('professional', 100000, 5000, 20000, 30, 100, 1000, 8),
  ('enterprise', 400000, 20000, 100000, 60, 100, 1000, 16);

ALTER TABLE tenants DROP CONSTRAINT tenants_plan_check, ADD FOREIGN KEY (plan) REFERENCES plans;

CREATE TABLE tenant_terms (
  tenant_id         bigint PRIMARY KEY REFERENCES tenants,
  bucket_points     bigint CHECK (bucket_points BETWEEN 1 AND 2147483647),
  points_per_second bigint CHECK (points_per_second BETWEEN 1 AND 2147483647),
  most_points       bigint CHECK (most_points BETWEEN 1 AND 2147483647),
  deadline_seconds  int CHECK (deadline_seconds BETWEEN 1 AND 3600),
  page_size         int CHECK (page_size BETWEEN 1 AND 100),
  bulk_size         int CHECK (bulk_size BETWEEN 1 AND 10000),
  concurrency       int CHECK (concurrency BETWEEN 1 AND 1000),
  stale_instead     boolean,
  mode              text CHECK (mode IN ('off', 'measure', 'enforce'))
);

COMMENT ON TABLE tenant_terms IS 'What is agreed with one tenant instead of what its plan says; null: the plan. Changed with `gateway plans set --tenant`.';

COMMENT ON COLUMN tenant_terms.mode IS 'What prices are for; null: as the gateway''s settings say.';

ALTER TABLE tenant_terms ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_isolation ON tenant_terms USING (tenant_id = app.tenant_id());

CREATE FUNCTION app.terms(of_tenant bigint)
  RETURNS TABLE (bucket_points bigint, points_per_second bigint, most_points bigint, deadline_seconds int, page_size int,
                 bulk_size int, concurrency int, stale_instead boolean, mode text)
  LANGUAGE sql STABLE
  BEGIN ATOMIC
    SELECT coalesce(own.bucket_points, p.bucket_points), coalesce(own.points_per_second, p.points_per_second),
           coalesce(own.most_points, p.most_points), coalesce(own.deadline_seconds, p.deadline_seconds),
           coalesce(own.page_size, p.page_size), coalesce(own.bulk_size, p.bulk_size),
           coalesce(own.concurrency, p.concurrency), coalesce(own.stale_instead, p.stale_instead), own.mode
      FROM tenants t JOIN plans p ON p.name = t.plan LEFT JOIN tenant_terms own ON own.tenant_id = t.id
     WHERE t.id = of_tenant;
  END;

COMMENT ON FUNCTION app.terms(bigint) IS 'What a tenant may use: by its plan, with what is agreed with it alone.';

DROP FUNCTION app.identify(text, text);

CREATE FUNCTION app.identify(tenant_slug text, member_subject text)
  RETURNS TABLE (tenant_id bigint, currency text, time_zone text, member_id bigint, role text, active boolean,
                 bucket_points bigint, points_per_second bigint, most_points bigint, deadline_seconds int, page_size int,
                 bulk_size int, concurrency int, stale_instead boolean, mode text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  BEGIN ATOMIC
    SELECT t.id, t.currency, t.time_zone, m.id, m.role, m.active, terms.*
      FROM tenants t LEFT JOIN members m ON m.tenant_id = t.id AND m.subject = member_subject
     CROSS JOIN LATERAL app.terms(t.id) AS terms
     WHERE t.slug = tenant_slug;
  END;

GRANT EXECUTE ON FUNCTION app.identify(text, text) TO gateway;

SELECT app.notify_changes_of('tenant_terms');

-- Every tenant is told of a plan's change, on it or not: one that is just being put on it by another transaction cannot be seen.
CREATE FUNCTION app.notify_change_to_all() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('gateway_changes', concat_ws(':', '*', TG_TABLE_NAME, pg_current_xact_id()));
  RETURN NULL;
END $$;

COMMENT ON FUNCTION app.notify_change_to_all() IS 'Notifies *:table:xid on channel gateway_changes.';

CREATE TRIGGER notify_all AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON plans
  FOR EACH STATEMENT EXECUTE FUNCTION app.notify_change_to_all();

ALTER TABLE plans ENABLE ALWAYS TRIGGER notify_all;
