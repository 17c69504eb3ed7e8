"""Comparing what readers see with the truth: the aggregate computed from the base table."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from gateway.observe import Observer, RollupAudited
from gateway.rollups.declaration import Rollup
from gateway.rollups.locking import locked
from gateway.rollups.names import key_columns, key_names
from gateway.rollups.registry import record_audit
from gateway.rollups.render import add_to_pending, branches, raw, sums

LISTED_DIFFERENCES = 20


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A group whose live sums were not those of the base table. `keys` and both values by name."""

    keys: dict[str, Any]
    live: dict[str, Any]
    truth: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Audit:
    """`groups` were compared, `differing` of them were wrong; the first of those are listed."""

    groups: int
    differing: int
    listed: list[Discrepancy]

    def __add__(self, other: "Audit") -> "Audit":
        listed = [*self.listed, *other.listed][:LISTED_DIFFERENCES]
        return Audit(self.groups + other.groups, self.differing + other.differing, listed)

    def report(self, observer: Observer, rollup: Rollup) -> None:
        """A difference is an alarm: a metric, and a line of the log for each listed group."""
        observer.audited(RollupAudited(rollup.name, self.groups, self.differing))
        for found in self.listed:
            observer.log.error(
                "rollup differs", rollup=rollup.name, keys=found.keys, live=found.live, truth=found.truth
            )


async def audit_rollup(
    worker: asyncpg.Connection, rollup: Rollup, *, repair: bool = False
) -> AsyncIterator[tuple[str, Audit]]:
    """Audits tenant by tenant, each in one statement and so in one snapshot; gives the tenant's slug with its outcome.

    No reader and no writer waits. With `repair`, the same statement makes right what differs, and folds and refreshes
    of the rollup wait for it. The registry is told when all tenants are done.
    """
    differing = 0
    for tenant in await worker.fetch("SELECT id, slug FROM public.tenants ORDER BY id"):
        audit = await (_repair if repair else _audit)(worker, rollup, tenant["id"])
        differing += 0 if repair else audit.differing
        yield tenant["slug"], audit
    await record_audit(worker, rollup, differing)


async def compare(
    worker: asyncpg.Connection, rollup: Rollup, seen: str, truth: str, *arguments: object, repair: bool = False
) -> Audit:
    """What is seen against what is true: two queries with the rollup's columns, a row a group, on `arguments`."""
    rows = await worker.fetch(_comparison(rollup, seen, truth, repair=repair), *arguments)
    listed = [_discrepancy(rollup, row) for row in rows if row["tenant_id"] is not None]
    return Audit(rows[0]["groups"], rows[0]["differing"], listed)


def live_sums(rollup: Rollup, where: str = "") -> str:
    """What readers see, a row a group; groups of nothing but zeros are no groups."""
    not_zero = " OR ".join(f"sum({name}) <> 0" for name in rollup.measures)
    return (
        f"SELECT {key_columns(rollup)}, {sums(rollup)} FROM ({branches(rollup, where)}) AS branch "
        f"GROUP BY {key_columns(rollup)} HAVING {not_zero}"
    )


async def _audit(worker: asyncpg.Connection, rollup: Rollup, tenant_id: int, *, repair: bool = False) -> Audit:
    of_tenant = "tenant_id = $1"
    return await compare(worker, rollup, live_sums(rollup, of_tenant), raw(rollup, of_tenant), tenant_id, repair=repair)


async def _repair(worker: asyncpg.Connection, rollup: Rollup, tenant_id: int) -> Audit:
    async with locked(worker, rollup, "READ COMMITTED"):
        return await _audit(worker, rollup, tenant_id, repair=True)


def _comparison(rollup: Rollup, seen: str, truth: str, *, repair: bool) -> str:
    names = list(rollup.measures)
    pairs = ", ".join(f"coalesce(s.{name}, 0) AS live_{name}, coalesce(t.{name}, 0) AS true_{name}" for name in names)
    unequal = " OR ".join(f"live_{name} <> true_{name}" for name in names)
    missing = ", ".join(f"true_{name} - live_{name}" for name in names)
    repaired = add_to_pending(rollup, f"SELECT {key_columns(rollup)}, {missing} FROM differing")
    return f"""WITH compared AS MATERIALIZED (
  SELECT {key_columns(rollup)}, {pairs} FROM ({seen}) AS s FULL JOIN ({truth}) AS t USING ({key_columns(rollup)})
), differing AS MATERIALIZED (SELECT * FROM compared WHERE {unequal})
{f", repaired AS ({repaired})" if repair else ""}
SELECT (SELECT count(*) FROM compared) AS groups, (SELECT count(*) FROM differing) AS differing, d.*
  FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM differing LIMIT {LISTED_DIFFERENCES}) AS d ON true"""


def _discrepancy(rollup: Rollup, row: asyncpg.Record) -> Discrepancy:
    def values(prefix: str, names: Sequence[str]) -> dict[str, Any]:
        return {name: row[f"{prefix}{name}"] for name in names}

    names = list(rollup.measures)
    return Discrepancy(values("", key_names(rollup)), values("live_", names), values("true_", names))
