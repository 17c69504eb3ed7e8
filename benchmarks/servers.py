"""The servers that are measured, each one process on a free port of the loopback interface."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.machine import cpu_seconds
from benchmarks.peers.node import FOLDER as PEERS
from benchmarks.peers.node import installed_node
from benchmarks.queries import Asking, http_requests
from gateway.settings import Settings

HOST = "127.0.0.1"
START_SECONDS = 30
POOL_SIZE = 10
# Saturated with 64 connections, requests queue for many seconds; neither server is to give up on them.
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """A running server, and how it is asked. `log`: what it wrote; `counts`: whether it tells its counters at /metrics;
    `asking`: makes the whole HTTP requests for an operation; `status`, `marked`: what each of its answers must be and
    hold to be no error.
    """

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    counts: bool = False
    asking: Asking = http_requests
    status: int = 200
    marked: str = ""

    def cpu_seconds(self) -> float:
        """CPU time that its process has used; not a number where the system has no /proc."""
        return cpu_seconds(self.process.pid)


@contextmanager
def gateway(settings: Settings, log: Path, *, cached: bool = False, **changes: str) -> Iterator[Server]:
    """`gateway serve` as it comes, but for its patience and `changes` of other settings; it refuses nothing for its
    price, and unless `cached`, it keeps no answer.
    """
    environment = _serving(settings) | {
        "POOL_WAIT_SECONDS": str(PATIENCE_SECONDS),
        "REQUEST_DEADLINE_SECONDS": str(PATIENCE_SECONDS),
        # Prices are told and counted as ever; what a load asks in a second fits into nobody's budget.
        "COST_MODE": "measure",
        **({} if cached else {"CACHE_MAX_AGE_SECONDS": "0"}),
        **{name.upper(): value for name, value in changes.items()},
    }
    command = [str(Path(sys.executable).with_name("gateway")), "serve", "--host", HOST, "--port"]
    with _running(command, environment, log) as server:
        yield replace(server, counts=True)


@contextmanager
def worker(settings: Settings, log: Path) -> Iterator[None]:
    """`gateway worker` as it comes."""
    environment = {"WORKER_DATABASE_URL": settings.require("worker_database_url")}
    with log.open("wb") as output:
        command = [str(Path(sys.executable).with_name("gateway")), "worker"]
        process = subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=output)
    try:
        yield
    finally:
        _end(process)


@contextmanager
def plain(settings: Settings, log: Path, *, caches: bool = True) -> Iterator[Server]:
    """The plain Strawberry server. It reads with a role that row policies do not hold."""
    environment = {
        "DATABASE_URL": settings.require("worker_database_url"),
        "PLAIN_POOL_SIZE": str(POOL_SIZE),
        "PLAIN_CACHES": "on" if caches else "off",
    }
    with _running(_uvicorn("benchmarks.plain.app:create_app", "--factory"), environment, log) as server:
        yield server


@contextmanager
def peer(name: str, settings: Settings, log: Path) -> Iterator[Server]:
    """A server of Node: `mercurius` or `yoga`. It is let in as the gateway is. Raises NoNodeError."""
    command = [installed_node(), str(PEERS / f"{name}.mjs")]
    with _running(command, _serving(settings) | {"NODE_ENV": "production"}, log) as server:
        yield server


@contextmanager
def constant(log: Path) -> Iterator[Server]:
    """A server that does nothing."""
    with _running(_uvicorn("benchmarks.constant:app"), {}, log) as server:
        yield server


def _serving(settings: Settings) -> dict[str, str]:
    """What the gateway and its peers are started with alike."""
    assert settings.jwt_secret is not None
    return {
        "DATABASE_URL": settings.require("database_url"),
        "JWT_SECRET": settings.jwt_secret.get_secret_value(),
        "POOL_SIZE": str(POOL_SIZE),
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _uvicorn(*words: str) -> list[str]:
    """The options of `gateway serve`: uvloop and httptools where they are installed, no access log."""
    options = ["--no-access-log", "--no-server-header", "--log-level", "warning", "--lifespan", "on"]
    return [sys.executable, "-m", "uvicorn", *words, "--host", HOST, *options, "--port"]


@contextmanager
def _running(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen([*command, str(port)], env=os.environ | environment, stdout=output, stderr=output)
    try:
        _wait_until_ready(process, port, log)
        yield Server(port, process, log)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection((HOST, port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"a server did not start: {log.read_text(errors='replace')[-2000:]}")


def get(url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> bytes:
    """The body of one response."""
    return respond(url, headers, body)[1]


def respond(
    url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[Mapping[str, str], bytes]:
    """The headers of one response, whatever the case of their names, and its body."""
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))  # noqa: S310 - loopback only
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:  # noqa: S310
        content: bytes = response.read()
        return response.headers, content
