"""What a statement does, as its plan and its rows show it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import asyncpg

from loaders.reads import Statement

FILTER = re.compile(r"\b(?:\w+\.)?(?:tenant_id|id) = \$1\b")


async def unfiltered(connection: asyncpg.Connection, statement: Statement) -> list[str]:
    """Tables of tenants that a statement's plan scans without the statement's own filter.

    The plan says what is done, whatever the text looks like.
    """
    plan = await generic_plan(connection, statement.sql)
    return [node["Relation Name"] for node in _scans(plan) if not _filters(node)]


async def generic_plan(connection: asyncpg.Connection, sql: str) -> dict[str, Any]:
    """The top node of a statement's plan for any value of its parameters: no branch of it is left out."""
    prepared = await connection.prepare(sql)
    nulls = ", ".join("NULL" for _ in prepared.get_parameters())
    async with connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute(f"PREPARE examined AS {sql}")
        plan = json.loads(await connection.fetchval(f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE examined ({nulls})"))
        await connection.execute("DEALLOCATE examined")
    top: dict[str, Any] = plan[0]["Plan"]
    return top


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Relation Name" in node:
        yield node
    for child in node.get("Plans", []):
        yield from _scans(child)


def _filters(node: dict[str, Any]) -> bool:
    column = "id" if node["Relation Name"] == "tenants" else "tenant_id"
    wanted = f"{node['Alias']}.{column} = $1"
    conditions = (str(node.get(key, "")) for key in ("Index Cond", "Recheck Cond", "Filter"))
    return any(wanted in _conjuncts(condition) for condition in conditions)


def _conjuncts(condition: str) -> list[str]:
    """The parts that must all hold, without their parentheses."""
    parts, depth = [""], 0
    for token in re.split(r"([()]| AND )", condition[1:-1]):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == " AND " and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [part.removeprefix("(").removesuffix(")") for part in parts]


def weakened(statement: Statement) -> Iterator[Statement]:
    """The statement without one of its filters, for each of them."""
    for found in FILTER.finditer(statement.sql):
        before, after = statement.sql[: found.start()], statement.sql[found.end() :]
        yield replace(statement, sql=f"{before}$1::bigint IS NOT NULL{after}")


OF_THE_MOMENT = {"as_of", "pg_current_snapshot", "incarnation"}


def answer(rows: list[asyncpg.Record]) -> list[tuple[Any, ...]]:
    """Rows to compare: in an order of their own, without what two databases or two moments cannot share."""
    return sorted((tuple(value for name, value in row.items() if name not in OF_THE_MOMENT) for row in rows), key=repr)
