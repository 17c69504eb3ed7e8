"""The catalogue is as promised: every tenant table behind its policy, no grant too many."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.conftest import Database, fresh_database
from tests.postgres.catalogue import faults
from tests.postgres.promises import DEFINERS, NOT_INDEXED, NOT_LED_BY_TENANT, NOT_OF_A_TENANT
from tests.servers import SYSTEM_BIN_DIRS, postgres_server

SYSTEMS = [path for path in SYSTEM_BIN_DIRS if int(path.parent.name) >= 15]

OFFENCES = {
    "CREATE TABLE notes (id int)": ["notes: has no tenant_id"],
    "CREATE TABLE notes (tenant_id bigint PRIMARY KEY)": [
        "notes: row-level security is off",
        "notes: its policies are []",
    ],
    "ALTER TABLE deals DISABLE ROW LEVEL SECURITY": ["deals: row-level security is off"],
    "DROP POLICY tenant_isolation ON tenants": ["tenants: its policies are []"],
    "CREATE POLICY all_too_kind ON tasks FOR SELECT TO gateway USING (true)": ["tasks: its policies are"],
    "ALTER POLICY tenant_isolation ON tasks USING (tenant_id = app.tenant_id() OR true)": ["tasks: its policies are"],
    "ALTER POLICY tenant_isolation ON tasks WITH CHECK (true)": ["tasks: its policies are"],
    "CREATE INDEX by_name ON deals (name)": ["by_name: does not lead with tenant_id"],
    "CREATE INDEX by_name ON deals ((tenant_id + 1))": ["by_name: does not lead with tenant_id"],
    "CREATE INDEX by_words ON deals USING gin (to_tsvector('simple', name))": [
        "by_words: does not lead with tenant_id"
    ],
    "DROP INDEX IF EXISTS tasks_by_text; CREATE INDEX tasks_by_text ON tasks (title)": [
        "tasks_by_text: does not lead with tenant_id"
    ],
    "ALTER TABLE audit_log DROP CONSTRAINT audit_log_pkey": ["audit_log: has no primary key"],
    "ALTER TABLE deals ADD UNIQUE (id); ALTER TABLE tasks ADD FOREIGN KEY (deal_id) REFERENCES deals (id)": [
        "deals_id_key: does not lead with tenant_id",
        "tasks (deal_id): a foreign key past the tenant",
        "tasks (deal_id): a foreign key without an index",
    ],
    "ALTER TABLE deals ADD UNIQUE (tenant_id, owner_id, id); "
    "ALTER TABLE tasks ADD FOREIGN KEY (owner_id, tenant_id, deal_id) REFERENCES deals (tenant_id, owner_id, id)": [
        "tasks (owner_id, tenant_id, deal_id): a foreign key past the tenant",
        "tasks (owner_id, tenant_id, deal_id): a foreign key without an index",
    ],
    "DROP INDEX contacts_by_owner": ["contacts (tenant_id, owner_id): a foreign key without an index"],
    "GRANT SELECT ON rollup.deal_flow_pending TO gateway": [
        "a grant too many: gateway SELECT rollup.deal_flow_pending"
    ],
    "GRANT USAGE ON SCHEMA rollup TO gateway": ["a grant too many: gateway USAGE schema rollup"],
    "ALTER VIEW analytics.deal_flow OWNER TO owner": ["analytics.deal_flow: belongs to owner"],
    "CREATE INDEX by_day ON rollup.deal_flow_base (day)": ["rollup.by_day: does not lead with tenant_id"],
    "GRANT EXECUTE ON FUNCTION rollup.deals_insert() TO PUBLIC": [
        "a grant too many: PUBLIC EXECUTE rollup.deals_insert()"
    ],
    "GRANT INSERT ON deals TO gateway": ["a grant too many: gateway INSERT public.deals"],
    "GRANT SELECT ON audit_log TO PUBLIC": ["a grant too many: PUBLIC SELECT public.audit_log"],
    "GRANT SELECT (password_hash) ON members TO gateway": [
        "a grant too many: gateway SELECT public.members.password_hash",
        "gateway can read members.password_hash",
    ],
    "GRANT USAGE ON SEQUENCE deals_id_seq TO gateway": ["a grant too many: gateway USAGE public.deals_id_seq"],
    "GRANT CREATE ON SCHEMA app TO worker": ["a grant too many: worker CREATE schema app"],
    "GRANT SELECT ON deals TO gateway WITH GRANT OPTION": [
        "a grant too many: gateway SELECT WITH GRANT OPTION public.deals",
        "a grant is missing: gateway SELECT public.deals",
    ],
    "GRANT EXECUTE ON FUNCTION app.copy_deal_deleted() TO PUBLIC": [
        "a grant too many: PUBLIC EXECUTE app.copy_deal_deleted()"
    ],
    "SET LOCAL ROLE owner; CREATE FUNCTION app.peek() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1; RESET ROLE": [
        "app.peek(): acts with its owner's rights",
        "app.peek(): its search path is not fixed",
    ],
    "ALTER FUNCTION app.identify(text, text) SECURITY INVOKER": [
        "app.identify(text, text): does not act with its owner's rights"
    ],
    "ALTER FUNCTION app.search_deals(text) SECURITY INVOKER": [
        "app.search_deals(text): does not act with its owner's rights"
    ],
    "GRANT EXECUTE ON FUNCTION app.search_members(text) TO worker": [
        "a grant too many: worker EXECUTE app.search_members(text)"
    ],
    "ALTER TABLE contacts DISABLE TRIGGER notify_delete": ["contacts: notify_delete app.notify_change delete: missing"],
    "ALTER TABLE stages ENABLE TRIGGER notify_update": ["stages: notify_update app.notify_change update: missing"],
    "DROP TRIGGER rollup_insert ON deals": ["deals: rollup_insert rollup.deals_insert insert: missing"],
    "SELECT app.notify_changes_of('companies')": ["companies: notify_insert app.notify_change insert: one too many"],
    "CREATE TABLE notes (id int, tenant_id bigint); GRANT SELECT ON notes TO gateway": [
        "notes: its first column is not the tenant",
        "notes: notify_truncate app.notify_change truncate: missing",
    ],
    "CREATE EXTENSION vector": ["vector: an extension that nobody asked for"],
    "ALTER FUNCTION app.login_lookup(text, text) RESET search_path": [
        "app.login_lookup(text, text): its search path is not fixed"
    ],
    "ALTER TABLE deals OWNER TO worker": ["public.deals: belongs to worker"],
    "ALTER VIEW analytics.deal_state RESET (security_barrier)": ["deal_state: is no security barrier"],
    "CREATE OR REPLACE VIEW analytics.owner_company_flow WITH (security_barrier) AS "
    "SELECT tenant_id, owner_id, created_day AS day, 1::bigint AS created FROM companies": [
        "owner_company_flow: does not filter each of its tables by the session's tenant"
    ],
    "CREATE VIEW all_names AS SELECT m.name FROM members m JOIN tasks t USING (tenant_id) "
    "WHERE t.tenant_id = app.tenant_id()": [
        "all_names: a view outside analytics",
        "all_names: is no security barrier",
        "all_names: does not filter each of its tables by the session's tenant",
    ],
    "CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM deals; GRANT SELECT ON totals TO gateway": [
        "totals: a materialized view that gateway can read",
        "a grant too many: gateway SELECT public.totals",
    ],
    "ALTER ROLE gateway BYPASSRLS": ["role gateway: login bypassrls"],
    "ALTER ROLE worker SUPERUSER": ["role worker: superuser login bypassrls in pg_read_all_stats, rollup_owner"],
    "GRANT owner TO gateway": ["role gateway: login in owner"],
    "ALTER FUNCTION app.tenant_id() SET search_path = public": ["deals: its policy cannot use an index"],
}
"""Statements of an offence, and how faults that it causes begin."""


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.server.superuser_dsn, database=database.name)
    try:
        yield connection
    finally:
        await connection.close()


async def test_the_catalogue_is_as_promised(superuser: asyncpg.Connection) -> None:
    assert await faults(superuser) == []


@pytest.mark.parametrize("bin_dir", SYSTEMS, ids=str)
async def test_the_catalogue_is_as_promised_where_texts_are_searched_by_index(bin_dir: Path) -> None:
    with postgres_server(bin_dir) as server:
        database = await fresh_database(server)
        connection = await asyncpg.connect(server.superuser_dsn, database=database.name)
        try:
            assert await faults(connection) == []
            by_text = await connection.fetch("SELECT relname FROM pg_class WHERE relname LIKE '%\\_by\\_text'")
            available = await connection.fetchval("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")
            assert {name for (name,) in by_text} == (NOT_LED_BY_TENANT.keys() if available else set())
        finally:
            await connection.close()


@pytest.mark.parametrize("offence", OFFENCES)
async def test_an_offence_is_reported(superuser: asyncpg.Connection, offence: str) -> None:
    transaction = superuser.transaction()
    await transaction.start()
    try:
        await superuser.execute(offence)
        found = await faults(superuser)
    finally:
        await transaction.rollback()
    for beginning in OFFENCES[offence]:
        assert any(fault.startswith(beginning) for fault in found), found


async def test_every_exemption_is_of_something_that_is_there(superuser: asyncpg.Connection) -> None:
    tables = {name for (name,) in await superuser.fetch("SELECT relname FROM pg_class WHERE relkind = 'r'")}
    named = {*NOT_OF_A_TENANT, *(name.split(" ")[0] for name in NOT_INDEXED)}
    assert named <= tables
    functions = await superuser.fetch(
        "SELECT pronamespace::regnamespace || '.' || proname || '(' || oidvectortypes(proargtypes) || ')' FROM pg_proc"
    )
    assert DEFINERS.keys() <= {name for (name,) in functions}
