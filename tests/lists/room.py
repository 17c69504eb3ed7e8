"""A tenant of some dozens of awkward rows: ties, missing values, deleted rows, many scripts, days around midnight.

Two tenants hold it, with the same keys of records: `north`, nine hours ahead of UTC, whom the tests ask, and `south`,
whose every text and amount is its own and may never be seen by `north`.
"""

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg

from gateway.commands.create_tenant import TENANT
from tests.world import instant

NORTH, SOUTH = "north", "south"
MARK = "CANARY"
"""Stands in every text of `south`."""

TEXTS = (
    "Alpha",
    "alpha beta",
    "ALPHABET",
    "100% sure",
    "100 percent",
    "under_score",
    "underXscore",
    "back\\slash",
    "back\\\\slashes",
    'O\'Brien "Bob"; DROP TABLE deals --',
    "🚀 rocket 👩‍👩‍👧",
    "שלום עולם",
    "مرحبا بالعالم",
    "ÄRGER & Söhne",
    "ärger",
    "ДЕЛО дело",
    "%",
    "_",
    "\\",
    "x" * 200,
)
TEAMS, REGIONS = ("East", "West", None), ("North", "Süd", None)
INDUSTRIES = ("Energy", "Retail", None, "energy")
KEYS = {"members": 7, "companies": 24, "contacts": 30, "deals": 72, "activities": 60, "tasks": 40, "products": 5}
"""How many rows of each table, deleted ones included; keys begin with 1."""

STAGES = (
    (1, 1, "Lead", 1, "0.1", "open"),
    (2, 1, "Proposal", 2, "0.5", "open"),
    (3, 1, "Won", 3, "1", "won"),
    (4, 1, "Lost", 4, "0", "lost"),
    (5, 2, "Renewal", 1, "0.85", "open"),
    (6, 2, "Won", 2, "1", "won"),
    (7, 2, "Lost", 3, "0", "lost"),
)
Row = dict[str, Any]


async def add_room(owner: asyncpg.Connection, slug: str, time_zone: str, seed: int, *, mark: str = "") -> int:
    """Adds the tenant with all its rows and gives its key."""
    async with owner.transaction():
        tenant_id: int = await owner.fetchval(TENANT, slug, slug.title(), "enterprise", "EUR", time_zone)
        for table, rows in tables(seeded(seed), mark).items():
            await _insert(owner, table, [{"tenant_id": tenant_id, **row} for row in rows])
        await owner.execute("UPDATE deals SET deleted_at = now() WHERE tenant_id = $1 AND id % 12 = 0", tenant_id)
        await owner.execute("UPDATE companies SET deleted_at = now() WHERE tenant_id = $1 AND id % 8 = 0", tenant_id)
        await owner.execute("UPDATE products SET deleted_at = now() WHERE tenant_id = $1 AND id = 5", tenant_id)
        for table in ("contacts", "activities", "tasks"):
            await owner.execute(f"UPDATE {table} SET deleted_at = now() WHERE tenant_id = $1 AND id % 9 = 0", tenant_id)
    return tenant_id


def seeded(seed: int) -> random.Random:
    """Dice that fall the same way in every run."""
    return random.Random(seed)  # noqa: S311 - chance that can be repeated, nothing secret


def tables(dice: random.Random, mark: str) -> dict[str, list[Row]]:
    """The rows of each table in an order in which they can be inserted."""
    maybe, text = _Chances(dice), _texts(dice, mark)
    return {
        "members": [_member(key, dice, text, mark) for key in _keys("members")],
        "companies": [_company(key, dice, maybe, text, mark) for key in _keys("companies")],
        "contacts": [_contact(key, dice, maybe, text) for key in _keys("contacts")],
        "pipelines": [{"id": key, "name": text(), "is_default": key == 1} for key in (1, 2)],
        "stages": [_stage(row, mark) for row in STAGES],
        "products": [{"id": key, "name": f"{mark} product {key}"} for key in _keys("products")],
        "deals": [_deal(key, dice, maybe, text, mark) for key in _keys("deals")],
        "deal_products": [row for key in _keys("deals") for row in _lines(key, dice, maybe, mark)],
        "activities": [_activity(key, dice, maybe, text) for key in _keys("activities")],
        "tasks": [_task(key, dice, maybe, text) for key in _keys("tasks")],
    }


class _Chances:
    """A value, or nothing in about a quarter of the cases."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def __call__(self, value: Any) -> Any:
        return None if self._dice.random() < 0.25 else value


def _keys(table: str) -> range:
    return range(1, KEYS[table] + 1)


def _texts(dice: random.Random, mark: str) -> Callable[[], str]:
    return lambda: mark + dice.choice(TEXTS)


def _marked(word: str | None, mark: str) -> str | None:
    return None if word is None else mark + word


def _when(dice: random.Random) -> datetime:
    """One of few instants: ties, and both sides of midnight in Tokyo and in UTC."""
    hour = dice.choice(("00:00", "14:59:59.999999", "15:00", "23:59:59.999999"))
    return instant(f"2024-03-30T{hour}") + timedelta(days=dice.randrange(8))


def _amount(dice: random.Random, mark: str) -> Decimal:
    amounts = ("0", "0.0001", "99.99", "100", "100.0001", "12345678901234.5678")
    return Decimal("31337.0001") if mark else Decimal(dice.choice(amounts))


def _member(key: int, dice: random.Random, text: Callable[[], str], mark: str) -> Row:
    role = ("viewer", "rep", "manager", "admin")[key % 4]
    named = {"name": text(), "email": f"{mark.lower()}m{key}@example.test", "role": role}
    groups = {"team": _marked(TEAMS[key % 3], mark), "region": _marked(REGIONS[key // 2 % 3], mark)}
    return {"id": key, **named, **groups, "active": key % 3 != 0, "created_at": _when(dice)}


def _company(key: int, dice: random.Random, maybe: _Chances, text: Callable[[], str], mark: str) -> Row:
    groups = {"industry": _marked(INDUSTRIES[key % 4], mark), "region": _marked(dice.choice(REGIONS), mark)}
    employees = maybe(dice.choice((0, 10, 2_000_000_000)))
    owner = maybe(dice.choice(_keys("members")))
    return {"id": key, "owner_id": owner, "name": text(), **groups, "employees": employees, "created_at": _when(dice)}


def _contact(key: int, dice: random.Random, maybe: _Chances, text: Callable[[], str]) -> Row:
    links = {"company_id": maybe(dice.choice(_keys("companies"))), "owner_id": maybe(dice.choice(_keys("members")))}
    return {"id": key, **links, "name": text(), "email": maybe(f"{text()}@example.test"), "created_at": _when(dice)}


def _stage(row: tuple[int, int, str, int, str, str], mark: str) -> Row:
    key, pipeline, name, position, probability, kind = row
    named = {"name": mark + name, "position": position, "probability": Decimal(probability), "kind": kind}
    return {"id": key, "pipeline_id": pipeline, **named}


def _deal(key: int, dice: random.Random, maybe: _Chances, text: Callable[[], str], mark: str) -> Row:
    stage, pipeline, *_, kind = dice.choice(STAGES)
    created = _when(dice)
    closed = created + timedelta(days=dice.randrange(40)) if kind != "open" else None
    links = {"pipeline_id": pipeline, "stage_id": stage, "owner_id": dice.choice(_keys("members"))}
    expected = maybe(date(2024, 3, 25) + timedelta(days=dice.randrange(60)))
    return {
        "id": key,
        **links,
        "company_id": maybe(dice.choice(_keys("companies"))),
        "name": text(),
        "amount": maybe(_amount(dice, mark)),
        "expected_close": expected,
        "created_at": created,
        "closed_at": closed,
    }


def _lines(deal: int, dice: random.Random, maybe: _Chances, mark: str) -> list[Row]:
    sold = dice.sample(_keys("products"), dice.choice((0, 1, 1, 2)))
    return [{"deal_id": deal, "product_id": key, "amount": maybe(_amount(dice, mark))} for key in sold]


def _activity(key: int, dice: random.Random, maybe: _Chances, text: Callable[[], str]) -> Row:
    links = {
        f"{name}_id": maybe(dice.choice(_keys(table)))
        for name, table in (("company", "companies"), ("contact", "contacts"), ("deal", "deals"))
    }
    kind, done = dice.choice(("call", "email", "meeting", "note")), _when(dice)
    owner = dice.choice(_keys("members"))
    said = {"kind": kind, "subject": text(), "body": text()}
    return {"id": key, **said, "owner_id": owner, **links, "occurred_at": done, "created_at": _when(dice)}


def _task(key: int, dice: random.Random, maybe: _Chances, text: Callable[[], str]) -> Row:
    links = {"company_id": maybe(dice.choice(_keys("companies"))), "deal_id": maybe(dice.choice(_keys("deals")))}
    due, done = maybe(_when(dice)), maybe(_when(dice))
    named = {"title": text(), "priority": dice.choice(("low", "normal", "high"))}
    owner = dice.choice(_keys("members"))
    return {
        "id": key,
        **named,
        "owner_id": owner,
        **links,
        "due_at": due,
        "completed_at": done,
        "created_at": _when(dice),
    }


async def _insert(owner: asyncpg.Connection, table: str, rows: Sequence[Row]) -> None:
    columns = list(rows[0])
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
    await owner.executemany(statement, [tuple(row[name] for name in columns) for row in rows])
