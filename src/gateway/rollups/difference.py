"""How a database differs from the declarations, and the statements that mend it: a new rollup's migration step."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from gateway.rollups.declaration import Rollup, Table
from gateway.rollups.names import REGISTRY, SCHEMA, base, delta, pending
from gateway.rollups.render import EVENTS, by_table, relations, trigger, trigger_function, trigger_function_name

TRIGGERS = (*EVENTS, "truncate")


@dataclass(frozen=True, slots=True)
class Found:
    """What a database has. `rollups`: name → (table, fingerprint); `functions`: name → body; `triggers`: (table, event)
    of those that always fire and call the function of that event."""

    rollups: Mapping[str, tuple[str, str]]
    functions: Mapping[str, str]
    triggers: frozenset[tuple[str, str]]


NOTHING = Found({}, {}, frozenset())


@dataclass(frozen=True, slots=True)
class Difference:
    """`reasons`: one a thing that differs. `statements`: for `owner` to run in one transaction; none when nothing does.

    Writers of the tables that differ wait meanwhile: no change falls between a base that is filled and its triggers.
    """

    reasons: list[str]
    statements: list[str]

    def script(self) -> str:
        """The statements as the file of a migration holds them."""
        return "\n\n".join(f"{statement};" for statement in self.statements) + "\n"


async def find(connection: asyncpg.Connection) -> Found:
    """What the database has. A rollup without all of its relations and unique keys counts as declared otherwise."""
    rollups = await connection.fetch(
        f"""WITH keyed AS (SELECT indrelid AS oid FROM pg_index WHERE indisunique AND indisvalid)
            SELECT name, base_table, CASE WHEN to_regclass('{SCHEMA}.' || name || '_delta') IS NOT NULL
              AND to_regclass('analytics.' || name) IS NOT NULL
              AND to_regclass('{SCHEMA}.' || name || '_pending') IN (SELECT oid FROM keyed)
              AND to_regclass('{SCHEMA}.' || name || '_base') IN (SELECT oid FROM keyed)
                   THEN fingerprint ELSE 'incomplete' END AS fingerprint
              FROM {REGISTRY} ORDER BY name"""
    )
    functions = await connection.fetch(
        f"""SELECT '{SCHEMA}.' || proname AS name, CASE WHEN prosecdef THEN btrim(prosrc, E'\\n') END AS body
              FROM pg_proc WHERE pronamespace = '{SCHEMA}'::regnamespace AND prorettype = 'trigger'::regtype"""
    )
    triggers = await connection.fetch(
        rf"""SELECT c.relname AS table, substr(t.tgname, 8) AS event
              FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pg_proc AS p ON p.oid = t.tgfoid
             WHERE t.tgname LIKE 'rollup\_%' AND t.tgenabled = 'A' AND t.tgqual IS NULL
               AND c.relnamespace = 'public'::regnamespace AND p.pronamespace = '{SCHEMA}'::regnamespace
               AND p.proname IN (c.relname || substr(t.tgname, 7), 'refuse' || substr(t.tgname, 7))"""
    )
    return Found(
        {row["name"]: (row["base_table"], row["fingerprint"]) for row in rollups},
        {row["name"]: row["body"] for row in functions},
        frozenset((row["table"], row["event"]) for row in triggers),
    )


def difference(found: Found, rollups: Sequence[Rollup]) -> Difference:
    """What the declarations want and the database has not, or has beyond them.

    Where triggers were missing or not as rendered, changes may have gone by uncounted: the table's rollups are counted
    anew. Not so where its declarations differ too, which explains the triggers; an audit says then whether all is well.
    """
    tables = by_table(rollups)
    declared = {rollup.name: (rollup.table.name, fingerprint(rollup)) for rollup in rollups}
    gone = [name for name, kept in found.rollups.items() if declared.get(name) != kept]
    made = [rollup for rollup in rollups if found.rollups.get(rollup.name) != declared[rollup.name]]
    functions = _stale_functions(found, tables)
    missing = [(table, event) for table in tables for event in TRIGGERS if (table.name, event) not in found.triggers]
    idle = _idle_tables(found, tables)
    explained = {found.rollups[name][0] for name in gone} | {rollup.table.name for rollup in made}
    torn = {table.name for table, _event in missing} | ({table.name for table, _event in functions} - explained)
    recounted = [rollup for rollup in rollups if rollup.table.name in torn and rollup not in made]
    statements = [
        *(f"DROP TRIGGER IF EXISTS rollup_{event} ON public.{table}" for table in idle for event in TRIGGERS),
        "SET ROLE rollup_owner",
        *(f"DROP FUNCTION IF EXISTS {SCHEMA}.{table}_{event}()" for table in idle for event in EVENTS),
        *(statement for name in gone for statement in _drop(name)),
        *(statement for rollup in made for statement in [*relations(rollup), _register(rollup)]),
        *functions.values(),
        *(statement for rollup in recounted for statement in _recount(rollup)),
        "RESET ROLE",
        *(statement for table, event in missing for statement in trigger(table, event)),
    ]
    differing = [
        *(trigger_function_name(table, event) for table, event in functions),
        *(f"trigger rollup_{event} of {table.name}" for table, event in missing),
    ]
    reasons = _reasons(found, declared, gone, differing, idle)
    return Difference(reasons, [_lock({*explained, *torn, *idle}), *statements] if reasons else [])


def fingerprint(rollup: Rollup) -> str:
    """Short digest of what is rendered for a rollup, kept in the registry to tell declarations and databases apart."""
    return hashlib.sha256("\n".join(relations(rollup)).encode()).hexdigest()[:16]


def _lock(tables: Iterable[str]) -> str:
    return f"LOCK TABLE {', '.join(f'public.{name}' for name in sorted(tables))} IN SHARE ROW EXCLUSIVE MODE"


def _stale_functions(found: Found, tables: Mapping[Table, list[Rollup]]) -> dict[tuple[Table, str], str]:
    """Those whose body differs, by table and event."""
    wanted = {
        (table, event): trigger_function(table, rollups, event) for table, rollups in tables.items() for event in EVENTS
    }
    return {
        (table, event): text
        for (table, event), text in wanted.items()
        if found.functions.get(trigger_function_name(table, event)) != text.split("$$")[1].strip("\n")
    }


def _idle_tables(found: Found, tables: Mapping[Table, object]) -> list[str]:
    """Tables that have triggers, and nothing is declared of them any more."""
    return sorted({table for table, _event in found.triggers} - {table.name for table in tables})


def _register(rollup: Rollup) -> str:
    return (
        f"INSERT INTO {REGISTRY} (name, base_table, fingerprint, home, base_groups)\n"
        f"SELECT '{rollup.name}', '{rollup.table.name}', '{fingerprint(rollup)}', {SCHEMA}.home('{rollup.name}'),\n"
        f"       count(*) FROM {base(rollup)}"
    )


def _recount(rollup: Rollup) -> list[str]:
    """Makes a rollup right by what the table holds, while no writer is under way. Locks as a refresh does."""
    kept = f"last_fold = now(), last_refresh = now(), home = {SCHEMA}.home(name), base_groups = counted.groups, "
    kept += "last_audit = NULL, differing = NULL"
    counted = f"(SELECT count(*) AS groups FROM {base(rollup)}) AS counted"
    return [
        f"LOCK TABLE {pending(rollup)} IN EXCLUSIVE MODE",
        f"DELETE FROM {delta(rollup)}",
        f"REFRESH MATERIALIZED VIEW CONCURRENTLY {base(rollup)}",
        f"DELETE FROM {pending(rollup)}",
        f"UPDATE {REGISTRY} SET {kept} FROM {counted} WHERE name = '{rollup.name}'",
    ]


def _drop(name: str) -> list[str]:
    # Pending before the base, as a refresh locks them: else the two could wait for each other.
    return [
        f"DELETE FROM {REGISTRY} WHERE name = '{name}'",
        f"DROP VIEW IF EXISTS analytics.{name}",
        f"DROP TABLE IF EXISTS {SCHEMA}.{name}_pending, {SCHEMA}.{name}_delta",
        f"DROP MATERIALIZED VIEW IF EXISTS {SCHEMA}.{name}_base",
    ]


def _reasons(
    found: Found, declared: Mapping[str, object], gone: Sequence[str], differing: Sequence[str], idle: Sequence[str]
) -> list[str]:
    return [
        *(f"{name}: declared, not in the database" for name in declared if name not in found.rollups),
        *(f"{name}: {'declared otherwise' if name in declared else 'no longer declared'}" for name in gone),
        *(f"{name}: differs from the declarations" for name in differing),
        *(f"triggers of {table}: nothing is declared of it" for table in idle),
    ]
