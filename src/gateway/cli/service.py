"""Commands that run the service, and see to it that its database is as it should be."""

import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.shared import one_sentence, out, run
from gateway.settings import load_settings


class DemoSize(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes. More than one needs REDIS_URL.")] = 1,
) -> None:
    """Serve GraphQL. Needs DATABASE_URL, and JWT_SECRET or JWKS_URL."""
    from gateway.serve import serve as serve_all

    with one_sentence():
        serve_all(load_settings(), host=host, port=port, workers=workers)


def worker(
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port to serve metrics on; without one, none are served.")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address to serve metrics on.")] = "127.0.0.1",
) -> None:
    """Keep the rollups: fold what changes, refresh, audit. Needs WORKER_DATABASE_URL. Ctrl-C stops it."""
    from prometheus_client import CollectorRegistry, start_http_server

    from gateway.observe import Observer, configure_logging
    from gateway.postgres.migrate import head_revision
    from gateway.rollups.declared import ROLLUPS
    from gateway.rollups.worker import Pace, Worker
    from gateway.serve import check_port, leave_on_sigterm

    with one_sentence():
        settings = load_settings()
        dsn, registry = settings.require("worker_database_url"), CollectorRegistry()
        configure_logging(settings.log_level, settings.log_format)
        keeper = Worker(dsn, head_revision(), ROLLUPS, Observer(registry), Pace.of(settings))
        leave_on_sigterm()
        with suppress(KeyboardInterrupt):
            if metrics_port is not None:
                check_port(metrics_host, metrics_port)
                start_http_server(metrics_port, addr=metrics_host, registry=registry)
            run(keeper.run())


def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on.")] = 8000,
    size: Annotated[
        DemoSize, typer.Option(help="How much data: 6 000, 1 million or 10 million deals.")
    ] = DemoSize.SMALL,
    data: Annotated[Path, typer.Option(help="Directory of the database and its secrets.")] = Path(".gateway"),
) -> None:
    """Serve a dashboard of made-up data from an embedded PostgreSQL. Ctrl-C stops all of it."""
    from gateway.demo.serve import run_demo

    with one_sentence():
        run_demo(port=port, size=size.value, directory=data, console=out)


def migrate(
    revision: Annotated[str, typer.Argument(help="`head`, `base` for an empty database, or a revision.")] = "head",
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL up to the newest instead of running it.")] = False,
    down: Annotated[
        bool, typer.Option("--down", help="Go down too: what came later is dropped, with its data.")
    ] = False,
) -> None:
    """Bring the database to the schema of this version. Needs MIGRATION_DATABASE_URL (role owner)."""
    from gateway.postgres import migrate as migrations

    with one_sentence():
        if sql:
            sys.stdout.write(migrations.offline_sql())
            return
        run(migrations.migrate(load_settings().require("migration_database_url"), revision, allow_down=down))
        out.print(f"The database is at {revision} ({migrations.head_revision()} is the newest).")


def schema() -> None:
    """Print the GraphQL schema."""
    from gateway.api.schema import sdl

    sys.stdout.write(sdl())


def doctor() -> None:
    """Check configuration, database, roles, policies, grants, migrations and rollups. Exits with 1 for a fault."""
    from gateway.doctor import examine

    with one_sentence():
        findings = run(examine(load_settings()))
    for finding in findings:
        mark = "[green]ok[/]   " if finding.remedy is None else "[red]fault[/]"
        out.print(f"{mark} {escape(finding.subject)}: {escape(finding.observation)}")
        if finding.remedy:
            out.print(f"      → {escape(finding.remedy)}")
    if any(finding.remedy for finding in findings):
        raise typer.Exit(1)
