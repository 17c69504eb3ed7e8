"""The SQL that is rendered from a declaration: relations, triggers, and the statements that fold and compare."""

from collections.abc import Iterable, Sequence

from gateway.rollups.declaration import Contribution, Measure, Rollup, Table
from gateway.rollups.names import CHANNEL, SCHEMA, base, columns, delta, key_columns, live, pending

EVENTS: dict[str, tuple[tuple[str, int], ...]] = {
    "insert": (("new_rows", 1),),
    "update": (("new_rows", 1), ("old_rows", -1)),
    "delete": (("old_rows", -1),),
}
"""Which transition tables an event has, and with which sign their rows count."""

# Rows of these tables come and go all the time: they are cleaned up early.
VACUUMED = "autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1"


def by_table(rollups: Iterable[Rollup]) -> dict[Table, list[Rollup]]:
    """Rollups by their base table, in the order they are declared."""
    found: dict[Table, list[Rollup]] = {}
    for rollup in rollups:
        found.setdefault(rollup.table, []).append(rollup)
    return found


def raw(rollup: Rollup, where: str = "") -> str:
    """The aggregate computed from the base table: the truth that everything else must equal."""
    table = f"public.{rollup.table.name}"
    parts = [_part(rollup, each, rollup.measures, table, 1, where) for each in rollup.contributions]
    return f"SELECT {key_columns(rollup)}, {sums(rollup)}\n  FROM {_union(parts)}\n GROUP BY {key_columns(rollup)}"


def branches(rollup: Rollup, where: str = "") -> str:
    """Base, pending and deltas together: what readers sum. `changed`: whether a row is a change since the refresh.

    Who asks for the one or the other kind has the planner leave out the other tables: it is a constant in each part.
    """
    condition = f" WHERE {where}" if where else ""
    parts = [
        f"SELECT {columns(rollup)}, {changed} AS changed FROM {source(rollup)}{condition}"
        for source, changed in ((base, "false"), (pending, "true"), (delta, "true"))
    ]
    return "\nUNION ALL\n".join(parts)


def fold(rollup: Rollup) -> str:
    """Moves every visible delta into pending, as one statement. Returns how many there were."""
    keys = key_columns(rollup)
    grouped = f"SELECT {keys}, {sums(rollup)} FROM moved GROUP BY {keys} ORDER BY {keys}"
    return f"""WITH moved AS (DELETE FROM {delta(rollup)} RETURNING {columns(rollup)}),
folded AS ({add_to_pending(rollup, grouped)})
SELECT count(*) FROM moved"""


def add_to_pending(rollup: Rollup, query: str) -> str:
    """Adds the rows of a query, whose columns are the rollup's, to what is pending."""
    added = ", ".join(f"{name} = p.{name} + excluded.{name}" for name in rollup.measures)
    return (
        f"INSERT INTO {pending(rollup)} AS p ({columns(rollup)})\n{query}\n"
        f"ON CONFLICT ({key_columns(rollup)}) DO UPDATE SET {added}"
    )


def sums(rollup: Rollup, names: Iterable[str] | None = None) -> str:
    """The sums of measures, of all of them without `names`."""
    types = rollup.measures
    return ", ".join(f"sum({name})::{types[name]} AS {name}" for name in names or types)


def relations(rollup: Rollup) -> list[str]:
    """The tables and views of one rollup, made by `rollup_owner`, filled from the base table."""
    typed = [
        "tenant_id bigint NOT NULL",
        *(f"{key.name} {key.sql_type} NOT NULL" for key in rollup.keys),
        *(f"{name} {sql_type} NOT NULL DEFAULT 0" for name, sql_type in rollup.measures.items()),
    ]
    body = ",\n  ".join(typed)
    # Around the union, not in its parts: those would be merged into the query, and its conditions could come first.
    filtered = (
        f"SELECT {columns(rollup)}, changed FROM (\n{branches(rollup)}\n) AS branch WHERE tenant_id = app.tenant_id()"
    )
    indexes = [f"CREATE INDEX ON {base(rollup)} ({', '.join(['tenant_id', *names])})" for names in rollup.indexes]
    return [
        f"CREATE TABLE {delta(rollup)} (\n  {body}\n) WITH ({VACUUMED})",
        f"CREATE INDEX ON {delta(rollup)} (tenant_id)",
        f"CREATE TABLE {pending(rollup)} (\n  {body},\n  PRIMARY KEY ({key_columns(rollup)})\n) WITH ({VACUUMED})",
        # In the order of its keys, so that a tenant's groups lie side by side.
        f"CREATE MATERIALIZED VIEW {base(rollup)} AS\n{raw(rollup)}\n ORDER BY {key_columns(rollup)}",
        f"CREATE UNIQUE INDEX ON {base(rollup)} ({key_columns(rollup)})",
        *indexes,
        f"ANALYZE {base(rollup)}",
        f"CREATE VIEW {live(rollup)} WITH (security_barrier) AS\n{filtered}",
        f"COMMENT ON VIEW {live(rollup)} IS '{rollup.comment.replace(chr(39), chr(39) * 2)}'",
        f"GRANT SELECT ON {live(rollup)} TO gateway",
    ]


def trigger_function_name(table: Table, event: str) -> str:
    return f"{SCHEMA}.{table.name}_{event}"


def trigger_function(table: Table, rollups: Sequence[Rollup], event: str) -> str:
    """The function that writes a table's deltas of an event: for each contribution, a row a group that changes."""
    contributions = [(rollup, contribution) for rollup in rollups for contribution in rollup.contributions]
    writes = [_write_deltas(rollup, contribution, event) for rollup, contribution in contributions]
    declare = ""
    if event == "update":
        used = [sorted(rollup.columns(contribution)) for rollup, contribution in contributions]
        declare = "DECLARE changed record;\n"
        writes = [_find_changed(used), *(_if_changed(*each) for each in zip(used, writes, strict=True))]
    body = _indented("\n".join(f"{statement};" for statement in writes))
    tenants = " UNION ".join(f"SELECT tenant_id FROM {relation}" for relation, _sign in EVENTS[event])
    return f"""CREATE OR REPLACE FUNCTION {trigger_function_name(table, event)}() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
{declare}BEGIN
{body}
  PERFORM pg_notify('{CHANNEL}', tenant_id || ':{table.name}:' || pg_current_xact_id())
     FROM ({tenants}) AS touched;
  RETURN NULL;
END $$"""


def trigger(table: Table, event: str) -> list[str]:
    """One trigger of a table. It fires for every role and under every replication setting."""
    name = f"rollup_{event}"
    if event == "truncate":
        fires, function = "BEFORE TRUNCATE", f"{SCHEMA}.refuse_truncate"
        referencing = ""
    else:
        fires, function = f"AFTER {event.upper()}", trigger_function_name(table, event)
        named = " ".join(f"{relation[:3].upper()} TABLE AS {relation}" for relation, _sign in EVENTS[event])
        referencing = f"REFERENCING {named} "
    made = (
        f"CREATE TRIGGER {name} {fires} ON public.{table.name}\n"
        f"  {referencing}FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )
    return [
        f"DROP TRIGGER IF EXISTS {name} ON public.{table.name}",
        made,
        f"ALTER TABLE public.{table.name} ENABLE ALWAYS TRIGGER {name}",
    ]


def _write_deltas(rollup: Rollup, contribution: Contribution, event: str) -> str:
    names = list(contribution.measures)
    parts = [_part(rollup, contribution, names, relation, sign) for relation, sign in EVENTS[event]]
    changed = " OR ".join(f"sum({name}) <> 0" for name in names)
    return (
        f"INSERT INTO {delta(rollup)} ({key_columns(rollup)}, {', '.join(names)})\n"
        f"SELECT {key_columns(rollup)}, {sums(rollup, names)}\n  FROM {_union(parts)}\n"
        f" GROUP BY {key_columns(rollup)} HAVING {changed} ORDER BY tenant_id"
    )


def _find_changed(used: Iterable[Iterable[str]]) -> str:
    """Which columns an update changed in any row. `identity`: rows that have no partner, because their key changed."""
    names = sorted({name for columns in used for name in columns})
    flags = ",\n       ".join(f"bool_or(n.{name} IS DISTINCT FROM o.{name}) AS {name}" for name in names)
    # A full join is hashed or merged; an inner one, planned once for a single row, would be a nested loop ever after.
    return (
        f"SELECT bool_or(n.id IS NULL OR o.id IS NULL) AS identity,\n       {flags}\n  INTO changed\n"
        f"  FROM new_rows AS n FULL JOIN old_rows AS o ON n.tenant_id = o.tenant_id AND n.id = o.id"
    )


def _if_changed(used: Iterable[str], statement: str) -> str:
    condition = " OR ".join(f"changed.{name}" for name in ("identity", *used))
    return f"IF {condition} THEN\n{_indented(statement)};\nEND IF"


def _part(
    rollup: Rollup, contribution: Contribution, names: Iterable[str], source: str, sign: int, where: str = ""
) -> str:
    keys = [_named(rollup.key_expression(key, contribution), key.name) for key in rollup.keys]
    measures = [f"{_value(contribution.measures.get(name), sign)} AS {name}" for name in names]
    condition = f"{where} AND ({contribution.where})" if where else contribution.where
    return f"SELECT {', '.join(['tenant_id', *keys, *measures])} FROM {source} WHERE {condition}"


def _named(expression: str, name: str) -> str:
    return name if expression == name else f"{expression} AS {name}"


def _value(measure: Measure | None, sign: int) -> str:
    """What one row adds to a measure."""
    if measure is None:
        return "0"
    signed = measure.expression if sign == 1 else f"-({measure.expression})"
    value = signed if measure.expression == "1" else f"coalesce({signed}, 0)"
    return value if measure.where is None else f"CASE WHEN {measure.where} THEN {value} ELSE 0 END"


def _union(parts: Sequence[str]) -> str:
    joined = "\n        UNION ALL ".join(parts)
    return f"({joined}) AS contribution"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
