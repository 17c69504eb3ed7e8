"""The `gateway` command as processes of their own."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

GATEWAY = str(Path(sys.executable).with_name("gateway"))
START_SECONDS = 60
SETTINGS = (
    "DATABASE_URL",
    "REDIS_URL",
    "CACHE_",
    "ROLLUP_",
    "JWT_",
    "JWKS_",
    "PROMETHEUS_",
    "GRAPHIQL",
    "LOG_",
    "CORS_",
)


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with these settings of the gateway and no others. Lines are not wrapped."""
    kept = {name: value for name, value in os.environ.items() if not any(setting in name for setting in SETTINGS)}
    return kept | {"COLUMNS": "200", "NO_COLOR": "1"} | settings


def gateway(*arguments: str, stdin: str = "", **settings: str) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of a command that ends by itself."""
    done = subprocess.run(
        [GATEWAY, *arguments],
        env=environment(**settings),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def running(
    log: Path, *arguments: str, program: Sequence[str] = (GATEWAY,), **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs on; killed at the end of the block if it still does. `log`: takes all that it says."""
    command = [*program, *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment(**settings), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], Any], process: subprocess.Popen[bytes] | None = None) -> Any:
    """What the condition gives once it is true; fails when it is not in time, or when the process has ended."""
    deadline = time.monotonic() + START_SECONDS
    while not (found := condition()):
        assert process is None or process.poll() is None, f"it ended with {process and process.returncode}"
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)
    return found


def get(url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> bytes | None:
    """The body of an answer with status 200; None when there is no server."""
    request = urllib.request.Request(url, body, dict(headers or {}))  # noqa: S310 - of a server of the tests
    try:
        with urllib.request.urlopen(request, timeout=START_SECONDS) as response:  # noqa: S310
            content: bytes = response.read()
            return content
    except ConnectionError:
        return None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionError):
            return None
        raise
