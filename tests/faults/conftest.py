"""A PostgreSQL that may be killed."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.postgres.embedded import EmbeddedPostgres
from tests.servers import postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server of a module's own, to be killed: what it had committed is there when it is back.

    It is alone in its directory's parent, which a run beside this one leaves alone.
    """
    with (
        tempfile.TemporaryDirectory(prefix="gateway-tests-") as directory,
        postgres_server(Path(directory) / "mortal", durable=True) as server,
    ):
        yield server


def kill(server: EmbeddedPostgres) -> None:
    """No time for good-byes: connections break off in the middle of statements."""
    pid = int((server.data_dir / "cluster" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
