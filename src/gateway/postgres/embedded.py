"""A PostgreSQL server of our own beside the gateway: for the demo, the tests and the benchmarks.

Its directory holds:

    cluster/            PostgreSQL's data (PGDATA)
    port                where it listens on 127.0.0.1
    superuser.password  readable by its owner only
    postgres.log        of this start; postgres.log.old of the one before
    gateway.lock        locked by the gateway that runs on this directory
    server.lock         locked by the processes of PostgreSQL
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from gateway.postgres.binaries import Binaries, EmbeddedError, open_parents
from gateway.postgres.cluster import SUPERUSER, Cluster
from gateway.postgres.filelock import FileLock

__all__ = ["EmbeddedError", "EmbeddedPostgres"]

HOST = "127.0.0.1"
POLL_SECONDS = 0.02
START_SECONDS = 120  # the recovery after a crash can take long
STOP_SIGNALS = (
    (signal.SIGINT, 30),
    (signal.SIGQUIT, 10),
    (signal.SIGKILL, 5),
)  # fast, immediate, last resort
PORT_ATTEMPTS = 3
LEAST_FREE_BYTES = 32 * 2**20  # two segments of the write-ahead log
DEFAULT_SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


class EmbeddedPostgres:
    """Controls one PostgreSQL in `data_dir`: made at the first start, kept and reused at the next.

    `bin_dir` points to programs other than the wheel's (PostgreSQL 15 or newer). `settings` are added
    to `DEFAULT_SETTINGS`. The server ends with `stop`, with the `with` block, and when this process dies.
    """

    def __init__(
        self, data_dir: Path, *, bin_dir: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._bin_dir = bin_dir
        self._settings = DEFAULT_SETTINGS | dict(settings or {})
        self._cluster = Cluster(self.data_dir)
        self._port_file = self.data_dir / "port"
        self._log_file = self.data_dir / "postgres.log"
        self._gateway_lock = FileLock(self.data_dir / "gateway.lock")
        self._server_lock = FileLock(self.data_dir / "server.lock")
        self._server: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; the same after a restart unless it was taken meanwhile."""
        return int(self._port_file.read_text())

    @property
    def superuser_dsn(self) -> str:
        """For the step that creates roles and databases, and for nothing else."""
        return self.dsn(SUPERUSER, self._cluster.password, "postgres")

    def dsn(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{quote(user)}:{quote(password, safe='')}@{HOST}:{self.port}/{quote(database)}"

    def start(self) -> None:
        """Returns when connections are accepted. Takes over from a run that was killed.

        Raises EmbeddedError; nothing runs then.
        """
        if self._server is not None and self._server.poll() is None:
            return
        self.stop()  # what remains of a server that died
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_directory()
            self._check_space()
            self._start()
        except OSError as error:
            self.stop()
            raise EmbeddedError.from_os_error(error, self.data_dir) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the server: fast, then immediately when that takes too long. May be called at any time."""
        try:
            if self._server is not None:
                self._end(self._server.send_signal)
                self._reap()
        finally:
            self._gateway_lock.release()

    def _lock_directory(self) -> None:
        if not self._gateway_lock.acquire():
            raise EmbeddedError(
                f"Another gateway (process {self._gateway_lock.path.read_text()}) already runs on "
                f"{self.data_dir}: stop it or choose another directory."
            )
        self._gateway_lock.path.write_text(str(os.getpid()))

    def _check_space(self) -> None:
        # On a full device the server starts without being able to say so, not even to its log.
        if shutil.disk_usage(self.data_dir).free < LEAST_FREE_BYTES:
            raise EmbeddedError.no_space(self.data_dir)

    def _start(self) -> None:
        binaries = Binaries.find(self._bin_dir, self._cluster.dir)
        if binaries.account is not None:
            open_parents(self._cluster.dir)
        self._end(self._signal_leftover)
        self._cluster.ensure(binaries, self._server_lock, durable=self._settings.get("fsync") != "off")
        for _ in range(PORT_ATTEMPTS):
            self._launch(binaries)
            if self._becomes_ready():
                return
            if "Address already in use" not in self._log_file.read_text(errors="replace"):
                break
        output = self._log_file.read_text(errors="replace")
        raise EmbeddedError.from_output("PostgreSQL did not start", output, self.data_dir)

    def _launch(self, binaries: Binaries) -> None:
        self._cluster.remove_pid_file()  # no server is left: it is stale, whatever process it names
        self._port_file.write_text(str(_free_port(self._port_file)))
        bound = {"listen_addresses": HOST, "port": str(self.port), "unix_socket_directories": ""}
        settings = [f"--{name}={value}" for name, value in (self._settings | bound).items()]
        if self._log_file.exists():
            self._log_file.replace(self._log_file.with_suffix(".log.old"))
        self._log_file.touch(mode=0o600)
        with self._server_lock.inheritable() as descriptor, self._log_file.open("wb") as log:
            command = ["postgres", "-D", str(self._cluster.dir), *settings]
            self._server = binaries.spawn(command, inherited_fd=descriptor, output=log)
        self._watchdog = binaries.spawn_watchdog(self._server.pid)

    def _becomes_ready(self) -> bool:
        """Waits until the server accepts connections; False when it has ended instead."""
        server, deadline = self._server, time.monotonic() + START_SECONDS
        while server is not None and server.poll() is None:
            # Not by connecting: on a loopback port that nobody listens on yet, a connection can meet itself.
            status = self._cluster.pid_file_lines()
            if status[:1] == [str(server.pid)] and status[7:8] == ["ready"]:
                return True
            if time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL was not ready after {START_SECONDS} s: see {self._log_file}.")
            time.sleep(POLL_SECONDS)
        self._end(lambda _: None)
        self._reap()
        return False

    def _end(self, send_signal: Callable[[int], None]) -> None:
        """Sends ever harder signals until no process of the server is left."""
        for number, seconds in STOP_SIGNALS:
            if self._server_lock.is_free():
                return
            send_signal(number)
            deadline = time.monotonic() + seconds
            while not self._server_lock.is_free() and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        if not self._server_lock.is_free():
            raise EmbeddedError(f"PostgreSQL on {self.data_dir} does not end: kill its processes.")

    def _signal_leftover(self, number: int) -> None:
        """Signals the server of a killed run. Called while its lock is held, so its pid is its own."""
        with suppress(IndexError, ValueError, ProcessLookupError):
            os.kill(int(self._cluster.pid_file_lines()[0]), number)

    def _reap(self) -> None:
        """Forgets a server that has ended, and its watchdog."""
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None
        if self._server is not None:
            self._server.wait()
            self._server = None


def _free_port(remembered: Path) -> int:
    """The port written in the file `remembered` if nobody listens on it, else any free one."""
    for port in (int(remembered.read_text()) if remembered.exists() else 0, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise EmbeddedError(f"No TCP port is free on {HOST}.")
