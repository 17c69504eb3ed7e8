"""The worker and the commands that look after rollups, as an operator runs them."""

import asyncio
import re
import signal
import subprocess
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from gateway.doctor import examine
from gateway.postgres.bootstrap import bootstrap
from gateway.rollups.declared import ROLLUPS
from tests.cli.conftest import Command
from tests.cli.processes import get, running, wait_until
from tests.conftest import PASSWORDS, Database, fresh_database
from tests.servers import SYSTEM_BIN_DIRS, free_port, postgres_server
from tests.world import World, instant

SYSTEMS = [path for path in SYSTEM_BIN_DIRS if int(path.parent.name) >= 15 and (path / "pg_dump").exists()]
NAMES = ", ".join(rollup.name for rollup in ROLLUPS)
LIVE = "SELECT sum(created) FROM (TABLE rollup.company_flow_base UNION ALL TABLE rollup.company_flow_delta) AS live"
SPOIL = "INSERT INTO rollup.company_flow_delta SELECT id, '2024-01-15', 2 FROM tenants WHERE slug = 'acme'"
NO_BYPASS = (
    "Role `gateway` cannot bypass row-level security, so it cannot keep rollups: "
    "let WORKER_DATABASE_URL name the role `worker`, made by bootstrap.sql.\n"
)


def as_worker(database: Database) -> dict[str, str]:
    return {"WORKER_DATABASE_URL": database.worker_dsn}


async def fetchval(database: Database, sql: str) -> object:
    connection = await asyncpg.connect(database.worker_dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


@pytest.fixture
async def spoiled(database: Database) -> Database:
    """A tenant with one company; two more are counted than there are."""
    async with database.as_owner() as owner:
        world = await World.create(owner, "acme")
        await world.company("Acme")
        await owner.execute(SPOIL)
        await World.create(owner, "bolt")
    return database


async def test_a_refresh_tells_what_was_wrong_and_the_next_one_finds_nothing(
    command: Command, spoiled: Database
) -> None:
    code, out, err = await command("refresh", "company_flow", **as_worker(spoiled))
    assert (code, err) == (1, "")
    first, second = out.splitlines()
    assert re.fullmatch(r"company_flow: 1 groups, 1 differed, refreshed in \d+\.\d\d s", first)
    assert re.fullmatch(r"  tenant_id \d+, day 2024-01-15: created was 3, is 1", second)
    code, out, err = await command("refresh", "--all", **as_worker(spoiled))
    assert (code, err) == (0, "")
    assert [line.partition(", refreshed")[0] for line in out.splitlines()] == [
        f"{rollup.name}: {int(rollup.name == 'company_flow')} groups, none differed" for rollup in ROLLUPS
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("refresh",), f"Name one rollup, or say --all. There are {NAMES}."),
        (("refresh", "deal_flow", "--all"), f"Name one rollup, or say --all. There are {NAMES}."),
        (("refresh", "deals"), f"There is no rollup `deals`. There are {NAMES}."),
        (("rollups", "audit", "deals"), f"There is no rollup `deals`. There are {NAMES}."),
        (
            ("refresh", "--all"),
            "WORKER_DATABASE_URL is not set: PostgreSQL address for background work, as role `worker`.",
        ),
        (("worker",), "WORKER_DATABASE_URL is not set: PostgreSQL address for background work, as role `worker`."),
        (("rollups", "diff"), "MIGRATION_DATABASE_URL is not set: PostgreSQL address for migrations and tenant "),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(command: Command, arguments: tuple[str, ...], sentence: str) -> None:
    code, out, err = await command(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith(sentence)


async def test_an_audit_tells_each_difference_and_mends_it_when_asked(command: Command, spoiled: Database) -> None:
    group = r"  tenant_id \d+, day 2024-01-15: created was 3, is 1\n"
    code, out, err = await command("rollups", "audit", "company_flow", **as_worker(spoiled))
    assert (code, err) == (1, "Readers see what is not so. `gateway rollups audit --repair` makes it right.\n")
    assert re.fullmatch(rf"company_flow: 1 groups, 1 differed, audited\n{group}", out)
    code, out, err = await command("rollups", "audit", "company_flow", "--repair", **as_worker(spoiled))
    assert (code, err) == (0, "")
    assert re.fullmatch(rf"company_flow: 1 groups, 1 differed, repaired\n{group}", out)
    code, out, err = await command("rollups", "audit", **as_worker(spoiled))
    assert (code, out.count("none differed, audited"), err) == (0, len(ROLLUPS), "")


async def test_the_list_tells_what_waits(command: Command, spoiled: Database) -> None:
    code, out, _ = await command("rollups", "list", **as_worker(spoiled))
    lines = {line.split()[0]: line.split() for line in out.splitlines()[1:]}
    assert (code, list(lines)) == (0, [rollup.name for rollup in ROLLUPS])
    assert lines["company_flow"][1:4] == ["0", "2", "never"]
    assert lines["deal_state"][1:4] == ["0", "0", "never"]


async def test_a_database_as_declared_has_no_difference(command: Command, database: Database) -> None:
    assert await command("rollups", "diff", MIGRATION_DATABASE_URL=database.owner_dsn) == (0, "", "")


async def test_the_difference_is_a_script_that_mends_it(command: Command, database: Database) -> None:
    async with database.as_owner() as owner:
        await owner.execute("DROP TRIGGER rollup_insert ON companies; DROP VIEW analytics.company_flow")
        code, script, reasons = await command("rollups", "diff", MIGRATION_DATABASE_URL=database.owner_dsn)
        assert (code, reasons) == (
            1,
            "company_flow: declared otherwise\ntrigger rollup_insert of companies: differs from the declarations\n",
        )
        async with owner.transaction():
            await owner.execute(script)
    assert await command("rollups", "diff", MIGRATION_DATABASE_URL=database.owner_dsn) == (0, "", "")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
async def test_the_worker_folds_serves_its_metrics_and_ends_when_asked(
    spoiled: Database, tmp_path: Path, end: signal.Signals
) -> None:
    port = free_port()
    settings = {**as_worker(spoiled), "LOG_FORMAT": "console", "ROLLUP_FOLD_SECONDS": "0.05"}
    with running(tmp_path / "log", "worker", "--metrics-port", str(port), **settings) as process:
        folded = 'gateway_rollup_deltas_folded_total{rollup="company_flow"} 2.0'
        await asyncio.to_thread(wait_until, lambda: folded in metrics(port), process)
        async with spoiled.as_owner() as owner:
            await owner.execute("INSERT INTO companies (tenant_id, name) SELECT id, 'Late' FROM tenants")
        await asyncio.to_thread(wait_until, lambda: folded.replace("2.0", "4.0") in metrics(port), process)
        process.send_signal(end)
        assert await asyncio.to_thread(process.wait, 10) == 0
    said = (tmp_path / "log").read_text()
    assert ("worker acts" in said, "Traceback" in said) == (True, False)
    assert await fetchval(spoiled, "SELECT count(*) FROM rollup.company_flow_delta") == 0


def metrics(port: int) -> str:
    return (get(f"http://127.0.0.1:{port}/metrics") or b"").decode()


async def test_a_worker_waits_for_its_database_and_ends_meanwhile_when_asked(tmp_path: Path) -> None:
    down = f"postgresql://worker:secret@127.0.0.1:{free_port()}/crm"
    log = tmp_path / "log"
    with running(log, "worker", WORKER_DATABASE_URL=down) as process:
        await asyncio.to_thread(wait_until, lambda: log.read_text().count("worker has no database") == 2, process)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 0
    assert ("Traceback" in log.read_text(), "secret" in log.read_text()) == (False, False)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (
            "gateway_dsn",
            NO_BYPASS,
        ),
        ("wrong", 'The database cannot be used: password authentication failed for user "worker"\n'),
    ],
)
async def test_a_worker_refuses_an_address_that_will_not_do(
    database: Database, tmp_path: Path, address: str, sentence: str
) -> None:
    dsn = getattr(database, address, database.worker_dsn.replace("worker-password", "guess"))
    with running(tmp_path / "log", "worker", WORKER_DATABASE_URL=dsn) as process:
        assert await asyncio.to_thread(process.wait, 30) == 1
    assert (tmp_path / "log").read_text() == sentence


async def test_a_refresh_by_hand_works_beside_a_worker(command: Command, database: Database, tmp_path: Path) -> None:
    settings = {**as_worker(database), "ROLLUP_FOLD_SECONDS": "0.01"}
    async with database.as_owner() as owner:
        world = await World.create(owner, "acme")
        with running(tmp_path / "log", "worker", **settings) as process:
            await asyncio.to_thread(wait_until, lambda: "worker acts" in (tmp_path / "log").read_text(), process)
            for day in range(1, 5):
                await world.company("Acme", instant(f"2024-05-0{day}T12:00"))
                assert (await command("refresh", "--all", **as_worker(database)))[0] == 0
    code, out, _ = await command("rollups", "audit", "company_flow", **as_worker(database))
    assert (code, out) == (0, "company_flow: 4 groups, none differed, audited\n")


@pytest.mark.skipif(not SYSTEMS, reason="needs pg_dump of a system PostgreSQL")
async def test_a_restored_dump_counts_twice_until_it_is_refreshed_and_doctor_says_so(
    command: Command, tmp_path: Path
) -> None:
    with postgres_server(SYSTEMS[-1]) as server:
        original, restored = await fresh_database(server), Database("restored", server)
        async with original.as_owner() as owner:
            world = await World.create(owner, "acme")
            await world.company("Acme")
        await bootstrap(server.superuser_dsn, database=restored.name, passwords=PASSWORDS)
        address = server.superuser_dsn.rpartition("/")[0]
        run = partial(subprocess.run, check=True, cwd=tmp_path)
        run([SYSTEMS[-1] / "pg_dump", "--format=custom", "--file=dump", f"{address}/{original.name}"])
        run([SYSTEMS[-1] / "pg_restore", "--exit-on-error", f"--dbname={address}/{restored.name}", "dump"])
        assert await fetchval(restored, LIVE) == 2
        faults = [finding for finding in await examine(restored.settings()) if finding.remedy]
        assert [(fault.subject, fault.remedy) for fault in faults] == [
            (f"rollup {rollup.name}", "gateway refresh --all   # with WORKER_DATABASE_URL") for rollup in ROLLUPS
        ]
        code, out, _ = await command("refresh", "--all", **as_worker(restored))
        assert (code, out.count("none differed")) == (0, len(ROLLUPS))
        assert [finding for finding in await examine(restored.settings()) if finding.remedy] == []
        assert await fetchval(restored, LIVE) == 1
