"""What a caller may use is what the tenant's plan says, and what is agreed with the tenant alone, at any moment."""

import asyncio
from functools import partial

import pytest

from gateway.commands.plans import set_own, set_plan, set_tenant_plan
from gateway.identity import members
from tests.conftest import Client, Database, Serve
from tests.pipeline.acme import locked, until, until_waiting
from tests.world import World

MANY = "{ deals(first: 60) { totalCount } }"
AS_MANY_AS_THERE_ARE = "{ deals { nodes { id } } }"
OPEN_TASKS = "{ dashboard { overview { tasks { open } } } }"
SEVERAL = "mutation Several($input: UpdateDealStagesInput!) { updateDealStages(input: $input) { operationId } }"
DELETE_THREE = 'mutation { deleteDeals(input: { dealIds: ["a", "b", "c"] }) { operationId } }'
AT_MOST_TWO = "`dealIds` has from 1 to 2 entries; it has 3."


@pytest.fixture
async def world(database: Database) -> World:
    """Tenants `acme` and `bolt` of one plan, in both of which bob is a manager; `acme` has three deals."""
    async with database.as_owner() as owner:
        await World.create(owner, "bolt")
        world = await World.create(owner, "acme")
        for _ in range(3):
            await world.deal("2026-01-05T10:00", amount="100")
        await owner.execute("UPDATE members SET role = 'manager' WHERE name = 'bob'")
    return world


@pytest.fixture
def known_by_notice_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member is looked up again as soon as nothing says that the last record still holds, however young it is."""
    monkeypatch.setattr(members, "LIFETIME_SECONDS", 0.0)


async def agree(database: Database, slug: str, **given: int | str | bool | None) -> None:
    async with database.as_owner() as owner:
        await set_own(owner, slug, given, clear=False)


async def hits(client: Client, query: str) -> bool:
    return (await client.post(query)).headers["X-Cache"] == "HIT"


async def refuses(client: Client, query: str) -> bool:
    return await client.codes(query) == ["BAD_USER_INPUT"]


async def accepts(client: Client, query: str) -> bool:
    return await client.codes(query) == []


async def says(client: Client, query: str, sentence: str) -> bool:
    return sentence in (await client.post(query)).text


@pytest.mark.usefixtures("known_by_notice_alone", "world")
async def test_a_running_gateway_hears_of_a_plans_change(database: Database, serve: Serve) -> None:
    client = await serve(database, "acme", cache_max_age_seconds=3600)
    await until(lambda: hits(client, MANY))
    async with database.as_owner() as owner:
        await set_plan(owner, "enterprise", {"page_size": 50})
    await until(lambda: refuses(client, MANY))


@pytest.mark.usefixtures("known_by_notice_alone", "world")
async def test_what_is_agreed_with_one_tenant_is_heard_of_and_no_others(database: Database, serve: Serve) -> None:
    acme, bolt = await serve(database, "acme"), await serve(database, "bolt")
    await agree(database, "acme", page_size=50)
    await until(lambda: refuses(acme, MANY))
    assert await bolt.codes(MANY) == []
    await agree(database, "acme", page_size=None)
    await until(lambda: accepts(acme, MANY))


@pytest.mark.usefixtures("known_by_notice_alone", "world")
async def test_a_tenant_that_changes_its_plan_goes_by_the_new_one(database: Database, serve: Serve) -> None:
    client = await serve(database, "acme")
    async with database.as_owner() as owner:
        await set_plan(owner, "standard", {"page_size": 50})
        assert await client.codes(MANY) == []
        await set_tenant_plan(owner, "acme", "standard")
    await until(lambda: refuses(client, MANY))


@pytest.mark.usefixtures("world")
async def test_kept_answers_outlive_a_change_of_plan(database: Database, serve: Serve) -> None:
    client = await serve(database, "acme", "manager", cache_max_age_seconds=3600)
    await until(lambda: hits(client, OPEN_TASKS))
    async with database.as_owner() as owner:
        await set_plan(owner, "enterprise", {"bucket_points": 500_000, "deadline_seconds": 20})
        await set_own(owner, "acme", {"bulk_size": 2}, clear=False)
    await until(lambda: says(client, DELETE_THREE, AT_MOST_TWO))
    assert await hits(client, OPEN_TASKS)


@pytest.mark.usefixtures("world")
async def test_how_long_a_page_is_that_no_length_was_asked_of_is_never_remembered_wrongly(
    database: Database, serve: Serve
) -> None:
    client = await serve(database, "acme", cache_max_age_seconds=3600)
    await until(lambda: hits(client, AS_MANY_AS_THERE_ARE))
    for most in (2, 3, 1):
        await agree(database, "acme", page_size=most)
        await until(partial(lists, client, most))
        await until(lambda: hits(client, AS_MANY_AS_THERE_ARE))
        assert await lists(client, most)


async def lists(client: Client, count: int) -> bool:
    return len((await client.data(AS_MANY_AS_THERE_ARE))["deals"]["nodes"]) == count


@pytest.mark.usefixtures("world")
async def test_the_smaller_of_plan_and_settings_holds(database: Database, serve: Serve) -> None:
    await agree(database, "acme", page_size=50)
    client = await serve(database, "acme")
    assert await says(client, MANY, "`first` must be from 0 to 50; it is 60.")
    stricter = await serve(database, "acme", page_size_limit=20)
    assert await says(stricter, MANY, "`first` must be from 0 to 20; it is 60.")


@pytest.mark.usefixtures("world")
async def test_a_change_of_many_records_is_bounded_by_the_plan(database: Database, serve: Serve) -> None:
    await agree(database, "acme", bulk_size=2)
    client = await serve(database, "acme", "manager")
    assert await says(client, DELETE_THREE, AT_MOST_TWO)


@pytest.mark.usefixtures("world")
async def test_lists_in_variables_are_bounded_by_the_plan_before_they_are_read(
    database: Database, serve: Serve
) -> None:
    await agree(database, "acme", bulk_size=1500)
    client = await serve(database, "acme", "manager", bulk_size_limit=2000)
    for count, refused in ((1500, False), (1501, True)):
        response = await client.post(SEVERAL, {"input": {"changes": [1] * count}})
        assert (f"`changes` has at most 1500 entries; it has {count}." in response.text) == refused


@pytest.mark.usefixtures("world")
async def test_a_request_ends_in_the_time_of_its_plan(database: Database, serve: Serve) -> None:
    await agree(database, "acme", deadline_seconds=1)
    acme, bolt = await serve(database, "acme", pool_size=1), await serve(database, "bolt", pool_size=1)
    async with locked(database, "tasks"):
        slow = asyncio.create_task(bolt.codes(OPEN_TASKS))
        await until_waiting(database, 1)
        assert await acme.codes(OPEN_TASKS) == ["DEADLINE_EXCEEDED"]
        assert not slow.done()
    assert await slow == []
    assert await acme.codes(OPEN_TASKS) == []


@pytest.mark.usefixtures("world")
async def test_a_setting_may_leave_less_time_than_the_plan(database: Database, serve: Serve) -> None:
    client = await serve(database, "acme", request_deadline_seconds=0.5)
    async with locked(database, "tasks"):
        assert await client.codes(OPEN_TASKS) == ["DEADLINE_EXCEEDED"]
