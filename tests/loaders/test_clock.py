"""There is one clock, the moment's, and one way to it, `Context.moment`: what goes by it ends when its day does."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Database
from tests.postgres.catalogue import OURS, OWN_FUNCTION

ROOT = Path(__file__).parents[2]
PLACES = (ROOT / "loaders", ROOT / "src/gateway/api")

CLOCK = re.compile(
    r"""\b(?:now|utcnow|today|(?:clock|statement|transaction)_timestamp|timeofday|age)\(
    |\bcurrent_(?:date|time|timestamp)\b|\blocaltime(?:stamp)?\b
    |'(?:now|today|tomorrow|yesterday)'::(?:date|time)|\b(?:date|time\w*)\s+'(?:now|today|tomorrow|yesterday)'
    |\b(?:import\s+time|from\s+time\s+import|gmtime|time_ns|monotonic)\b""",
    re.IGNORECASE | re.VERBOSE,
)
MOMENT = re.compile(r"\.opened\(")
"""How the moment of a snapshot is read."""

IN_THE_DATABASE = f"""
SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE {OWN_FUNCTION} AND p.prokind = 'f' AND has_function_privilege('gateway', p.oid, 'EXECUTE')
UNION ALL
SELECT c.oid::regclass::text, pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE {OURS} AND c.relkind IN ('v', 'm')
UNION ALL
SELECT polrelid::regclass::text, pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polqual IS NOT NULL
"""
"""Whatever a statement of the gateway may call upon, with its text."""


def found(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """What reads a clock or the moment, by its file."""
    paths = [path for place in PLACES for path in place.rglob("*") if path.suffix in {".py", ".sql"}]
    for path in sorted(paths):
        for match in pattern.finditer(path.read_text(encoding="utf-8")):
            yield path.relative_to(ROOT).as_posix(), match.group()


def test_what_is_read_knows_no_clock_but_that_of_the_moment() -> None:
    assert list(found(CLOCK)) == [("loaders/sql/tenants.sql", "clock_timestamp(")]


async def test_nothing_that_is_called_upon_in_the_database_reads_a_clock(database: Database) -> None:
    async with database.as_owner() as owner:
        texts = dict(await owner.fetch(IN_THE_DATABASE))
    assert len(texts) > 20
    assert [name for name, text in texts.items() if CLOCK.search(text)] == []


def test_the_moment_is_had_in_one_place_alone() -> None:
    assert list(found(MOMENT)) == [("src/gateway/api/context.py", ".opened(")]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT now()",
        "WHERE due_at < CURRENT_DATE",
        "localtimestamp - interval '1 day'",
        "SELECT 'today'::date, timestamptz '2026-01-01'",
        "SELECT timestamptz 'now'",
        "age(created_at)",
        "datetime.now(UTC)",
        "date.today()",
        "from time import time",
        "import time",
    ],
)
def test_a_clock_is_found(text: str) -> None:
    assert CLOCK.search(text)
