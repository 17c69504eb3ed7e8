"""The `gateway` command within this process."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from tests.cli.processes import environment

Command = Callable[..., Awaitable[tuple[int, str, str]]]
"""(*arguments, stdin="", **settings) to exit code, standard output, standard error."""


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command that ends by itself, with the given settings and no others."""

    async def run(*arguments: str, stdin: str = "", **settings: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            patch.setattr("os.environ", environment(**settings))
            # In a thread, since a command brings an event loop of its own.
            result = await asyncio.to_thread(CliRunner().invoke, app, arguments, input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    return run
