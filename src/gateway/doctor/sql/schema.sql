-- Each query returns a row (observation, remedy) for each fault. After `check`: the subject, and what is said when all is well.

-- check row level security: on for every table of tenants
SELECT format('%s has it off: a statement without a tenant would see all', c.oid::regclass),
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', c.oid::regclass)
  FROM pg_class AS c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
   AND (c.relname = 'tenants' OR EXISTS (
       SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id' AND NOT attisdropped))
 ORDER BY c.relname;

-- check policies: every table of tenants has the one that shows only the session's tenant
WITH tenant_table AS (
    SELECT c.oid, CASE WHEN c.relname = 'tenants' THEN '(id = app.tenant_id())' ELSE '(tenant_id = app.tenant_id())' END AS wanted
      FROM pg_class AS c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND (c.relname = 'tenants' OR EXISTS (
           SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id' AND NOT attisdropped))),
policy AS (
    SELECT t.oid, p.polname, p.polpermissive,
           p.polcmd = '*' AND p.polroles = '{0}' AND p.polpermissive AND pg_get_expr(p.polqual, p.polrelid) = t.wanted
           AND (p.polwithcheck IS NULL OR pg_get_expr(p.polwithcheck, p.polrelid) = t.wanted) AS isolates
      FROM tenant_table AS t JOIN pg_policy AS p ON p.polrelid = t.oid)
SELECT format('%s has none', t.oid::regclass),
       format('CREATE POLICY tenant_isolation ON %s USING %s;', t.oid::regclass, t.wanted)
  FROM tenant_table AS t WHERE NOT EXISTS (SELECT FROM policy AS p WHERE p.oid = t.oid AND p.isolates)
UNION ALL
SELECT format('%s of %s shows other rows than the tenant''s', p.polname, p.oid::regclass),
       format('DROP POLICY %I ON %s;', p.polname, p.oid::regclass)
  FROM policy AS p WHERE p.polpermissive AND NOT p.isolates;

-- check views: those in analytics filter by tenant behind a barrier
SELECT format('%s is no security barrier: a caller''s condition could see other tenants'' rows', c.oid::regclass),
       format('ALTER VIEW %s SET (security_barrier);', c.oid::regclass)
  FROM pg_class AS c
 WHERE c.relnamespace = to_regnamespace('analytics') AND c.relkind = 'v' AND NOT EXISTS (
       SELECT FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_barrier' AND option_value::boolean)
UNION ALL
SELECT format('%s does not filter by tenant', c.oid::regclass), format('REVOKE SELECT ON %s FROM gateway, PUBLIC;', c.oid::regclass)
  FROM pg_class AS c
 WHERE c.relnamespace = to_regnamespace('analytics') AND c.relkind = 'v' AND pg_get_viewdef(c.oid) NOT LIKE '%app.tenant_id()%';

-- check reads: gateway may read all that it serves
WITH wanted AS (
    SELECT format('public.%I', name) AS name FROM unnest(ARRAY['alembic_version', 'tenants', 'companies', 'contacts', 'pipelines',
           'stages', 'deals', 'deal_stage_history', 'activities', 'tasks', 'products', 'deal_products', 'operations', 'audit_log',
           'idempotency_keys']) AS name
    UNION ALL
    SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('analytics') AND c.relkind = 'v'),
readable_column (name) AS (VALUES ('tenant_id'), ('id'), ('subject'), ('email'), ('name'), ('role'), ('team'), ('region'),
    ('active'), ('created_at')),
routine (signature) AS (VALUES ('app.tenant_id()'), ('app.local_day(bigint, timestamptz)'), ('app.identify(text, text)'),
    ('app.login_lookup(text, text)'), ('app.credential_lookup(text, text)'), ('app.period_presets(date)'),
    ('app.intervals(text, date, date, date)'), ('app.search_deals(text)'), ('app.search_companies(text)'),
    ('app.search_contacts(text)'), ('app.search_activities(text)'), ('app.search_tasks(text)'), ('app.search_members(text)'), ('app.rollups()'),
    ('app.incarnation()'), ('app.begin_incarnation()'), ('app.day_at(text, timestamptz)'))
SELECT format('%s is missing', name), 'Restore it from a backup, or migrate a new database: gateway migrate.'
  FROM wanted WHERE to_regclass(name) IS NULL
UNION ALL
SELECT format('gateway may not read %s', name), format('GRANT SELECT ON %s TO gateway;', name)
  FROM wanted WHERE NOT has_table_privilege(to_regrole('gateway'), to_regclass(name), 'SELECT')
UNION ALL
SELECT 'gateway may not read all that it shows of members',
       (SELECT format('GRANT SELECT (%s) ON members TO gateway;', string_agg(name, ', ')) FROM readable_column)
 WHERE EXISTS (SELECT FROM readable_column
                WHERE NOT has_column_privilege(to_regrole('gateway'), to_regclass('public.members'), name, 'SELECT'))
UNION ALL
SELECT format('gateway may not use schema %s', nspname), format('GRANT USAGE ON SCHEMA %I TO gateway;', nspname)
  FROM pg_namespace
 WHERE nspname IN ('public', 'app', 'analytics') AND NOT has_schema_privilege(to_regrole('gateway'), oid, 'USAGE')
UNION ALL
SELECT format('%s is missing', signature), 'Restore it from a backup, or migrate a new database: gateway migrate.'
  FROM routine WHERE to_regprocedure(signature) IS NULL
UNION ALL
SELECT format('gateway may not call %s', signature), format('GRANT EXECUTE ON FUNCTION %s TO gateway;', signature)
  FROM routine WHERE NOT has_function_privilege(to_regrole('gateway'), to_regprocedure(signature), 'EXECUTE');

-- check secrets: gateway cannot read a password hash
SELECT 'gateway may read password hashes',
       'REVOKE SELECT ON members FROM gateway, PUBLIC; GRANT SELECT '
       '(tenant_id, id, subject, email, name, role, team, region, active, created_at) ON members TO gateway;'
 WHERE EXISTS (
    SELECT FROM pg_class AS c, aclexplode(c.relacl) AS acl
     WHERE c.oid = to_regclass('public.members') AND acl.privilege_type = 'SELECT'
       AND acl.grantee IN (0, coalesce(to_regrole('gateway')::oid, 0))
    UNION ALL
    SELECT FROM pg_attribute AS a, aclexplode(a.attacl) AS acl
     WHERE a.attrelid = to_regclass('public.members') AND a.attname = 'password_hash' AND acl.privilege_type = 'SELECT'
       AND acl.grantee IN (0, coalesce(to_regrole('gateway')::oid, 0)));

-- check writes: gateway may write what its changes need, and nothing else
WITH column_list (relation, privilege, names) AS (VALUES
    ('public.deals', 'UPDATE', '{stage_id, stage_entered_at, owner_id, name, amount, expected_close, closed_at, deleted_at}'::text[]),
    ('public.operations', 'INSERT', '{tenant_id, id, member_id, request_id, action, note, undoes}'),
    ('public.audit_log', 'INSERT',
     '{tenant_id, member_id, request_id, operation_id, action, record_type, record_id, before, after}'),
    ('public.idempotency_keys', 'INSERT', '{tenant_id, key, member_id, request_hash}'),
    ('public.idempotency_keys', 'UPDATE', '{answer}'),
    ('public.idempotency_keys', 'DELETE', '{NULL}')),
wanted AS (SELECT to_regclass(relation)::oid AS oid, privilege, name, place FROM column_list, unnest(names) WITH ORDINALITY AS each (name, place)),
granted AS (
    SELECT c.oid, acl.privilege_type AS privilege, NULL AS name
      FROM pg_class AS c, aclexplode(c.relacl) AS acl
     WHERE acl.grantee IN (0, coalesce(to_regrole('gateway')::oid, 0)) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
    UNION
    SELECT c.oid, acl.privilege_type, a.attname
      FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(a.attacl) AS acl
     WHERE acl.grantee IN (0, coalesce(to_regrole('gateway')::oid, 0)) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')),
excess AS (SELECT * FROM granted WHERE privilege <> 'SELECT' EXCEPT SELECT oid, privilege, name FROM wanted),
lack AS (SELECT oid, privilege, name FROM wanted WHERE oid IS NOT NULL EXCEPT SELECT * FROM granted),
-- Revoked of a table, a privilege is revoked of its columns too.
restored AS (
    SELECT w.oid, w.privilege, format(' GRANT %s (%s) ON %s TO gateway;', w.privilege, string_agg(w.name, ', ' ORDER BY w.place), w.oid::regclass) AS remedy
      FROM wanted AS w WHERE w.name IS NOT NULL GROUP BY w.oid, w.privilege)
SELECT format('gateway has %s on %s', string_agg(concat(privilege, ' (' || name || ')'), ', ' ORDER BY privilege, name), oid::regclass),
       string_agg(format('REVOKE %s%s ON %s FROM gateway, PUBLIC;', privilege, ' (' || name || ')', oid::regclass)
                  || CASE WHEN name IS NULL THEN coalesce(remedy, '') ELSE '' END, ' ' ORDER BY privilege, name)
  FROM excess LEFT JOIN restored USING (oid, privilege) GROUP BY oid
UNION ALL
SELECT format('gateway lacks %s on %s', string_agg(concat(privilege, ' (' || name || ')'), ', ' ORDER BY privilege, name), oid::regclass),
       string_agg(format('GRANT %s%s ON %s TO gateway;', privilege, ' (' || name || ')', oid::regclass), ' ' ORDER BY privilege, name)
  FROM lack GROUP BY oid
 ORDER BY 1;

-- check materialized views: gateway cannot read any: policies do not apply to them
SELECT format('gateway may read %s', c.oid::regclass), format('REVOKE SELECT ON %s FROM gateway, PUBLIC;', c.oid::regclass)
  FROM pg_class AS c
 WHERE c.relkind = 'm' AND EXISTS (
    SELECT FROM aclexplode(c.relacl) AS acl
     WHERE acl.privilege_type = 'SELECT' AND acl.grantee IN (0, coalesce(to_regrole('gateway')::oid, 0)));

-- check definer functions: each has a fixed search_path and is not for everyone
SELECT format('%s is found through its caller''s search_path', p.oid::regprocedure),
       format('ALTER FUNCTION %s SET search_path = public, pg_temp;', p.oid::regprocedure)
  FROM pg_proc AS p
 WHERE p.prosecdef AND p.pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
   AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search\_path=%')
UNION ALL
SELECT format('everyone may call %s', p.oid::regprocedure),
       format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC;', p.oid::regprocedure)
  FROM pg_proc AS p
 WHERE p.prosecdef AND p.pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
   AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
                WHERE acl.grantee = 0 AND acl.privilege_type = 'EXECUTE');

-- check triggers: none is switched off
SELECT format('%s of %s is off: days, outcomes or history go wrong', t.tgname, t.tgrelid::regclass),
       format('ALTER TABLE %s ENABLE TRIGGER %I;', t.tgrelid::regclass, t.tgname)
  FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
 WHERE NOT t.tgisinternal AND t.tgenabled = 'D' AND c.relnamespace = 'public'::regnamespace
   AND t.tgname NOT LIKE 'rollup\_%' AND t.tgname NOT LIKE 'notify\_%';

-- check rollup triggers: those that are there fire always, for every role and every replication setting
SELECT format('%s of %s does not always fire: changes are missed', t.tgname, t.tgrelid::regclass),
       format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I;   -- then: gateway rollups audit --repair', t.tgrelid::regclass, t.tgname)
  FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
 WHERE t.tgname LIKE 'rollup\_%' AND t.tgenabled <> 'A' AND c.relnamespace = 'public'::regnamespace;

-- check change notices: every change of what an answer or a sign-in can read is told of
SELECT format('%s of %s does not always fire: answers could be kept past a change', w.tgname, c.relname),
       format('SELECT app.notify_changes_of(%L);', c.oid::regclass)
  FROM pg_class AS c CROSS JOIN (VALUES ('notify_insert'), ('notify_update'), ('notify_delete'), ('notify_truncate')) AS w (tgname)
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND (c.relname = 'tenant_terms' OR has_any_column_privilege(to_regrole('gateway'), c.oid, 'SELECT'))
   AND c.relname <> 'idempotency_keys'  -- which no answer shows
   AND (c.relname = 'tenants' OR EXISTS (
       SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id' AND NOT attisdropped))
   -- Where a table has rollups, their triggers tell of its changes, and are looked at with them.
   AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = to_regnamespace('rollup') AND proname = c.relname || '_update')
   AND NOT EXISTS (SELECT FROM pg_trigger AS t
                    WHERE t.tgrelid = c.oid AND t.tgname = w.tgname AND t.tgenabled = 'A' AND t.tgqual IS NULL
                      AND t.tgfoid = to_regprocedure('app.notify_change()'))
UNION ALL
SELECT 'notify_all of plans does not always fire: gateways could go by an old plan',
       'CREATE OR REPLACE TRIGGER notify_all AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON plans FOR EACH STATEMENT '
       'EXECUTE FUNCTION app.notify_change_to_all(); ALTER TABLE plans ENABLE ALWAYS TRIGGER notify_all;'
 WHERE to_regclass('public.plans') IS NOT NULL AND NOT EXISTS (
       SELECT FROM pg_trigger AS t
        WHERE t.tgrelid = to_regclass('public.plans') AND t.tgname = 'notify_all' AND t.tgenabled = 'A' AND t.tgqual IS NULL
          AND t.tgfoid = to_regprocedure('app.notify_change_to_all()'))
 ORDER BY 1;

-- check rollup tables: gateway cannot read what live views are made of
SELECT 'gateway may use schema rollup', 'REVOKE ALL ON SCHEMA rollup FROM gateway, PUBLIC;'
  FROM pg_namespace, aclexplode(nspacl) AS acl
 WHERE nspname = 'rollup' AND acl.grantee IN (0, coalesce(to_regrole('gateway')::oid, 0))
 GROUP BY nspname
UNION ALL
SELECT format('gateway may read %s', c.oid::regclass), format('REVOKE SELECT ON %s FROM gateway, PUBLIC;', c.oid::regclass)
  FROM pg_class AS c
 WHERE c.relnamespace = to_regnamespace('rollup') AND c.relkind = 'r' AND EXISTS (
    SELECT FROM aclexplode(c.relacl) AS acl
     WHERE acl.privilege_type = 'SELECT' AND acl.grantee IN (0, coalesce(to_regrole('gateway')::oid, 0)));
