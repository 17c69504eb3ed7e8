"""On what was measured: nothing that names a host, a user or a path."""

import math
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

from gateway.settings import Settings

PACKAGES = (
    "strawberry-graphql",
    "graphql-core",
    "aiodataloader",
    "asyncpg",
    "starlette",
    "uvicorn",
    "uvloop",
    "orjson",
)


@dataclass(frozen=True)
class Machine:
    """`load_average`: of the minute before; what else the machine did."""

    date: str
    system: str
    cores: int
    memory_gib: float | None
    load_average: float | None
    python: str
    postgresql: str
    packages: dict[str, str]

    def __str__(self) -> str:
        memory = f", {self.memory_gib:.0f} GiB" if self.memory_gib else ""
        busy = f"; load average before: {self.load_average:.1f}" if self.load_average is not None else ""
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return (
            f"{self.date}; {self.system}, {self.cores} cores{memory}{busy}; Python {self.python}, "
            f"PostgreSQL {self.postgresql}; {packages}"
        )


async def describe(settings: Settings) -> Machine:
    connection = await asyncpg.connect(settings.require("database_url"))
    try:
        postgresql = str(await connection.fetchval("SHOW server_version")).split()[0]
    finally:
        await connection.close()
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        system=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count() or 1,
        memory_gib=_memory_gib(),
        load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        python=platform.python_version(),
        postgresql=postgresql,
        packages={name: version(name) for name in PACKAGES},
    )


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used; not a number where the system has no /proc."""
    try:
        return sum(_stat(pid)[11:13]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return math.nan


def family_cpu_seconds(parent: int) -> float:
    """The same of a process and all that it started, those that have ended too."""
    try:
        ended = sum(_stat(parent)[13:15]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return math.nan
    children = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    return cpu_seconds(parent) + ended + sum(cpu_seconds(pid) for pid in children if parent_of(pid) == parent)


def parent_of(pid: int) -> int | None:
    """The process that started another; None where that has ended, or the system has no /proc."""
    try:
        return _stat(pid)[1]
    except OSError:
        return None


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """What is started in the block stays on one core, where the system and its cores allow it."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if number not in allowed:
        yield
        return
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _memory_gib() -> float | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    except (AttributeError, ValueError, OSError):
        return None


def _stat(pid: int) -> list[int]:
    """What /proc tells of a process behind its name, 0 for what is no number: its parent at 1; in clock ticks, its CPU
    time at 11 and 12, that of its children that have ended at 13 and 14.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(field) if field.lstrip("-").isdigit() else 0 for field in fields]
