"""`gateway demo` as its user runs it: a process on a free port, its data in a directory of the test's own."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.doctor import Finding, examine
from gateway.settings import load_settings
from tests.cli.processes import gateway, get, running, wait_until
from tests.servers import fast_directory, free_port, server_pid

ROLES = {"viewer", "rep", "manager", "admin"}
ROWS = ("tenants", "members", "companies", "deals", "deal_stage_history", "activities", "tasks")


def query(demo: dict[str, Any], text: str, token: str) -> Any:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    body = get(demo["graphql_url"], headers=headers, body=json.dumps({"query": text}).encode())
    assert body is not None
    return json.loads(body)


def is_up(port: int) -> bool:
    return get(f"http://127.0.0.1:{port}/health/ready") is not None


def lives(pid: int) -> bool:
    """Whether the process runs; one that has ended but that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def rows(dsn: str) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    try:
        return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in ROWS}
    finally:
        await connection.close()


async def refreshed(dsn: str) -> set[str]:
    """The rollups that were refreshed after the load: nothing of it is pending."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(
            "SELECT name FROM rollup.registry WHERE last_audit IS NOT NULL AND differing = 0"
        )
        return {name for (name,) in found}
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """The directory that the tests below use in turn: the first start fills it."""
    with fast_directory() as directory:
        yield directory / "data"


async def test_a_first_start_serves_what_demo_json_says(data: Path, tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path / "log", "demo", "--port", str(port), "--data", str(data)) as process:
        wait_until(lambda: is_up(port), process)
        demo = json.loads((data / "demo.json").read_text())
        assert set(demo) == {
            *("url", "graphql_url", "database_url", "migration_database_url", "worker_database_url", "tenants")
        }
        assert demo["graphql_url"] == f"{demo['url']}/graphql" == f"http://127.0.0.1:{port}/graphql"
        assert [tenant["slug"] for tenant in demo["tenants"]] == ["aurora", "birch", "cobalt"]
        for tenant in demo["tenants"]:
            assert set(tenant) == {"slug", "tokens"}
            assert set(tenant["tokens"]) == ROLES
            for role, token in tenant["tokens"].items():
                answer = query(demo, "{ me { role email } }", token)
                assert answer["data"] == {"me": {"role": role.upper(), "email": f"{role}@{tenant['slug']}.example"}}
        addresses = {name: demo[name] for name in demo if name.endswith("database_url")}
        findings = await examine(load_settings(**addresses, jwt_secret="x" * 32))
        assert [finding for finding in findings if finding.remedy] == []
        assert (await rows(demo["migration_database_url"]))["deals"] == 6000
        assert Finding("worker", "one acts") in findings
        assert await refreshed(demo["worker_database_url"]) >= {"deal_flow", "owner_deal_flow", "activity_flow"}
        said = (tmp_path / "log").read_text()
        assert f"GraphiQL: {demo['graphql_url']}" in said
        assert str(data / "demo.json") in said
        assert b"graphiql/assets" in (get(demo["graphql_url"], headers={"Accept": "text/html"}) or b"")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert not is_up(port)
    assert not (data / "postgres/cluster/postmaster.pid").exists()
    assert (tmp_path / "log").read_text().endswith("Stopped.\n")


def test_secrets_are_readable_by_their_owner_alone(data: Path) -> None:
    files = ("demo.json", "secrets.json", "postgres/superuser.password")
    assert {name: stat.S_IMODE((data / name).stat().st_mode) for name in files} == dict.fromkeys(files, 0o600)


async def test_the_worker_runs_beside_the_server_and_is_counted_in_its_metrics(data: Path, tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path / "log", "demo", "--port", str(port), "--data", str(data)) as process:
        wait_until(lambda: is_up(port), process)
        demo = json.loads((data / "demo.json").read_text())
        owner = await asyncpg.connect(demo["migration_database_url"])
        await owner.execute("UPDATE companies SET deleted_at = now() WHERE id = (SELECT min(id) FROM companies)")
        await owner.close()
        folded = b'gateway_rollup_deltas_folded_total{rollup="company_flow"}'
        await asyncio.to_thread(wait_until, lambda: folded in (get(f"{demo['url']}/metrics") or b""), process)
        process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(process.wait, 30) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_another_start_finds_the_data_as_it_was_left(data: Path, tmp_path: Path, end: signal.Signals) -> None:
    """Whichever way it ended, PostgreSQL ends too, and the next start has the same rows and secrets."""
    before = (data / "secrets.json").read_text()
    port = free_port()
    with running(tmp_path / "log", "demo", "--port", str(port), "--data", str(data)) as process:
        wait_until(lambda: is_up(port), process)
        demo, pid = json.loads((data / "demo.json").read_text()), server_pid(data / "postgres")
        assert (await rows(demo["migration_database_url"]))["deals"] == 6000
        assert (await rows(demo["migration_database_url"]))["tenants"] == 3
        process.send_signal(end)
        assert process.wait(timeout=30) == (0 if end == signal.SIGTERM else -signal.SIGKILL)
        wait_until(lambda: not lives(pid))
    assert (data / "secrets.json").read_text() == before


async def test_after_a_sigkill_the_next_start_recovers(data: Path, tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path / "log", "demo", "--port", str(port), "--data", str(data)) as process:
        wait_until(lambda: is_up(port), process)
        second = gateway("demo", "--port", str(free_port()), "--data", str(data))
        running_already = f"Another gateway (process {process.pid}) already runs on {data / 'postgres'}"
        assert second == (1, "", f"{running_already}: stop it or choose another directory.\n")
        token = json.loads((data / "demo.json").read_text())["tenants"][0]["tokens"]["viewer"]
        answer = query({"graphql_url": f"http://127.0.0.1:{port}/graphql"}, "{ me { role } }", token)
        assert answer["data"] == {"me": {"role": "VIEWER"}}


async def count_once_there(data: Path, database: str, query: str, process: subprocess.Popen[bytes]) -> int:
    """What the query counts once that is more than none, while the demo of the process is still being made."""
    for _ in range(600):
        assert process.poll() is None
        with suppress(OSError, ValueError, asyncpg.PostgresError):  # ValueError: a file that is just being written
            if count := await _count(data, database, query):
                return count
        await asyncio.sleep(0.1)
    raise AssertionError("not in time")


async def _count(data: Path, database: str, query: str) -> int:
    password = json.loads((data / "secrets.json").read_text())["owner"]
    port = int((data / "postgres/port").read_text())
    connection = await asyncpg.connect(f"postgresql://owner:{password}@127.0.0.1:{port}/{database}")
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("end", "code"), [(signal.SIGKILL, -9), pytest.param(signal.SIGTERM, 0, marks=pytest.mark.slow)]
)
async def test_a_load_that_was_ended_goes_on_at_the_next_start(tmp_path: Path, end: signal.Signals, code: int) -> None:
    data, port = tmp_path / "data", free_port()
    with running(tmp_path / "first", "demo", "--port", str(port), "--data", str(data)) as process:
        complete = await count_once_there(data, "demo_small", "SELECT count(*) FROM tenants", process)
        pid = server_pid(data / "postgres")
        process.send_signal(end)
        assert process.wait(timeout=30) == code
        wait_until(lambda: not lives(pid))
    assert 1 <= complete < 3
    assert "Traceback" not in (tmp_path / "first").read_text()
    with running(tmp_path / "second", "demo", "--port", str(port), "--data", str(data)) as process:
        wait_until(lambda: is_up(port), process)
        demo = json.loads((data / "demo.json").read_text())
        found = await rows(demo["migration_database_url"])
        assert (found["tenants"], found["deals"]) == (3, 6000)


async def test_each_size_has_a_database_of_its_own(data: Path, tmp_path: Path) -> None:
    loading = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'demo_medium' AND query LIKE 'COPY%'"
    arguments = ("demo", "--size", "medium", "--port", str(free_port()), "--data", str(data))
    with running(tmp_path / "log", *arguments) as process:
        assert await count_once_there(data, "demo_medium", loading, process) == 1
        assert await _count(data, "demo_small", "SELECT count(*) FROM deals") == 6000
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert gateway("demo", "--port", str(port), "--data", str(tmp_path / "data")) == (
            1,
            "",
            f"Cannot listen on 127.0.0.1:{port} (Address already in use): choose another port with --port.\n",
        )
    assert not (tmp_path / "data").exists()


def test_data_of_another_version_is_one_sentence(tmp_path: Path) -> None:
    cluster = tmp_path / "data/postgres/cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("14\n")
    code, out, err = gateway("demo", "--port", str(free_port()), "--data", str(tmp_path / "data"))
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert err.startswith(f"The data in {cluster.parent} is of PostgreSQL 14, and this gateway runs 18: ")


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    data = tmp_path / "file/data"
    assert gateway("demo", "--port", str(free_port()), "--data", str(data)) == (
        1,
        "",
        f"The directory {data} cannot be used (Not a directory: {data}).\n",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    code, out, err = gateway("demo", "--port", str(free_port()), "--data", str(tmp_path / "data"))
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "is not writable" in err


@pytest.mark.slow  # PostgreSQL takes its time to give up on a full device
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        data = tmp_path / "data"
        code, _, err = gateway("demo", "--port", str(free_port()), "--data", str(data))
        full = f"No space is left on the device that holds {data}: free some and start again.\n"
        assert (code, err) == (1, full)
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)
