"""How a database differs from the declarations, and the statements that mend it: a new rollup's migration step."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from gateway.rollups.declaration import Rollup, Table
from gateway.rollups.names import REGISTRY, SCHEMA, base
from gateway.rollups.render import EVENTS, by_table, relations, trigger, trigger_function, trigger_function_name

TRIGGERS = (*EVENTS, "truncate")


@dataclass(frozen=True, slots=True)
class Found:
    """What a database has. `rollups`: name → (table, fingerprint); `functions`: name → body; `triggers`: (table, event)
    of those that always fire."""

    rollups: Mapping[str, tuple[str, str]]
    functions: Mapping[str, str]
    triggers: frozenset[tuple[str, str]]


NOTHING = Found({}, {}, frozenset())


@dataclass(frozen=True, slots=True)
class Difference:
    """`reasons`: one a thing that differs. `statements`: for `owner` to run in one transaction; none when nothing does.

    Writers of the tables wait meanwhile, so that no change falls between a base that is filled and its triggers.
    """

    reasons: list[str]
    statements: list[str]

    def script(self) -> str:
        """The statements as the file of a migration holds them."""
        return "\n\n".join(f"{statement};" for statement in self.statements) + "\n"


async def find(connection: asyncpg.Connection) -> Found:
    """What the database has. A rollup without all of its relations counts as declared otherwise."""
    rollups = await connection.fetch(
        f"""SELECT name, base_table, CASE WHEN to_regclass('{SCHEMA}.' || name || '_delta') IS NOT NULL
              AND to_regclass('{SCHEMA}.' || name || '_pending') IS NOT NULL
              AND to_regclass('{SCHEMA}.' || name || '_base') IS NOT NULL
              AND to_regclass('analytics.' || name) IS NOT NULL THEN fingerprint ELSE 'incomplete' END AS fingerprint
              FROM {REGISTRY} ORDER BY name"""
    )
    functions = await connection.fetch(
        f"""SELECT '{SCHEMA}.' || proname AS name, btrim(prosrc, E'\\n') AS body FROM pg_proc
             WHERE pronamespace = '{SCHEMA}'::regnamespace AND prorettype = 'trigger'::regtype"""
    )
    triggers = await connection.fetch(
        r"""SELECT c.relname AS table, substr(t.tgname, 8) AS event
              FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
             WHERE t.tgname LIKE 'rollup\_%' AND t.tgenabled = 'A' AND c.relnamespace = 'public'::regnamespace"""
    )
    return Found(
        {row["name"]: (row["base_table"], row["fingerprint"]) for row in rollups},
        {row["name"]: row["body"] for row in functions},
        frozenset((row["table"], row["event"]) for row in triggers),
    )


def difference(found: Found, rollups: Sequence[Rollup]) -> Difference:
    """What the declarations want and the database has not, or has beyond them."""
    tables = by_table(rollups)
    declared = {rollup.name: (rollup.table.name, fingerprint(rollup)) for rollup in rollups}
    gone = [name for name, kept in found.rollups.items() if declared.get(name) != kept]
    made = [rollup for rollup in rollups if found.rollups.get(rollup.name) != declared[rollup.name]]
    functions = _stale_functions(found, tables)
    missing = [(table, event) for table in tables for event in TRIGGERS if (table.name, event) not in found.triggers]
    idle = sorted({table for table, _event in found.triggers} - {table.name for table in tables})
    statements = [
        *(f"DROP TRIGGER IF EXISTS rollup_{event} ON public.{table}" for table in idle for event in TRIGGERS),
        "SET ROLE rollup_owner",
        *(statement for name in gone for statement in _drop(name)),
        *(statement for rollup in made for statement in [*relations(rollup), _register(rollup)]),
        *functions.values(),
        "RESET ROLE",
        *(statement for table, event in missing for statement in trigger(table, event)),
    ]
    reasons = _reasons(
        found, declared, gone, [*functions, *(f"trigger rollup_{e} of {t.name}" for t, e in missing)], idle
    )
    return Difference(reasons, [_lock(found, tables), *statements] if reasons else [])


def fingerprint(rollup: Rollup) -> str:
    """Short digest of what is rendered for a rollup, kept in the registry to tell declarations and databases apart."""
    return hashlib.sha256("\n".join(relations(rollup)).encode()).hexdigest()[:16]


def _lock(found: Found, tables: Mapping[Table, object]) -> str:
    names = sorted({table.name for table in tables} | {table for table, _fingerprint in found.rollups.values()})
    return f"LOCK TABLE {', '.join(f'public.{name}' for name in names)} IN SHARE ROW EXCLUSIVE MODE"


def _stale_functions(found: Found, tables: Mapping[Table, list[Rollup]]) -> dict[str, str]:
    """Those whose body differs, by name."""
    wanted = {
        trigger_function_name(table, event): trigger_function(table, rollups, event)
        for table, rollups in tables.items()
        for event in EVENTS
    }
    return {name: text for name, text in wanted.items() if found.functions.get(name) != text.split("$$")[1].strip("\n")}


def _register(rollup: Rollup) -> str:
    return (
        f"INSERT INTO {REGISTRY} (name, base_table, fingerprint, home, base_groups)\n"
        f"SELECT '{rollup.name}', '{rollup.table.name}', '{fingerprint(rollup)}', {SCHEMA}.home('{rollup.name}'),\n"
        f"       count(*) FROM {base(rollup)}"
    )


def _drop(name: str) -> list[str]:
    return [
        f"DELETE FROM {REGISTRY} WHERE name = '{name}'",
        f"DROP VIEW IF EXISTS analytics.{name}",
        f"DROP MATERIALIZED VIEW IF EXISTS {SCHEMA}.{name}_base",
        f"DROP TABLE IF EXISTS {SCHEMA}.{name}_pending, {SCHEMA}.{name}_delta",
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
