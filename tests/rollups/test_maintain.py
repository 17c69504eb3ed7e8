"""Folding, refreshing, auditing and repairing: what each changes, what it leaves alone, and who waits for whom."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from gateway.observe import Observer
from gateway.postgres.bootstrap import bootstrap
from gateway.postgres.embedded import EmbeddedPostgres
from gateway.rollups.audit import Audit, Discrepancy, audit_rollup
from gateway.rollups.declaration import Rollup, Table
from gateway.rollups.declared import COMPANY_DEALS, COMPANY_FLOW, DEAL_FLOW, DEAL_STATE, ROLLUPS
from gateway.rollups.locking import locked
from gateway.rollups.maintain import fold_rollup, has_deltas, refresh_rollup, vacuum_rollup
from gateway.rollups.names import base, delta, live, pending
from gateway.rollups.registry import Kept, read_pending, read_registry
from gateway.rollups.render import by_table
from gateway.rollups.session import SESSION_SETTINGS
from tests.conftest import PASSWORDS, Database, _numbers, fresh_database
from tests.notices import listening
from tests.rollups.conftest import populate
from tests.rollups.exactness import assert_exact, live_groups, until
from tests.servers import run_program

WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = '{}' AND NOT granted)"
SECONDS = 60
"""Past these, a test has hung."""

# A refresh stops before it empties what is pending, until the owner lets it go.
STALL = f"""
SET ROLE rollup_owner;
CREATE FUNCTION rollup.stall() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END $$;
CREATE TRIGGER stall BEFORE DELETE ON {pending(DEAL_FLOW)} EXECUTE FUNCTION rollup.stall();
RESET ROLE;
SELECT pg_advisory_lock(1);
"""


@pytest.fixture
async def worker(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.worker_dsn)
    yield connection
    await connection.close(timeout=5)


@pytest.fixture
async def other_worker(database: Database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.worker_dsn)
    yield connection
    await connection.close(timeout=5)


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """The serving role."""
    connection = await asyncpg.connect(database.gateway_dsn)
    yield connection
    await connection.close()


async def count(connection: asyncpg.Connection, relation: str) -> int:
    return int(await connection.fetchval(f"SELECT count(*) FROM {relation}"))


async def kept(worker: asyncpg.Connection, rollup: Rollup = DEAL_FLOW) -> Kept:
    return next(each for each in await read_registry(worker) if each.name == rollup.name)


async def rows(worker: asyncpg.Connection, relation: str) -> list[tuple[Any, ...]]:
    """Rows as they are stored: who wrote them and where they stand."""
    return sorted(tuple(row) for row in await worker.fetch(f"SELECT ctid::text, xmin::text, r.* FROM {relation} AS r"))


async def stored(worker: asyncpg.Connection, rollup: Rollup) -> list[Any]:
    """All that is stored of a rollup."""
    return [*[await rows(worker, name(rollup)) for name in (base, pending, delta)], await kept(worker, rollup)]


async def tenant(owner: asyncpg.Connection, slug: str = "tokyo") -> int:
    return int(await owner.fetchval("SELECT id FROM tenants WHERE slug = $1", slug))


async def audits(worker: asyncpg.Connection, rollup: Rollup, *, repair: bool = False) -> dict[str, Audit]:
    return {slug: audit async for slug, audit in audit_rollup(worker, rollup, repair=repair)}


async def test_a_fold_moves_the_deltas_and_says_how_many(owner: asyncpg.Connection, worker: asyncpg.Connection) -> None:
    for rollup in ROLLUPS:
        deltas = await count(worker, delta(rollup))
        assert deltas > 0
        assert await has_deltas(worker, rollup)
        assert await fold_rollup(worker, rollup) == deltas
        assert await count(worker, delta(rollup)) == 0
        assert (await read_pending(worker, rollup)).groups == await count(worker, pending(rollup)) > 0
        assert not await has_deltas(worker, rollup)
    await assert_exact(owner)


@pytest.mark.usefixtures("owner")
async def test_folding_nothing_does_nothing(worker: asyncpg.Connection) -> None:
    await fold_rollup(worker, DEAL_FLOW)
    before = await stored(worker, DEAL_FLOW)
    assert await fold_rollup(worker, DEAL_FLOW) == 0
    assert await stored(worker, DEAL_FLOW) == before


async def test_changes_that_undo_each_other_are_no_pending_sum(
    owner: asyncpg.Connection, worker: asyncpg.Connection
) -> None:
    await refresh_rollup(worker, DEAL_STATE)
    await owner.execute("UPDATE deals SET amount = amount + 1")
    await owner.execute("UPDATE deals SET amount = amount - 1")
    await fold_rollup(worker, DEAL_STATE)
    assert await worker.fetchval(f"SELECT max(abs(value)) FROM {pending(DEAL_STATE)}") == 0
    await owner.execute("UPDATE deals SET name = 'renamed', expected_close = now()")
    assert not await has_deltas(worker, DEAL_STATE)
    await assert_exact(owner)


async def test_a_refresh_empties_what_is_pending_and_finds_nothing_wrong(
    owner: asyncpg.Connection, worker: asyncpg.Connection
) -> None:
    await fold_rollup(worker, DEAL_FLOW)
    await owner.execute("UPDATE deals SET amount = 3")
    before = await kept(worker)
    audit = await refresh_rollup(worker, DEAL_FLOW)
    assert audit == Audit(await count(worker, base(DEAL_FLOW)), 0, [])
    assert await count(worker, pending(DEAL_FLOW)) == await count(worker, delta(DEAL_FLOW)) == 0
    after = await kept(worker)
    assert after.last_refresh > before.last_refresh
    assert (after.last_audit, after.differing) == (after.last_refresh, 0)
    await assert_exact(owner)


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.name)
async def test_a_refresh_without_a_change_rewrites_no_row(worker: asyncpg.Connection, rollup: Rollup) -> None:
    await refresh_rollup(worker, rollup)
    before = await rows(worker, base(rollup))
    assert before
    await refresh_rollup(worker, rollup)
    assert await rows(worker, base(rollup)) == before


async def test_a_refresh_rewrites_only_the_groups_that_changed(
    owner: asyncpg.Connection, worker: asyncpg.Connection
) -> None:
    await refresh_rollup(worker, COMPANY_DEALS)
    before = set(await rows(worker, base(COMPANY_DEALS)))
    await owner.execute("INSERT INTO companies (tenant_id, name) VALUES ($1, 'Second')", await tenant(owner))
    await owner.execute("UPDATE deals SET company_id = (SELECT max(id) FROM companies) WHERE company_id IS NULL")
    await refresh_rollup(worker, COMPANY_DEALS)
    after = set(await rows(worker, base(COMPANY_DEALS)))
    assert len(after - before) == len(before - after) == 1


async def unseen_pages(worker: asyncpg.Connection) -> int:
    """Pages of a base that are not known as visible to all: of them, an index alone does not answer."""
    return int(
        await worker.fetchval(
            "SELECT relpages - relallvisible FROM pg_class WHERE oid = $1::text::regclass", base(DEAL_FLOW)
        )
    )


async def test_after_a_refresh_a_vacuum_finds_every_row_visible_to_all(
    owner: asyncpg.Connection, database: Database
) -> None:
    worker = await asyncpg.connect(database.worker_dsn, server_settings=SESSION_SETTINGS)
    # Ids of neighbours share one note of how far they are on disk: an update that is not would keep the refresh back.
    await owner.execute("SET synchronous_commit = on")
    for amount in range(5):
        await owner.execute("UPDATE deals SET amount = $1", amount)
        await refresh_rollup(worker, DEAL_FLOW)
        assert await vacuum_rollup(worker, DEAL_FLOW)
        assert await unseen_pages(worker) == 0
    await worker.close()


@pytest.mark.usefixtures("owner")
async def test_a_vacuum_tells_when_an_older_snapshot_was_in_its_way(
    worker: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_snapshot()")
    await refresh_rollup(worker, DEAL_FLOW)
    assert not await vacuum_rollup(worker, DEAL_FLOW)
    assert await unseen_pages(worker) > 0
    await reader.execute("COMMIT")
    assert await vacuum_rollup(worker, DEAL_FLOW)
    assert await unseen_pages(worker) == 0


async def test_a_refresh_that_cannot_be_changes_nothing(owner: asyncpg.Connection, worker: asyncpg.Connection) -> None:
    await fold_rollup(worker, DEAL_FLOW)
    await owner.execute("UPDATE deals SET amount = 3")
    index = "deal_flow_base_tenant_id_day_pipeline_id_idx"
    await owner.execute(f"ALTER INDEX rollup.{index} RENAME TO kept; DROP INDEX rollup.kept")
    before = await stored(worker, DEAL_FLOW)
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="cannot refresh materialized view"):
        await refresh_rollup(worker, DEAL_FLOW)
    assert await stored(worker, DEAL_FLOW) == before
    await assert_exact(owner)


async def _cancel(refreshing: asyncio.Task[Audit], _superuser: asyncpg.Connection, _pid: int) -> None:
    refreshing.cancel()


async def _stop(_refreshing: asyncio.Task[Audit], superuser: asyncpg.Connection, pid: int) -> None:
    await superuser.execute("SELECT pg_cancel_backend($1)", pid)


async def _kill(_refreshing: asyncio.Task[Audit], superuser: asyncpg.Connection, pid: int) -> None:
    await superuser.execute("SELECT pg_terminate_backend($1)", pid)


async def _wait(_refreshing: asyncio.Task[Audit], _superuser: asyncpg.Connection, _pid: int) -> None:
    """For the statement's timeout."""


@pytest.mark.parametrize("end", [_cancel, _stop, _kill, _wait], ids=lambda end: end.__name__)
async def test_a_refresh_that_ends_half_way_changes_nothing(
    database: Database,
    owner: asyncpg.Connection,
    worker: asyncpg.Connection,
    other_worker: asyncpg.Connection,
    end: Callable[..., Any],
) -> None:
    await fold_rollup(worker, DEAL_FLOW)
    await owner.execute("UPDATE deals SET amount = 3")
    await owner.execute(STALL)
    before = await stored(other_worker, DEAL_FLOW)
    if end is _wait:
        await worker.execute("SET statement_timeout = '300ms'")
    superuser = await asyncpg.connect(database.server.superuser_dsn)
    async with asyncio.timeout(SECONDS):
        refreshing = asyncio.create_task(refresh_rollup(worker, DEAL_FLOW))
        if end is not _wait:
            await until(owner, WAITING.format("advisory"))
        await end(refreshing, superuser, worker.get_server_pid())
        with pytest.raises((asyncio.CancelledError, asyncpg.QueryCanceledError, asyncpg.PostgresConnectionError)):
            await refreshing
    await superuser.close()
    assert await stored(other_worker, DEAL_FLOW) == before
    await assert_exact(owner)
    await owner.execute("SELECT pg_advisory_unlock(1)")
    assert (await refresh_rollup(other_worker, DEAL_FLOW)).differing == 0
    await assert_exact(owner)


async def test_neither_a_reader_nor_a_writer_waits_for_a_refresh(
    owner: asyncpg.Connection, worker: asyncpg.Connection, reader: asyncpg.Connection, database: Database
) -> None:
    await owner.execute(STALL)
    async with database.as_owner() as writer, asyncio.timeout(SECONDS):
        refreshing = asyncio.create_task(refresh_rollup(worker, DEAL_FLOW))
        await until(owner, WAITING.format("advisory"))
        await writer.execute("SET lock_timeout = '1s'")
        await reader.execute("SET lock_timeout = '1s'")
        await writer.execute("UPDATE deals SET amount = 3")
        await writer.execute("DELETE FROM deals WHERE outcome = 'lost'")
        for rollup in ROLLUPS:
            assert await live_groups(reader, rollup, await tenant(owner, "tokyo")) or await live_groups(
                reader, rollup, await tenant(owner, "office")
            )
        await assert_exact(writer)
        assert not refreshing.done()
        await owner.execute("SELECT pg_advisory_unlock(1)")
        assert (await refreshing).differing == 0
    await assert_exact(owner)


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("work", [fold_rollup, refresh_rollup])
async def test_work_on_one_rollup_takes_turns_and_others_do_not_wait(
    worker: asyncpg.Connection, other_worker: asyncpg.Connection, work: Callable[..., Any]
) -> None:
    async with asyncio.timeout(SECONDS):
        async with locked(worker, DEAL_FLOW, "READ COMMITTED"):
            waiting = asyncio.create_task(work(other_worker, DEAL_FLOW))
            await until(worker, WAITING.format("relation"))
            assert not waiting.done()
            # On the connection that holds the one lock: what follows would wait for it for ever.
            for rollup in ROLLUPS:
                await worker.execute(f"LOCK TABLE {pending(rollup)} IN EXCLUSIVE MODE NOWAIT")
        await waiting


async def test_folds_of_different_rollups_run_beside_each_other(
    owner: asyncpg.Connection, worker: asyncpg.Connection, other_worker: asyncpg.Connection
) -> None:
    await other_worker.execute("SET lock_timeout = '1s'")
    async with locked(worker, DEAL_FLOW, "REPEATABLE READ"):
        assert await fold_rollup(other_worker, DEAL_STATE) > 0
        assert (await refresh_rollup(other_worker, COMPANY_FLOW)).differing == 0
    await assert_exact(owner)


async def spoil(worker: asyncpg.Connection) -> Discrepancy:
    """Writes a deal too many into what is pending; gives what an audit is to say of it."""
    await fold_rollup(worker, COMPANY_DEALS)
    query = f"UPDATE {pending(COMPANY_DEALS)} SET deals = deals + 1 WHERE tenant_id = $1 AND company_id = $2"
    row = await worker.fetchrow(f"SELECT * FROM {pending(COMPANY_DEALS)} WHERE company_id <> 0 ORDER BY 1, 2")
    keys = {"tenant_id": row["tenant_id"], "company_id": row["company_id"]}
    await worker.execute(query, *keys.values())
    return Discrepancy(keys, {"deals": row["deals"] + 1}, {"deals": row["deals"]})


@pytest.mark.usefixtures("owner")
async def test_a_wrong_sum_is_found_and_reported_with_its_keys(worker: asyncpg.Connection) -> None:
    wrong = await spoil(worker)
    found = await audits(worker, COMPANY_DEALS)
    assert found["office"] == Audit(0, 0, [])
    assert (found["tokyo"].differing, found["tokyo"].listed) == (1, [wrong])
    assert (await kept(worker, COMPANY_DEALS)).differing == 1
    observer = Observer(CollectorRegistry())
    with capture_logs() as logs:
        sum(found.values(), Audit(0, 0, [])).report(observer, COMPANY_DEALS)
    labels = {"rollup": "company_deals"}
    assert observer.registry.get_sample_value("gateway_rollup_groups_differing_total", labels) == 1
    line = {"rollup": "company_deals", "keys": wrong.keys, "live": wrong.live, "truth": wrong.truth}
    assert logs == [{"event": "rollup differs", "log_level": "error", **line}]


async def test_an_audit_that_finds_nothing_is_counted_too(
    owner: asyncpg.Connection, worker: asyncpg.Connection
) -> None:
    found = await audits(worker, COMPANY_DEALS)
    groups = len(await live_groups(owner, COMPANY_DEALS, await tenant(owner)))
    assert found == {"tokyo": Audit(groups, 0, []), "office": Audit(0, 0, [])}
    observer = Observer(CollectorRegistry())
    found["tokyo"].report(observer, COMPANY_DEALS)
    labels = {"rollup": "company_deals"}
    assert observer.registry.get_sample_value("gateway_rollup_groups_differing_total", labels) == 0
    assert (await kept(worker, COMPANY_DEALS)).differing == 0


async def test_a_repair_makes_it_right(owner: asyncpg.Connection, worker: asyncpg.Connection) -> None:
    wrong = await spoil(worker)
    with pytest.raises(AssertionError, match="company_deals"):
        await assert_exact(owner)
    repaired = await audits(worker, COMPANY_DEALS, repair=True)
    assert repaired["tokyo"].listed == [wrong]
    await assert_exact(owner)
    assert (await kept(worker, COMPANY_DEALS)).differing == 0
    assert (await audits(worker, COMPANY_DEALS))["tokyo"].differing == 0
    assert (await refresh_rollup(worker, COMPANY_DEALS)).differing == 0


async def test_a_refresh_too_finds_it_and_makes_it_right(owner: asyncpg.Connection, worker: asyncpg.Connection) -> None:
    wrong = await spoil(worker)
    audit = await refresh_rollup(worker, COMPANY_DEALS)
    assert (audit.differing, audit.listed) == (1, [wrong])
    assert (await kept(worker, COMPANY_DEALS)).differing == 1
    await assert_exact(owner)
    assert (await refresh_rollup(worker, COMPANY_DEALS)).differing == 0


@pytest.mark.parametrize("mend", [refresh_rollup, lambda worker, rollup: audits(worker, rollup, repair=True)])
async def test_a_group_that_is_missing_or_of_nothing_is_found_too(
    owner: asyncpg.Connection, worker: asyncpg.Connection, mend: Callable[..., Any]
) -> None:
    await fold_rollup(worker, COMPANY_DEALS)
    office = await tenant(owner, "office")
    await worker.execute(f"DELETE FROM {pending(COMPANY_DEALS)} WHERE company_id = 0")
    await worker.execute(f"INSERT INTO {pending(COMPANY_DEALS)} VALUES ($1, 77, 5)", office)
    found = await audits(worker, COMPANY_DEALS)
    missing = {"tenant_id": await tenant(owner), "company_id": 0}
    assert found["tokyo"].listed == [Discrepancy(missing, {"deals": 0}, {"deals": 1})]
    assert found["office"].listed == [Discrepancy({"tenant_id": office, "company_id": 77}, {"deals": 5}, {"deals": 0})]
    await mend(worker, COMPANY_DEALS)
    await assert_exact(owner)


@pytest.mark.parametrize("table", [table.name for table in by_table(ROLLUPS)])
async def test_truncate_is_refused_with_what_to_do_instead(owner: asyncpg.Connection, table: str) -> None:
    with pytest.raises(asyncpg.FeatureNotSupportedError) as refused:
        await owner.execute(f"TRUNCATE {table} CASCADE")
    assert "would leave its rollups wrong" in str(refused.value)
    assert refused.value.hint == "Use DELETE."
    await assert_exact(owner)


async def test_without_a_tenant_nothing_is_seen(owner: asyncpg.Connection, reader: asyncpg.Connection) -> None:
    for setting in (None, "", "0"):
        if setting is not None:
            await reader.execute("SELECT set_config('app.tenant_id', $1, false)", setting)
        assert [await count(reader, live(rollup)) for rollup in ROLLUPS] == [0] * len(ROLLUPS)
    for rollup in ROLLUPS:
        both = [await live_groups(reader, rollup, await tenant(owner, slug)) for slug in ("tokyo", "office")]
        assert any(both)
        assert [group for group in both[0] if group in both[1]] == []


@pytest.mark.usefixtures("owner")
async def test_the_serving_role_reads_nothing_but_live_views(reader: asyncpg.Connection) -> None:
    hidden = [name(rollup) for rollup in ROLLUPS for name in (base, pending, delta)]
    for relation in [*hidden, "rollup.registry"]:
        for statement in (f"SELECT FROM {relation}", f"DELETE FROM {relation}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.execute(statement)
    for rollup in ROLLUPS:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError)):
            await reader.execute(f"DELETE FROM {live(rollup)}")


async def test_a_notice_comes_once_for_each_transaction_tenant_and_table(
    owner: asyncpg.Connection, worker: asyncpg.Connection
) -> None:
    tokyo, office = await tenant(owner), await tenant(owner, "office")
    async with listening(worker) as listener:
        undone = owner.transaction()
        await undone.start()
        await owner.execute("UPDATE deals SET amount = 1")
        await undone.rollback()
        async with owner.transaction():
            xid = int(await owner.fetchval("SELECT pg_current_xact_id()::text"))
            for amount in (2, 3):
                async with owner.transaction():
                    await owner.execute("UPDATE deals SET amount = $1", amount)
                    await owner.execute("UPDATE companies SET name = 'Other'")
            await owner.execute("UPDATE activities SET subject = 'never'  WHERE false")
        heard = await listener.heard()
    assert sorted(heard) == [(tokyo, "companies", xid), (tokyo, "deals", xid), (office, "companies", xid)]


UNSUMMED = {
    "activities": "subject = 'other'",
    "companies": "website = 'https://other.test'",
    "deal_stage_history": "member_id = NULL",
    "deals": "name = 'other'",
    "tasks": "title = 'other'",
}
"""By table: a change of what no rollup sums."""


@pytest.mark.parametrize("table", by_table(ROLLUPS), ids=lambda table: table.name)
async def test_a_notice_comes_for_a_change_that_no_rollup_sums(
    owner: asyncpg.Connection, worker: asyncpg.Connection, table: Table
) -> None:
    tenants = [key for (key,) in await owner.fetch(f"SELECT DISTINCT tenant_id FROM {table.name} ORDER BY 1")]
    before = [await live_groups(owner, rollup, key) for rollup in ROLLUPS for key in tenants]
    async with listening(worker) as listener:
        await owner.execute(f"UPDATE {table.name} SET {UNSUMMED[table.name]}")
        heard = await listener.heard()
    assert sorted((notice.tenant_id, notice.table) for notice in heard) == [(key, table.name) for key in tenants] != []
    assert [await live_groups(owner, rollup, key) for rollup in ROLLUPS for key in tenants] == before


async def dumped_and_restored(database: Database, directory: Path) -> Database:
    """Another database with what a dump of this one holds."""
    restored = Database(f"restored_{next(_numbers)}", database.server)
    superuser = await asyncpg.connect(database.server.superuser_dsn)
    await superuser.execute(f"CREATE DATABASE {restored.name} TEMPLATE template0 OWNER owner")
    await superuser.close()
    server, address, dump = database.server, database.server.superuser_dsn.removesuffix("postgres"), directory / "dump"
    await run_program(server, "pg_dump", "--format=custom", f"--file={dump}", address + database.name)
    await run_program(server, "pg_restore", "--exit-on-error", f"--dbname={address + restored.name}", str(dump))
    await bootstrap(database.server.superuser_dsn, database=restored.name, passwords=PASSWORDS)
    return restored


async def test_out_of_a_dump_what_is_pending_counts_twice_until_a_refresh(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    database = await fresh_database(server)
    async with database.as_owner() as owner:
        await populate(owner)
        before = await live_groups(owner, COMPANY_DEALS, await tenant(owner))
    restored = await dumped_and_restored(database, tmp_path)
    async with restored.as_owner() as owner:
        twice = [{**group, "deals": group["deals"] * 2} for group in before]
        assert await live_groups(owner, COMPANY_DEALS, await tenant(owner)) == twice
        worker = await asyncpg.connect(restored.worker_dsn)
        try:
            assert {each.restored for each in await read_registry(worker)} == {True}
            assert (await refresh_rollup(worker, COMPANY_DEALS)).differing == len(before)
            assert [each.name for each in await read_registry(worker) if not each.restored] == ["company_deals"]
            for rollup in ROLLUPS:
                await refresh_rollup(worker, rollup)
            assert {each.restored for each in await read_registry(worker)} == {False}
        finally:
            await worker.close()
        await assert_exact(owner)
