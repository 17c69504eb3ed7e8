"""When a kept answer is given out, and when it is not any more: through HTTP, on a real database."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from gateway.api.cache import CacheTag
from gateway.api.context import Context, Info
from gateway.api.dashboard import Dashboard
from gateway.cache import listener
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.maintain import fold_rollup, refresh_rollup
from loaders import deal_groups, lists
from loaders.keyset import ListSource
from loaders.reads import every_statement
from tests.cache.conftest import DASHBOARD, Open, Shop, ask, beside
from tests.conftest import Client
from tests.pipeline.acme import locked, until, until_waiting
from tests.world import World

TASKS = "{ dashboard { overview { tasks { open } } } }"


async def total(client: Client) -> int:
    return int((await client.data(DASHBOARD))["dashboard"]["overview"]["deals"]["total"])


async def test_an_answer_is_kept_and_given_out_again(shop: Shop, viewer: Client) -> None:
    await shop.keeps(viewer)
    first, second = await ask(viewer), await ask(viewer)
    assert [r.headers["X-Cache"] for r in (first, second)] == ["HIT", "HIT"]
    assert first.content == second.content
    assert int(second.headers["Age"]) >= 0
    assert second.headers["Cache-Control"] == "private, no-cache"
    assert second.headers["Vary"] == "Accept, Authorization, X-Tenant"
    assert len(second.headers["X-Cache-Key"]) == 32


async def test_a_hit_issues_no_statement(shop: Shop, opened: Open) -> None:
    viewer = await opened()
    await shop.keeps(viewer)
    # Longer than a member is remembered where nothing is heard of changes.
    before = await statements(viewer)
    for _ in range(12):
        assert await shop.sees(viewer) == "HIT"
        await asyncio.sleep(0.1)
    assert await statements(viewer) == before


async def statements(client: Client) -> int:
    """How many transactions there were in the database, by anybody's count but the listener's own."""
    text = (await client.http.get("/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith("gateway_statement_seconds_count")]
    return sum(int(float(line.split()[-1])) for line in lines)


async def test_a_change_past_the_gateway_ends_it(shop: Shop, viewer: Client) -> None:
    await shop.keeps(viewer)
    before = await total(viewer)
    await shop.world.deal("2026-01-06T10:00", owner="rep", amount="5")

    async def seen() -> bool:
        return await total(viewer) == before + 1

    await until(seen)
    await shop.keeps(viewer)
    assert await total(viewer) == before + 1


async def test_a_change_through_the_gateway_ends_it_at_once(shop: Shop, viewer: Client) -> None:
    rep = await beside(shop, viewer, "manager")
    deal = await rep.data("{ deals(first: 1) { nodes { id } } }")
    key = deal["deals"]["nodes"][0]["id"]
    query = f'{{ deal(id: "{key}") {{ amount }} }}'
    for amount in range(20):
        await shop.keeps(viewer, query)
        change = {"input": {"changes": [{"dealId": key, "amount": str(amount)}]}}
        await rep.data("mutation M($input: UpdateDealsInput!) { updateDeals(input: $input) { operationId } }", **change)
        assert (await viewer.data(query))["deal"]["amount"] == f"{amount}"


async def test_what_it_was_not_read_from_leaves_it(shop: Shop, viewer: Client) -> None:
    await shop.keeps(viewer)
    await shop.world.owner.execute("UPDATE contacts SET name = name WHERE false")
    await shop.world.task("now()")
    await shop.world.company("Another")
    other = await World.create(shop.world.owner, f"other-{id(viewer)}")
    await other.deal("2026-01-05T10:00", amount="1")
    await asyncio.sleep(0.3)
    assert await shop.sees(viewer) == "HIT"


async def test_members_of_a_tenant_share_what_is_not_their_own(shop: Shop, viewer: Client) -> None:
    await shop.keeps(viewer)
    admin = await beside(shop, viewer, "admin")
    assert await shop.sees(admin) == "HIT"
    await shop.keeps(viewer, "{ me { name } }")
    assert (await admin.data("{ me { name } }"))["me"]["name"] == "admin"
    assert (await viewer.data("{ me { name } }"))["me"]["name"] != "admin"


LOOKS_AT_WHO_ASKS: dict[str, Callable[[Context], object]] = {
    "at the member": lambda context: context.member_id,
    "at a permission": lambda context: context.require("read"),
}


@pytest.mark.parametrize("look", LOOKS_AT_WHO_ASKS)
async def test_what_looked_at_who_asks_is_kept_only_where_the_answer_is_ones_own(
    shop: Shop, viewer: Client, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    """Should a field do so without saying it in the schema."""
    read = Dashboard.read

    async def looking(info: Info, *given: Any) -> Dashboard:
        LOOKS_AT_WHO_ASKS[look](info.context)
        return await read(info, *given)

    await shop.keeps(viewer, "{ pipelines { name } }")
    monkeypatch.setattr(Dashboard, "read", looking)
    assert [await shop.sees(viewer, "{ dashboard { asOf } }") for _ in range(3)] == ["MISS"] * 3
    await shop.keeps(viewer, "{ dashboard { asOf } me { id } }")


async def test_spellings_of_a_question_share_its_answer(shop: Shop, viewer: Client) -> None:
    await shop.keeps(viewer)
    assert await shop.sees(viewer, DASHBOARD.replace(" ", "\n\t ,") + " # the same") == "HIT"
    by_get = await viewer.http.get(
        "/graphql", params={"query": DASHBOARD}, headers={"Authorization": f"Bearer {viewer.token}"}
    )
    assert by_get.headers["X-Cache"] == "HIT"


async def test_errors_changes_and_what_admins_see_are_not_kept(shop: Shop, opened: Open) -> None:
    admin = await opened("admin")
    await shop.keeps(admin)
    assert {await shop.sees(admin, "{ rollups { name } }") for _ in range(3)} == {"BYPASS"}
    assert {await shop.sees(admin, "{ auditLog { nodes { at } } }") for _ in range(3)} == {"BYPASS"}
    assert {await shop.sees(admin, "{ budget { mode } }") for _ in range(3)} == {"BYPASS"}
    purge = "mutation { purgeCache(tags: [PRODUCTS]) { tags } }"
    assert {await shop.sees(admin, purge) for _ in range(2)} == {"BYPASS"}
    wrong = "{ deals(first: 1000) { nodes { id } } dashboard { asOf } }"
    assert {(await ask(admin, wrong)).headers["X-Cache"] for _ in range(3)} == {"MISS"}
    nobody = Client(admin.app, admin.http, None)
    assert (await ask(nobody)).headers["X-Cache"] == "BYPASS"


async def test_callers_say_how_fresh_an_answer_has_to_be(shop: Shop, viewer: Client) -> None:
    await shop.keeps(viewer)
    assert await shop.sees(viewer, cache_control="max-age=3600") == "HIT"
    assert await shop.sees(viewer, cache_control="no-cache") == "BYPASS"
    assert await shop.sees(viewer, cache_control="max-age=0") == "BYPASS"
    refreshed = await viewer.http.post(
        "/graphql?refresh=true", json={"query": DASHBOARD}, headers={"Authorization": f"Bearer {viewer.token}"}
    )
    assert refreshed.headers["X-Cache"] == "BYPASS"
    assert await shop.sees(viewer) == "HIT"


async def test_a_stale_answer_is_given_to_who_asks_for_it_alone(shop: Shop, viewer: Client) -> None:
    await shop.keeps(viewer)
    before = await total(viewer)
    await shop.world.deal("2026-01-06T10:00", owner="rep", amount="5")
    await asyncio.sleep(0.3)
    stale = await ask(viewer, cache_control="max-stale=600")
    assert stale.headers["X-Cache"] == "STALE"
    assert stale.json()["data"]["dashboard"]["overview"]["deals"]["total"] == before
    assert await total(viewer) == before + 1


async def test_an_answer_tells_of_the_cache_when_asked(shop: Shop, viewer: Client) -> None:
    await shop.keeps(viewer)
    told = (await ask(viewer, graphql_cache="status")).json()
    assert told["extensions"]["cache"]["status"] == "HIT"
    assert told["extensions"]["cache"]["ageMs"] >= 0
    assert "extensions" not in (await ask(viewer)).json()


async def test_the_same_data_is_not_sent_again(shop: Shop, viewer: Client) -> None:
    asking: dict[str, Any] = {"params": {"query": DASHBOARD}, "headers": {"Authorization": f"Bearer {viewer.token}"}}
    await shop.keeps(viewer)
    etag = (await viewer.http.get("/graphql", **asking)).headers["ETag"]
    asking["headers"]["If-None-Match"] = f'"other", {etag}'
    again = await viewer.http.get("/graphql", **asking)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    await shop.world.deal("2026-01-06T10:00", owner="rep", amount="5")

    async def changed() -> bool:
        response = await viewer.http.get("/graphql", **asking)
        return bool(response.status_code == 200)

    await until(changed)


async def test_a_hundred_at_once_are_one_execution(shop: Shop, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    # However busy the machine is, the gateway is believed to hear of changes in time.
    monkeypatch.setattr(listener, "TRUST_SECONDS", 600)
    viewer = await opened()
    await shop.keeps(viewer, "{ me { name } }")
    before = await statements(viewer)
    async with locked(shop.database, "tasks"):
        asking = [asyncio.create_task(ask(viewer, TASKS)) for _ in range(100)]
        await until_waiting(shop.database)
        # None but the one who reads has to wait for more than the others' turns.
        for _ in range(1000):
            await asyncio.sleep(0)
    responses = await asyncio.gather(*asking)
    assert {(response.headers["X-Cache"], response.content) for response in responses} == {
        ("MISS", responses[0].content)
    }
    # The moment, and the board.
    assert await statements(viewer) - before == 2


async def test_what_the_clock_ends_is_not_given_out_after_it(shop: Shop, viewer: Client) -> None:
    query = "{ dashboard { overview { tasks { overdue } } } }"
    await shop.world.task("clock_timestamp() + interval '2 seconds'")
    await asyncio.sleep(0.2)
    await shop.keeps(viewer, query)
    before = (await viewer.data(query))["dashboard"]["overview"]["tasks"]["overdue"]

    async def due() -> bool:
        found = (await viewer.data(query))["dashboard"]["overview"]["tasks"]["overdue"]
        return bool(found == before + 1)

    await until(due)


def test_whatever_answers_are_read_from_can_be_purged() -> None:
    of_answers = [statement for statement in every_statement() if statement.source != "identity"]
    written = {table for statement in of_answers for table in statement.reads}
    sources = [source for source in vars(lists).values() if isinstance(source, ListSource)]
    listed = {table for source in sources for table in (source.table, *source.columns_read)}
    joined = {join.table for join in vars(deal_groups).values() if isinstance(join, deal_groups.Join)}
    assert {tag.name.lower() for tag in CacheTag} == written | listed | joined


async def test_an_admin_ends_kept_answers(shop: Shop, opened: Open) -> None:
    viewer = await opened()
    elsewhere = await opened()
    admin = await beside(shop, viewer, "admin")
    for client in (viewer, elsewhere):
        await shop.keeps(client)
    purged = await admin.data("mutation { purgeCache(tags: [DEALS]) { tags } }")
    assert purged == {"purgeCache": {"tags": ["DEALS"]}}
    assert await shop.sees(viewer) == "MISS"

    async def ended() -> bool:
        return await shop.sees(elsewhere) == "MISS"

    await until(ended)
    assert await viewer.codes("mutation { purgeCache { tags } }") == ["FORBIDDEN"]


async def test_what_an_admin_ended_is_not_given_out_as_stale(shop: Shop, viewer: Client) -> None:
    admin = await beside(shop, viewer, "admin")
    for tag, seen in (("PRODUCTS", "STALE"), ("DEALS", "MISS")):
        await shop.keeps(viewer)
        await shop.world.deal("2026-01-06T10:00", owner="rep", amount="5")
        await admin.data(f"mutation {{ purgeCache(tags: [{tag}]) {{ tags }} }}")
        await asyncio.sleep(0.3)
        assert await shop.sees(viewer, cache_control="max-stale=600") == seen


async def test_what_an_admin_ends_is_their_own_tenants(shop: Shop, opened: Open) -> None:
    other = await World.create(shop.world.owner, "not-purged")
    await other.deal("2026-01-05T10:00", amount="1")
    admin = await opened("admin")
    neighbour = Client(admin.app, admin.http, await shop.database.token("not-purged"))
    for client in (admin, neighbour):
        await shop.keeps(client)
    await admin.data("mutation { purgeCache { tags } }")
    assert [await shop.sees(client) for client in (neighbour, admin)] == ["HIT", "MISS"]


async def test_folds_and_refreshes_leave_it(shop: Shop, viewer: Client) -> None:
    await shop.world.deal("2026-01-06T10:00", owner="rep", amount="5")
    await asyncio.sleep(0.2)
    await shop.keeps(viewer)
    worker = await asyncpg.connect(shop.database.worker_dsn)
    for rollup in ROLLUPS:
        await fold_rollup(worker, rollup)
        await refresh_rollup(worker, rollup)
    await worker.close()
    await asyncio.sleep(0.2)
    assert await shop.sees(viewer) == "HIT"
