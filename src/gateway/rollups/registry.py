"""What is remembered of each rollup: when it was folded, refreshed and audited, and with what outcome."""

from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from gateway.rollups.declaration import Rollup
from gateway.rollups.names import REGISTRY, SCHEMA, pending

UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


@dataclass(frozen=True, slots=True)
class Pending:
    """Groups that changed since the last refresh, and how many the base has."""

    groups: int
    base_groups: int

    @property
    def share(self) -> float:
        return self.groups / max(self.base_groups, 1)


@dataclass(frozen=True, slots=True)
class Kept:
    """One rollup as the registry knows it. `restored`: it came out of a dump and was not refreshed since."""

    name: str
    last_fold: datetime | None
    last_refresh: datetime
    last_audit: datetime | None
    differing: int | None
    restored: bool


async def read_registry(connection: asyncpg.Connection) -> list[Kept]:
    """All rollups by name."""
    rows = await connection.fetch(
        f"SELECT name, last_fold, last_refresh, last_audit, differing, home <> {SCHEMA}.home(name) AS restored "
        f"FROM {REGISTRY} ORDER BY name"
    )
    return [Kept(**row) for row in rows]


async def read_pending(connection: asyncpg.Connection, rollup: Rollup) -> Pending:
    """What is folded and waits for a refresh."""
    row = await connection.fetchrow(
        f"SELECT (SELECT count(*) FROM {pending(rollup)}), base_groups FROM {REGISTRY} WHERE name = $1", rollup.name
    )
    return Pending(*row) if row else Pending(0, 0)


async def record_fold(connection: asyncpg.Connection, rollup: Rollup) -> None:
    await connection.execute(f"UPDATE {REGISTRY} SET last_fold = now() WHERE name = $1", rollup.name)


async def record_refresh(connection: asyncpg.Connection, rollup: Rollup, groups: int, differing: int) -> None:
    """A refresh folds, audits, and makes a restored rollup at home in this database."""
    await connection.execute(
        f"""UPDATE {REGISTRY} SET last_fold = now(), last_refresh = now(), last_audit = now(),
              home = {SCHEMA}.home(name), base_groups = $2, differing = $3 WHERE name = $1""",
        *(rollup.name, groups, differing),
    )


async def record_audit(connection: asyncpg.Connection, rollup: Rollup, differing: int) -> None:
    await connection.execute(
        f"UPDATE {REGISTRY} SET last_audit = now(), differing = $2 WHERE name = $1", rollup.name, differing
    )


def ago(moment: datetime | None) -> str:
    """How long ago that was, in the largest unit of which there are two."""
    if moment is None:
        return "never"
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    unit, length = next(((unit, length) for unit, length in UNITS if seconds >= 2 * length), UNITS[-1])
    return f"{seconds // length} {unit} ago"
