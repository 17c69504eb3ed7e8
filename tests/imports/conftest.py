"""What the tests of imports share: a tenant to import into, and files to import."""

import csv
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.commands.create_tenant import NewTenant, create_tenant
from gateway.imports.importer import Job, Summary, import_tenant
from gateway.imports.loading import load_mapping
from gateway.imports.rejects import Rejects
from tests.cli.conftest import Command, command
from tests.conftest import Database

__all__ = ["Command", "command"]

MAVEN_LIKE = Path(__file__).parent / "fixtures" / "maven-like"
"""Files of the shape of the Maven CRM data set: 5 agents of 2 managers, 3 products, 5 accounts, 40 opportunities."""

TABLES = (
    *("members", "companies", "contacts", "pipelines", "stages", "products"),
    *("deals", "deal_products", "deal_stage_history", "activities", "tasks"),
)


@dataclass(frozen=True)
class Target:
    """A tenant to import into."""

    database: Database
    slug: str
    tenant_id: int
    rejects: Path

    async def run(self, directory: Path, mapping: str = "maven-crm", *, dry_run: bool = False) -> list[Summary]:
        async with self.database.as_owner() as owner:
            with Rejects(self.rejects) as rejects:
                job = Job(self.slug, directory, load_mapping(mapping))
                return await import_tenant(owner, job, rejects, dry_run=dry_run)

    def rejected(self) -> list[tuple[str, ...]]:
        """The list of rejects without its header; none when there is no list."""
        if not self.rejects.exists():
            return []
        with self.rejects.open(encoding="utf-8", newline="") as file:
            return [tuple(row) for row in csv.reader(file)][1:]

    async def fetch(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Rows of a query whose $1 is the tenant."""
        async with self.database.as_owner() as owner:
            return [tuple(row) for row in await owner.fetch(query, self.tenant_id, *arguments)]

    async def versions(self) -> Mapping[str, Sequence[str]]:
        """By table, each row with the transaction that wrote it: equal exactly when no row was touched."""
        async with self.database.as_owner() as owner:
            return {table: await _versions(owner, table, self.tenant_id) for table in TABLES}


async def _versions(owner: asyncpg.Connection, table: str, tenant_id: int) -> Sequence[str]:
    rows = await owner.fetch(f"SELECT t.ctid, t.xmin, t::text AS row FROM {table} t WHERE tenant_id = $1", tenant_id)
    return sorted(f"{row['ctid']} {row['xmin']} {row['row']}" for row in rows)


async def new_target(database: Database, slug: str, rejects: Path, time_zone: str = "UTC") -> Target:
    async with database.as_owner() as owner:
        tenant_id = await create_tenant(owner, NewTenant(slug, slug.title(), "enterprise", time_zone=time_zone))
    return Target(database, slug, tenant_id, rejects)


@pytest.fixture
async def target(database: Database, tmp_path: Path) -> Target:
    """A new tenant of a database of its own, far enough west that noon matters."""
    return await new_target(database, "acme", tmp_path / "rejects.csv", "America/Los_Angeles")


@pytest.fixture
def maven_like(tmp_path: Path) -> Path:
    """A copy of the fixture to change."""
    return Path(shutil.copytree(MAVEN_LIKE, tmp_path / "maven-like"))


CONTACTS = """
[[files]]
path = "contacts.csv"
record = "contacts"
[files.fields]
external_id = "id"
name = "name"
"""


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    """A directory without files, beside a mapping `contacts.toml` of a file `contacts.csv` with id and name."""
    (tmp_path / "contacts.toml").write_text(CONTACTS)
    directory = tmp_path / "contacts"
    directory.mkdir()
    return directory
