"""The commands that end by themselves: what they do, and the one sentence when they cannot."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jwt
import pytest

from tests.cli.conftest import Command
from tests.conftest import JWT_SECRET, Database, Serve
from tests.servers import free_port

COMMANDS = {
    "serve": "Serve GraphQL. Needs DATABASE_URL, and JWT_SECRET or JWKS_URL.",
    "worker": "Keep the rollups: fold what changes, refresh, audit. Needs WORKER_DATABASE_URL. Ctrl-C stops it.",
    "demo": "Serve a dashboard of made-up data from an embedded PostgreSQL.",
    "migrate": "Bring the database to the schema of this version.",
    "schema": "Print the GraphQL schema.",
    "doctor": "Check configuration, database, roles, policies, grants, migrations and rollups.",
    "token": "Print an access token. Needs DATABASE_URL and JWT_SECRET.",
    "import": "Import CSV files of another system. Needs MIGRATION_DATABASE_URL (role owner).",
    "refresh": "Recompute a rollup and compare it with what readers saw.",
    "documents": "Trusted documents: those that are run when no others are.",
    "plans": "Plans: what tenants may use.",
    "rollups": "Rollups: materialized views that are never stale.",
    "tenant": "Tenants: those whose data is kept apart.",
    "member": "Members: the people of a tenant.",
}
NESTED = {
    "documents add": "Add documents to the trusted ones, each exactly as it stands: all of them, or none",
    "documents list": "Show the trusted documents: hash and operations.",
    "plans list": "Show the plans, and each tenant with terms of its own: what is empty there is as its plan says.",
    "plans set": "Set what the tenants of a plan may use, or one tenant alone. Every gateway goes by it at once.",
    "rollups list": "Show the rollups: their size, what waits for a refresh, when each was tended.",
    "rollups audit": "Compare what readers see with the tables, tenant by tenant; nobody waits.",
    "rollups diff": "Print the SQL that brings the database to the declared rollups, a migration's.",
    "tenant create": "Create a tenant with a default pipeline. Needs MIGRATION_DATABASE_URL (role owner).",
    "tenant set-timezone": "Set a tenant's time zone and write its days anew; writers wait.",
    "tenant set-plan": "Put a tenant on another plan; its own terms stay. Needs MIGRATION_DATABASE_URL (role owner).",
    "member add": "Add a member. Needs MIGRATION_DATABASE_URL (role owner).",
}
LOGIN = 'mutation { login(tenant: "acme", email: "ann@acme.example", password: "s3cret word") { token } }'


def plain(text: str) -> str:
    """A help text without its frames and line ends."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


def as_gateway(database: Database, **changes: str) -> dict[str, str]:
    return {"DATABASE_URL": database.gateway_dsn, "JWT_SECRET": JWT_SECRET, **changes}


def as_owner(database: Database) -> dict[str, str]:
    return {"MIGRATION_DATABASE_URL": database.owner_dsn}


async def test_the_help_lists_every_command(command: Command) -> None:
    code, text, _ = await command("--help")
    assert code == 0
    listed = re.findall(r"^│ (\w+)  ", text, flags=re.MULTILINE)
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS | NESTED)
async def test_each_command_has_a_help(command: Command, name: str) -> None:
    code, text, err = await command(*name.split(), "--help")
    assert (code, err) == (0, "")
    assert f"Usage: gateway {name}" in plain(text) or f"Usage: root {name}" in plain(text)
    assert (COMMANDS | NESTED)[name] in plain(text)


def test_a_command_loads_the_server_and_migrations_only_where_it_needs_them() -> None:
    code = "import sys, gateway.cli; print(*{'gateway.app', 'strawberry', 'sqlalchemy'} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "\n"


def test_the_package_installs_the_command() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"gateway": "gateway.cli:app"}


async def test_schema_prints_the_graphql_schema(command: Command) -> None:
    code, text, err = await command("schema")
    assert (code, err) == (0, "")
    assert "type Query {" in text
    assert "  dashboard(" in text


async def test_migrate_can_print_its_sql_instead(command: Command) -> None:
    code, text, err = await command("migrate", "--sql")
    assert (code, err) == (0, "")
    assert "CREATE TABLE deals (" in text
    assert "INSERT INTO alembic_version" in text


async def test_migrate_goes_down_and_up_again(command: Command, database: Database) -> None:
    code, out, err = await command("migrate", "base", **as_owner(database))
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "--down" in err
    code, text, _ = await command("migrate", "base", "--down", **as_owner(database))
    assert (code, text.split(" (")[0]) == (0, "The database is at base")
    code, text, _ = await command("migrate", **as_owner(database))
    assert (code, text.split(" (")[0]) == (0, "The database is at head")
    code, text, _ = await command("doctor", **as_owner(database), **as_gateway(database))
    assert (code, "fault" in text) == (0, False)


async def test_an_unknown_revision_is_one_sentence(command: Command, database: Database) -> None:
    code, out, err = await command("migrate", "nonsense", **as_owner(database))
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert err.startswith("There is no revision `nonsense`: there are head, ")


async def test_doctor_says_what_is_wrong_and_exits_with_1(command: Command, database: Database) -> None:
    async with database.as_owner() as owner:
        await owner.execute("ALTER TABLE deals DISABLE ROW LEVEL SECURITY")
    code, text, err = await command("doctor", **as_gateway(database))
    assert (code, err) == (1, "")
    assert [line for line in text.splitlines() if not line.startswith("ok")] == [
        "fault row level security: deals has it off: a statement without a tenant would see all",
        "      → ALTER TABLE deals ENABLE ROW LEVEL SECURITY;",
    ]


@pytest.mark.parametrize("by", ["--member=rep@aurora.example", "--role=rep"])
async def test_token_prints_a_token_that_is_accepted(command: Command, demo: Database, serve: Serve, by: str) -> None:
    code, text, err = await command("token", "--tenant=aurora", by, "--lifetime-seconds=600", **as_gateway(demo))
    assert (code, err) == (0, "")
    client = await serve(demo)
    client.token = text.strip()
    assert (await client.data("{ me { role } }")) == {"me": {"role": "REP"}}
    claims = jwt.decode(client.token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 600


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--tenant=nobody", "--role=rep"),
            "There is no tenant `nobody`: create it with `gateway tenant create`.",
        ),
        (("--tenant=aurora", "--member=no@one.example"), "aurora has no member no@one.example."),
        (("--tenant=aurora",), "Name either a member (--member EMAIL) or a role (--role ROLE)."),
        (
            ("--tenant=aurora", "--role=rep", "--member=rep@aurora.example"),
            "Name either a member (--member EMAIL) or a role (--role ROLE).",
        ),
    ],
)
async def test_token_for_nobody_is_one_sentence(
    command: Command, demo: Database, arguments: tuple[str, ...], sentence: str
) -> None:
    assert await command("token", *arguments, **as_gateway(demo)) == (1, "", f"{sentence}\n")


async def test_token_needs_the_secret(command: Command, demo: Database) -> None:
    settings = {"DATABASE_URL": demo.gateway_dsn, "JWKS_URL": "http://127.0.0.1:1/keys"}
    assert await command("token", "--tenant=aurora", "--role=rep", **settings) == (
        1,
        "",
        "JWT_SECRET is not set, so tokens come from your identity provider.\n",
    )


async def test_the_deactivated_get_no_token(command: Command, database: Database) -> None:
    await command("tenant", "create", "acme", **as_owner(database))
    await command("member", "add", "--tenant=acme", "--email=ann@acme.example", "--role=rep", **as_owner(database))
    async with database.as_owner() as owner:
        await owner.execute("UPDATE members SET active = false")
    by_email = await command("token", "--tenant=acme", "--member=ann@acme.example", **as_gateway(database))
    assert by_email == (1, "", "ann@acme.example is deactivated, so no token of theirs would be accepted.\n")
    by_role = await command("token", "--tenant=acme", "--role=rep", **as_gateway(database))
    assert by_role == (1, "", "acme has no active rep.\n")


async def test_a_new_tenant_and_its_first_member_can_be_used_at_once(
    command: Command, database: Database, serve: Serve
) -> None:
    made = await command(
        *("tenant", "create", "acme", "--name=Acme Ltd", "--plan=enterprise", "--currency=USD"),
        *("--time-zone=America/New_York",),
        **as_owner(database),
    )
    assert made == (0, "Tenant acme is there. Next: gateway member add --tenant acme --email E --role admin\n", "")
    added = await command(
        *("member", "add", "--tenant=acme", "--email=Ann@Acme.example", "--role=admin", "--name=Ann", "--team=North"),
        *("--region=EU", "--subject=idp|7", "--password-stdin"),
        stdin="s3cret word\n",
        **as_owner(database),
    )
    assert added == (
        0,
        "Ann@Acme.example is a member of acme. Next: gateway token --tenant acme --member Ann@Acme.example\n",
        "",
    )
    async with database.as_owner() as owner:
        tenant = await owner.fetchrow("SELECT name, plan, currency, time_zone FROM tenants")
        member = await owner.fetchrow("SELECT email, name, role, team, region, subject FROM members")
    assert tuple(tenant) == ("Acme Ltd", "enterprise", "USD", "America/New_York")
    assert tuple(member) == ("ann@acme.example", "Ann", "admin", "North", "EU", "idp|7")
    client = await serve(database)
    client.token = (await client.data(LOGIN))["login"]["token"]
    assert await client.data("{ pipelines { name isDefault stages { name } } me { role } }") == {
        "pipelines": [
            {
                "name": "Sales",
                "isDefault": True,
                "stages": [{"name": name} for name in ("Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost")],
            }
        ],
        "me": {"role": "ADMIN"},
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("taken",), "There is a tenant `taken` already."),
        (("Bad Slug",), "A slug is made of lower-case letters, digits and hyphens, 63 at most."),
        (("acme", "--currency=euro"), "A currency is three capital letters, such as EUR."),
        (("acme", "--time-zone=Mars/Olympus"), "`Mars/Olympus` is not a time zone, such as Europe/Berlin."),
        (("acme", f"--name={'x' * 201}"), "A name has from 1 to 200 characters."),
        (("acme", "--plan=gold"), "There is no plan `gold`: there are standard, professional, enterprise."),
    ],
)
async def test_a_tenant_that_cannot_be_is_one_sentence(
    command: Command, database: Database, arguments: tuple[str, ...], sentence: str
) -> None:
    await command("tenant", "create", "taken", **as_owner(database))
    assert await command("tenant", "create", *arguments, **as_owner(database)) == (1, "", f"{sentence}\n")


async def test_an_unknown_role_is_named_with_those_that_are_known(command: Command) -> None:
    code, _, err = await command("member", "add", "--tenant=acme", "--email=a@b.c", "--role=boss")
    assert (code, "'boss' is not one of 'viewer', 'rep', 'manager', 'admin'" in plain(err)) == (2, True)


@pytest.mark.parametrize(
    ("changes", "stdin", "sentence"),
    [
        ({}, "", "The tenant has a member with this email already."),
        (
            {"--email": "b@acme.example", "--subject": "s"},
            "",
            "The tenant has a member with this subject already.",
        ),
        ({"--tenant": "none"}, "", "There is no tenant `none`: create it with `gateway tenant create`."),
        (
            {"--email": "nonsense"},
            "",
            "An email needs something before and after its @, and has at most 254 characters.",
        ),
        ({"--email": "b@acme.example"}, "\n", "The password on standard input is empty."),
    ],
)
async def test_a_member_that_cannot_be_is_one_sentence(
    command: Command, database: Database, changes: dict[str, str], stdin: str, sentence: str
) -> None:
    given = {"--tenant": "acme", "--email": "ann@acme.example", "--role": "rep"}
    await command("tenant", "create", "acme", **as_owner(database))
    first = [f"{name}={value}" for name, value in (given | {"--subject": "s"}).items()]
    await command("member", "add", *first, **as_owner(database))
    second = [f"{name}={value}" for name, value in (given | changes).items()]
    flags = ["--password-stdin"] if stdin else []
    refused = await command("member", "add", *second, *flags, stdin=stdin, **as_owner(database))
    assert refused == (1, "", f"{sentence}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("migrate",),
        ("tenant", "create", "acme"),
        ("member", "add", "--tenant=acme", "--email=a@b.c", "--role=rep"),
        ("token", "--tenant=acme", "--role=rep"),
        ("tenant", "set-timezone", "acme", "UTC"),
        ("tenant", "set-plan", "acme", "standard"),
        ("plans", "list"),
        ("plans", "set", "standard", "--points=1"),
        ("refresh", "--all"),
        ("rollups", "audit"),
        ("rollups", "list"),
        ("rollups", "diff"),
    ],
    ids=" ".join,
)
async def test_a_database_that_is_down_is_one_sentence(command: Command, arguments: tuple[str, ...]) -> None:
    port = free_port()
    address = f"postgresql://somebody:secret@127.0.0.1:{port}/crm"
    settings = {"DATABASE_URL": address, "MIGRATION_DATABASE_URL": address, "WORKER_DATABASE_URL": address}
    settings["JWT_SECRET"] = JWT_SECRET
    code, out, err = await command(*arguments, **settings)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert err.startswith("The database cannot be used: [Errno ")
    assert "secret" not in err


async def test_a_wrong_password_or_database_is_one_sentence(command: Command, database: Database) -> None:
    wrong = database.owner_dsn.replace("owner-password", "guess")
    refused = 'The database cannot be used: password authentication failed for user "owner"\n'
    for arguments in (("migrate",), ("tenant", "create", "acme")):
        assert await command(*arguments, MIGRATION_DATABASE_URL=wrong) == (1, "", refused)
    absent = f"{database.owner_dsn}_absent"
    missing = f'The database cannot be used: database "{database.name}_absent" does not exist\n'
    assert await command("migrate", MIGRATION_DATABASE_URL=absent) == (1, "", missing)


@pytest.mark.parametrize(
    "arguments", [("migrate",), ("tenant", "create", "acme"), ("token", "--tenant=acme", "--role=rep")]
)
async def test_a_missing_address_is_named(command: Command, arguments: tuple[str, ...]) -> None:
    code, out, err = await command(*arguments, JWT_SECRET=JWT_SECRET)
    name = "DATABASE_URL" if arguments[0] == "token" else "MIGRATION_DATABASE_URL"
    assert (code, out) == (1, "")
    assert err.startswith(f"{name} is not set: PostgreSQL address for ")
