import os
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.postgres.bootstrap import RolePasswords, bootstrap
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.scram import scram_verifier, verifies
from tests.servers import SYSTEM_BIN_DIRS, postgres_server

SQL_FILE = Path(__file__).parents[2] / "src/gateway/postgres/sql/bootstrap.sql"
PASSWORDS = RolePasswords(owner="owner's word", worker="wörkers word", gateway="gateway word")
needs_psql = pytest.mark.skipif(shutil.which("psql") is None, reason="needs psql")
ROLES = ["gateway", "owner", "rollup_owner", "worker"]


@pytest.fixture(scope="module", params=[None, *SYSTEM_BIN_DIRS], ids=lambda path: path.parent.name if path else "wheel")
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres]:
    with postgres_server(request.param, settings={"log_statement": "all"}) as it:
        yield it


@pytest.fixture
async def ready(server: EmbeddedPostgres) -> EmbeddedPostgres:
    await bootstrap(server.superuser_dsn, database="crm", passwords=PASSWORDS)
    return server


async def fetch(dsn: str, query: str, *arguments: object, database: str = "crm") -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn, database=database)
    try:
        return [tuple(row) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


async def catalogue(dsn: str) -> list[tuple[Any, ...]]:
    """Every row that the bootstrap may touch; xmin changes with any rewrite of a row."""
    return await fetch(
        dsn,
        """SELECT rolname::text, xmin::text, rolpassword FROM pg_authid UNION ALL
        SELECT datname, xmin::text, datacl::text FROM pg_database UNION ALL
        SELECT nspname, xmin::text, nspacl::text FROM pg_namespace UNION ALL
        SELECT roleid::text, xmin::text, member::text FROM pg_auth_members ORDER BY 1, 2, 3""",
    )


async def test_each_role_has_exactly_its_attributes(ready: EmbeddedPostgres) -> None:
    rows = await fetch(
        ready.superuser_dsn,
        """SELECT rolname, rolcanlogin, rolbypassrls, rolinherit,
            rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication AS dangerous
        FROM pg_roles WHERE rolname = ANY ($1) ORDER BY rolname""",
        ROLES,
    )
    assert rows == [
        ("gateway", True, False, True, False),
        ("owner", True, True, True, False),
        ("rollup_owner", False, True, True, False),
        ("worker", True, True, True, False),
    ]


async def test_owner_and_worker_are_members_of_rollup_owner_and_worker_sees_who_does_what(
    ready: EmbeddedPostgres,
) -> None:
    query = """SELECT roleid::regrole::text, member::regrole::text, admin_option FROM pg_auth_members
        WHERE member::regrole::text = ANY ($1) ORDER BY 2, 1"""
    rows = await fetch(ready.superuser_dsn, query, ROLES)
    assert rows == [
        *(("rollup_owner", "owner", False), ("pg_read_all_stats", "worker", False), ("rollup_owner", "worker", False)),
    ]


async def test_the_database_belongs_to_owner_and_is_closed_to_the_public(ready: EmbeddedPostgres) -> None:
    rows = await fetch(
        ready.superuser_dsn,
        """SELECT coalesce(rolname, 'PUBLIC'), string_agg(privilege_type, ' ' ORDER BY privilege_type)
        FROM pg_database, aclexplode(datacl) AS acl LEFT JOIN pg_roles AS r ON r.oid = acl.grantee
        WHERE datname = 'crm' AND datdba = 'owner'::regrole AND pg_encoding_to_char(encoding) = 'UTF8'
        GROUP BY 1 ORDER BY 1""",
    )
    assert rows == [
        ("gateway", "CONNECT"),
        ("owner", "CONNECT CREATE TEMPORARY"),
        ("rollup_owner", "TEMPORARY"),
        ("worker", "CONNECT TEMPORARY"),
    ]


@pytest.mark.parametrize("role", ["gateway", "worker"])
async def test_who_serves_or_works_can_create_nothing_in_public(ready: EmbeddedPostgres, role: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for schema public"):
        await fetch(ready.dsn(role, getattr(PASSWORDS, role), "crm"), "CREATE TABLE public.mine ()")


async def test_gateway_cannot_make_temporary_tables(ready: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied to create temporary tables"):
        await fetch(ready.dsn("gateway", PASSWORDS.gateway, "crm"), "CREATE TEMPORARY TABLE mine ()")


async def test_a_role_without_its_password_is_refused(ready: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await fetch(ready.dsn("gateway", "wrong", "crm"), "SELECT 1")


async def test_a_second_run_changes_nothing(ready: EmbeddedPostgres) -> None:
    before = await catalogue(ready.superuser_dsn)
    await bootstrap(ready.superuser_dsn, database="crm", passwords=PASSWORDS)
    assert await catalogue(ready.superuser_dsn) == before


async def test_a_changed_password_is_taken_over(ready: EmbeddedPostgres) -> None:
    changed = RolePasswords(owner=PASSWORDS.owner, worker=PASSWORDS.worker, gateway="another")
    await bootstrap(ready.superuser_dsn, database="crm", passwords=changed)
    assert await fetch(ready.dsn("gateway", "another", "crm"), "SELECT current_user::text") == [("gateway",)]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await fetch(ready.dsn("gateway", PASSWORDS.gateway, "crm"), "SELECT 1")


async def test_what_was_spoiled_is_put_right(ready: EmbeddedPostgres) -> None:
    for spoil in (
        "ALTER ROLE gateway SUPERUSER BYPASSRLS REPLICATION",
        "ALTER ROLE owner NOBYPASSRLS CREATEDB",
        "GRANT CONNECT ON DATABASE crm TO PUBLIC",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "ALTER DATABASE crm OWNER TO postgres",
    ):
        await fetch(ready.superuser_dsn, spoil)
    await bootstrap(ready.superuser_dsn, database="crm", passwords=PASSWORDS)
    await test_each_role_has_exactly_its_attributes(ready)
    await test_the_database_belongs_to_owner_and_is_closed_to_the_public(ready)
    await test_who_serves_or_works_can_create_nothing_in_public(ready, "gateway")


async def test_worker_refreshes_what_owner_made_for_rollup_owner(ready: EmbeddedPostgres) -> None:
    owner = await asyncpg.connect(ready.dsn("owner", PASSWORDS.owner, "crm"))
    worker = await asyncpg.connect(ready.dsn("worker", PASSWORDS.worker, "crm"))
    try:
        await owner.execute(
            """CREATE SCHEMA rolled; GRANT USAGE, CREATE ON SCHEMA rolled TO rollup_owner;
            SET ROLE rollup_owner;
            CREATE MATERIALIZED VIEW rolled.base AS SELECT 1 AS id; CREATE UNIQUE INDEX ON rolled.base (id);
            RESET ROLE; CREATE TABLE rolled.pending (); ALTER TABLE rolled.pending OWNER TO rollup_owner"""
        )
        await worker.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY rolled.base; DELETE FROM rolled.pending")
        assert await worker.fetchval("SELECT id FROM rolled.base") == 1
    finally:
        await worker.close()
        await owner.execute("DROP SCHEMA rolled CASCADE")
        await owner.close()


async def test_no_password_reaches_the_log(ready: EmbeddedPostgres) -> None:
    log = (ready.data_dir / "postgres.log").read_text().replace("''", "'")
    assert "ALTER ROLE worker PASSWORD 'SCRAM-SHA-256$" in log
    assert [password for password in vars(PASSWORDS).values() if password in log] == []


def run_psql(dsn: str, passwords: dict[str, str], database: str) -> tuple[int, str]:
    variables = [f"-v{role}_password={password}" for role, password in passwords.items()]
    done = subprocess.run(
        ["psql", "-X", dsn, *variables, "-f", SQL_FILE],
        env=os.environ | {"GATEWAY_DATABASE": database},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@needs_psql
async def test_psql_runs_the_same_file(server: EmbeddedPostgres) -> None:
    passwords = {"owner": "it's", "worker": "b", "gateway": "c'est"}
    for _ in range(2):
        assert run_psql(server.superuser_dsn, passwords, "by psql") == (0, "")
    for role, password in passwords.items():
        dsn = server.dsn(role, password, "by psql")
        assert await fetch(dsn, "SELECT current_user::text", database="by psql") == [(role,)]
    assert "c''est" not in (server.data_dir / "postgres.log").read_text()


@needs_psql
async def test_psql_stops_where_a_password_is_missing(server: EmbeddedPostgres) -> None:
    code, errors = run_psql(server.superuser_dsn, {"owner": "a", "worker": "b"}, "incomplete")
    assert (code, "syntax error" in errors) == (3, True)
    query = "SELECT datname FROM pg_database WHERE datname = 'incomplete'"
    assert await fetch(server.superuser_dsn, query, database="postgres") == []


@needs_psql
async def test_an_administrator_who_is_no_superuser_can_run_the_file(server: EmbeddedPostgres) -> None:
    (version,) = (await fetch(server.superuser_dsn, "SHOW server_version_num", database="postgres"))[0]
    if int(version) < 160000:
        pytest.skip("before PostgreSQL 16 only a superuser grants BYPASSRLS")
    for statement in (
        "DROP DATABASE IF EXISTS crm",
        'DROP DATABASE IF EXISTS "by psql"',
        "DROP ROLE IF EXISTS owner, worker, gateway, rollup_owner",
        "CREATE ROLE admin LOGIN CREATEROLE CREATEDB BYPASSRLS PASSWORD 'a'",
    ):
        await fetch(server.superuser_dsn, statement, database="postgres")
    passwords = {"owner": "a", "worker": "b", "gateway": "c"}
    for _ in range(2):
        assert run_psql(server.dsn("admin", "a", "postgres"), passwords, "managed") == (0, "")
    owner_dsn = server.dsn("owner", "a", "managed")
    assert await fetch(owner_dsn, "CREATE TABLE public.mine ()", database="managed") == []


def test_a_verifier_verifies_its_own_password_only() -> None:
    verifier = scram_verifier("secret")
    results = [verifies(verifier, "secret"), verifies(verifier, "Secret"), verifies(None, "secret")]
    assert results == [True, False, False]


def test_a_verifier_has_the_keys_of_the_standard_example() -> None:
    # RFC 7677, section 3: the user's password is "pencil".
    assert scram_verifier("pencil", salt=b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
