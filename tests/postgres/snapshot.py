"""A database's catalogue as lines of text, to compare two states of it."""

import asyncpg

OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

LINES = f"""
SELECT concat_ws(' ', 'schema', n.nspname, n.nspowner::regrole, n.nspacl) AS line FROM pg_namespace n WHERE {OURS}
UNION ALL
SELECT concat_ws(' ', 'relation', c.relkind, n.nspname, c.relname, c.relowner::regrole,
                 coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner)),
                 c.reloptions, c.relrowsecurity, c.relforcerowsecurity, c.relpersistence)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS}
UNION ALL
SELECT concat_ws(' ', 'column', c.oid::regclass, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
                 a.attnotnull, a.attidentity, a.attgenerated, a.attacl, pg_get_expr(d.adbin, d.adrelid))
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE {OURS} AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT concat_ws(' ', 'constraint', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid), k.convalidated)
  FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE {OURS}
UNION ALL
SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid), i.indisvalid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS}
UNION ALL
SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), t.tgenabled)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE {OURS} AND NOT t.tgisinternal
UNION ALL
SELECT concat_ws(' ', 'policy', polrelid::regclass, polname, polcmd, polpermissive, polroles,
                 pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
UNION ALL
SELECT concat_ws(' ', 'function', p.proowner::regrole, p.proacl, pg_get_functiondef(p.oid))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS} AND p.prokind <> 'a'
UNION ALL
SELECT concat_ws(' ', 'view', c.oid::regclass, pg_get_viewdef(c.oid))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {OURS} AND c.relkind IN ('v', 'm')
UNION ALL
SELECT concat_ws(' ', 'type', t.oid::regtype, t.typtype)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {OURS}
UNION ALL
SELECT concat_ws(' ', 'default privileges', defaclrole::regrole, defaclnamespace, defaclobjtype, defaclacl)
  FROM pg_default_acl
UNION ALL
SELECT concat_ws(' ', 'comment', o.identity, d.description)
  FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) AS o WHERE d.objoid >= 16384
UNION ALL
SELECT concat_ws(' ', 'extension', extname) FROM pg_extension
UNION ALL
SELECT concat_ws(' ', 'setting', setrole, setconfig) FROM pg_db_role_setting
  JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()
ORDER BY 1
"""


async def snapshot(dsn: str) -> list[str]:
    """One line for each thing that the database holds, with all that is declared of it."""
    connection = await asyncpg.connect(dsn)
    try:
        return [line for (line,) in await connection.fetch(LINES)]
    finally:
        await connection.close()
