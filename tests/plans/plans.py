"""Plans as PostgreSQL tells them: which large tables they scan, by which indexes, and how many rows they touch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from gateway.rollups.declared import ROLLUPS

RECORDS = {"deals", "activities", "companies", "contacts", "tasks", "deal_stage_history", "deal_products"}
BRANCHES = {f"{rollup.name}_{part}" for rollup in ROLLUPS for part in ("base", "pending", "delta")}
LARGE = RECORDS | BRANCHES

INDEX_LEADERS = """
SELECT index.relname AS index, attribute.attname AS leader
  FROM pg_index
  JOIN pg_class AS index ON index.oid = indexrelid
  JOIN pg_attribute AS attribute ON attribute.attrelid = indrelid AND attribute.attnum = indkey[0]
 WHERE index.relnamespace IN ('public'::regnamespace, 'rollup'::regnamespace)
"""


@dataclass(frozen=True)
class Plan:
    """A plan's nodes, parents first. `leaders`: index → its first column."""

    nodes: Sequence[Mapping[str, Any]]
    leaders: Mapping[str, str]

    @property
    def faults(self) -> list[str]:
        """What no read may do: scan a large table whole, or use an index that the tenant does not lead."""
        scans = [f"Seq Scan on {node['Relation Name']}" for node in self.nodes if _scans_large_table(node)]
        indexes = {node["Index Name"] for node in self.nodes if "Index Name" in node}
        return sorted({*scans, *(f"by {name}" for name in indexes if self.leaders.get(name) != "tenant_id")})

    @property
    def rows_touched(self) -> int:
        """Rows of large tables that its scans read, those thrown away included; only of a plan that was run."""
        return sum(rows for _, rows in self.scans)

    @property
    def scans(self) -> list[tuple[str, int]]:
        """Each scan of a large table: its name, and the rows read by all rounds together."""
        scans = (node for node in self.nodes if node.get("Relation Name") in LARGE)
        return [(node["Relation Name"], _rows_touched(node)) for node in scans]


async def index_leaders(connection: asyncpg.Connection) -> dict[str, str]:
    return {row["index"]: row["leader"] for row in await connection.fetch(INDEX_LEADERS)}


async def explain(
    connection: asyncpg.Connection,
    leaders: Mapping[str, str],
    sql: str,
    arguments: Sequence[object] = (),
    *,
    run: bool = False,
) -> Plan:
    """The plan for these very arguments; `run`: with what it did."""
    options = "ANALYZE, TIMING OFF, FORMAT JSON" if run else "FORMAT JSON"
    return _plan(await connection.fetchval(f"EXPLAIN ({options}) {sql}", *arguments), leaders)


async def explain_generic(
    connection: asyncpg.Connection, leaders: Mapping[str, str], sql: str, arguments: Sequence[object] = ()
) -> Plan:
    """The plan for any arguments; those given only say how many there are."""
    nothing = ", ".join(["NULL"] * len(arguments))
    await connection.execute(f"SET plan_cache_mode = force_generic_plan; PREPARE explained AS {sql}")
    try:
        execution = f"EXECUTE explained({nothing})" if nothing else "EXECUTE explained"
        return _plan(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {execution}"), leaders)
    finally:
        await connection.execute("DEALLOCATE explained; RESET plan_cache_mode")


def _plan(text: str, leaders: Mapping[str, str]) -> Plan:
    (top,) = json.loads(text)
    return Plan(list(_walk(top["Plan"])), leaders)


def _walk(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _walk(child)


def _scans_large_table(node: Mapping[str, Any]) -> bool:
    return node["Node Type"] == "Seq Scan" and node["Relation Name"] in LARGE


def _rows_touched(node: Mapping[str, Any]) -> int:
    each: float = (
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    )
    return round(each * int(node["Actual Loops"]))
