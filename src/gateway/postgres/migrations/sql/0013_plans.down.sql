LOCK TABLE tenants IN ACCESS EXCLUSIVE MODE;

DROP FUNCTION app.identify(text, text);

CREATE FUNCTION app.identify(tenant_slug text, member_subject text)
  RETURNS TABLE (tenant_id bigint, plan text, currency text, time_zone text, member_id bigint, role text, active boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  BEGIN ATOMIC
    SELECT t.id, t.plan, t.currency, t.time_zone, m.id, m.role, m.active
      FROM tenants t LEFT JOIN members m ON m.tenant_id = t.id AND m.subject = member_subject
     WHERE t.slug = tenant_slug;
  END;

GRANT EXECUTE ON FUNCTION app.identify(text, text) TO gateway;

DROP FUNCTION app.terms(bigint);

-- With their triggers.
DROP TABLE tenant_terms;

-- A plan that was added by hand is unknown then.
UPDATE tenants SET plan = 'standard' WHERE plan NOT IN ('standard', 'professional', 'enterprise');

ALTER TABLE tenants DROP CONSTRAINT tenants_plan_fkey,
  ADD CONSTRAINT tenants_plan_check CHECK (plan IN ('standard', 'professional', 'enterprise'));

DROP TABLE plans;

DROP FUNCTION app.notify_change_to_all();
