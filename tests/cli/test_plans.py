"""`gateway plans` and `gateway tenant set-plan`: what they show, set and refuse, and who goes by it."""

import asyncio
import json
import re
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from gateway.cli.plans import MOST_POINTS
from gateway.commands.create_tenant import NewTenant, create_tenant
from gateway.commands.plans import LOCK, Change, set_own, set_plan
from gateway.commands.refusals import CommandRefusedError
from tests.cli.conftest import Command
from tests.cli.processes import get, running, wait_until
from tests.cli.test_commands import plain
from tests.conftest import JWT_SECRET, Database
from tests.pipeline.acme import found_acme, until
from tests.servers import free_port

HEAD = (
    "plan or tenant | on plan | points | rate | most | deadline | page-size | bulk-size | concurrency | stale-instead"
)
STANDARD = "standard | 20 000 | 1 000 | 5 000 | 15 s | 100 | 500 | 4 | no"
PROFESSIONAL = "professional | 100 000 | 5 000 | 20 000 | 30 s | 100 | 1 000 | 8 | no"
ENTERPRISE = "enterprise | 400 000 | 20 000 | 100 000 | 60 s | 100 | 1 000 | 16 | no"
RANGES = {
    "--points": ("bucket_points", MOST_POINTS),
    "--rate": ("points_per_second", MOST_POINTS),
    "--most": ("most_points", MOST_POINTS),
    "--deadline": ("deadline_seconds", 3600),
    "--page-size": ("page_size", 100),
    "--bulk-size": ("bulk_size", 10_000),
    "--concurrency": ("concurrency", 1000),
}
"""The column of each number, and the largest that it may be."""


WAITING = "(SELECT count(*) FROM pg_locks WHERE relation = 'plans'::regclass AND NOT granted)"


@pytest.fixture
async def owned(database: Database) -> dict[str, str]:
    """Settings of the owner of a database with tenants `acme` and `bolt`, of the smallest plan."""
    async with database.as_owner() as owner:
        for slug in ("acme", "bolt"):
            await create_tenant(owner, NewTenant(slug, slug))
    return {"MIGRATION_DATABASE_URL": database.owner_dsn}


def lines(text: str) -> list[str]:
    """Of a table, each with its cells."""
    return [re.sub(r" {2,}", " | ", line.strip()) for line in text.splitlines()]


async def test_the_plans_are_listed_the_smallest_first(command: Command, owned: dict[str, str]) -> None:
    code, text, err = await command("plans", "list", **owned)
    assert (code, err) == (0, "")
    assert lines(text) == [f"{HEAD} | mode", STANDARD, PROFESSIONAL, ENTERPRISE]


async def test_a_part_of_a_plan_is_set_and_shown_as_it_was_and_is(command: Command, owned: dict[str, str]) -> None:
    given = ("plans", "set", "standard", "--points=30000", "--deadline=20", "--stale-instead")
    assert await command(*given, **owned) == (
        0,
        "standard:\n  points: 20 000 → 30 000\n  deadline: 15 s → 20 s\n  stale-instead: no → yes\n",
        "",
    )
    assert await command(*given, **owned) == (0, "standard is so already.\n", "")
    assert await command("plans", "set", "standard", "--no-stale-instead", **owned) == (
        *(0, "standard:\n  stale-instead: yes → no\n", ""),
    )
    changed = "standard | 30 000 | 1 000 | 5 000 | 20 s | 100 | 500 | 4 | no"
    assert lines((await command("plans", "list", **owned))[1])[1:] == [changed, PROFESSIONAL, ENTERPRISE]


async def test_a_tenants_own_terms_are_listed_below_the_plans(command: Command, owned: dict[str, str]) -> None:
    mine = ("plans", "set", "--tenant=acme")
    assert await command(*mine, "--page-size=50", "--mode=enforce", **owned) == (
        *(0, "acme:\n  page-size: 100 → 50, its own\n  mode: default → enforce, its own\n", ""),
    )
    await command("plans", "set", "--tenant=bolt", "--points=20000", "--stale-instead", **owned)
    table = lines((await command("plans", "list", **owned))[1])
    assert table[1:] == [
        *(STANDARD, PROFESSIONAL, ENTERPRISE),
        *("acme | standard | 50 | enforce", "bolt | standard | 20 000 | yes"),
    ]


async def test_what_is_a_tenants_own_outlives_a_change_of_its_plan(command: Command, owned: dict[str, str]) -> None:
    await command("plans", "set", "--tenant=acme", "--points=20000", **owned)
    await command("plans", "set", "standard", "--points=40000", "--rate=2000", **owned)
    _, text, _ = await command("tenant", "set-plan", "acme", "professional", **owned)
    assert text.splitlines()[:3] == ["acme:", "  plan: standard → professional", "  rate: 2 000 → 5 000"]
    assert "points" not in text


async def test_a_tenants_own_terms_are_taken_back_one_by_one_or_all(
    command: Command, owned: dict[str, str], database: Database
) -> None:
    mine = ("plans", "set", "--tenant=acme")
    await command(*mine, "--page-size=50", "--concurrency=2", "--mode=off", **owned)
    assert (await command(*mine, "--mode=default", **owned))[1] == "acme:\n  mode: off, its own → default\n"
    assert (await command(*mine, "--clear", "--concurrency=3", **owned))[1] == (
        "acme:\n  page-size: 50, its own → 100\n  concurrency: 2, its own → 3, its own\n"
    )
    assert (await command(*mine, "--clear", **owned))[1] == "acme:\n  concurrency: 3, its own → 4\n"
    assert (await command(*mine, "--clear", **owned))[1] == "acme is so already.\n"
    async with database.as_owner() as owner:
        assert await owner.fetchval("SELECT count(*) FROM tenant_terms") == 0


def never(whose: str, most: int, bucket: int, remedy: str) -> str:
    """What is said of an operation that no budget would hold."""
    return f"{whose} could cost {most} points, and its budget would hold {bucket}: it could never be admitted. {remedy}"


NO_PLAN = "There is no plan `gold`: there are standard, professional, enterprise."
NO_TENANT = "There is no tenant `none`: create it with `gateway tenant create`."
NOTHING = "Nothing to set: say what, such as --points 30000; --help tells all."
EITHER = "Name either a plan (NAME) or a tenant (--tenant SLUG)."
OF_A_TENANT = "--mode and --clear are about a tenant's own terms: name it by --tenant SLUG."
REFUSED: dict[tuple[str, ...], str] = {
    ("set", "gold", "--points=1"): NO_PLAN,
    ("set", "--tenant=none", "--points=1"): NO_TENANT,
    ("set", "standard"): NOTHING,
    ("set", "--tenant=acme"): NOTHING,
    ("set", "--points=30000"): EITHER,
    ("set", "standard", "--tenant=acme", "--most=1"): EITHER,
    ("set", "standard", "--mode=off"): OF_A_TENANT,
    ("set", "standard", "--clear"): OF_A_TENANT,
    ("set", "standard", "--points=4999"): never(
        *("An operation of standard", 5000, 4999, "Give --points 5000 or more, or --most 4999 or less.")
    ),
    ("set", "--tenant=acme", "--most=20001"): never(
        *("An operation of acme", 20001, 20000, "Give --points 20001 or more, or --most 20000 or less.")
    ),
    ("set", "professional", "--points=20000", "--most=10000"): never(
        *("By its own terms an operation of bolt", 90000, 20000),
        "Set them first: gateway plans set --tenant bolt --most 20000",
    ),
}


@pytest.mark.parametrize("arguments", REFUSED)
async def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    command: Command, owned: dict[str, str], arguments: tuple[str, ...]
) -> None:
    await command("tenant", "set-plan", "bolt", "professional", **owned)
    await command("plans", "set", "--tenant=bolt", "--most=90000", **owned)
    before = await command("plans", "list", **owned)
    assert await command("plans", *arguments, **owned) == (1, "", f"{REFUSED[arguments]}\n")
    assert await command("plans", "list", **owned) == before


UNFIT: dict[tuple[str, ...], str] = {
    ("acme", "gold"): NO_PLAN,
    ("none", "standard"): NO_TENANT,
    ("acme", "standard"): never(
        *("By its own terms an operation of acme", 90000, 20000),
        "Set them first: gateway plans set --tenant acme --most 20000",
    ),
}


@pytest.mark.parametrize("arguments", UNFIT)
async def test_a_plan_that_a_tenant_cannot_have_is_one_sentence(
    command: Command, owned: dict[str, str], database: Database, arguments: tuple[str, ...]
) -> None:
    await command("tenant", "set-plan", "acme", "professional", **owned)
    await command("plans", "set", "--tenant=acme", "--most=90000", **owned)
    assert await command("tenant", "set-plan", *arguments, **owned) == (1, "", f"{UNFIT[arguments]}\n")
    async with database.as_owner() as owner:
        assert await owner.fetchval("SELECT plan FROM tenants WHERE slug = 'acme'") == "professional"


@pytest.mark.parametrize("option", RANGES)
async def test_numbers_that_the_database_refuses_are_refused_with_their_range(
    command: Command, owned: dict[str, str], database: Database, option: str
) -> None:
    column, most = RANGES[option]
    for wrong in (0, most + 1):
        code, _, err = await command("plans", "set", "--tenant=acme", f"{option}={wrong}", **owned)
        told = f"Invalid value for '{option}': Input should be {'less' if wrong else 'greater'} than or equal to"
        assert (code, told in plain(err)) == (2, True), err
        async with database.as_owner() as owner:
            with pytest.raises(asyncpg.CheckViolationError):
                await owner.execute(f"INSERT INTO tenant_terms (tenant_id, {column}) VALUES (1, {wrong})")
            with pytest.raises(asyncpg.CheckViolationError):
                await owner.execute(f"UPDATE plans SET {column} = {wrong}")
    fits = ("--points", str(MOST_POINTS)) if option == "--most" else ("--most", "1")
    for right in (1, most):
        assert (await command("plans", "set", "--tenant=acme", option, str(right), *fits, **owned))[0] == 0


@pytest.mark.usefixtures("owned")
async def test_two_who_set_at_once_leave_no_operation_that_could_never_be_admitted(database: Database) -> None:
    async with database.as_owner() as one, database.as_owner() as two, database.as_owner() as owner:
        async with owner.transaction():
            await owner.execute(LOCK)
            smaller = asyncio.create_task(set_plan(one, "standard", {"bucket_points": 6000}))
            larger = asyncio.create_task(set_own(two, "acme", {"most_points": 9000}, clear=False))

            async def both_wait() -> bool:
                return bool(await owner.fetchval(f"SELECT {WAITING} = 2"))

            await until(both_wait)
        done = await asyncio.gather(smaller, larger, return_exceptions=True)
    assert {type(one) for one in done} == {Change, CommandRefusedError}


async def refuses(port: int, token: str) -> bool:
    """Whether a gateway of its own refuses a page of sixty."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    body = json.dumps({"query": "{ deals(first: 60) { totalCount } }"}).encode()
    answer = await asyncio.to_thread(get, f"http://127.0.0.1:{port}/graphql", headers=headers, body=body)
    return "must be from 0 to 50" in (answer or b"").decode()


async def test_every_process_goes_by_what_was_set(command: Command, database: Database, tmp_path: Path) -> None:
    await found_acme(database)
    token, ports = await database.token("acme"), (free_port(), free_port())
    settings = {"DATABASE_URL": database.gateway_dsn, "JWT_SECRET": JWT_SECRET}
    with ExitStack() as stack:
        for port in ports:
            stack.enter_context(running(tmp_path / f"{port}", "serve", "--port", str(port), **settings))
        for port in ports:
            await asyncio.to_thread(wait_until, partial(get, f"http://127.0.0.1:{port}/health/ready"))
            assert not await refuses(port, token)
        for given, then in (("--page-size=50", True), ("--clear", False)):
            await command("plans", "set", "--tenant=acme", given, MIGRATION_DATABASE_URL=database.owner_dsn)

            async def all_do(then: bool = then) -> bool:
                return {await refuses(port, token) for port in ports} == {then}

            await until(all_do)
