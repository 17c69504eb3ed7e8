"""What an admin sees of the rollups: those of the own tenant, and how fresh they are."""

from typing import Any

import asyncpg

from gateway.rollups.declared import COMPANY_FLOW, ROLLUPS
from gateway.rollups.maintain import fold_rollup, refresh_rollup
from tests.conftest import Client, Database, Serve
from tests.tenancy.twins import add_tenant

INSERT_COMPANY = "INSERT INTO companies (tenant_id, id, name, created_at) VALUES ($1, 999, 'New', '2020-02-02')"
QUERY = "{ rollups { name groups pendingChanges lastFold lastRefresh lastAudit } }"


async def test_an_admin_sees_the_rollups_of_their_own_tenant(database: Database, serve: Serve) -> None:
    async with database.as_owner() as owner:
        await add_tenant(owner, "adler")
        await refresh_all(owner)
        await add_tenant(owner, "canary")
    admin = await serve(database, "adler", "admin")
    rollups = {row["name"]: row for row in (await admin.data(QUERY))["rollups"]}
    assert rollups.keys() == {rollup.name for rollup in ROLLUPS}
    assert {row["pendingChanges"] for row in rollups.values()} == {0}
    assert all(
        row["groups"] > 0 and row["lastFold"] <= row["lastRefresh"] == row["lastAudit"] for row in rollups.values()
    )


async def test_changes_are_pending_until_a_refresh(database: Database, serve: Serve) -> None:
    async with database.as_owner() as owner:
        tenant_id = await add_tenant(owner, "adler")
        await refresh_all(owner)
        admin = await serve(database, "adler", "admin")
        before = await company_flow(admin)
        await owner.execute(INSERT_COMPANY, tenant_id)
        unfolded = await company_flow(admin)
        await fold_rollup(owner, COMPANY_FLOW)
        folded = await company_flow(admin)
        await refresh_rollup(owner, COMPANY_FLOW)
        refreshed = await company_flow(admin)
    shown = [(row["groups"] - before["groups"], row["pendingChanges"]) for row in (unfolded, folded, refreshed)]
    assert shown == [(0, 1), (0, 1), (1, 0)]
    assert unfolded["lastFold"] < folded["lastFold"] < refreshed["lastFold"]
    assert before["lastRefresh"] == folded["lastRefresh"] < refreshed["lastRefresh"]


async def test_others_than_admins_are_refused(demo: Database, serve: Serve) -> None:
    for role in ("viewer", "rep", "manager"):
        client = await serve(demo, "aurora", role)
        answer = (await client.post("{ me { role } rollups { name } }")).json()
        assert answer["data"] == {"me": {"role": role.upper()}, "rollups": None}
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def refresh_all(owner: asyncpg.Connection) -> None:
    for rollup in ROLLUPS:
        await refresh_rollup(owner, rollup)


async def company_flow(admin: Client) -> dict[str, Any]:
    rows: list[dict[str, Any]] = (await admin.data(QUERY))["rollups"]
    (found,) = [row for row in rows if row["name"] == "company_flow"]
    return found
