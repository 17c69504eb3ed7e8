"""The `gateway` command. Each subcommand reads settings, calls one function and prints what came of it."""

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.markup import escape

from gateway.commands.add_member import NewMember, add_member
from gateway.commands.create_tenant import NewTenant, create_tenant
from gateway.commands.refusals import CommandRefusedError
from gateway.identity.permissions import Role
from gateway.settings import ConfigurationError, Settings, load_settings

Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Serve and run the aggregation gateway.")
tenant_app = typer.Typer(no_args_is_help=True, help="Tenants: those whose data is kept apart.")
member_app = typer.Typer(no_args_is_help=True, help="Members: the people of a tenant.")
app.add_typer(tenant_app, name="tenant")
app.add_typer(member_app, name="member")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Plan(StrEnum):
    STANDARD = "standard"
    PROFESSIONAL = "professional"
    ENTERPRISE = "enterprise"


class DemoSize(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes. More than one needs REDIS_URL.")] = 1,
) -> None:
    """Serve GraphQL. Needs DATABASE_URL, and JWT_SECRET or JWKS_URL."""
    from gateway.serve import serve as run

    with _one_sentence():
        run(load_settings(), host=host, port=port, workers=workers)


@app.command()
def demo(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on.")] = 8000,
    size: Annotated[
        DemoSize, typer.Option(help="How much data: 6 000, 1 million or 10 million deals.")
    ] = DemoSize.SMALL,
    data: Annotated[Path, typer.Option(help="Directory of the database and its secrets.")] = Path(".gateway"),
) -> None:
    """Serve a dashboard of made-up data from an embedded PostgreSQL. Ctrl-C stops all of it."""
    from gateway.demo.serve import run_demo

    with _one_sentence():
        run_demo(port=port, size=size.value, directory=data, console=out)


@app.command()
def migrate(
    revision: Annotated[str, typer.Argument(help="`head`, `base` for an empty database, or a revision.")] = "head",
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL up to the newest instead of running it.")] = False,
    down: Annotated[
        bool, typer.Option("--down", help="Go down too: what came later is dropped, with its data.")
    ] = False,
) -> None:
    """Bring the database to the schema of this version. Needs MIGRATION_DATABASE_URL (role owner)."""
    from gateway.postgres import migrate as migrations

    with _one_sentence():
        if sql:
            sys.stdout.write(migrations.offline_sql())
            return
        _run(migrations.migrate(load_settings().require("migration_database_url"), revision, allow_down=down))
        out.print(f"The database is at {revision} ({migrations.head_revision()} is the newest).")


@app.command()
def schema() -> None:
    """Print the GraphQL schema."""
    from gateway.api.schema import sdl

    sys.stdout.write(sdl())


@app.command()
def token(
    tenant: Annotated[str, typer.Option(help="Slug of the tenant.")],
    member: Annotated[str | None, typer.Option(help="Email of the member.")] = None,
    role: Annotated[Role | None, typer.Option(help="Instead of a member: the first active one of this role.")] = None,
    lifetime_seconds: Annotated[int | None, typer.Option(min=60, help="How long it holds.")] = None,
) -> None:
    """Print an access token. Needs DATABASE_URL and JWT_SECRET."""
    from gateway.tokens import issue_token

    with _one_sentence():
        if (member is None) == (role is None):
            raise CommandRefusedError("Name either a member (--member EMAIL) or a role (--role ROLE).")
        settings = load_settings(access_token_lifetime_seconds=lifetime_seconds)
        issued = _run(issue_token(settings, tenant, email=member, role=role and role.value))
        sys.stdout.write(issued.token + "\n")


@app.command("import")
def import_(
    directory: Annotated[Path, typer.Argument(help="Directory of the CSV files.")],
    mapping: Annotated[str, typer.Option(help="Name of a mapping that ships (maven-crm), or a TOML file.")],
    tenant: Annotated[str | None, typer.Option(help="Slug of the tenant.")] = None,
    all_tenants: Annotated[
        bool, typer.Option("--all-tenants", help="Instead of a tenant: DIRECTORY has a folder for each, named by slug.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, then undo it.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="CSV file for what is rejected; DIRECTORY.rejects.csv without one.")
    ] = None,
) -> None:
    """Import CSV files of another system. Needs MIGRATION_DATABASE_URL (role owner)."""
    from gateway.imports.command import ImportRequest, run_import

    with _one_sentence():
        request = ImportRequest(directory, mapping, tenant, all_tenants, dry_run, rejects)
        run_import(load_settings(), out, request)


@app.command()
def doctor() -> None:
    """Check configuration, database, roles, policies, grants and migrations. Exits with 1 when something is wrong."""
    from gateway.doctor import examine

    with _one_sentence():
        findings = _run(examine(load_settings()))
    for finding in findings:
        mark = "[green]ok[/]   " if finding.remedy is None else "[red]fault[/]"
        out.print(f"{mark} {escape(finding.subject)}: {escape(finding.observation)}")
        if finding.remedy:
            out.print(f"      → {escape(finding.remedy)}")
    if any(finding.remedy for finding in findings):
        raise typer.Exit(1)


@tenant_app.command("create")
def tenant_create(
    slug: Annotated[str, typer.Argument(help="Short name in tokens and addresses.")],
    name: Annotated[str | None, typer.Option(help="Full name; the slug without one.")] = None,
    plan: Annotated[Plan, typer.Option(help="Plan.")] = Plan.STANDARD,
    currency: Annotated[str, typer.Option(help="Currency of all amounts, three letters.")] = "EUR",
    time_zone: Annotated[str, typer.Option(help="Time zone in which days begin.")] = "UTC",
) -> None:
    """Create a tenant with a default pipeline. Needs MIGRATION_DATABASE_URL (role owner)."""
    with _one_sentence():
        new = NewTenant(slug, name or slug, plan.value, currency, time_zone)
        _run(_as_owner(load_settings(), lambda owner: create_tenant(owner, new)))
        out.print(f"Tenant {slug} is there. Next: gateway member add --tenant {slug} --email E --role admin")


@member_app.command("add")
def member_add(
    tenant: Annotated[str, typer.Option(help="Slug of the tenant.")],
    email: Annotated[str, typer.Option(help="Email address, to sign in with.")],
    role: Annotated[Role, typer.Option(help="What the member may do.")],
    name: Annotated[str | None, typer.Option(help="Full name; the email without one.")] = None,
    team: Annotated[str | None, typer.Option(help="Team.")] = None,
    region: Annotated[str | None, typer.Option(help="Region.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="`sub` claim of the member's tokens at an identity provider.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read a password from standard input.")
    ] = False,
) -> None:
    """Add a member. Needs MIGRATION_DATABASE_URL (role owner)."""
    from gateway.identity.passwords import hash_password

    with _one_sentence():
        password = sys.stdin.readline().rstrip("\n") if password_stdin else None
        if password == "":
            raise CommandRefusedError("The password on standard input is empty.")
        password_hash = hash_password(password) if password else None
        new = NewMember(tenant, email, name or email, role.value, team, region, subject, password_hash)
        _run(_as_owner(load_settings(), lambda owner: add_member(owner, new)))
        out.print(f"{email} is a member of {tenant}. Next: gateway token --tenant {tenant} --member {email}")


async def _as_owner(settings: Settings, work: Any) -> Any:
    connection = await asyncpg.connect(settings.require("migration_database_url"))
    try:
        return await work(connection)
    finally:
        await connection.close()


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


@contextmanager
def _one_sentence() -> Iterator[None]:
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
