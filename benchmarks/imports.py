"""How fast `gateway import` is: the same deals by an import and by a bare COPY, and the memory that it takes.

Both write the same tables under the same triggers, with a product line for each deal. COPY is given rows that
are made and typed already, their references resolved: what an import costs above it is reading, checking and
resolving.
"""

import asyncio
import csv
import itertools
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import asyncpg

from benchmarks.data import empty_database
from gateway.commands.create_tenant import NewTenant, create_tenant
from gateway.imports.importer import Job, import_tenant
from gateway.imports.loading import load_mapping
from gateway.imports.rejects import Rejects

DEALS = 100_000
REPEATS = 3
MEMBERS, COMPANIES, PRODUCTS = 35, 1000, 7
START = datetime(2024, 1, 1, 12, tzinfo=UTC)
STAGES = ("Won", "Lost", "Engaging", "Prospecting")
HEADER = (
    "opportunity_id",
    "sales_agent",
    "product",
    "account",
    "deal_stage",
    "engage_date",
    "close_date",
    "close_value",
)

TENANTS = itertools.count(1)

DEAL_COLUMNS = (
    *("id", "tenant_id", "pipeline_id", "stage_id", "owner_id", "company_id"),
    *("name", "amount", "created_at", "closed_at", "external_id"),
)
NEXT_IDS = "SELECT nextval('deals_id_seq') FROM generate_series(1, $1)"
STAGES_BY_NAME = """
SELECT s.name, s.id, s.pipeline_id FROM stages AS s JOIN pipelines AS p USING (tenant_id)
 WHERE s.tenant_id = $1 AND p.id = s.pipeline_id AND p.name = 'Opportunities'
"""


@dataclass(frozen=True)
class ImportFigures:
    """Medians of several runs, and the most memory that a process importing so many deals has taken."""

    deals: int
    copy_seconds: float
    import_seconds: float
    repeat_seconds: float
    peak_bytes: int

    @property
    def ratio(self) -> float:
        """Time of an import, in those of a bare COPY."""
        return self.import_seconds / self.copy_seconds

    def sentences(self) -> list[str]:
        first = f"Import of {self.deals:,} deals: {self.import_seconds:.1f} s"
        bare = f"a bare COPY of the same {self.copy_seconds:.1f} s, ratio {self.ratio:.2f}"
        again = f"again, all unchanged, {self.repeat_seconds:.1f} s"
        return [f"{first}; {bare}; {again}; peak memory {self.peak_bytes / 2**20:.0f} MiB."]


@dataclass(frozen=True)
class Deal:
    """One opportunity, as its number makes it."""

    number: int

    @property
    def stage(self) -> str:
        return STAGES[self.number % len(STAGES)]

    @property
    def created_at(self) -> datetime:
        return START + timedelta(days=self.number % 300)

    @property
    def closed_at(self) -> datetime | None:
        return self.created_at + timedelta(days=30 + self.number % 60) if self.stage in {"Won", "Lost"} else None

    def cells(self) -> tuple[str, ...]:
        closed = f"{self.closed_at:%m/%d/%Y}" if self.closed_at else ""
        n = self.number
        return (
            *(f"D{n}", f"Agent {n % MEMBERS}", f"Product {n % PRODUCTS}", f"Company {n % COMPANIES}", self.stage),
            *(f"{self.created_at:%m/%d/%Y}", closed, str(100 + n % 5000)),
        )


def write_directory(directory: Path, deals: int) -> None:
    """CSV files of the shape that the mapping `maven-crm` reads."""
    directory.mkdir(parents=True, exist_ok=True)
    files: dict[str, tuple[Sequence[str], Iterator[Sequence[str]]]] = {
        "sales_teams.csv": (
            ("sales_agent", "manager", "regional_office"),
            ((f"Agent {n}", f"Manager {n % 6}", "East") for n in range(MEMBERS)),
        ),
        "products.csv": (("product", "series", "sales_price"), ((f"Product {n}", "P", "10") for n in range(PRODUCTS))),
        "accounts.csv": (
            ("account", "sector", "office_location", "employees"),
            ((f"Company {n}", "retail", "Kenya", "12") for n in range(COMPANIES)),
        ),
        "sales_pipeline.csv": (HEADER, (Deal(n).cells() for n in range(deals))),
    }
    for name, (header, rows) in files.items():
        with (directory / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(itertools.chain([header], rows))


async def measure(owner_dsn: str, *, deals: int = DEALS, repeats: int = REPEATS) -> ImportFigures:
    """Figures of a migrated database that may be thrown away afterwards; `owner_dsn` is of that role."""
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        write_directory(data, deals)
        owner = await asyncpg.connect(owner_dsn)
        try:
            runs = [await _run(owner, data, deals) for _ in range(repeats)]
        finally:
            await owner.close()
    copies, imports, again = (sorted(seconds)[repeats // 2] for seconds in zip(*runs, strict=True))
    return ImportFigures(deals, copies, imports, again, await asyncio.to_thread(peak_bytes, owner_dsn, deals))


def peak_bytes(owner_dsn: str, deals: int) -> int:
    """The most memory of a process of its own that imports so many deals into a new tenant."""
    command = [sys.executable, "-m", "benchmarks.imports", "memory", owner_dsn, str(deals)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


async def _run(owner: asyncpg.Connection, data: Path, deals: int) -> tuple[float, float, float]:
    """Seconds of a COPY, of an import, and of the import that finds everything there."""
    tenant_id, slug = await _tenant(owner)
    await _import(owner, slug, data.parent / "base", 1)
    rows = await _rows(owner, tenant_id, deals)
    copied = await _copy(owner, tenant_id, rows)
    _, slug = await _tenant(owner)
    await _import(owner, slug, data.parent / "base", 1)
    return copied, await _import(owner, slug, data), await _import(owner, slug, data)


async def _tenant(owner: asyncpg.Connection) -> tuple[int, str]:
    slug = f"import-{next(TENANTS)}-{time.time_ns()}"
    return await create_tenant(owner, NewTenant(slug, slug, "enterprise")), slug


async def _import(owner: asyncpg.Connection, slug: str, data: Path, write: int | None = None) -> float:
    if write is not None:
        await asyncio.to_thread(write_directory, data, write)
    with Rejects(data.with_name("rejects.csv")) as rejects:
        began = time.perf_counter()
        await import_tenant(owner, Job(slug, data, load_mapping("maven-crm")), rejects)
    return time.perf_counter() - began


async def _rows(owner: asyncpg.Connection, tenant_id: int, deals: int) -> list[tuple[object, ...]]:
    """The rows of `deals`, but for the first that stands there; a product's key goes last."""

    async def keys(table: str, count: int, name: str) -> list[int]:
        found = await owner.fetch(f"SELECT name, id FROM {table} WHERE tenant_id = $1", tenant_id)
        by_name = {row["name"]: row["id"] for row in found}
        return [by_name[f"{name} {n}"] for n in range(count)]

    members, companies = await keys("members", MEMBERS, "Agent"), await keys("companies", COMPANIES, "Company")
    products = await keys("products", PRODUCTS, "Product")
    stages = {row["name"]: (row["pipeline_id"], row["id"]) for row in await owner.fetch(STAGES_BY_NAME, tenant_id)}
    ids = [row[0] for row in await owner.fetch(NEXT_IDS, deals)]
    return [
        (
            *(ids[n], tenant_id, *stages[deal.stage], members[n % MEMBERS], companies[n % COMPANIES]),
            *(f"Product {n % PRODUCTS} for Company {n % COMPANIES}", Decimal(100 + n % 5000)),
            *(deal.created_at, deal.closed_at, f"D{n}", products[n % PRODUCTS]),
        )
        for n, deal in ((n, Deal(n)) for n in range(1, deals))
    ]


async def _copy(owner: asyncpg.Connection, tenant_id: int, rows: Sequence[tuple[object, ...]]) -> float:
    lines = [(tenant_id, row[0], row[-1], row[7]) for row in rows]
    records = [row[:-1] for row in rows]
    began = time.perf_counter()
    async with owner.transaction():
        await owner.copy_records_to_table("deals", records=records, columns=DEAL_COLUMNS)
        columns = ("tenant_id", "deal_id", "product_id", "amount")
        await owner.copy_records_to_table("deal_products", records=lines, columns=columns)
    return time.perf_counter() - began


def _own_peak_bytes() -> int:
    """Of this process since it was executed, where the system tells; getrusage counts what its parent had, too."""
    status = Path("/proc/self/status")
    if status.exists():
        (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(kilobytes) * 1024
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes


async def _import_alone(owner_dsn: str, deals: int) -> None:
    owner = await asyncpg.connect(owner_dsn)
    try:
        _, slug = await _tenant(owner)
        with tempfile.TemporaryDirectory() as directory:
            await _import(owner, slug, Path(directory) / "data", deals)
    finally:
        await owner.close()


async def measure_alone(deals: int = DEALS) -> ImportFigures:
    """On an embedded PostgreSQL of its own."""
    with tempfile.TemporaryDirectory() as directory:
        async with empty_database(Path(directory), "imports") as settings:
            return await measure(settings.require("migration_database_url"), deals=deals)


def main(arguments: Sequence[str]) -> None:
    """`python -m benchmarks.imports [DEALS]`."""
    if arguments[:1] == ["memory"]:
        asyncio.run(_import_alone(arguments[1], int(arguments[2])))
        print(_own_peak_bytes())
        return
    figures = asyncio.run(measure_alone(int(arguments[0]) if arguments else DEALS))
    print("\n".join(figures.sentences()))


if __name__ == "__main__":
    main(sys.argv[1:])
