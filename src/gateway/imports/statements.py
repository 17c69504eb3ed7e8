"""The SQL of one file's import: the templates of `sql/`, filled with the names that `records` declares.

Nothing of a file or a mapping stands in a statement but names that `records` knows; `$1` is the tenant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gateway.imports.plan import FieldPlan, Plan
from gateway.imports.records import RECORDS

SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class Check:
    """A condition under which a row is rejected, for `field`. `{first}` in `reason`: the first line of its key."""

    field: FieldPlan
    holds: str
    value: str
    reason: str


@dataclass(frozen=True)
class Statements:
    """In the order of their use; what each does stands in its file. `prepare`: for each reference."""

    stage: str
    prepare: Sequence[str]
    resolve: str
    faults: str
    insert: str
    update: str
    checks: Sequence[Check]


def make_statements(plan: Plan) -> Statements:
    """The statements of one file."""
    fields = {"table": plan.file.record, "key": plan.record.key}
    checks = list(_checks(plan))
    faults = ", ".join(f"({n}, {check.holds}, ({check.value})::text)" for n, check in enumerate(checks))
    return Statements(
        stage=_fill("stage", columns=", ".join(f"{field.name} {field.sql_type}" for field in plan.fields)),
        prepare=list(_prepare(plan)),
        resolve=_fill(
            "resolve",
            **fields,
            faulty=" OR ".join(f"({check.holds}) IS TRUE" for check in checks),
            selected=",\n               ".join(_selected(plan)),
            joins="\n          ".join(_joins(plan)),
            kept="s.line = s.first_line" if plan.file.duplicates == "first" else "true",
        ),
        faults=_fill("faults", faults=faults),
        insert=_insert(plan),
        update=_update(plan),
        checks=checks,
    )


@cache
def _template(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def _fill(name: str, **parts: str) -> str:
    return _template(name).format(**parts)


def _references(plan: Plan) -> list[FieldPlan]:
    return [field for field in plan.fields if field.field.kind == "reference"]


def _prepare(plan: Plan) -> Iterator[str]:
    for field in _references(plan):
        target = RECORDS[field.field.target]
        names = {"target": field.field.target, "field": field.name, "by": field.by}
        if field.source.missing == "create":
            made = target.on_sight[field.by]
            values = [value.format(value=f"s.{field.name}", label=f"s.{field.name}_label") for value in made.values()]
            yield _fill("create_on_sight", **names, columns=", ".join(made), values=", ".join(values))
        # A name may be used again after its record is deleted; a key may not.
        living = " AND t.deleted_at IS NULL" if field.by == "name" and target.is_deletable else ""
        yield _fill("find", **names, living=living)


def _joins(plan: Plan) -> Iterator[str]:
    for field in _references(plan):
        yield f"LEFT JOIN found_{field.name} ON found_{field.name}.value = s.{field.name}"
    if plan.field("stage"):
        yield "LEFT JOIN pipelines AS pipeline ON pipeline.tenant_id = $1 AND pipeline.name = s.pipeline"
        of_pipeline = "stage.tenant_id = $1 AND stage.pipeline_id = pipeline.id"
        yield f"LEFT JOIN stages AS stage ON {of_pipeline} AND stage.name = s.stage"


def _selected(plan: Plan) -> Iterator[str]:
    """The columns of the resolved rows: those of the table, and what the checks look at."""
    for field in plan.fields:
        name, kind = field.name, field.field.kind
        if kind == "reference":
            yield f"s.{name}, found_{name}.id AS {name}_id, found_{name}.matches AS {name}_matches"
        elif kind == "stage":
            yield "s.stage, stage.id AS stage_id, stage.pipeline_id"
        elif name in plan.record.fields:
            yield f"{_value(plan, field)} AS {name}"
    if created := _creation_of_deal(plan):
        closed = f"timezone(tenant.time_zone, {_closed_at(plan)})::date"
        yield f"{closed} AS closes_on"
        yield f"{closed} < timezone(tenant.time_zone, {_value(plan, created)})::date AS closes_early"
    for name in plan.record.unique:
        if plan.field(name):
            yield f"count(*) OVER (PARTITION BY s.{name}) AS {name}_times"


def _value(plan: Plan, field: FieldPlan) -> str:
    value = _staged(field)
    if field.name == "closed_at":
        return _closed_at(plan)
    if field.field.default is None:
        return value
    closed_at = plan.field("closed_at")
    default = field.field.default.format(closed_at=_staged(closed_at) if closed_at else "NULL")
    return f"coalesce({value}, t.{field.name}, {default})"


def _closed_at(plan: Plan) -> str:
    """An open deal has none; a closed one without a value in the file keeps its own, or is closed now by a trigger."""
    field = plan.field("closed_at")
    value = f"coalesce({_staged(field)}, t.closed_at)" if field else "t.closed_at"
    return f"CASE WHEN stage.kind <> 'open' THEN {value} END"


def _creation_of_deal(plan: Plan) -> FieldPlan | None:
    return plan.field("created_at") if plan.file.record == "deals" else None


def _staged(field: FieldPlan) -> str:
    """A value of the file; instants without an offset are the tenant's local time."""
    return f"timezone(tenant.time_zone, s.{field.name})" if field.sql_type == "timestamp" else f"s.{field.name}"


def _checks(plan: Plan) -> Iterator[Check]:
    key = next(field for field in plan.fields if field.name == plan.record.key)
    yield Check(key, "q.line <> q.first_line", f"q.{key.name}", "is that of line {first} too")
    for field in _references(plan):
        yield from _reference_checks(field)
    for name in plan.record.unique:
        if unique := plan.field(name):
            taken = (
                f"SELECT FROM {plan.file.record} AS o WHERE o.tenant_id = $1 AND o.{name} = q.{name} AND o.id <> q.id"
            )
            reason = f"is that of another {plan.record.singular} too"
            yield Check(unique, f"q.{name}_times > 1 OR EXISTS ({taken})", f"q.{name}", reason)
    if stage := plan.field("stage"):
        yield Check(stage, "q.stage_id IS NULL", "q.stage", "is no stage of the pipeline")
    if created := _creation_of_deal(plan):
        yield Check(
            plan.field("closed_at") or created,
            "q.closes_early",
            "q.closes_on",
            "is closed on a day before it was created",
        )


def _reference_checks(field: FieldPlan) -> Iterator[Check]:
    name, singular = field.name, RECORDS[field.field.target].singular
    if field.source.missing != "empty":
        missing = f"q.{name} IS NOT NULL AND q.{name}_id IS NULL"
        yield Check(field, missing, f"q.{name}", f"is no {singular} of this {field.by}")
    several = f"is the {field.by} of several records: refer to a {singular} by its key"
    yield Check(field, f"q.{name}_matches > 1", f"q.{name}", several)


def _columns(plan: Plan) -> list[str]:
    """The table's columns that the file writes."""
    columns: list[str] = []
    for name, field in plan.record.fields.items():
        if plan.field(name) is None or (plan.file.record, name) in {("deals", "pipeline"), ("deals", "product")}:
            continue
        if field.kind == "stage":
            columns += ["pipeline_id", "stage_id"]
        else:
            columns.append(f"{name}_id" if field.kind == "reference" else name)
    return columns


def _insert(plan: Plan) -> str:
    columns = _columns(plan)
    values = ", ".join(f"r.{column}" for column in columns)
    return _fill("insert", table=plan.file.record, columns=", ".join(columns), values=values)


def _update(plan: Plan) -> str:
    fields = plan.record.fields
    columns = [name for name in _columns(plan) if name not in fields or not fields[name].create_only]
    assignments = [f"{name} = c.{name}" for name in columns]
    if plan.record.keeps_updated_at and plan.file.record != "deals":
        assignments.append("updated_at = now()")
    if plan.field("closed_at"):
        # A deal enters its last stage when it is closed, but not before it entered the one it leaves.
        assignments.append(
            "stage_entered_at = CASE WHEN c.stage_id <> t.stage_id AND c.closed_at IS NOT NULL"
            " THEN greatest(c.closed_at, t.stage_entered_at + interval '1 microsecond') ELSE t.stage_entered_at END"
        )
    lines, touched = "", "SELECT id FROM updated"
    if plan.field("product"):
        lines = _fill("lines", amount="r.amount" if plan.field("amount") else "NULL::numeric")
        touched += (
            " UNION SELECT deal_id FROM gone"
            " UNION SELECT deal_id FROM put JOIN wanted USING (deal_id) WHERE NOT wanted.is_new"
        )
    return _fill(
        "update",
        table=plan.file.record,
        old=", ".join(f"t.{name}" for name in columns),
        new=", ".join(f"r.{name}" for name in columns),
        assignments=", ".join(assignments),
        lines=lines,
        touched=touched,
    )
