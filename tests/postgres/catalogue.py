"""What must be true of the database's catalogue, as queries of it: each gives a line for a fault."""

import re
from collections.abc import AsyncIterator, Callable

import asyncpg

from gateway.rollups.declared import ROLLUPS
from tests.postgres.promises import (
    DEFINERS,
    EXTENSIONS,
    GRANTS,
    NOT_INDEXED,
    NOT_LED_BY_TENANT,
    NOT_OF_A_TENANT,
    NOT_TOLD_OF,
    OF_ROLLUP_OWNER,
    READERS,
    ROLES,
    TOLD_OF,
    TOLD_TO_ALL,
)

Faults = AsyncIterator[str]

OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
OWN_FUNCTION = f"{OURS} AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')"
"""Functions `p` that no extension brought along."""

FIXED_PATHS = {"search_path=public, pg_temp", "search_path=pg_catalog, pg_temp"}
OUTSIDE_ROLLUP = f"{OURS} AND n.nspname <> 'rollup'"
"""Schema rollup holds sums of all tenants and has no policies: its wall is that nobody is granted anything in it."""

# Tables with a tenant in each row.
TENANT_TABLES = f"""
SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND {OUTSIDE_ROLLUP}
   AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
"""

TABLES = f"""
SELECT c.relname, c.relrowsecurity, c.oid IN (SELECT oid FROM ({TENANT_TABLES}) AS t) AS of_tenant,
       ARRAY(SELECT concat_ws(' ', polname, CASE WHEN polpermissive THEN 'permissive' END, polcmd::text, polroles::text,
                              pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
               FROM pg_policy WHERE polrelid = c.oid) AS policies
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND {OUTSIDE_ROLLUP} ORDER BY 1
"""

INDEXES = f"""
SELECT i.indexrelid::regclass::text AS name, m.amname AS method
  FROM pg_index i JOIN (
       {TENANT_TABLES} UNION ALL
       SELECT oid, relname FROM pg_class WHERE relnamespace = 'rollup'::regnamespace AND relname <> 'registry'
       ) AS t ON t.oid = i.indrelid
  JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
 WHERE a.attname IS DISTINCT FROM 'tenant_id' ORDER BY 1
"""

KEYLESS = f"""
SELECT t.relname AS name FROM ({TENANT_TABLES}) AS t
 WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = t.oid AND contype = 'p') ORDER BY 1
"""

FOREIGN_KEYS = f"""
SELECT t.relname || ' (' || (SELECT string_agg(a.attname, ', ' ORDER BY k.place)
          FROM unnest(f.conkey) WITH ORDINALITY AS k (num, place)
          JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.num) || ')' AS name,
       f.confrelid IN (SELECT oid FROM ({TENANT_TABLES}) AS x) AS to_tenant_table,
       EXISTS (SELECT FROM unnest(f.conkey, f.confkey) AS k (here, there)
          JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.here AND a.attname = 'tenant_id'
          JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.there AND b.attname = 'tenant_id'
       ) AS with_tenant,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = f.conrelid AND i.indisvalid
          AND (SELECT array_agg(num ORDER BY num) FROM unnest(i.indkey[0:cardinality(f.conkey) - 1]) AS num)
            = (SELECT array_agg(num ORDER BY num) FROM unnest(f.conkey) AS num)
          AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) IN
               (SELECT format('(%I IS NOT NULL)', a.attname) FROM pg_attribute a
                 WHERE a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey)))) AS indexed
  FROM pg_constraint f JOIN ({TENANT_TABLES}) AS t ON t.oid = f.conrelid WHERE f.contype = 'f' ORDER BY 1
"""

PRIVILEGES = f"""
WITH objects AS (
  SELECT 'schema ' || n.nspname AS name, n.nspowner AS owner, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
    FROM pg_namespace n WHERE {OURS}
  UNION ALL
  SELECT n.nspname || '.' || c.relname, c.relowner,
         coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS} AND c.relkind NOT IN ('i', 'I', 'c', 't')
  UNION ALL
  SELECT n.nspname || '.' || c.relname || '.' || a.attname, c.relowner, a.attacl
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE {OURS} AND a.attacl IS NOT NULL
  UNION ALL
  SELECT n.nspname || '.' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')', p.proowner,
         coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OWN_FUNCTION}
)
SELECT name, owner::regrole::text AS owner,
       ARRAY(SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END || ' ' || privilege_type
                    || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
               FROM aclexplode(acl) WHERE grantee <> owner) AS grants
  FROM objects ORDER BY 1
"""

DEFINER_FUNCTIONS = f"""
SELECT n.nspname || '.' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')' AS name, p.proconfig AS config
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS} AND p.prosecdef ORDER BY 1
"""

ALL_VIEWS = f"""
SELECT c.relname AS name, n.nspname AS schema, c.relkind = 'm' AS materialized,
       coalesce(c.reloptions, '{{}}') AS options, pg_get_viewdef(c.oid) AS definition,
       has_any_column_privilege('gateway', c.oid, 'SELECT') AS readable
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND {OURS} ORDER BY 1
"""

# Triggers that fire always and whatever a row is, by their table and function.
NOTIFYING = r"""
SELECT c.relname || ': ' || t.tgname || ' ' || p.pronamespace::regnamespace || '.' || p.proname || ' '
       || (SELECT string_agg(event, ' ') FROM (VALUES (4, 'insert'), (8, 'delete'), (16, 'update'), (32, 'truncate'))
             AS bits (bit, event) WHERE t.tgtype & bit > 0) AS line
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE c.relnamespace = 'public'::regnamespace AND (t.tgname LIKE 'notify\_%' OR t.tgname LIKE 'rollup\_%')
   AND t.tgenabled = 'A' AND t.tgqual IS NULL AND t.tgattr = ''
"""

READABLE_TABLES = """
SELECT c.relname AS name, (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                            ORDER BY attnum LIMIT 1) AS first_column
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND has_any_column_privilege('gateway', c.oid, 'SELECT')
"""

ROLE_ATTRIBUTES = """
SELECT r.rolname AS name, concat_ws(' ',
       CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcreaterole THEN 'createrole' END,
       CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolreplication THEN 'replication' END,
       CASE WHEN rolcanlogin THEN 'login' END, CASE WHEN NOT rolinherit THEN 'noinherit' END,
       CASE WHEN rolbypassrls THEN 'bypassrls' END,
       (SELECT 'in ' || string_agg(role, ', ' ORDER BY role)
          FROM (SELECT roleid::regrole::text AS role FROM pg_auth_members WHERE member = r.oid) AS memberships)
       ) AS attributes
  FROM pg_roles r WHERE r.rolname = ANY ($1) ORDER BY 1
"""


async def tables(reader: asyncpg.Connection) -> Faults:
    for name, secured, of_tenant, policies in await reader.fetch(TABLES):
        if name == "tenants" or of_tenant:
            key = "tenant_id" if of_tenant else "id"
            if not secured:
                yield f"{name}: row-level security is off"
            if policies != [f"tenant_isolation permissive * {{0}} ({key} = app.tenant_id())"]:
                yield f"{name}: its policies are {policies}"
        elif name not in NOT_OF_A_TENANT:
            yield f"{name}: has no tenant_id"


async def keys(reader: asyncpg.Connection) -> Faults:
    for (name,) in await reader.fetch(KEYLESS):
        yield f"{name}: has no primary key"
    for name, method in await reader.fetch(INDEXES):
        if name not in NOT_LED_BY_TENANT or method != "gin":
            yield f"{name}: does not lead with tenant_id"
    for name, to_tenant_table, with_tenant, indexed in await reader.fetch(FOREIGN_KEYS):
        if to_tenant_table and not with_tenant:
            yield f"{name}: a foreign key past the tenant"
        if not indexed and name not in NOT_INDEXED:
            yield f"{name}: a foreign key without an index"


async def privileges(reader: asyncpg.Connection) -> Faults:
    found = await reader.fetch(PRIVILEGES)
    granted = {f"{grant} {name}" for name, _, grants in found for grant in grants}
    for grant in sorted(granted - GRANTS):
        yield f"a grant too many: {grant}"
    for grant in sorted(GRANTS - granted):
        yield f"a grant is missing: {grant}"
    for name, owner, _ in found:
        if owner != ("rollup_owner" if name.startswith(OF_ROLLUP_OWNER) else "owner"):
            yield f"{name}: belongs to {owner}"
    for role in READERS:
        if await reader.fetchval("SELECT has_column_privilege($1, 'public.members', 'password_hash', 'SELECT')", role):
            yield f"{role} can read members.password_hash"


async def definers(reader: asyncpg.Connection) -> Faults:
    found: dict[str, list[str] | None] = dict(await reader.fetch(DEFINER_FUNCTIONS))
    for name in sorted(found.keys() ^ DEFINERS.keys()):
        yield f"{name}: {'acts' if name in found else 'does not act'} with its owner's rights"
    for name, config in found.items():
        if not FIXED_PATHS & {*(config or ())}:
            yield f"{name}: its search path is not fixed"


async def notices(reader: asyncpg.Connection) -> Faults:
    """Each table that an answer or a sign-in can read tells of its changes, by the triggers of its rollups or by plain
    ones."""
    readable = {name: column for name, column in await reader.fetch(READABLE_TABLES) if name not in NOT_TOLD_OF}
    wanted = {f"{name}: {trigger}" for name in readable.keys() | TOLD_OF.keys() for trigger in _notifying(name)}
    wanted |= {f"{name}: notify_all app.notify_change_to_all insert delete update truncate" for name in TOLD_TO_ALL}
    found = {line for (line,) in await reader.fetch(NOTIFYING)}
    for line in sorted(wanted ^ found):
        yield f"{line}: {'missing' if line in wanted else 'one too many'}"
    for name, first_column in readable.items():
        if first_column != ("id" if name == "tenants" else "tenant_id"):
            yield f"{name}: its first column is not the tenant"


def _notifying(table: str) -> list[str]:
    """Name, function and event of each trigger that tells of a table's changes, or refuses what it could not tell."""
    events = ("insert", "update", "delete")
    if table not in {rollup.table.name for rollup in ROLLUPS}:
        return [f"notify_{event} app.notify_change {event}" for event in (*events, "truncate")]
    counting = [f"rollup_{event} rollup.{table}_{event} {event}" for event in events]
    return [*counting, "rollup_truncate rollup.refuse_truncate truncate"]


async def extensions(reader: asyncpg.Connection) -> Faults:
    for (name,) in await reader.fetch("SELECT extname FROM pg_extension ORDER BY 1"):
        if name not in EXTENSIONS:
            yield f"{name}: an extension that nobody asked for"


OWN_FILTER = "tenant_id = app.tenant_id()"
FILTERED_AS_A_WHOLE = re.compile(
    rf"\s*SELECT [^()]* FROM \(\s*SELECT .*\) \w+\s+WHERE \(?(?:\w+\.)?{re.escape(OWN_FILTER)}\)?;\s*", re.DOTALL
)
"""A view whose one condition stands around all that it reads."""


async def views(reader: asyncpg.Connection) -> Faults:
    for view in await reader.fetch(ALL_VIEWS):
        name = view["name"]
        if view["materialized"]:
            if view["readable"]:
                yield f"{name}: a materialized view that gateway can read"
            continue
        if view["schema"] != "analytics":
            yield f"{name}: a view outside analytics"
        if "security_barrier=true" not in view["options"]:
            yield f"{name}: is no security barrier"
        read = len(re.findall(r"\b(?:FROM|JOIN)\s+\(*(?!SELECT)\w+", view["definition"]))
        if not (FILTERED_AS_A_WHOLE.match(view["definition"]) or 0 < read == view["definition"].count(OWN_FILTER)):
            yield f"{name}: does not filter each of its tables by the session's tenant"


async def roles(reader: asyncpg.Connection) -> Faults:
    found = dict(await reader.fetch(ROLE_ATTRIBUTES, list(ROLES)))
    for name, wanted in ROLES.items():
        if found.get(name) != wanted:
            yield f"role {name}: {found.get(name)}"


async def inlining(superuser: asyncpg.Connection) -> Faults:
    """The policy of each tenant table as a condition of an index: shown by the plan of role gateway."""
    names = [name for _, name in await superuser.fetch(TENANT_TABLES)]
    async with superuser.transaction():
        await superuser.execute("SET LOCAL ROLE gateway; SET LOCAL enable_seqscan = off")
        for name in sorted(names):
            if not await superuser.fetchval("SELECT has_any_column_privilege($1, 'SELECT')", name):
                continue
            plan = "\n".join(row[0] for row in await superuser.fetch(f"EXPLAIN SELECT count(tenant_id) FROM {name}"))
            if not re.search(r"Index Cond: .*tenant_id = .*current_setting\('app\.tenant_id'", plan):
                yield f"{name}: its policy cannot use an index"
        await superuser.execute("RESET ROLE")


CHECKS: tuple[Callable[[asyncpg.Connection], Faults], ...] = (
    *(tables, keys, privileges, definers, notices, extensions, views, roles, inlining),
)


async def faults(superuser: asyncpg.Connection) -> list[str]:
    """Everything that is wrong with the catalogue of the connection's database."""
    return [fault for check in CHECKS async for fault in check(superuser)]
