"""`gateway import` as it is typed."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from gateway.commands.refusals import CommandRefusedError
from gateway.imports import importer
from tests.cli.processes import GATEWAY, environment, gateway
from tests.conftest import Database
from tests.imports.conftest import MAVEN_LIKE, Command, Target, new_target

WAITING = """
SELECT l.pid FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
 WHERE NOT l.granted AND l.relation = 'deals'::regclass AND a.datname = current_database()
"""
COUNTS = """
SELECT (SELECT count(*) FROM companies WHERE tenant_id = $1), (SELECT count(*) FROM deals WHERE tenant_id = $1)
"""
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 60


Run = Callable[..., Awaitable[tuple[int, str, str]]]
"""(database, *arguments) to exit code, standard output, standard error."""


@pytest.fixture
def run(command: Command) -> Run:
    """Imports with the mapping `maven-crm`, within this process."""

    async def run(database: Database, *arguments: str | Path) -> tuple[int, str, str]:
        words = map(str, ("import", "--mapping", "maven-crm", *arguments))
        return await command(*words, MIGRATION_DATABASE_URL=database.owner_dsn)

    return run


def table(output: str) -> list[list[str]]:
    """The lines of the summary that speak of files."""
    return [line.split() for line in output.splitlines() if ".csv " in line and not line.startswith("What")]


async def test_a_directory_is_imported_with_a_summary(run: Run, target: Target, maven_like: Path) -> None:
    code, output, errors = await run(target.database, "--tenant", "acme", maven_like)
    assert (code, errors) == (0, "")
    assert table(output) == [
        ["sales_teams.csv", "members", "5", "2", "0", "3", "0"],
        ["sales_teams.csv", "members", "5", "5", "0", "0", "0"],
        ["products.csv", "products", "3", "3", "0", "0", "0"],
        ["accounts.csv", "companies", "5", "5", "0", "0", "0"],
        ["sales_pipeline.csv", "deals", "40", "40", "0", "0", "0"],
    ]
    assert not maven_like.with_name("maven-like.rejects.csv").exists()


async def test_a_dry_run_says_so_and_leaves_nothing(run: Run, target: Target, maven_like: Path) -> None:
    code, output, _ = await run(target.database, "--tenant", "acme", "--dry-run", maven_like)
    assert (code, table(output)[4]) == (0, ["sales_pipeline.csv", "deals", "40", "40", "0", "0", "0"])
    assert "It was a dry run: nothing has been changed." in output
    assert await target.fetch(COUNTS) == [(0, 0)]


async def test_rejects_stand_beside_the_directory(run: Run, target: Target, maven_like: Path) -> None:
    pipeline = maven_like / "sales_pipeline.csv"
    pipeline.write_text(pipeline.read_text().replace("3/16/2024,", "2/30/2024,"))
    code, output, _ = await run(target.database, "--tenant", "acme", maven_like)
    rejects = maven_like.with_name("maven-like.rejects.csv")
    assert (code, f"What was rejected, and why, is in {rejects}" in output) == (0, True)
    assert rejects.read_text() == (
        "file,line,column,reason,value\nsales_pipeline.csv,5,engage_date,is not a date as %m/%d/%Y,2/30/2024\n"
    )


async def test_a_folder_for_each_tenant_is_imported_into_each(database: Database, tmp_path: Path) -> None:
    targets = [await new_target(database, slug, tmp_path / "rejects.csv") for slug in ("acme", "birch")]
    for slug in ("acme", "birch"):
        shutil.copytree(MAVEN_LIKE, tmp_path / "all" / slug)
    (tmp_path / "all" / "acme" / "accounts.csv").write_text("account\n")
    arguments = ("import", "--mapping", "maven-crm", "--all-tenants", str(tmp_path / "all"))
    code, output, errors = await asyncio.to_thread(gateway, *arguments, MIGRATION_DATABASE_URL=database.owner_dsn)
    lacking = "accounts.csv lacks the column `sector` and `office_location` and `employees`: its header has `account`."
    assert (code, errors.strip()) == (1, lacking)
    assert [line[0] for line in table(output)][-1] == "birch/sales_pipeline.csv"
    assert [await target.fetch(COUNTS) for target in targets] == [[(0, 0)], [(5, 40)]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    {
        "an unknown tenant": (
            ("--tenant", "nobody", "DIRECTORY"),
            "There is no tenant `nobody`: `gateway tenant create SLUG` makes one.",
        ),
        "folders of unknown tenants": (
            ("--all-tenants", "PARENT"),
            "There is no tenant `maven-like`: `gateway tenant create SLUG` makes one.",
        ),
        "no folders": (
            ("--all-tenants", "DIRECTORY"),
            "DIRECTORY has no folder: each tenant's files stand in one named by its slug.",
        ),
        "a missing directory": (("--tenant", "acme", "DIRECTORY/x"), "There is no directory DIRECTORY/x."),
        "neither tenant": (("DIRECTORY",), "Name either a tenant (--tenant SLUG) or --all-tenants."),
        "both": (
            ("--tenant", "acme", "--all-tenants", "DIRECTORY"),
            "Name either a tenant (--tenant SLUG) or --all-tenants.",
        ),
        "an unknown mapping": (
            ("--tenant", "acme", "--mapping", "x", "DIRECTORY"),
            "There is no mapping `x`: name one of maven-crm, or a TOML file.",
        ),
    }.values(),
)
async def test_what_cannot_be_done_is_one_sentence(
    run: Run, target: Target, maven_like: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    def place(text: str) -> str:
        return text.replace("DIRECTORY", str(maven_like)).replace("PARENT", str(maven_like.parent))

    code, output, errors = await run(target.database, *map(place, arguments))
    assert (code, output, errors.strip()) == (1, "", place(sentence))


async def test_a_role_that_policies_hold_is_refused(command: Command, target: Target, maven_like: Path) -> None:
    arguments = ("import", "--mapping", "maven-crm", "--tenant", "acme", str(maven_like))
    code, _, errors = await command(*arguments, MIGRATION_DATABASE_URL=target.database.gateway_dsn)
    assert (code, errors.split(":")[0]) == (
        1,
        "Role `gateway` cannot bypass row-level security, so it cannot import",
    )


async def test_two_imports_of_a_tenant_do_not_run_at_once(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "LOCK_WAIT_SECONDS", 1)
    async with target.database.as_owner() as other:
        await other.execute(importer.LOCK, target.tenant_id)
        with pytest.raises(CommandRefusedError) as refusal:
            await target.run(MAVEN_LIKE)
    assert str(refusal.value) == "Another import of tenant `acme` is running: wait until it is done."


async def test_a_second_run_completes_one_that_was_killed(target: Target) -> None:
    # `pg_stat_activity` stands still within a transaction, hence two connections.
    async with target.database.as_owner() as blocker, target.database.as_owner() as observer:
        async with blocker.transaction():
            # The import waits here with its deals staged; what came before is committed.
            await blocker.execute("LOCK TABLE deals IN SHARE ROW EXCLUSIVE MODE")
            backend = await killed_while_it_waits(target, observer)
        await until(observer, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", backend)
    assert await target.fetch(COUNTS) == [(5, 0)]
    *_, companies, deals = await target.run(MAVEN_LIKE)
    assert (companies.unchanged, deals.created) == (5, 40)


async def until(observer: asyncpg.Connection, query: str, *arguments: int) -> int:
    """What the query gives, as soon as that is something."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if found := await observer.fetchval(query, *arguments):
                return int(found)
            await asyncio.sleep(POLL_SECONDS)


async def killed_while_it_waits(target: Target, observer: asyncpg.Connection) -> int:
    """Starts an import and kills it as soon as its server process waits for `deals`; gives that process's id."""
    settings = environment(MIGRATION_DATABASE_URL=target.database.owner_dsn)
    process = await asyncio.create_subprocess_exec(
        *(GATEWAY, "import", "--tenant", "acme", "--mapping", "maven-crm", str(MAVEN_LIKE)),
        env=settings,
        stdout=subprocess.DEVNULL,
    )
    try:
        return await until(observer, WAITING)
    finally:
        process.kill()
        await process.wait()
