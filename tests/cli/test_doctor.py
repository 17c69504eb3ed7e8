"""`gateway doctor`: each fault is provoked in a database of its own, found, and mended by the remedy it comes with."""

import asyncio
import http.server
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.doctor import Finding, examine
from gateway.doctor.server import version_finding
from gateway.documents.texts import digest
from gateway.documents.trusted import TrustedDocuments
from gateway.observe import Observer
from gateway.postgres.bootstrap import bootstrap
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.postgres.migrate import head_revision
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.session import worker_session
from gateway.rollups.worker import ADVISORY_LOCK, Worker
from tests.cli.processes import gateway
from tests.conftest import PASSWORDS, Database, fresh_database
from tests.servers import free_port

GRANT_MEMBERS = (
    "GRANT SELECT (tenant_id, id, subject, email, name, role, team, region, active, created_at) ON members TO gateway;"
)

TELL_OF_PLANS = (
    "CREATE OR REPLACE TRIGGER notify_all AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON plans FOR EACH STATEMENT "
    "EXECUTE FUNCTION app.notify_change_to_all(); ALTER TABLE plans ENABLE ALWAYS TRIGGER notify_all;"
)

GRANT_TOO_MUCH = (
    "WITH t AS (INSERT INTO tenants (slug, name) VALUES ('acme', 'Acme') RETURNING id) "
    "INSERT INTO tenant_terms (tenant_id, most_points) SELECT id, 20001 FROM t"
)

DROP_COMPANY_FLOW = (
    "DELETE FROM rollup.registry WHERE name = 'company_flow'; DROP VIEW analytics.company_flow; "
    "DROP MATERIALIZED VIEW rollup.company_flow_base; DROP TABLE rollup.company_flow_delta, rollup.company_flow_pending"
)

# subject, what is done to the database, what is found, what mends it
FAULTS = {
    "a serving role that is a superuser": (
        "roles",
        "ALTER ROLE gateway SUPERUSER",
        "gateway is a superuser, whom no policy holds",
        "ALTER ROLE gateway NOSUPERUSER;",
    ),
    "a serving role that policies do not apply to": (
        "roles",
        "ALTER ROLE gateway BYPASSRLS",
        "gateway bypasses row-level security: nothing would keep tenants apart",
        "ALTER ROLE gateway NOBYPASSRLS;",
    ),
    "an owner that policies apply to": (
        "roles",
        "ALTER ROLE owner NOBYPASSRLS",
        "owner does not bypass row-level security: it would work on no rows",
        "ALTER ROLE owner BYPASSRLS;",
    ),
    "a worker that makes databases": (
        "roles",
        "ALTER ROLE worker CREATEDB",
        "worker may create roles or databases, or replicate",
        "ALTER ROLE worker NOCREATEROLE NOCREATEDB NOREPLICATION;",
    ),
    "a rollup owner that logs in": (
        "roles",
        "ALTER ROLE rollup_owner LOGIN",
        "rollup_owner can log in",
        "ALTER ROLE rollup_owner NOLOGIN;",
    ),
    "a worker without its membership": (
        "memberships",
        "REVOKE rollup_owner FROM worker",
        "worker is not a member of rollup_owner",
        "GRANT rollup_owner TO worker;",
    ),
    "a serving role with another's rights": (
        "memberships",
        "GRANT owner TO gateway",
        "gateway is a member of owner",
        "REVOKE owner FROM gateway;",
    ),
    "a serving role that owns a table": (
        "ownership",
        "CREATE TABLE public.mine (); ALTER TABLE public.mine OWNER TO gateway",
        "gateway owns table mine",
        "REASSIGN OWNED BY gateway TO owner;",
    ),
    "a public schema open to everyone": (
        "schema public",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "everyone may create objects in it",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
    ),
    "a table without row-level security": (
        "row level security",
        "ALTER TABLE deals DISABLE ROW LEVEL SECURITY",
        "deals has it off: a statement without a tenant would see all",
        "ALTER TABLE deals ENABLE ROW LEVEL SECURITY;",
    ),
    "a table without its policy": (
        "policies",
        "DROP POLICY tenant_isolation ON companies",
        "companies has none",
        "CREATE POLICY tenant_isolation ON companies USING (tenant_id = app.tenant_id());",
    ),
    "a policy that lets all through": (
        "policies",
        "CREATE POLICY everything ON tasks USING (true)",
        "everything of tasks shows other rows than the tenant's",
        "DROP POLICY everything ON tasks;",
    ),
    "a view without a barrier": (
        "views",
        "ALTER VIEW analytics.open_tasks RESET (security_barrier)",
        "analytics.open_tasks is no security barrier: a caller's condition could see other tenants' rows",
        "ALTER VIEW analytics.open_tasks SET (security_barrier);",
    ),
    "a view that misses a grant": (
        "reads",
        "REVOKE SELECT ON analytics.deal_flow FROM gateway",
        "gateway may not read analytics.deal_flow",
        "GRANT SELECT ON analytics.deal_flow TO gateway;",
    ),
    "a column that misses a grant": (
        "reads",
        "REVOKE SELECT (email) ON members FROM gateway",
        "gateway may not read all that it shows of members",
        GRANT_MEMBERS,
    ),
    "a schema that is closed": (
        "reads",
        "REVOKE USAGE ON SCHEMA app FROM gateway",
        "gateway may not use schema app",
        "GRANT USAGE ON SCHEMA app TO gateway;",
    ),
    "a function that may not be called": (
        "reads",
        "REVOKE EXECUTE ON FUNCTION app.tenant_id() FROM gateway",
        "gateway may not call app.tenant_id()",
        "GRANT EXECUTE ON FUNCTION app.tenant_id() TO gateway;",
    ),
    "password hashes to read": (
        "secrets",
        "GRANT SELECT ON members TO gateway",
        "gateway may read password hashes",
        f"REVOKE SELECT ON members FROM gateway, PUBLIC; {GRANT_MEMBERS}",
    ),
    "a password hash to read by everyone": (
        "secrets",
        "GRANT SELECT (password_hash) ON members TO PUBLIC",
        "gateway may read password hashes",
        f"REVOKE SELECT ON members FROM gateway, PUBLIC; {GRANT_MEMBERS}",
    ),
    "a history that can be forged": (
        "writes",
        "GRANT INSERT, DELETE ON deal_stage_history TO gateway",
        "gateway has DELETE, INSERT on deal_stage_history",
        (
            "REVOKE DELETE ON deal_stage_history FROM gateway, PUBLIC; "
            "REVOKE INSERT ON deal_stage_history FROM gateway, PUBLIC;"
        ),
    ),
    "a column that can be written": (
        "writes",
        "GRANT UPDATE (version) ON deals TO gateway",
        "gateway has UPDATE (version) on deals",
        "REVOKE UPDATE (version) ON deals FROM gateway, PUBLIC;",
    ),
    "an audit whose instants can be forged": (
        "writes",
        "GRANT INSERT ON operations TO gateway",
        "gateway has INSERT on operations",
        (
            "REVOKE INSERT ON operations FROM gateway, PUBLIC; GRANT INSERT "
            "(tenant_id, id, member_id, request_id, action, note, undoes) ON operations TO gateway;"
        ),
    ),
    "a change that cannot be written": (
        "writes",
        "REVOKE UPDATE (stage_id) ON deals FROM gateway",
        "gateway lacks UPDATE (stage_id) on deals",
        "GRANT UPDATE (stage_id) ON deals TO gateway;",
    ),
    "a materialized view to read": (
        "materialized views",
        "CREATE MATERIALIZED VIEW all_deals AS SELECT * FROM deals; GRANT SELECT ON all_deals TO gateway",
        "gateway may read all_deals",
        "REVOKE SELECT ON all_deals FROM gateway, PUBLIC;",
    ),
    "a definer function led by its caller": (
        "definer functions",
        "ALTER FUNCTION app.identify(text, text) RESET search_path",
        "app.identify(text,text) is found through its caller's search_path",
        "ALTER FUNCTION app.identify(text,text) SET search_path = public, pg_temp;",
    ),
    "a definer function for everyone": (
        "definer functions",
        "GRANT EXECUTE ON FUNCTION app.login_lookup(text, text) TO PUBLIC",
        "everyone may call app.login_lookup(text,text)",
        "REVOKE EXECUTE ON FUNCTION app.login_lookup(text,text) FROM PUBLIC;",
    ),
    "a trigger that is off": (
        "triggers",
        "ALTER TABLE deals DISABLE TRIGGER keep_deal",
        "keep_deal of deals is off: days, outcomes or history go wrong",
        "ALTER TABLE deals ENABLE TRIGGER keep_deal;",
    ),
    "a rollup trigger that is off": (
        "rollup triggers",
        "ALTER TABLE deals DISABLE TRIGGER rollup_update",
        "rollup_update of deals does not always fire: changes are missed",
        "ALTER TABLE deals ENABLE ALWAYS TRIGGER rollup_update;   -- then: gateway rollups audit --repair",
    ),
    "a rollup trigger that a replica would not fire": (
        "rollup triggers",
        "ALTER TABLE activities ENABLE TRIGGER rollup_truncate",
        "rollup_truncate of activities does not always fire: changes are missed",
        "ALTER TABLE activities ENABLE ALWAYS TRIGGER rollup_truncate;   -- then: gateway rollups audit --repair",
    ),
    "a change that nobody would be told of": (
        "change notices",
        "DROP TRIGGER notify_update ON contacts",
        "notify_update of contacts does not always fire: answers could be kept past a change",
        "SELECT app.notify_changes_of('contacts');",
    ),
    "a notice that is off": (
        "change notices",
        "ALTER TABLE tenants DISABLE TRIGGER notify_truncate",
        "notify_truncate of tenants does not always fire: answers could be kept past a change",
        "SELECT app.notify_changes_of('tenants');",
    ),
    "a notice that a replica would not give": (
        "change notices",
        "ALTER TABLE audit_log ENABLE TRIGGER notify_insert",
        "notify_insert of audit_log does not always fire: answers could be kept past a change",
        "SELECT app.notify_changes_of('audit_log');",
    ),
    "a rollup's schema that is open": (
        "rollup tables",
        "GRANT USAGE ON SCHEMA rollup TO gateway",
        "gateway may use schema rollup",
        "REVOKE ALL ON SCHEMA rollup FROM gateway, PUBLIC;",
    ),
    "pending changes of all tenants to read": (
        "rollup tables",
        "GRANT SELECT ON rollup.deal_flow_pending TO PUBLIC",
        "gateway may read rollup.deal_flow_pending",
        "REVOKE SELECT ON rollup.deal_flow_pending FROM gateway, PUBLIC;",
    ),
    "a rollup's base to read": (
        "materialized views",
        "GRANT SELECT ON rollup.deal_flow_base TO gateway",
        "gateway may read rollup.deal_flow_base",
        "REVOKE SELECT ON rollup.deal_flow_base FROM gateway, PUBLIC;",
    ),
    "a tenant's own freshness that may not be asked": (
        "reads",
        "REVOKE EXECUTE ON FUNCTION app.rollups() FROM gateway",
        "gateway may not call app.rollups()",
        "GRANT EXECUTE ON FUNCTION app.rollups() TO gateway;",
    ),
    "a restored dump": (
        "rollup deal_flow",
        "UPDATE rollup.registry SET home = 'elsewhere' WHERE name = 'deal_flow'",
        "was restored from a dump and not refreshed since: changes of that time may count twice",
        "gateway refresh --all   # with WORKER_DATABASE_URL",
    ),
    "a rollup that was wrong": (
        "rollup stage_flow",
        "UPDATE rollup.registry SET differing = 3, last_audit = now() - interval '200 min' WHERE name = 'stage_flow'",
        "3 groups were wrong when it was audited 3 h ago",
        "gateway rollups audit stage_flow --repair   # with WORKER_DATABASE_URL",
    ),
    "changes that nobody folds": (
        "worker",
        "INSERT INTO rollup.company_flow_delta SELECT 1, '2025-01-01', 1 FROM generate_series(1, 10001)",
        "none acts, and changes pile up in company_flow",
        "gateway worker   # with WORKER_DATABASE_URL; its log tells what keeps it from folding",
    ),
    "a plan whose changes are not told of": (
        "change notices",
        "ALTER TABLE plans ENABLE TRIGGER notify_all",
        "notify_all of plans does not always fire: gateways could go by an old plan",
        TELL_OF_PLANS,
    ),
    "a plan whose changes nothing tells of": (
        "change notices",
        "DROP TRIGGER notify_all ON plans",
        "notify_all of plans does not always fire: gateways could go by an old plan",
        TELL_OF_PLANS,
    ),
    "terms of a tenant that are not told of": (
        "change notices",
        "DROP TRIGGER notify_update ON tenant_terms",
        "notify_update of tenant_terms does not always fire: answers could be kept past a change",
        "SELECT app.notify_changes_of('tenant_terms');",
    ),
    "an operation that no budget holds": (
        "plans",
        GRANT_TOO_MUCH,
        "an operation of acme may cost 20001 points, and its budget holds 20000: it could never be admitted",
        "gateway plans set --tenant acme --most 20000   # with MIGRATION_DATABASE_URL",
    ),
    "a rollup that is not there": (
        "rollups",
        DROP_COMPANY_FLOW,
        "company_flow: declared, not in the database",
        'gateway rollups diff | psql --single-transaction "$MIGRATION_DATABASE_URL"',
    ),
}


@pytest.fixture(scope="module")
async def mended(postgres: EmbeddedPostgres, template: str) -> Database:
    """A database whose faults are mended before the next one is made."""
    return await fresh_database(postgres, template)


@asynccontextmanager
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A superuser in the database, whose roles are as they were afterwards, whatever was done to them."""
    connection = await asyncpg.connect(database.server.superuser_dsn, database=database.name)
    try:
        yield connection
    finally:
        await connection.execute("GRANT rollup_owner TO owner, worker; REVOKE owner FROM gateway")
        await connection.close()
        await bootstrap(database.server.superuser_dsn, database=database.name, passwords=PASSWORDS)


async def faults(database: Database, **changes: object) -> list[Finding]:
    return [finding for finding in await examine(database.settings(**changes)) if finding.remedy]


async def test_a_healthy_database_has_no_fault(database: Database) -> None:
    findings = await examine(database.settings())
    assert [finding.subject for finding in findings if finding.remedy] == []
    assert [finding.subject for finding in findings] == [
        *("DATABASE_URL", "MIGRATION_DATABASE_URL", "WORKER_DATABASE_URL", "REDIS_URL"),
        *("tokens", "TRUSTED_DOCUMENTS", "GRAPHIQL_TOKEN"),
        *("DATABASE_URL", "MIGRATION_DATABASE_URL", "WORKER_DATABASE_URL"),
        *("version", "clock", "pg_trgm", "pg_stat_statements", "migrations"),
        *("roles", "memberships", "temporary tables", "ownership", "schema public"),
        *("row level security", "policies", "views", "reads", "secrets", "writes", "materialized views"),
        *("definer functions", "triggers", "rollup triggers", "change notices", "rollup tables"),
        *("listening", "plans", "rollups", *(f"rollup {rollup.name}" for rollup in ROLLUPS), "worker", "old snapshots"),
    ]
    assert findings[-len(ROLLUPS) - 3 :] == [
        Finding("rollups", "as they are declared"),
        *(
            Finding(f"rollup {rollup.name}", "0 of 0 groups changed since its refresh; not audited yet")
            for rollup in ROLLUPS
        ),
        Finding("worker", "none acts: reads stay exact, and slow down with each change"),
        Finding("old snapshots", "the worker sees those of all roles, and folds less often while one is held"),
    ]


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_found_and_its_remedy_mends_it(mended: Database, name: str) -> None:
    subject, spoil, observation, remedy = FAULTS[name]
    async with superuser(mended) as connection:
        await connection.execute(spoil)
        assert await faults(mended) == [Finding(subject, observation, remedy)]
        if remedy.startswith("gateway"):
            await run_by_hand(remedy.partition("#")[0], mended)
        else:
            await connection.execute(remedy)
        assert await faults(mended) == []


async def run_by_hand(remedy: str, database: Database) -> None:
    """A command of the gateway as its reader would type it; a worker runs until its work is done."""
    addresses = {"WORKER_DATABASE_URL": database.worker_dsn, "MIGRATION_DATABASE_URL": database.owner_dsn}
    if remedy.startswith("gateway worker"):
        await _work_until_folded(database)
        return
    words = remedy.partition("|")[0].split()[1:]
    code, said, errors = await asyncio.to_thread(gateway, *words, **addresses)
    assert (code, "Traceback" in errors) == (1 if "|" in remedy else 0, False), errors
    if "|" in remedy:
        async with database.as_owner() as owner, owner.transaction():
            await owner.execute(said)


async def _work_until_folded(database: Database) -> None:
    worker = Worker(database.worker_dsn, head_revision(), ROLLUPS, Observer(CollectorRegistry()))
    working = asyncio.create_task(worker.run())
    async with database.as_owner() as owner:
        while await owner.fetchval("SELECT EXISTS (SELECT FROM rollup.company_flow_delta)"):
            assert not working.done()
            await asyncio.sleep(0.02)
    working.cancel()
    await asyncio.wait([working])


async def test_a_worker_that_acts_is_seen(database: Database) -> None:
    async with worker_session(database.worker_dsn, head_revision()) as worker:
        await worker.execute(f"SELECT pg_advisory_lock({ADVISORY_LOCK})")
        assert Finding("worker", "one acts") in await examine(database.settings())


async def test_a_worker_that_may_not_see_sessions_of_others_is_no_fault(database: Database) -> None:
    async with superuser(database) as connection:
        await connection.execute("REVOKE pg_read_all_stats FROM worker")
        findings = await examine(database.settings())
    assert findings[-1] == Finding(
        "old snapshots",
        "the worker sees those of its own role only; it is optional: GRANT pg_read_all_stats TO worker;",
    )


async def test_a_rollup_owner_without_temporary_tables_is_found(database: Database) -> None:
    async with superuser(database) as connection:
        await connection.execute(f"REVOKE TEMPORARY ON DATABASE {database.name} FROM rollup_owner")
        found = await faults(database)
    remedy = f"GRANT TEMPORARY ON DATABASE {database.name} TO rollup_owner;"
    assert found == [Finding("temporary tables", f"rollup_owner may not make any in {database.name}", remedy)]


async def test_a_trigger_that_is_gone_is_a_difference(database: Database) -> None:
    async with database.as_owner() as owner:
        await owner.execute("DROP TRIGGER rollup_delete ON companies")
    assert [(finding.subject, finding.observation) for finding in await faults(database)] == [
        ("rollups", "trigger rollup_delete of companies: differs from the declarations")
    ]


async def test_a_view_that_forgets_the_tenant_is_found(database: Database) -> None:
    async with superuser(database) as connection:
        await connection.execute(
            "CREATE VIEW analytics.leak WITH (security_barrier) AS SELECT * FROM deals; "
            "GRANT SELECT ON analytics.leak TO gateway"
        )
        found = Finding(
            "views", "analytics.leak does not filter by tenant", "REVOKE SELECT ON analytics.leak FROM gateway, PUBLIC;"
        )
        assert found in await faults(database)


async def test_objects_that_are_gone_are_found(database: Database) -> None:
    async with superuser(database) as connection:
        await connection.execute("DROP TABLE deal_products; DROP FUNCTION app.identify(text, text)")
        missing = [finding.observation for finding in await faults(database)]
    assert missing == ["public.deal_products is missing", "app.identify(text, text) is missing"]


async def test_an_empty_database_wants_migrating(postgres: EmbeddedPostgres) -> None:
    database = Database("test_unmigrated", postgres)
    await bootstrap(postgres.superuser_dsn, database=database.name, passwords=PASSWORDS)
    findings = await examine(database.settings())
    migrate = Finding("migrations", "the database is empty", "gateway migrate   # with MIGRATION_DATABASE_URL")
    assert [finding for finding in findings if finding.remedy] == [migrate]
    assert findings[-1] == Finding("schema", "not examined: there is none yet")


@pytest.mark.parametrize(
    ("revision", "observation"),
    [
        ("0001", f"at 0001, and {head_revision()} is the newest"),
        ("9999", "at 9999, which this version does not know: a newer one has migrated the database"),
    ],
)
async def test_another_revision_is_found(database: Database, revision: str, observation: str) -> None:
    async with database.as_owner() as owner:
        await owner.execute(f"UPDATE alembic_version SET version_num = '{revision}'")
    assert [finding.observation for finding in await faults(database)] == [observation]


async def test_an_address_of_another_role_is_found(database: Database) -> None:
    superuser_dsn = database.server.superuser_dsn.removesuffix("/postgres") + f"/{database.name}"
    found = await faults(database, database_url=SecretStr(superuser_dsn), worker_database_url=None)
    assert found == [
        Finding(
            "DATABASE_URL",
            "logs in as superuser postgres, and is to log in as gateway",
            f"export DATABASE_URL=postgresql://gateway:PASSWORD@HOST:5432/{database.name}",
        )
    ]


async def test_addresses_of_two_databases_are_found(
    database: Database, postgres: EmbeddedPostgres, template: str
) -> None:
    other = await fresh_database(postgres, template)
    found = await faults(database, worker_database_url=SecretStr(other.worker_dsn))
    assert found == [
        Finding(
            "WORKER_DATABASE_URL",
            "leads to another database than DATABASE_URL",
            "Give WORKER_DATABASE_URL the host, port and database of DATABASE_URL.",
        )
    ]


async def test_a_database_that_is_down_is_one_finding_and_the_rest_is_left_out(database: Database) -> None:
    down = SecretStr(f"postgresql://gateway:secret@127.0.0.1:{free_port()}/crm")
    findings = await examine(
        database.settings(database_url=down, migration_database_url=None, worker_database_url=None)
    )
    assert [finding.subject for finding in findings if finding.remedy] == ["DATABASE_URL"]
    assert findings[-1] == Finding("database", "not examined: no address leads to one")
    assert "secret" not in str(findings)


async def test_what_one_address_cannot_show_another_does(database: Database) -> None:
    down = SecretStr(f"postgresql://gateway:secret@127.0.0.1:{free_port()}/crm")
    findings = await examine(database.settings(database_url=down))
    assert [finding.subject for finding in findings if finding.remedy] == ["DATABASE_URL"]
    assert findings[-1].subject == "old snapshots"


async def test_without_the_owner_s_address_the_serving_role_can_be_examined(database: Database) -> None:
    assert await faults(database, migration_database_url=None, worker_database_url=None) == []
    async with database.as_owner() as owner:
        await owner.execute("REVOKE SELECT ON alembic_version FROM gateway")
    found = await faults(database, migration_database_url=None, worker_database_url=None)
    assert [finding.subject for finding in found] == ["migrations", "reads"]


async def test_a_clock_that_is_off_is_found(database: Database) -> None:
    findings = await examine(database.settings(), clock=lambda: datetime.now(UTC) + timedelta(seconds=60))
    assert [(finding.subject, finding.remedy) for finding in findings if finding.remedy] == [
        ("clock", "timedatectl set-ntp true   # on both machines")
    ]


async def test_missing_settings_are_found(database: Database) -> None:
    found = await faults(database, database_url=None, jwt_secret=None)
    assert [(finding.subject, finding.remedy) for finding in found] == [
        ("DATABASE_URL", "export DATABASE_URL=postgresql://gateway:PASSWORD@HOST:5432/DATABASE"),
        ("tokens", "export JWT_SECRET=$(openssl rand -hex 32)   # or JWKS_URL=https://…"),
    ]


async def test_a_token_for_every_visitor_is_a_fault(database: Database) -> None:
    found = await faults(database, graphiql_token=SecretStr("a token"))
    assert [(finding.subject, finding.remedy) for finding in found] == [("GRAPHIQL_TOKEN", "unset GRAPHIQL_TOKEN")]


@contextmanager
def key_server(body: bytes) -> Iterator[str]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/keys"
        server.shutdown()


async def test_a_key_set_that_can_be_fetched_is_fine(database: Database) -> None:
    with key_server(json.dumps({"keys": []}).encode()) as url:
        assert await faults(database, jwt_secret=None, jwks_url=url) == []


async def test_a_key_set_that_cannot_be_fetched_is_found(database: Database) -> None:
    with key_server(b"<html>") as url:
        found = await faults(database, jwt_secret=None, jwks_url=url)
    assert [(finding.subject, finding.remedy) for finding in found] == [
        ("tokens", f"curl -v {url}   # then correct JWKS_URL")
    ]


def test_a_version_that_is_too_old_is_found() -> None:
    assert version_finding(14) == Finding(
        "version",
        "PostgreSQL 14, and 15 is the oldest that will do",
        "pg_upgrade   # or a dump loaded into a newer server",
    )
    assert version_finding(15).remedy is None


async def test_a_redis_that_does_not_answer_is_a_fault(database: Database) -> None:
    (found,) = await faults(database, redis_url="redis://127.0.0.1:1/0")
    assert found.subject == "REDIS_URL"
    assert found.observation.startswith("gives no answer: ")
    assert found.remedy == 'redis-cli -u "$REDIS_URL" ping   # then correct REDIS_URL'


async def test_a_redis_that_answers_is_no_fault(database: Database, redis_url: str) -> None:
    findings = await examine(database.settings(redis_url=redis_url))
    assert Finding("REDIS_URL", "answers") in findings


async def test_a_directory_of_trusted_documents_is_counted_and_compared(database: Database, tmp_path: Path) -> None:
    TrustedDocuments(tmp_path).add({digest(text): text for text in ("{ __typename }", "{ me { id } }")})
    settings = database.settings(trusted_documents=tmp_path, documents_mode="trusted")
    assert Finding("TRUSTED_DOCUMENTS", "trusted documents: 2; no other is run") in await examine(settings)
    (tmp_path / f"{digest('{ __typename }')}.graphql").write_text("{ other }")
    (found,) = await faults(database, trusted_documents=tmp_path)
    assert found.observation == "files that hold another text than their name says: 1"
    (found,) = await faults(database, trusted_documents=tmp_path / "nowhere")
    assert found.observation == "TRUSTED_DOCUMENTS is no directory: `gateway documents add DIR` makes it."
