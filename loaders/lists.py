"""The lists that callers page through: what belongs to each, and what it may be ordered and filtered by."""

from collections.abc import Mapping

from loaders.activities import ActivityRow
from loaders.audit import AuditRow
from loaders.companies import CompanyRow
from loaders.contacts import ContactRow
from loaders.deals import DealRow
from loaders.keyset import ListSource, Ordering
from loaders.members import MemberRow
from loaders.tasks import TaskRow

INSTANT = "timestamptz"

# A text search goes through a definer function, which takes the tenant from the setting: under a policy, a text
# operator could not use an index, because it is not leakproof.
DEAL_FILTERS: Mapping[str, str] = {
    "ids": "r.id = ANY({}::bigint[])",
    "pipeline_ids": "r.pipeline_id = ANY({}::bigint[])",
    "stage_ids": "r.stage_id = ANY({}::bigint[])",
    "owner_ids": "r.owner_id = ANY({}::bigint[])",
    "company_ids": "r.company_id = ANY({}::bigint[])",
    "outcomes": "r.outcome = ANY({}::text[])",
    "teams": "r.owner_id IN (SELECT m.id FROM members m WHERE m.tenant_id = $1 AND m.team = ANY({}::text[]))",
    "regions": "r.owner_id IN (SELECT m.id FROM members m WHERE m.tenant_id = $1 AND m.region = ANY({}::text[]))",
    "industries": "r.company_id IN "
    "(SELECT c.id FROM companies c WHERE c.tenant_id = $1 AND c.industry = ANY({}::text[]))",
    "amount_min": "r.amount >= {}::numeric",
    "amount_max": "r.amount <= {}::numeric",
    "created_from": "r.created_day >= {}::date",
    "created_to": "r.created_day < {}::date",
    "closed_from": "r.closed_day >= {}::date",
    "closed_to": "r.closed_day < {}::date",
    "expected_close_from": "r.expected_close >= {}::date",
    "expected_close_to": "r.expected_close < {}::date",
    "search": "r.id IN (SELECT app.search_deals({}::text))",
}

DEALS = ListSource(
    name="deals",
    table="deals",
    columns="r.id, r.pipeline_id, r.stage_id, r.owner_id, r.company_id, r.name, r.amount, r.outcome, r.expected_close, "
    "r.created_at, r.stage_entered_at, r.closed_at, r.updated_at, r.version, r.external_id",
    belongs="r.deleted_at IS NULL",
    row=DealRow,
    orderings={
        "created_at": Ordering("r.created_at", INSTANT),
        "name": Ordering("r.name", "text"),
        "amount": Ordering("r.amount_ten_thousandths", "bigint", nullable=True),
        "expected_close": Ordering("r.expected_close", "date", nullable=True),
        "closed_at": Ordering("r.closed_at", INSTANT, nullable=True),
    },
    filters=DEAL_FILTERS,
    parents={"company": "company_id", "owner": "owner_id"},
    filters_read={"teams": "members", "regions": "members", "industries": "companies"},
)

COMPANIES = ListSource(
    name="companies",
    table="companies",
    columns="r.id, r.owner_id, r.name, r.industry, r.region, r.website, r.employees, r.created_at, r.created_day, "
    "r.updated_at",
    belongs="r.deleted_at IS NULL",
    row=CompanyRow,
    orderings={
        "name": Ordering("r.name", "text"),
        "created_at": Ordering("r.created_at", INSTANT),
        "employees": Ordering("r.employees", "integer", nullable=True),
    },
    filters={
        "ids": "r.id = ANY({}::bigint[])",
        "owner_ids": "r.owner_id = ANY({}::bigint[])",
        "teams": "r.owner_id IN (SELECT m.id FROM members m WHERE m.tenant_id = $1 AND m.team = ANY({}::text[]))",
        "industries": "r.industry = ANY({}::text[])",
        "regions": "r.region = ANY({}::text[])",
        "created_from": "r.created_day >= {}::date",
        "created_to": "r.created_day < {}::date",
        "search": "r.id IN (SELECT app.search_companies({}::text))",
    },
    parents={"owner": "owner_id"},
    filters_read={"teams": "members"},
)

CONTACTS = ListSource(
    name="contacts",
    table="contacts",
    columns="r.id, r.company_id, r.owner_id, r.name, r.email, r.phone, r.title, r.created_at",
    belongs="r.deleted_at IS NULL",
    row=ContactRow,
    orderings={
        "name": Ordering("r.name", "text"),
        "created_at": Ordering("r.created_at", INSTANT),
    },
    filters={
        "ids": "r.id = ANY({}::bigint[])",
        "company_ids": "r.company_id = ANY({}::bigint[])",
        "owner_ids": "r.owner_id = ANY({}::bigint[])",
        "search": "r.id IN (SELECT app.search_contacts({}::text))",
    },
    parents={"company": "company_id"},
)

ACTIVITIES = ListSource(
    name="activities",
    table="activities",
    columns="r.id, r.kind, r.subject, r.body, r.owner_id, r.company_id, r.contact_id, r.deal_id, r.occurred_at",
    belongs="r.deleted_at IS NULL",
    row=ActivityRow,
    orderings={
        "occurred_at": Ordering("r.occurred_at", INSTANT),
        "created_at": Ordering("r.created_at", INSTANT),
    },
    filters={
        "ids": "r.id = ANY({}::bigint[])",
        "kinds": "r.kind = ANY({}::text[])",
        "owner_ids": "r.owner_id = ANY({}::bigint[])",
        "teams": "r.owner_id IN (SELECT m.id FROM members m WHERE m.tenant_id = $1 AND m.team = ANY({}::text[]))",
        "company_ids": "r.company_id = ANY({}::bigint[])",
        "contact_ids": "r.contact_id = ANY({}::bigint[])",
        "deal_ids": "r.deal_id = ANY({}::bigint[])",
        "occurred_from": "r.occurred_day >= {}::date",
        "occurred_to": "r.occurred_day < {}::date",
        "search": "r.id IN (SELECT app.search_activities({}::text))",
    },
    parents={"company": "company_id", "contact": "contact_id", "deal": "deal_id", "owner": "owner_id"},
    filters_read={"teams": "members"},
)

TASKS = ListSource(
    name="tasks",
    table="tasks",
    columns="r.id, r.title, r.priority, r.owner_id, r.company_id, r.deal_id, r.due_at, r.completed_at, r.created_at",
    belongs="r.deleted_at IS NULL",
    row=TaskRow,
    orderings={
        "due_at": Ordering("r.due_at", INSTANT, nullable=True),
        "created_at": Ordering("r.created_at", INSTANT),
        "completed_at": Ordering("r.completed_at", INSTANT, nullable=True),
    },
    filters={
        "ids": "r.id = ANY({}::bigint[])",
        "owner_ids": "r.owner_id = ANY({}::bigint[])",
        "teams": "r.owner_id IN (SELECT m.id FROM members m WHERE m.tenant_id = $1 AND m.team = ANY({}::text[]))",
        "company_ids": "r.company_id = ANY({}::bigint[])",
        "deal_ids": "r.deal_id = ANY({}::bigint[])",
        "priorities": "r.priority = ANY({}::text[])",
        "is_open": "(r.completed_at IS NULL) = {}::boolean",
        "due_from": "r.due_day >= {}::date",
        "due_to": "r.due_day < {}::date",
        "search": "r.id IN (SELECT app.search_tasks({}::text))",
    },
    parents={"company": "company_id", "deal": "deal_id", "owner": "owner_id"},
    filters_read={"teams": "members"},
)

MEMBERS = ListSource(
    name="members",
    table="members",
    columns="r.id, r.email, r.name, r.role, r.team, r.region, r.active, r.created_at",
    belongs="true",
    row=MemberRow,
    orderings={
        "name": Ordering("r.name", "text"),
        "created_at": Ordering("r.created_at", INSTANT),
    },
    filters={
        "ids": "r.id = ANY({}::bigint[])",
        "roles": "r.role = ANY({}::text[])",
        "teams": "r.team = ANY({}::text[])",
        "regions": "r.region = ANY({}::text[])",
        "active": "r.active = {}::boolean",
        "search": "r.id IN (SELECT app.search_members({}::text))",
    },
    parents={},
)

AUDIT = ListSource(
    name="audit",
    table="audit_log",
    columns="r.id, r.at, r.member_id, r.action, r.record_type, r.record_id, r.operation_id, r.request_id, "
    "(SELECT o.note FROM operations o WHERE o.tenant_id = $1 AND o.id = r.operation_id), "
    "(SELECT o.undoes FROM operations o WHERE o.tenant_id = $1 AND o.id = r.operation_id), r.before, r.after",
    belongs="true",
    row=AuditRow,
    orderings={"at": Ordering("r.at", INSTANT)},
    filters={
        "deal_ids": "(r.record_type = 'Deal' AND r.record_id = ANY({}::bigint[]))",
        "operation_ids": "r.operation_id = ANY({}::uuid[])",
        "member_ids": "r.member_id = ANY({}::bigint[])",
        "actions": "r.action = ANY({}::text[])",
        "since": "r.at >= {}::timestamptz",
        "until": "r.at < {}::timestamptz",
    },
    parents={},
    columns_read=frozenset({"operations"}),
)
