-- Each query returns a row (observation, remedy) for each fault. After `check`: the subject, and what is said when all is well.

-- check roles: owner, rollup_owner, worker and gateway are there with the attributes they need
WITH wanted (name, login, bypass) AS (VALUES
    ('owner', true, true), ('rollup_owner', false, true), ('worker', true, true), ('gateway', true, false)),
found AS (SELECT w.*, r.* FROM wanted AS w LEFT JOIN pg_roles AS r ON r.rolname = w.name)
SELECT format('%s is missing', name),
       'psql -f bootstrap.sql   # as a superuser; the file tells which variables it wants'
  FROM found WHERE oid IS NULL
UNION ALL
SELECT format('%s is a superuser, whom no policy holds', name), format('ALTER ROLE %I NOSUPERUSER;', name)
  FROM found WHERE rolsuper
UNION ALL
SELECT format('%s may create roles or databases, or replicate', name),
       format('ALTER ROLE %I NOCREATEROLE NOCREATEDB NOREPLICATION;', name)
  FROM found WHERE rolcreaterole OR rolcreatedb OR rolreplication
UNION ALL
SELECT format(CASE WHEN bypass THEN '%s does not bypass row-level security: it would work on no rows'
                   ELSE '%s bypasses row-level security: nothing would keep tenants apart' END, name),
       format('ALTER ROLE %I %s;', name, CASE WHEN bypass THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END)
  FROM found WHERE rolbypassrls <> bypass
UNION ALL
SELECT format(CASE WHEN login THEN '%s cannot log in' ELSE '%s can log in' END, name),
       format('ALTER ROLE %I %s;', name, CASE WHEN login THEN 'LOGIN' ELSE 'NOLOGIN' END)
  FROM found WHERE rolcanlogin <> login;

-- check memberships: owner and worker are members of rollup_owner, gateway of no role
SELECT format('%s is not a member of rollup_owner', m.rolname), format('GRANT rollup_owner TO %I;', m.rolname)
  FROM pg_roles AS m, pg_roles AS r
 WHERE m.rolname IN ('owner', 'worker') AND r.rolname = 'rollup_owner'
   AND NOT EXISTS (SELECT FROM pg_auth_members AS a WHERE a.roleid = r.oid AND a.member = m.oid)
UNION ALL
SELECT format('%s is a member of %s', m.rolname, r.rolname), format('REVOKE %I FROM %I;', r.rolname, m.rolname)
  FROM pg_auth_members AS a JOIN pg_roles AS r ON r.oid = a.roleid JOIN pg_roles AS m ON m.oid = a.member
 WHERE m.rolname = 'gateway' OR (m.rolname = 'worker' AND r.rolname NOT IN ('rollup_owner', 'pg_read_all_stats'));

-- check temporary tables: worker and rollup_owner may make those that a refresh needs
SELECT format('%s may not make any in %s', name, current_database()),
       format('GRANT TEMPORARY ON DATABASE %I TO %I;', current_database(), name)
  FROM (VALUES ('worker'), ('rollup_owner')) AS wanted (name)
 WHERE NOT has_database_privilege(to_regrole(name), current_database(), 'TEMPORARY');

-- check ownership: gateway owns nothing
SELECT format('gateway owns %s', pg_describe_object(classid, objid, objsubid)), 'REASSIGN OWNED BY gateway TO owner;'
  FROM pg_shdepend
 WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND refobjid = to_regrole('gateway')
   AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()));

-- check schema public: only its owner creates objects in it
SELECT format('%s may create objects in it', CASE grantee WHEN 0 THEN 'everyone' ELSE grantee::regrole::text END),
       format('REVOKE CREATE ON SCHEMA public FROM %s;', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
  FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS acl
 WHERE nspname = 'public' AND privilege_type = 'CREATE' AND grantee <> nspowner;
