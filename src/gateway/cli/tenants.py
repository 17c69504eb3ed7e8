"""Commands about tenants: who they are, who belongs to them, what they bring along."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.shared import one_sentence, out, run, run_as_owner
from gateway.commands.add_member import NewMember, add_member
from gateway.commands.create_tenant import NewTenant, create_tenant
from gateway.commands.refusals import CommandRefusedError
from gateway.commands.set_time_zone import set_time_zone
from gateway.identity.permissions import Role
from gateway.settings import load_settings


def tenant_create(
    slug: Annotated[str, typer.Argument(help="Short name in tokens and addresses.")],
    name: Annotated[str | None, typer.Option(help="Full name; the slug without one.")] = None,
    plan: Annotated[str, typer.Option(help="Plan, one of `gateway plans list`.")] = "standard",
    currency: Annotated[str, typer.Option(help="Currency of all amounts, three letters.")] = "EUR",
    time_zone: Annotated[str, typer.Option(help="Time zone in which days begin.")] = "UTC",
) -> None:
    """Create a tenant with a default pipeline. Needs MIGRATION_DATABASE_URL (role owner)."""
    with one_sentence():
        new = NewTenant(slug, name or slug, plan, currency, time_zone)
        run_as_owner(load_settings(), lambda owner: create_tenant(owner, new))
        out.print(f"Tenant {slug} is there. Next: gateway member add --tenant {slug} --email E --role admin")


def tenant_set_timezone(
    slug: Annotated[str, typer.Argument(help="Slug of the tenant.")],
    zone: Annotated[str, typer.Argument(help="Time zone in which its days begin, such as Europe/Berlin.")],
) -> None:
    """Set a tenant's time zone and write its days anew; writers wait. Needs MIGRATION_DATABASE_URL (role owner)."""

    def progress(table: str, rows: int) -> None:
        out.print(f"{table}: {rows} rows had other days")

    with one_sentence():
        with out.status("Writers wait"):
            run_as_owner(load_settings(), lambda owner: set_time_zone(owner, slug, zone, progress))
        out.print(f"The days of {slug} begin as in {zone}.")


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

    with one_sentence():
        password = sys.stdin.readline().rstrip("\n") if password_stdin else None
        if password == "":
            raise CommandRefusedError("The password on standard input is empty.")
        password_hash = hash_password(password) if password else None
        new = NewMember(tenant, email, name or email, role.value, team, region, subject, password_hash)
        run_as_owner(load_settings(), lambda owner: add_member(owner, new))
        out.print(f"{email} is a member of {tenant}. Next: gateway token --tenant {tenant} --member {email}")


def token(
    tenant: Annotated[str, typer.Option(help="Slug of the tenant.")],
    member: Annotated[str | None, typer.Option(help="Email of the member.")] = None,
    role: Annotated[Role | None, typer.Option(help="Instead of a member: the first active one of this role.")] = None,
    lifetime_seconds: Annotated[int | None, typer.Option(min=60, help="How long it holds.")] = None,
) -> None:
    """Print an access token. Needs DATABASE_URL and JWT_SECRET."""
    from gateway.tokens import issue_token

    with one_sentence():
        if (member is None) == (role is None):
            raise CommandRefusedError("Name either a member (--member EMAIL) or a role (--role ROLE).")
        settings = load_settings(access_token_lifetime_seconds=lifetime_seconds)
        issued = run(issue_token(settings, tenant, email=member, role=role and role.value))
        sys.stdout.write(issued.token + "\n")


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

    with one_sentence():
        request = ImportRequest(directory, mapping, tenant, all_tenants, dry_run, rejects)
        run_import(load_settings(), out, request)
