"""What all commands share: where they print, and how they fail."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.markup import escape

from gateway.commands.refusals import CommandRefusedError
from gateway.settings import ConfigurationError, Settings

Result = TypeVar("Result")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


def run_as_owner(settings: Settings, work: Callable[[asyncpg.Connection], Awaitable[Result]]) -> Result:
    """What the work gives, done on a connection of the role `owner`."""

    async def connected() -> Result:
        connection = await asyncpg.connect(settings.require("migration_database_url"))
        try:
            return await work(connection)
        finally:
            await connection.close()

    return run(connected())


@contextmanager
def one_sentence() -> Iterator[None]:
    """What the one at the keyboard can mend is one sentence and exit code 1, not a traceback."""
    try:
        yield
    except (ConfigurationError, CommandRefusedError) as error:
        _give_up(str(error))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _give_up(f"The database cannot be used: {str(error) or type(error).__name__}")


def _give_up(sentence: str) -> NoReturn:
    err.print(f"[red]{escape(sentence)}[/]")
    raise typer.Exit(1)
