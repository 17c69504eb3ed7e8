"""`gateway serve` as an operator runs it: refusals before it starts, several processes, and its end."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.cli.conftest import Command
from tests.cli.processes import get, running, wait_until
from tests.conftest import JWT_SECRET, Database
from tests.servers import free_port, redis_server

DASHBOARD = json.dumps({"query": "query Mine { dashboard { overview { deals { total } } } }"}).encode()


def settings(database: Database, **changes: str) -> dict[str, str]:
    return {"DATABASE_URL": database.gateway_dsn, "JWT_SECRET": JWT_SECRET, **changes}


async def ask(port: int, token: str) -> Any:
    """The answer to a dashboard query, on a connection of its own."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", "Connection": "close"}
    body = await asyncio.to_thread(get, f"http://127.0.0.1:{port}/graphql", headers=headers, body=DASHBOARD)
    assert body is not None
    return json.loads(body)


def is_up(port: int) -> bool:
    return get(f"http://127.0.0.1:{port}/health/ready") is not None


@pytest.mark.parametrize(
    ("arguments", "changes", "sentence"),
    [
        ((), {"DATABASE_URL": None}, r"DATABASE_URL is not set: PostgreSQL address for serving, as role `gateway`\."),
        ((), {"JWT_SECRET": None}, r"JWT_SECRET or JWKS_URL: no token could be accepted: .*"),
        ((), {"JWT_SECRET": "short"}, r"JWT_SECRET: .*at least 32.*"),
        (("--workers=2",), {}, r"REDIS_URL is not set: several workers need it to see each other's changes\."),
        (
            ("--workers=2",),
            {"REDIS_URL": "redis://127.0.0.1:1", "DATABASE_URL": None},
            r"DATABASE_URL is not set: PostgreSQL address for serving, as role `gateway`\.",
        ),
        (
            ("--workers=2",),
            {"REDIS_URL": "redis://127.0.0.1:1", "JWT_SECRET": None},
            r"JWT_SECRET or JWKS_URL: no token could be accepted: .*",
        ),
    ],
)
async def test_serve_refuses_what_cannot_work(
    command: Command, arguments: tuple[str, ...], changes: dict[str, str | None], sentence: str
) -> None:
    given = {"DATABASE_URL": "postgresql://gateway@127.0.0.1:1/crm", "JWT_SECRET": JWT_SECRET, **changes}
    chosen = {name: value for name, value in given.items() if value is not None}
    code, out, err = await command("serve", f"--port={free_port()}", *arguments, **chosen)
    assert (code, out) == (1, "")
    assert re.fullmatch(f"{sentence}\n", err), err


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_taken_port_is_one_sentence(command: Command, workers: int) -> None:
    given = {"DATABASE_URL": "postgresql://gateway@127.0.0.1:1/crm", "JWT_SECRET": JWT_SECRET, "REDIS_URL": "redis://x"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert await command("serve", f"--port={port}", f"--workers={workers}", **given) == (
            1,
            "",
            f"Cannot listen on 127.0.0.1:{port} (Address already in use): choose another port with --port.\n",
        )


async def test_serve_starts_without_its_database_and_says_that_it_is_not_ready(tmp_path: Path) -> None:
    port = free_port()
    down = f"postgresql://gateway@127.0.0.1:{free_port()}/crm"
    arguments = ("serve", "--port", str(port))
    with running(tmp_path / "log", *arguments, DATABASE_URL=down, JWT_SECRET=JWT_SECRET) as process:
        wait_until(lambda: get(f"http://127.0.0.1:{port}/health/live"), process)
        with pytest.raises(OSError, match="503"):
            is_up(port)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
async def test_a_request_under_way_is_answered_before_serve_ends(
    demo: Database, tmp_path: Path, end: signal.Signals
) -> None:
    port, token = free_port(), await demo.token("aurora")
    with running(tmp_path / "log", "serve", "--port", str(port), **settings(demo)) as process:
        await asyncio.to_thread(wait_until, lambda: is_up(port), process)
        async with demo.as_owner() as owner:
            async with owner.transaction():
                await owner.execute("LOCK TABLE stages IN ACCESS EXCLUSIVE MODE")
                request = asyncio.create_task(ask(port, token))
                await asyncio.wait_for(_until_one_waits(owner), 30)
                process.send_signal(end)
                await asyncio.to_thread(wait_until, lambda: not _accepts(port))
                assert (process.poll(), request.done()) == (None, False)
            answer = await request
        assert answer["data"]["dashboard"]["overview"]["deals"]["total"] > 0
        assert await asyncio.to_thread(process.wait, 30) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


async def _until_one_waits(connection: asyncpg.Connection) -> None:
    """Returns when a statement waits for the table that the connection has locked."""
    blocked = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'stages'::regclass AND NOT granted)"
    while not await connection.fetchval(blocked):
        pass  # each turn waits for the database


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    with redis_server(tmp_path) as url:
        yield url


def requests_counted(port: int) -> int:
    text = (get(f"http://127.0.0.1:{port}/metrics", headers={"Connection": "close"}) or b"").decode()
    found = re.search(r'^gateway_requests_total\{operation="Mine",outcome="ok"\} (\d+)', text, flags=re.MULTILINE)
    return int(found[1]) if found else 0


async def test_several_workers_share_the_port_and_sum_their_metrics(demo: Database, tmp_path: Path, redis: str) -> None:
    port, token = free_port(), await demo.token("aurora")
    arguments = ("serve", "--port", str(port), "--workers", "2")
    with running(tmp_path / "log", *arguments, **settings(demo, REDIS_URL=redis, TMPDIR=str(tmp_path))) as process:
        await asyncio.to_thread(wait_until, lambda: is_up(port), process)
        asked = 0
        while _processes_that_counted(tmp_path) < 2:
            answers = await asyncio.gather(*(ask(port, token) for _ in range(8)))
            asked += len(answers)
            assert [answer for answer in answers if "errors" in answer] == []
            assert asked < 2000, "one process never answered"
        assert {requests_counted(port) for _ in range(10)} == {asked}
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == 0
    assert _processes_that_counted(tmp_path) == 0


def _processes_that_counted(tmp_path: Path) -> int:
    files = tmp_path.glob("gateway-metrics-*/counter_*.db")
    return sum(b"Mine" in file.read_bytes() for file in files)


async def test_a_worker_that_dies_is_replaced_and_all_end_with_serve(
    demo: Database, tmp_path: Path, redis: str
) -> None:
    port, token = free_port(), await demo.token("aurora")
    arguments = ("serve", "--port", str(port), "--workers", "2")
    with running(tmp_path / "log", *arguments, **settings(demo, REDIS_URL=redis)) as process:
        await asyncio.to_thread(wait_until, lambda: is_up(port), process)
        killed, kept = _workers(process.pid)
        os.kill(killed, signal.SIGKILL)
        await asyncio.to_thread(wait_until, lambda: {*_workers(process.pid)} - {killed, kept}, process)
        assert (await ask(port, token))["data"]["dashboard"]["overview"]["deals"]["total"] > 0
        workers = _workers(process.pid)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == 0
    assert (kept in workers, len(workers), [pid for pid in workers if _lives(pid)]) == (True, 2, [])


def _workers(pid: int) -> list[int]:
    """The serving children of a process; it has others, which keep books."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in _command_of(child)]


def _command_of(pid: str) -> bytes:
    """How a process was started; nothing where it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def _lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_what_is_loaded_is_looked_through_no_more() -> None:
    told = "print(gc.get_freeze_count(), *gc.get_threshold())"
    code = f"import gc, gateway.app, gateway.serve; gateway.serve.collect_seldom(); {told}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    frozen, threshold, *_ = map(int, run.stdout.split())
    assert (frozen > 50_000, threshold) == (True, 10_000)
