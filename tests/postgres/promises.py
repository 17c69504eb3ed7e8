"""What the catalogue is promised to be: the roles, their grants, and each exemption with its reason."""

from gateway.rollups.declared import ROLLUPS

NOT_OF_A_TENANT = {
    "alembic_version": "the schema's revision, the same for everybody",
    "incarnations": "the present life of the database, the same for everybody",
    "plans": "what the tenants of a plan may use; nobody but the owner may read it",
    "tenants": "its key is the tenant itself: its policy filters on `id`",
}
"""Tables of no single tenant, each with its reason."""

NOT_TOLD_OF = {
    "alembic_version": "no answer shows it",
    "idempotency_keys": "no query reads them, and the answers of mutations are not kept",
}
"""Tables that the gateway may read and whose changes nobody is told of, each with its reason."""

TOLD_OF = {
    "tenant_terms": "what a remembered member may use; sign-in reads it",
}
"""Tables that the gateway may not read itself and whose changes are told of all the same, each with its reason."""

TOLD_TO_ALL = {
    "plans": "what a remembered member may use; who is just being put on a plan cannot be seen",
}
"""Tables whose changes every tenant is told of, each with its reason."""

NOT_INDEXED = {
    "companies (tenant_id, owner_id)": "members are deactivated, never deleted; reads have an index on live rows",
    "tasks (tenant_id, owner_id)": "members are deactivated, never deleted; reads have an index on open tasks",
    "deals (tenant_id, pipeline_id, stage_id, outcome)": "stages with deals stay; reads have an index on live rows",
}
"""Foreign keys whose referencing columns have no index of their own over all rows, each with its reason."""

NOT_LED_BY_TENANT = dict.fromkeys(
    ("activities_by_text", "companies_by_text", "contacts_by_text", "deals_by_text", "tasks_by_text"),
    "a trigram index holds texts alone; only the search functions use it, and they filter by tenant",
)
"""Indexes (GIN) that do not lead with the tenant, each with its reason. They exist only where pg_trgm can be had."""

EXTENSIONS = {
    "plpgsql": "every database has it",
    "pg_trgm": "searches texts by index, where it can be had",
}
"""Extensions that a database may have, each with its reason. What they bring along is not ours to grant."""

SEARCHES = {f"app.search_{name}(text)" for name in ("activities", "companies", "contacts", "deals", "members", "tasks")}

LIVE_VIEWS = tuple(rollup.name for rollup in ROLLUPS)
OF_ROLLUP_OWNER = ("schema rollup", "rollup.", *(f"analytics.{name}" for name in LIVE_VIEWS))
"""How the names begin of what belongs to rollup_owner: live views read with their owner's rights."""

TRIGGER_FUNCTIONS = {
    f"rollup.{table}_{event}()"
    for table in {rollup.table.name for rollup in ROLLUPS}
    for event in ("insert", "update", "delete")
}

DEFINERS = {
    **dict.fromkeys(TRIGGER_FUNCTIONS, "whoever writes a table writes the changes of its rollups"),
    "app.rollups()": "tells a tenant of its own groups, in tables that gateway may not read",
    "app.incarnation()": "names the database's present life, in a table that nobody may write",
    "app.begin_incarnation()": "begins a life where there is none, and cannot be made to end one",
    "app.doubt_ways()": "whoever writes history by hand bends ways",
    "app.copy_deal_deleted()": "history follows its deal, whoever deleted it",
    "app.credential_lookup(text, text)": "sign-in acts before a tenant is known",
    "app.identify(text, text)": "sign-in acts before a tenant is known",
    "app.login_lookup(text, text)": "sign-in acts before a tenant is known",
    "app.record_created_deals()": "history cannot be forged by a role that may not write it",
    "app.record_moved_deals()": "history cannot be forged by a role that may not write it",
    **dict.fromkeys(SEARCHES, "text operators are not leakproof: under a policy they could use no index"),
}
"""Functions that act with their owner's rights, each with its reason."""

READERS = ("gateway", "worker", "rollup_owner")
RECORDS = (
    *("activities", "companies", "contacts", "deal_products", "deal_stage_history", "deals"),
    *("pipelines", "products", "stages", "tasks", "tenants"),
)
MEMBER_COLUMNS = ("tenant_id", "id", "subject", "email", "name", "role", "team", "region", "active", "created_at")
VIEWS = (
    *("companies_with_deals", "company_activity_flow", "company_deal_flow", "company_deal_state"),
    *("open_tasks", "owner_activity_flow", "owner_company_flow", *LIVE_VIEWS),
)
CHANGEABLE = (
    *("stage_id", "stage_entered_at", "owner_id", "name", "amount", "expected_close", "closed_at", "deleted_at"),
)
TRACES = {
    "operations": ("tenant_id", "id", "member_id", "request_id", "action", "note", "undoes"),
    "audit_log": (
        *("tenant_id", "member_id", "request_id", "operation_id", "action", "record_type", "record_id"),
        *("before", "after"),
    ),
    "idempotency_keys": ("tenant_id", "key", "member_id", "request_hash"),
}
"""What a change leaves behind: columns that the serving role may write. Instants are the database's own."""

GRANTS = {
    "PUBLIC USAGE schema public",
    *(f"{role} USAGE schema app" for role in READERS),
    *(f"{role} USAGE schema analytics" for role in ("gateway", "worker")),
    *(f"{role} SELECT public.alembic_version" for role in ("gateway", "worker")),
    *(f"{role} SELECT public.{table}" for role in READERS for table in RECORDS),
    *(f"{role} SELECT public.members.{column}" for role in READERS for column in MEMBER_COLUMNS),
    "rollup_owner CREATE schema analytics",
    "rollup_owner USAGE schema analytics",
    *(f"gateway SELECT analytics.{view}" for view in VIEWS),
    *(f"gateway SELECT public.{table}" for table in TRACES),
    *(f"gateway UPDATE public.deals.{column}" for column in CHANGEABLE),
    *(f"gateway INSERT public.{table}.{column}" for table, columns in TRACES.items() for column in columns),
    "gateway UPDATE public.idempotency_keys.answer",
    "gateway DELETE public.idempotency_keys",
    *(f"{role} EXECUTE app.tenant_id()" for role in READERS),
    *(f"{role} EXECUTE app.local_day(bigint, timestamp with time zone)" for role in READERS),
    *(f"{role} EXECUTE app.period_presets(date)" for role in ("gateway", "worker")),
    *(f"{role} EXECUTE app.intervals(text, date, date, date)" for role in ("gateway", "worker")),
    "gateway EXECUTE app.rollups()",
    "gateway EXECUTE app.incarnation()",
    "gateway EXECUTE app.begin_incarnation()",
    "gateway EXECUTE app.day_at(text, timestamp with time zone)",
    "gateway EXECUTE app.identify(text, text)",
    "gateway EXECUTE app.login_lookup(text, text)",
    "gateway EXECUTE app.credential_lookup(text, text)",
    *(f"gateway EXECUTE {search}" for search in SEARCHES),
}
"""All that anybody but the owner may do."""

ROLES = {
    "gateway": "login",
    "owner": "login bypassrls in rollup_owner",
    "rollup_owner": "bypassrls",
    "worker": "login bypassrls in pg_read_all_stats, rollup_owner",
}
"""The roles, with every attribute that they have."""
