"""Which tables a statement reads, as its plan shows it and the catalogue tells of what the plan names."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.postgres.catalogue import OWN_FUNCTION
from tests.tenancy.plans import generic_plan

TABLES = """
SELECT relname, relname FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'alembic_version'
"""

PARTS = """
SELECT 'rollup.' || name || '_' || part, base_table
  FROM rollup.registry, unnest(ARRAY['base', 'pending', 'delta']) AS part
"""

# A body that is parsed when it is made is kept as a tree, any other as its text.
BODIES = f"""
SELECT n.nspname || '.' || p.proname, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OWN_FUNCTION}
"""

REGISTRY = "rollup.registry"
"""What goes by it goes through all rollups, whose names then stand nowhere in its text."""

NAME = re.compile(r"\w+(?:\.\w+)?")


@dataclass(frozen=True)
class Catalogue:
    """`relations`: a relation's name, with its schema where that is not public → the table that it stands for.

    `functions`: our functions by name with schema → the tables that they read, by those that they call too.
    """

    relations: Mapping[str, str]
    functions: Mapping[str, frozenset[str]]

    @property
    def tables(self) -> set[str]:
        """All tables of schema public."""
        return {name for name in self.relations if "." not in name}


async def read_catalogue(owner: asyncpg.Connection) -> Catalogue:
    tables = dict(tuple(row) for row in await owner.fetch(TABLES))
    parts = dict(tuple(row) for row in await owner.fetch(PARTS))
    bodies = dict(tuple(row) for row in await owner.fetch(BODIES))
    named = {name: frozenset({table}) for name, table in {**tables, **parts}.items()}
    named[REGISTRY] = frozenset(parts.values())
    return Catalogue({**tables, **parts}, {name: _read_by(name, bodies, named) for name in bodies})


async def touched(connection: asyncpg.Connection, catalogue: Catalogue, sql: str) -> frozenset[str]:
    """The tables behind the relations that a statement's plan scans and the functions that it calls anywhere."""
    plan = await generic_plan(connection, sql)
    called = set(NAME.findall(json.dumps(plan))) & catalogue.functions.keys()
    scanned = {catalogue.relations[name] for name in _scanned(plan)}
    return frozenset(scanned).union(*(catalogue.functions[name] for name in called))


def _scanned(node: Mapping[str, Any]) -> Iterator[str]:
    if "Relation Name" in node:
        name, schema = node["Relation Name"], node["Schema"]
        yield name if schema == "public" else f"{schema}.{name}"
    for child in node.get("Plans", []):
        yield from _scanned(child)


def _read_by(function: str, bodies: Mapping[str, str], named: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """What a function's body names, and the bodies of the functions that it calls."""
    seen, left, found = set[str](), {function}, frozenset[str]()
    while left:
        name = left.pop()
        seen.add(name)
        words = set(NAME.findall(bodies[name]))
        found = found.union(*(named[word] for word in words & named.keys()))
        left |= (words & bodies.keys()) - seen
    return found
