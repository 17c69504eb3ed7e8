import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from gateway.postgres.embedded import HOST, EmbeddedError, EmbeddedPostgres
from gateway.postgres.filelock import FileLock
from tests.servers import (
    NOT_DURABLE,
    SYSTEM_BIN_DIRS,
    fast_directory,
    kill_postgres,
    postgres_server,
    redis_server,
    server_pid,
)

WAIT_SECONDS = 30
RUN_UNTIL_INTERRUPTED = """
import signal, sys, time
from pathlib import Path
from gateway.postgres.embedded import EmbeddedPostgres
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs in the background deaf to it
try:
    with EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off"}) as server:
        print(server._server.pid, server._watchdog.pid, flush=True)
        time.sleep(600)
except KeyboardInterrupt:
    print("interrupted")
"""


def ask(server: EmbeddedPostgres, query: str) -> list[object]:
    async def rows() -> list[object]:
        connection = await asyncpg.connect(server.superuser_dsn)
        try:
            return [row[0] for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(rows())


def wait_until_gone(home: Path) -> bool:
    """Whether every process of the server ends within the time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if FileLock(home / "server.lock").is_free():
            return True
        time.sleep(0.02)
    return False


@contextmanager
def running_elsewhere(home: Path, *, wait: bool = True) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Another process that runs a server in `home`; after `wait`, the pids of server and watchdog."""
    command = [sys.executable, "-c", RUN_UNTIL_INTERRUPTED, str(home)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, [int(pid) for pid in process.stdout.readline().split()] if wait else []
        finally:
            process.kill()


@pytest.fixture
def home() -> Iterator[Path]:
    with fast_directory() as directory:
        yield directory / "not there yet" / "postgres"


@pytest.mark.parametrize("bin_dir", [None, *SYSTEM_BIN_DIRS], ids=str)
def test_a_restart_keeps_the_port_and_the_data(home: Path, bin_dir: Path | None) -> None:
    server = EmbeddedPostgres(home, bin_dir=bin_dir, settings=NOT_DURABLE)
    with server:
        first_port = server.port
        ask(server, "CREATE TABLE kept AS SELECT 42 AS n")
    with server:
        assert (server.port, ask(server, "SELECT n FROM kept")) == (first_port, [42])
    assert wait_until_gone(home)


def test_the_server_is_set_up_for_the_gateway(home: Path) -> None:
    with EmbeddedPostgres(home, settings={"work_mem": "5MB"}) as server:
        names = "'TimeZone', 'jit', 'listen_addresses', 'max_connections', 'server_encoding', 'work_mem'"
        query = f'SELECT setting FROM pg_settings WHERE name IN ({names}) ORDER BY name COLLATE "C"'
        assert ask(server, query) == ["UTC", "off", HOST, "100", "UTF8", "5120"]
        assert ask(server, "SELECT datlocale FROM pg_database WHERE datname = 'template0'") == ["C.UTF-8"]
        auth_methods = "SELECT DISTINCT auth_method FROM pg_hba_file_rules"
        assert ask(server, auth_methods) == ["scram-sha-256"]


def test_secrets_are_readable_by_their_owner_only(home: Path) -> None:
    with postgres_server(data_dir=home):
        modes = {path.name: path.stat().st_mode & 0o777 for path in home.iterdir()}
    private = ["cluster", "gateway.lock", "postgres.log", "server.lock", "superuser.password"]
    assert {name: modes[name] & 0o077 for name in private} == dict.fromkeys(private, 0)


def test_a_taken_port_is_exchanged_for_another(home: Path) -> None:
    server = EmbeddedPostgres(home, settings=NOT_DURABLE)
    with server:
        taken = server.port
    with socket.create_server((HOST, taken)), server:
        assert server.port != taken
        assert ask(server, "SELECT 1") == [1]


def test_after_a_kill_of_postgres_the_next_start_recovers(home: Path) -> None:
    with postgres_server(data_dir=home, durable=True) as server:
        ask(server, "CREATE TABLE kept AS SELECT 42 AS n")
        kill_postgres(server)
        while not FileLock(home / "server.lock").is_free():
            time.sleep(0.02)
        server.start()
        assert ask(server, "SELECT n FROM kept") == [42]


def test_a_pid_file_that_names_a_living_stranger_does_not_stop_the_start(home: Path) -> None:
    with postgres_server(data_dir=home):
        pass
    account = pwd.getpwuid((home / "cluster").stat().st_uid)
    with subprocess.Popen(["sleep", "600"], user=account.pw_uid if os.geteuid() == 0 else None) as stranger:
        (home / "cluster" / "postmaster.pid").write_text(f"{stranger.pid}\n{home / 'cluster'}\n1\n5432\n\n")
        with postgres_server(data_dir=home) as server:
            assert ask(server, "SELECT 1") == [1]
        assert stranger.poll() is None
        stranger.kill()


def test_after_a_kill_of_the_gateway_its_server_ends_too(home: Path) -> None:
    with running_elsewhere(home) as (process, _):
        process.kill()
        assert wait_until_gone(home)


def test_a_server_left_by_a_killed_gateway_is_taken_over(home: Path) -> None:
    with running_elsewhere(home) as (process, [left_pid, watchdog_pid]):
        os.kill(watchdog_pid, signal.SIGKILL)
        process.kill()
        process.wait()
        assert not FileLock(home / "server.lock").is_free()
        with postgres_server(data_dir=home) as server:
            assert ask(server, "SELECT 1") == [1]
            assert server_pid(home) != left_pid


def test_an_interrupted_gateway_leaves_no_postgres_behind(home: Path) -> None:
    with running_elsewhere(home) as (process, _):
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=WAIT_SECONDS)[0] == "interrupted\n"
        assert FileLock(home / "server.lock").is_free()
        assert not (home / "cluster" / "postmaster.pid").exists()


def test_an_interrupt_while_the_data_is_made_leaves_nothing_running(home: Path) -> None:
    with running_elsewhere(home, wait=False) as (process, _):
        while not (home / "cluster.new").exists():
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=WAIT_SECONDS)[0].endswith("interrupted\n")
    assert wait_until_gone(home)
    with postgres_server(data_dir=home) as server:
        assert ask(server, "SELECT 1") == [1]


def test_a_second_gateway_on_the_same_directory_is_refused(home: Path) -> None:
    with postgres_server(data_dir=home) as server:
        with pytest.raises(EmbeddedError, match=rf"Another gateway \(process {os.getpid()}\) already runs on"):
            EmbeddedPostgres(home).start()
        assert ask(server, "SELECT 1") == [1]


def test_an_initdb_that_was_killed_is_begun_anew(home: Path) -> None:
    (home / "cluster.new").mkdir(parents=True)
    (home / "cluster.new" / "PG_VERSION").write_text("18\n")
    with postgres_server(data_dir=home) as server:
        assert ask(server, "SELECT 1") == [1]


def test_data_of_another_version_is_refused(home: Path) -> None:
    (home / "cluster").mkdir(parents=True)
    (home / "cluster" / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedError, match="is of PostgreSQL 14, and this gateway runs 18: dump it with version 14"):
        EmbeddedPostgres(home).start()


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match=r"cannot be used \(Not a directory"):
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()


def test_a_directory_that_is_not_writable_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(pwd.getpwnam("nobody").pw_uid)
        with pytest.raises(EmbeddedError, match=r"is not writable \(Permission denied"):
            EmbeddedPostgres(tmp_path / "postgres").start()
    finally:
        if root:
            os.seteuid(0)
        tmp_path.chmod(0o700)


@pytest.fixture
def small_device() -> Iterator[Path]:
    """A directory on a file system of 100 MB."""
    with fast_directory() as directory:
        mount = ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(directory)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("needs the right to mount")
        yield directory
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


@pytest.mark.parametrize("taken_megabytes", [90, 66])
def test_no_space_for_the_first_start_is_named(small_device: Path, taken_megabytes: int) -> None:
    (small_device / "taken").write_bytes(bytes(taken_megabytes * 2**20))
    with pytest.raises(EmbeddedError, match=r"^No space is left on the device that holds .*: free some"):
        EmbeddedPostgres(small_device / "postgres").start()
    (small_device / "taken").unlink()
    with postgres_server(data_dir=small_device / "postgres") as server:
        assert ask(server, "SELECT 1") == [1]


def test_a_device_that_filled_up_meanwhile_is_named(small_device: Path) -> None:
    server = EmbeddedPostgres(small_device / "postgres")
    with server:
        free_bytes = shutil.disk_usage(small_device).free
        (small_device / "taken").write_bytes(bytes(free_bytes))
    with pytest.raises(EmbeddedError, match=r"^No space is left on the device that holds .*: free some"):
        server.start()
    (small_device / "taken").unlink()
    with server:
        assert ask(server, "SELECT 1") == [1]


def test_programs_that_are_absent_or_do_not_run_are_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="does not run on this machine"):
        EmbeddedPostgres(home, bin_dir=tmp_path).start()
    (tmp_path / "postgres").write_bytes(b"\x7fELF of another machine")
    (tmp_path / "postgres").chmod(0o755)
    with pytest.raises(EmbeddedError, match=r"does not run on this machine \(Exec format error\)"):
        EmbeddedPostgres(home, bin_dir=tmp_path).start()


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("postgres (PostgreSQL) 14.2", "is 14, and 15 is the oldest"),
        ("cannot load libc", "machine: cannot load libc"),
    ],
)
def test_programs_that_are_too_old_or_broken_are_refused(home: Path, tmp_path: Path, says: str, message: str) -> None:
    (tmp_path / "postgres").write_text(f"#!/bin/sh\necho '{says}'\n")
    (tmp_path / "postgres").chmod(0o755)
    with pytest.raises(EmbeddedError, match=message):
        EmbeddedPostgres(home, bin_dir=tmp_path).start()


def test_a_wheel_that_is_not_installed_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    with pytest.raises(EmbeddedError, match=r"pip install 'aggregation-gateway\[embedded\]'"):
        EmbeddedPostgres(home).start()


def test_a_failed_start_shows_the_end_of_the_log(home: Path) -> None:
    with pytest.raises(EmbeddedError, match=r'PostgreSQL did not start: .*parameter "shared_buffers": "none"'):
        EmbeddedPostgres(home, settings={"shared_buffers": "none"}).start()
    assert wait_until_gone(home)


def test_redis_answers_and_ends_with_its_block(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        port = int(url.removeprefix(f"redis://{HOST}:").removesuffix("/0"))
        with socket.create_connection((HOST, port), timeout=5) as connection:
            connection.sendall(b"DBSIZE\r\n")
            assert connection.recv(16) == b":0\r\n"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port), timeout=5)
