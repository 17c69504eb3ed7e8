"""Hot reads at the statistics of many uneven tenants: no large table is scanned whole, the tenant leads each index, and
the rows touched follow the answer, not the data. No read is exempt: those of all of a tenant's rows go by index too."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from loaders.keyset import ListSource, PageRequest
from loaders.lists import AUDIT
from loaders.reads import Statement, every_statement, statements
from tests.conftest import Database
from tests.plans.conftest import as_superuser
from tests.plans.hot import MONTH, arguments_of, most_rows_of
from tests.plans.listed import IDS, LISTS, SIZE, TENANT, Composed, counts, filtered, nested_pages, pages
from tests.plans.plans import BRANCHES, LARGE, RECORDS, Plan, explain, explain_generic, index_leaders

# A page reads one row more than it shows, twice where rows without a value are read apart.
ROWS_OF_A_PAGE = 2 * (SIZE + 1)

# Lists under a record in the order in which they come unless asked otherwise, where that record may have thousands.
HOT_NESTED = {("deals", "company", "created_at"), ("deals", "owner", "created_at"), ("tasks", "owner", "due_at")} | {
    ("activities", parent, "occurred_at") for parent in ("company", "owner")
}

STATEMENTS = [statement for statement in every_statement() if statement.source != "identity"]

SEARCHES = r"""
SELECT proname, pg_get_function_sqlbody(oid) AS body FROM pg_proc
 WHERE pronamespace = 'app'::regnamespace AND proname LIKE 'search\_%'
"""

Source = ListSource[Any]


class Reader:
    """Explains statements, and collects what is wrong with them."""

    def __init__(self, connection: asyncpg.Connection, leaders: dict[str, str]) -> None:
        self.connection = connection
        self.leaders = leaders
        self.wrong: list[str] = []

    async def plan(self, composed: Composed) -> Plan:
        """The plan that was run; faults of it and of the one for any arguments are noted."""
        generic = await explain_generic(self.connection, self.leaders, composed.sql, composed.arguments)
        plan = await explain(self.connection, self.leaders, composed.sql, composed.arguments, run=True)
        self.wrong += [f"{composed.label}: {fault}" for fault in (*plan.faults, *generic.faults)]
        return plan

    async def check(self, composed: Composed, most_rows: int | None = None) -> Plan:
        """As `plan`; rows touched beyond a limit are noted too."""
        plan = await self.plan(composed)
        if most_rows is not None and plan.rows_touched > most_rows:
            self.wrong.append(f"{composed.label}: {plan.rows_touched} rows touched, of at most {most_rows}")
        return plan

    async def rows_of(self, source: Source, column: str) -> int:
        """How many rows of a list have one of the ids in a column."""
        sql = f"SELECT count(*) FROM {source.table} WHERE tenant_id = $1 AND {column} = ANY($2::bigint[])"
        return int(await self.connection.fetchval(sql, TENANT, IDS))


@pytest.fixture
async def explained(reader: asyncpg.Connection) -> Reader:
    return Reader(reader, await index_leaders(reader))


def _name(source: Source) -> str:
    return source.name


@pytest.mark.parametrize("source", [*LISTS, AUDIT], ids=_name)
async def test_a_page_touches_the_rows_that_it_shows(explained: Reader, source: Source) -> None:
    async for page in pages(source):
        await explained.check(page, ROWS_OF_A_PAGE)
    assert explained.wrong == []


# No field nests deals under a stage.
@pytest.mark.parametrize(
    ("source", "parent"),
    [(source, parent) for source in LISTS for parent in source.parents if parent != "stage"],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
async def test_a_nested_page_touches_at_most_the_rows_of_its_parents(
    explained: Reader, source: Source, parent: str
) -> None:
    all_of_parents = await explained.rows_of(source, source.parents[parent])
    async for page in nested_pages(source, parent):
        hot = (source.name, parent, ordering(page)) in HOT_NESTED
        await explained.check(page, len(IDS) * ROWS_OF_A_PAGE if hot else 2 * all_of_parents + ROWS_OF_A_PAGE)
    assert explained.wrong == []


@pytest.mark.parametrize("source", LISTS, ids=_name)
async def test_a_filter_by_ids_touches_at_most_the_rows_that_it_lets_through(explained: Reader, source: Source) -> None:
    by_ids = {name: name.removesuffix("s") for name in source.filters if name.endswith("ids")}
    async for page in filtered(source):
        column = by_ids.get(page.label.partition(",")[0])
        # A stage or a pipeline holds a large part of all deals: an ordering's index is as good then.
        selective = column and column not in {"stage_id", "pipeline_id"}
        most = 2 * await explained.rows_of(source, str(column)) + ROWS_OF_A_PAGE if selective else None
        await explained.check(page, most)
    async for count in counts(source):
        await explained.check(count)
    assert explained.wrong == []


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.name)
async def test_a_written_statement_touches_each_row_of_its_tenant_once(
    explained: Reader, medium: Database, statement: Statement
) -> None:
    async with medium.as_owner() as owner:
        of_tenant = await rows_of_tenant(owner)
    most = most_rows_of(statement.name)
    for arguments in arguments_of(statement.name):
        composed = Composed(str(arguments), statement.sql, (TENANT, *arguments))
        plan = await explained.check(composed, most)
        explained.wrong += [f"{arguments}: {rows} {table}" for table, rows in plan.scans if rows > of_tenant[table]]
    assert explained.wrong == []


async def test_single_moves_are_read_from_indexes_alone_and_straight_deals_not_one_by_one(explained: Reader) -> None:
    statement = statements("deal_totals")["stage_passages"]
    plan = await explained.plan(Composed("a month", statement.sql, (TENANT, False, None, None, *MONTH)))
    reads = [
        (node["Node Type"], node["Index Name"].removeprefix("deal_stage_history_"), int(node["Actual Loops"]))
        for node in plan.nodes
        if node.get("Relation Name") == "deal_stage_history"
    ]
    # The first one is for stages that were changed.
    assert sorted(reads) == [
        ("Index Only Scan", "by_day", 0),
        ("Index Only Scan", "by_day", 1),
        ("Index Only Scan", "not_straight", 1),
    ]


async def test_companies_with_deals_are_counted_by_one_scan_of_each_part(explained: Reader) -> None:
    statement = statements("companies")["company_summary"]
    plan = await explained.plan(Composed("everyone", statement.sql, (TENANT, None, *MONTH, True)))
    parts = [
        (node["Relation Name"].removeprefix("company_deals_"), int(node["Actual Loops"]))
        for node in plan.nodes
        if node.get("Relation Name", "").startswith("company_deals_")
    ]
    assert sorted(parts) == [("base", 1), ("delta", 1), ("pending", 1)]


async def test_a_search_reads_rows_of_its_tenant_by_index(medium: Database) -> None:
    async with medium.as_owner() as owner:
        leaders = await index_leaders(owner)
        await owner.execute(f"SET app.tenant_id = '{TENANT}'")
        bodies = {row["proname"]: searching(row["body"]) for row in await owner.fetch(SEARCHES)}
        plans = {name: await explain(owner, leaders, body, ["%abc%"]) for name, body in bodies.items()}
    assert len(plans) == len(LISTS)
    # An index of trigrams, where there is one, finds the texts of all tenants: few, whoever's they are.
    assert [fault for plan in plans.values() for fault in plan.faults if not fault.endswith("_by_text")] == []


async def rows_of_tenant(connection: asyncpg.Connection) -> dict[str, int]:
    """How many rows a table has of the tenant."""
    schema = {**dict.fromkeys(RECORDS, "public"), **dict.fromkeys(BRANCHES, "rollup")}
    counted = [
        f"SELECT '{table}' AS name, count(*) FROM {schema[table]}.{table} WHERE tenant_id = $1"
        for table in sorted(LARGE)
    ]
    return dict(await connection.fetch(" UNION ALL ".join(counted), TENANT))


def ordering(page: Composed) -> str:
    assert page.request is not None
    return page.request.ordering


def searching(body: str) -> str:
    """The query of a search function, for a pattern in `$1`."""
    return re.sub(r"\b\w+\.pattern\b|\bpattern\b", "$1", body.partition("BEGIN ATOMIC")[2].rpartition(";")[0])


Without = Callable[[str], Awaitable[Reader]]


class TestEachCheckCanFail:
    """With the indexes that a read needs taken away, until the transaction ends."""

    @pytest.fixture
    async def without(self, medium: Database) -> AsyncIterator[Without]:
        connection = await as_superuser(medium)
        changing = connection.transaction()
        await changing.start()

        async def change(script: str) -> Reader:
            await connection.execute(f"{script}; SET LOCAL ROLE gateway; SET LOCAL app.tenant_id = '{TENANT}'")
            return Reader(connection, await index_leaders(connection))

        yield change
        await changing.rollback()
        await connection.close()

    async def test_a_page_without_its_index_touches_too_many_rows(self, without: Without) -> None:
        reader = await without("DROP INDEX companies_by_name")
        await reader.check(await page_of("companies", "name"), ROWS_OF_A_PAGE)
        (wrong,) = reader.wrong
        assert wrong.endswith(f"rows touched, of at most {ROWS_OF_A_PAGE}")

    async def test_a_scan_of_a_whole_table_is_a_fault(self, without: Without) -> None:
        kinds = ("indexscan", "indexonlyscan", "bitmapscan")
        reader = await without(";".join(f"SET LOCAL enable_{kind} = off" for kind in kinds))
        plan = await reader.plan(await page_of("companies", "name"))
        assert plan.faults == ["Seq Scan on companies"]

    async def test_an_index_that_the_tenant_does_not_lead_is_a_fault(self, without: Without) -> None:
        create = "CREATE INDEX companies_by_name ON companies (name, id) WHERE deleted_at IS NULL"
        reader = await without(f"DROP INDEX companies_by_name; {create}")
        plan = await reader.plan(await page_of("companies", "name"))
        assert plan.faults == ["by companies_by_name"]

    async def test_a_nested_list_without_its_index_touches_too_many_rows(self, without: Without) -> None:
        reader = await without("DROP INDEX deals_by_owner_and_created_at")
        (page, *_) = [page async for page in nested_pages(LISTS[0], "owner")]
        await reader.check(page, len(IDS) * ROWS_OF_A_PAGE)
        assert len(reader.wrong) == 1


async def page_of(name: str, ordering: str) -> Composed:
    """The first page of a list in an ordering."""
    (source,) = [source for source in LISTS if source.name == name]
    wanted = PageRequest(ordering, descending=False, size=SIZE)
    (page,) = [page async for page in pages(source) if page.request == wanted]
    return page
