-- The roles and the database of the gateway. May be run again at any time: each query below returns the
-- statements that are still missing, and \gexec executes them. The gateway runs the same queries for its
-- embedded server, without psql.
--
-- As an operator, as a superuser (or, from PostgreSQL 16, a role with CREATEROLE, CREATEDB and BYPASSRLS):
--     GATEWAY_DATABASE=crm OWNER_PASSWORD=... WORKER_PASSWORD=... GATEWAY_PASSWORD=... psql -f bootstrap.sql
-- or with psql variables of the same names in lower case (-v owner_password=...). An empty password leaves
-- a role's password as it is. In the image of PostgreSQL: mount it into /docker-entrypoint-initdb.d/.
-- A SCRAM-SHA-256 verifier is accepted in place of a password.

\set ON_ERROR_STOP on
\getenv gateway_database GATEWAY_DATABASE
\getenv owner_password OWNER_PASSWORD
\getenv worker_password WORKER_PASSWORD
\getenv gateway_password GATEWAY_PASSWORD
-- Only a superuser may keep this session's statements, which carry passwords, out of the server's log.
SELECT set_config(name, value, false) FROM pg_roles, (VALUES ('log_statement', 'none'),
    ('log_min_duration_statement', '-1'), ('log_min_error_statement', 'panic')) AS quiet (name, value)
WHERE rolname = current_user AND rolsuper \g /dev/null
SET bootstrap.gateway_database TO :'gateway_database';
SET bootstrap.owner_password TO :'owner_password';
SET bootstrap.worker_password TO :'worker_password';
SET bootstrap.gateway_password TO :'gateway_password';

\echo Roles and database

-- The four roles. None is a superuser; `gateway` is the one that row-level security applies to.
WITH wanted (name, login, bypass) AS (VALUES
    ('owner', true, true), ('rollup_owner', false, true), ('worker', true, true), ('gateway', true, false))
SELECT format('%s ROLE %I NOCREATEDB NOCREATEROLE INHERIT %s %s %s',
    CASE WHEN r.oid IS NULL THEN 'CREATE' ELSE 'ALTER' END, w.name,
    CASE WHEN login THEN 'LOGIN' ELSE 'NOLOGIN' END,
    CASE WHEN bypass THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END,
    CASE WHEN r.rolsuper OR r.rolreplication THEN 'NOSUPERUSER NOREPLICATION' END)
FROM wanted AS w LEFT JOIN pg_roles AS r ON r.rolname = w.name
WHERE (r.rolcanlogin, r.rolbypassrls, r.rolinherit, r.rolsuper, r.rolreplication, r.rolcreatedb, r.rolcreaterole)
    IS DISTINCT FROM (login, bypass, true, false, false, false, false)
\gexec

SELECT format('ALTER ROLE %I PASSWORD %L', name, password)
FROM (VALUES ('owner', current_setting('bootstrap.owner_password')),
             ('worker', current_setting('bootstrap.worker_password')),
             ('gateway', current_setting('bootstrap.gateway_password'))) AS wanted (name, password)
WHERE password <> ''
\gexec

-- `owner` creates objects for `rollup_owner` to own; `worker` refreshes them with that role's rights.
SELECT format('GRANT rollup_owner TO %I', name)
FROM (VALUES ('owner'), ('worker')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_auth_members
    WHERE roleid = 'rollup_owner'::regrole AND member = name::regrole)
\gexec

-- `worker` folds less often while somebody holds an old snapshot: only with this role does it see those of others. Not
-- every administrator may grant it, and it is not needed.
SELECT 'GRANT pg_read_all_stats TO worker'
WHERE pg_has_role('pg_read_all_stats', 'MEMBER WITH ADMIN OPTION')
    AND NOT EXISTS (SELECT FROM pg_auth_members
        WHERE roleid = 'pg_read_all_stats'::regrole AND member = 'worker'::regrole)
\gexec

-- An administrator who is not a superuser gives a database only to a role that he is a member of.
SELECT format('GRANT owner TO %I', current_user) WHERE NOT pg_has_role('owner', 'USAGE')
\gexec

SELECT format('CREATE DATABASE %I OWNER owner TEMPLATE template0 ENCODING ''UTF8''', name)
FROM current_setting('bootstrap.gateway_database') AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name)
\gexec

SELECT format('ALTER DATABASE %I OWNER TO owner', datname)
FROM pg_database WHERE datname = current_setting('bootstrap.gateway_database') AND datdba <> 'owner'::regrole
\gexec

SELECT DISTINCT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname)
FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS acl
WHERE datname = current_setting('bootstrap.gateway_database') AND acl.grantee = 0
\gexec

-- TEMPORARY: refreshing a materialized view concurrently makes a temporary table as the owner of the view.
SELECT format('GRANT %s ON DATABASE %I TO %I', privilege, datname, name)
FROM pg_database, (VALUES ('worker', 'CONNECT'), ('gateway', 'CONNECT'),
    ('worker', 'TEMPORARY'), ('rollup_owner', 'TEMPORARY')) AS wanted (name, privilege)
WHERE datname = current_setting('bootstrap.gateway_database')
    AND NOT EXISTS (SELECT FROM aclexplode(datacl) AS acl
        WHERE acl.grantee = name::regrole AND acl.privilege_type = privilege)
\gexec

\connect :"gateway_database"

SELECT 'ALTER SCHEMA public OWNER TO owner'
FROM pg_namespace WHERE nspname = 'public' AND nspowner <> 'owner'::regrole
\gexec

SELECT DISTINCT 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS acl
WHERE nspname = 'public' AND acl.grantee = 0 AND acl.privilege_type = 'CREATE'
\gexec
