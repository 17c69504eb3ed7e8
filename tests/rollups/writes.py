"""Every way in which the rows that rollups count are written, as Hypothesis draws it."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from tests.rollups.model import TABLES, TENANTS, Write

Values = st.SearchStrategy[object]

tenants = st.sampled_from(TENANTS)
ids = st.lists(st.integers(1, 5), min_size=1, max_size=4, unique=True)
members, stages, pipelines = st.integers(1, 2), st.integers(1, 6), st.integers(1, 2)
companies = st.sampled_from([None, 1, 2, 3])
days = st.sampled_from([date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 1), date(2024, 4, 2)])
# Beside midnight in Tokyo and in New York.
instants = st.sampled_from(
    [
        *(datetime(2024, 3, 31, 14, 59, 59, tzinfo=UTC), datetime(2024, 3, 31, 15, tzinfo=UTC)),
        *(datetime(2024, 4, 1, 3, 59, 59, tzinfo=UTC), datetime(2024, 4, 1, 4, tzinfo=UTC)),
    ]
)
maybe_instants = st.none() | instants
amounts = st.sampled_from([None, Decimal(0), Decimal("0.0001"), Decimal("10.5"), Decimal("99999999999999.9999")])
texts = st.sampled_from(["a", "b"])
keys = st.integers(1, 5)
optional_keys = st.none() | keys

COLUMNS: dict[str, dict[str, Values]] = {
    "deals": {
        "tenant_id": tenants,
        "id": keys,
        "pipeline_id": pipelines,
        "stage_id": stages,
        "owner_id": members,
        "company_id": companies,
        "name": texts,
        "amount": amounts,
        "outcome": st.sampled_from(["open", "won"]),
        "expected_close": st.none() | days,
        "created_at": instants,
        "created_day": days,
        "stage_entered_at": instants,
        "stage_entered_day": days,
        "closed_at": maybe_instants,
        "closed_day": days,
        "updated_at": instants,
        "deleted_at": maybe_instants,
        "version": keys,
        "external_id": st.none() | texts,
    },
    "deal_stage_history": {
        "tenant_id": tenants,
        "id": st.integers(1, 9),
        "deal_id": keys,
        "from_stage_id": st.none() | stages,
        "to_stage_id": stages,
        "moved_at": instants,
        "moved_day": days,
        "days_in_stage": optional_keys,
        "member_id": st.none() | members,
        "deal_deleted": st.booleans(),
        "straight": st.booleans(),
    },
    "activities": {
        "tenant_id": tenants,
        "id": keys,
        "kind": st.sampled_from(["call", "email", "meeting", "note"]),
        "subject": texts,
        "body": st.none() | texts,
        "owner_id": members,
        "company_id": companies,
        "contact_id": st.none(),
        "deal_id": optional_keys,
        "occurred_at": instants,
        "occurred_day": days,
        "created_at": instants,
        "deleted_at": maybe_instants,
        "external_id": st.none() | texts,
    },
    "companies": {
        "tenant_id": tenants,
        "id": keys,
        "owner_id": st.none() | members,
        "name": texts,
        "industry": st.none() | texts,
        "region": st.none() | texts,
        "website": st.none() | texts,
        "employees": optional_keys,
        "created_at": instants,
        "created_day": days,
        "updated_at": instants,
        "deleted_at": maybe_instants,
        "external_id": st.none() | texts,
    },
    "tasks": {
        "tenant_id": tenants,
        "id": keys,
        "title": texts,
        "priority": st.sampled_from(["low", "normal", "high"]),
        "owner_id": members,
        "company_id": companies,
        "deal_id": optional_keys,
        "due_at": maybe_instants,
        "due_day": days,
        "completed_at": maybe_instants,
        "created_at": instants,
        "updated_at": instants,
        "deleted_at": maybe_instants,
        "external_id": st.none() | texts,
    },
}
"""By table and column, what is written to it; what triggers keep is overwritten by them, and what is wrong refused."""

KEY = {"deals": "id", "deal_stage_history": "deal_id", "activities": "id", "companies": "id", "tasks": "id"}
"""What rows are picked by."""

NEEDED = {
    "deals": (
        *("pipeline_id", "stage_id", "owner_id", "company_id", "name", "amount", "expected_close"),
        *("created_at", "deleted_at"),
    ),
    "deal_stage_history": ("to_stage_id", "moved_at", "moved_day"),
    "activities": ("kind", "subject", "owner_id", "occurred_at", "deleted_at"),
    "companies": ("name", "created_at", "deleted_at"),
    "tasks": ("title", "owner_id", "due_at", "completed_at", "deleted_at"),
}

tables = st.sampled_from(TABLES)
with_own_ids = st.sampled_from([table for table in TABLES if KEY[table] == "id"])


@st.composite
def inserts(draw: st.DrawFn) -> Write:
    return _insert(draw, draw(tables), "")


@st.composite
def upserts(draw: st.DrawFn) -> Write:
    table = draw(with_own_ids)
    written = draw(st.lists(st.sampled_from(NEEDED[table]), min_size=1, unique=True))
    sets = ", ".join(f"{name} = excluded.{name}" for name in written)
    return _insert(draw, table, f"ON CONFLICT (tenant_id, id) DO UPDATE SET {sets}")


def _insert(draw: st.DrawFn, table: str, conflict: str) -> Write:
    """Several rows of one tenant. A deal's pipeline is its stage's, so that not every other one is refused."""
    names = NEEDED[table]
    values = [draw(tenants), draw(ids), *(draw(COLUMNS[table][name]) for name in names)]
    given = [f"${place}" for place in range(3, len(names) + 3)]
    if table == "deals":
        values[2], given[0] = values[3], "(SELECT pipeline_id FROM stages WHERE tenant_id = $1 AND id = $3)"
    selected = ", ".join(f"{place}::{_type(name)}" for place, name in zip(given, names, strict=True))
    into = f"{table} (tenant_id, {KEY[table]}, {', '.join(names)})"
    return Write.of(f"INSERT INTO {into} SELECT $1, unnest($2::bigint[]), {selected} {conflict}", *values)


def _type(name: str) -> str:
    if name.endswith("_id"):
        return "bigint"
    return {"amount": "numeric", "close": "date", "at": "timestamptz", "day": "date"}.get(
        name.rpartition("_")[2], "text"
    )


@st.composite
def updates(draw: st.DrawFn) -> Write:
    """Any column of some rows."""
    table = draw(tables)
    name = draw(st.sampled_from(sorted(COLUMNS[table])))
    sql = f"UPDATE {table} SET {name} = $3 WHERE tenant_id = $1 AND {KEY[table]} = ANY($2)"
    return Write.of(sql, draw(tenants), draw(ids), draw(COLUMNS[table][name]))


@st.composite
def deletions(draw: st.DrawFn) -> Write:
    """Soft ones, restorations, and real ones."""
    table = draw(tables)
    rows = draw(tenants), draw(ids)
    if table != "deal_stage_history" and draw(st.booleans()):
        return Write.of(
            f"UPDATE {table} SET deleted_at = $3 WHERE tenant_id = $1 AND id = ANY($2)", *rows, draw(maybe_instants)
        )
    return Write.of(f"DELETE FROM {table} WHERE tenant_id = $1 AND {KEY[table]} = ANY($2)", *rows)


STAGE = "SELECT pipeline_id, id FROM stages AS s WHERE (s.tenant_id, s.id) = (d.tenant_id, $2)"


@st.composite
def moves(draw: st.DrawFn) -> Write:
    """Deals of one tenant or of all, to another stage and so to another pipeline, at another time, to another owner."""
    values: list[object] = [draw(ids), draw(stages)]
    sets = [f"(pipeline_id, stage_id) = ({STAGE})"]
    besides = st.sampled_from(["stage_entered_at", "closed_at", "owner_id", "company_id"])
    for name in draw(st.lists(besides, unique=True)):
        values.append(draw(COLUMNS["deals"][name]))
        sets.append(f"{name} = ${len(values)}")
    tenant = draw(st.sampled_from(["true", "tenant_id = 1", "tenant_id = 2"]))
    return Write.of(f"UPDATE deals AS d SET {', '.join(sets)} WHERE id = ANY($1) AND {tenant}", *values)


@st.composite
def migrations(draw: st.DrawFn) -> Write:
    """Rows that change their tenant, one way or both ways at once; a deal leaves its history behind."""
    table = draw(with_own_ids)
    values = draw(ids), draw(st.sampled_from([[1], [2], [1, 2]]))
    rows = "id = ANY($1) AND tenant_id = ANY($2)"
    change = f"UPDATE {table} SET tenant_id = 3 - tenant_id WHERE {rows}", values
    copied = f"id, {', '.join(NEEDED[table])}"
    carry = f"""
WITH gone AS (DELETE FROM {table} WHERE {rows} RETURNING tenant_id, {copied})
INSERT INTO {table} (tenant_id, {copied}) SELECT 3 - tenant_id, {copied} FROM gone"""
    if draw(st.booleans()):
        return Write.of(carry, *values)
    forget = "DELETE FROM deal_stage_history WHERE deal_id = ANY($1) AND tenant_id = ANY($2)", values
    return Write((forget, change) if table == "deals" else (change,))


@st.composite
def stage_kinds(draw: st.DrawFn) -> Write:
    """A stage changes its kind, and so the outcome of its deals; several at once, now and then."""
    kind, probability = draw(st.sampled_from([("open", Decimal("0.5")), ("won", Decimal(1)), ("lost", Decimal(0))]))
    sql = "UPDATE stages SET kind = $2, probability = $3 WHERE id = ANY($1) AND tenant_id = $4"
    return Write.of(sql, draw(st.lists(stages, min_size=1, max_size=3)), kind, probability, draw(tenants))


@st.composite
def several_at_once(draw: st.DrawFn) -> Write:
    """One statement that changes rows of a table in two ways, or inserts, updates and deletes them."""
    values = draw(tenants), draw(ids), draw(amounts), draw(members), draw(instants)
    merge = """
MERGE INTO deals AS d USING unnest($2::bigint[]) AS given (id) ON d.tenant_id = $1 AND d.id = given.id
 WHEN MATCHED AND d.id % 2 = 0 THEN DELETE
 WHEN MATCHED THEN UPDATE SET amount = $3::numeric, owner_id = $4::bigint
 WHEN NOT MATCHED THEN INSERT (tenant_id, id, name, pipeline_id, stage_id, owner_id, amount, created_at)
      VALUES ($1, given.id, 'a', 1, 1, $4::bigint, $3::numeric, $5::timestamptz)"""
    twice = """
WITH one AS (UPDATE deals SET amount = $3::numeric WHERE tenant_id = $1 AND id = ANY($2) AND id % 2 = 0 RETURNING id),
     other AS (UPDATE deals SET created_at = $5::timestamptz WHERE tenant_id <> $1 AND id = ANY($2) RETURNING id)
UPDATE deals SET owner_id = $4::bigint WHERE tenant_id = $1 AND id % 2 = 1"""
    return Write.of(draw(st.sampled_from([merge, twice])), *values)
