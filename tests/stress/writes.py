"""Every kind of write, as SQL over `{tenant}`, `{other}` (a second tenant), `{rows}` (at most so many) and `{dice}`.

All four are whole numbers. What a statement picks, it picks by a hash of `{dice}`: given the same rows and numbers, the
same. Some writes are refused at times, by a foreign key or a check: that, too, must leave the numbers right.
"""

MOST_ROWS = 500
"""Of a table and tenant: above it nothing is inserted, so that a long run stays quick to recount."""


def hashed(key: str) -> str:
    """A number from 0, spread by the dice."""
    return f"(hashint8(({key})::bigint # {{dice}})::bigint + 2147483648)"


def some(table: str, where: str = "true") -> str:
    """A condition: the row is one of those picked."""
    picked = f"SELECT id FROM {table} WHERE tenant_id = {{tenant}} AND {where} ORDER BY {hashed('id')} LIMIT {{rows}}"
    return f"{table}.tenant_id = {{tenant}} AND {table}.id IN ({picked})"


def one(table: str, key: str = "0", tenant: str = "{tenant}") -> str:
    """The id of one row, another one for each `key`; null where there is none."""
    return f"(SELECT p.id FROM {table} p WHERE p.tenant_id = {tenant} ORDER BY {hashed(f'p.id * 31 + {key}')} LIMIT 1)"


def new_rows(table: str) -> str:
    """`n` for each row to insert."""
    room = f"{MOST_ROWS} - (SELECT count(*) FROM {table} WHERE tenant_id = {{tenant}})"
    return f"generate_series(1, least({{rows}}, {room})) AS n"


def day(key: str) -> str:
    return f"(timestamptz '2024-01-01' + {hashed(key)} % 40000000 * interval '1 second')"


def maybe_day(key: str) -> str:
    return f"CASE WHEN {hashed(key)} % 5 > 0 THEN {day(key)} END"


def amount(key: str) -> str:
    return f"nullif({hashed(key)} % 5, 0) * 12.3401"


def kind(key: str) -> str:
    return f"(ARRAY['call', 'email', 'meeting', 'note'])[1 + {hashed(key)} % 4]"


STAGE = f"(SELECT id, pipeline_id FROM stages WHERE tenant_id = {{tenant}} AND id = {one('stages')}) AS stage"
THREE_NAMES = "(SELECT n, ({dice} + n) % 60 AS name FROM generate_series(1, 3) AS n) AS named"

DEALS = {
    "deal insert": f"""
        INSERT INTO deals (tenant_id, pipeline_id, stage_id, owner_id, company_id, name, amount, created_at)
        SELECT {{tenant}}, stages.pipeline_id, stages.id, {one("members", "n")},
               CASE WHEN {hashed("n")} % 3 > 0 THEN {one("companies", "n")} END, 'a deal', {amount("n")}, {day("n")}
          FROM {new_rows("deals")} JOIN stages ON tenant_id = {{tenant}} AND id = {one("stages", "n")}""",
    "deal upsert": f"""
        INSERT INTO deals (tenant_id, pipeline_id, stage_id, owner_id, name, amount, external_id)
        SELECT {{tenant}}, stage.pipeline_id, stage.id, {one("members")}, 'a deal', {amount("n")}, 'u' || name
          FROM {THREE_NAMES}, {STAGE} ORDER BY name
            ON CONFLICT (tenant_id, external_id) DO UPDATE SET amount = excluded.amount, deleted_at = NULL,
               stage_id = excluded.stage_id, pipeline_id = excluded.pipeline_id""",
    "deal move": f"""
        UPDATE deals SET stage_id = stage.id, pipeline_id = stage.pipeline_id FROM {STAGE} WHERE {some("deals")}""",
    "deal amount": f"UPDATE deals SET amount = {amount('id')} WHERE {some('deals')}",
    "deal owner": f"UPDATE deals SET owner_id = {one('members')} WHERE {some('deals')}",
    "deal company": f"UPDATE deals SET company_id = {one('companies')} WHERE {some('deals')}",
    "deal without company": f"UPDATE deals SET company_id = NULL WHERE {some('deals')}",
    "deal created": f"UPDATE deals SET created_at = least(closed_at, {day('id')}) WHERE {some('deals')}",
    "deal closed": f"""
        UPDATE deals SET closed_at = created_at + {hashed("id")} % 90 * interval '1 day'
         WHERE outcome <> 'open' AND {some("deals")}""",
    "deal expected": f"""
        UPDATE deals SET expected_close = nullif({day("id")}::date, date '2024-01-01') WHERE {some("deals")}""",
    "deal not expected": f"UPDATE deals SET expected_close = NULL WHERE {some('deals')}",
    "deal of no rollup": f"UPDATE deals SET name = name || '' WHERE {some('deals')}",
    "deal soft delete": f"UPDATE deals SET deleted_at = now() WHERE {some('deals')}",
    "deal restore": f"UPDATE deals SET deleted_at = NULL WHERE {some('deals', 'deleted_at IS NOT NULL')}",
    "deal delete": f"DELETE FROM deals WHERE {some('deals')}",
    "deal twice in a statement": f"""
        WITH even AS (UPDATE deals SET owner_id = {one("members")} WHERE id % 2 = 0 AND {some("deals")} RETURNING 1)
        UPDATE deals SET deleted_at = now() WHERE id % 2 = 1 AND {some("deals")}""",
    "deal tenant": f"""
        DELETE FROM deal_stage_history AS h USING deals
         WHERE h.tenant_id = deals.tenant_id AND h.deal_id = deals.id AND {some("deals")};
        UPDATE deals SET tenant_id = {{other}}, pipeline_id = stage.pipeline_id, stage_id = stage.id, company_id = NULL,
               owner_id = {one("members", tenant="{other}")}
          FROM (SELECT * FROM stages WHERE tenant_id = {{other}} ORDER BY id LIMIT 1) AS stage WHERE {some("deals")}""",
    "stage kind": f"""
        UPDATE stages SET kind = CASE kind WHEN 'open' THEN 'won' WHEN 'won' THEN 'lost' ELSE 'open' END,
               probability = CASE kind WHEN 'open' THEN 1 WHEN 'won' THEN 0 ELSE 0.5 END
         WHERE tenant_id = {{tenant}} AND id = {one("stages")}""",
}

HISTORY = {
    "history insert": f"""
        INSERT INTO deal_stage_history (tenant_id, deal_id, to_stage_id, moved_at, moved_day)
        SELECT tenant_id, id, stage_id, now(), current_date FROM deals WHERE {some("deals")}""",
    "history update": f"""
        UPDATE deal_stage_history SET moved_day = date '2024-01-01' + ({hashed("id")} % 300)::int,
               to_stage_id = {one("stages")} WHERE {some("deal_stage_history")}""",
    "history delete": f"DELETE FROM deal_stage_history WHERE {some('deal_stage_history')}",
}

ACTIVITIES = {
    "activity insert": f"""
        INSERT INTO activities (tenant_id, kind, subject, owner_id, occurred_at)
        SELECT {{tenant}}, {kind("n")}, 'a talk', {one("members")}, {day("n")} FROM {new_rows("activities")}""",
    "activity merge": f"""
        MERGE INTO activities AS a USING {THREE_NAMES} ON a.tenant_id = {{tenant}} AND a.external_id = 'm' || named.name
         WHEN MATCHED AND {hashed("n")} % 3 = 0 THEN DELETE
         WHEN MATCHED THEN UPDATE SET kind = {kind("n")}
         WHEN NOT MATCHED THEN INSERT (tenant_id, kind, subject, owner_id, external_id)
              VALUES ({{tenant}}, {kind("n")}, 'a talk', {one("members")}, 'm' || named.name)""",
    "activity kind": f"UPDATE activities SET kind = {kind('id')} WHERE {some('activities')}",
    "activity time": f"UPDATE activities SET occurred_at = {day('id')} WHERE {some('activities')}",
    "activity soft delete": f"UPDATE activities SET deleted_at = now() WHERE {some('activities')}",
    "activity restore": f"UPDATE activities SET deleted_at = NULL WHERE {some('activities')}",
    "activity delete": f"DELETE FROM activities WHERE {some('activities')}",
    "activity tenant": f"""
        UPDATE activities SET tenant_id = {{other}}, owner_id = {one("members", tenant="{other}")}
         WHERE {some("activities")}""",
}

UNUSED = "NOT EXISTS (SELECT FROM deals AS d WHERE d.tenant_id = companies.tenant_id AND d.company_id = companies.id)"

COMPANIES = {
    "company insert": f"""
        INSERT INTO companies (tenant_id, name, created_at)
        SELECT {{tenant}}, 'a company', {day("n")} FROM {new_rows("companies")}""",
    "company time": f"UPDATE companies SET created_at = {day('id')} WHERE {some('companies')}",
    "company soft delete": f"UPDATE companies SET deleted_at = now() WHERE {some('companies')}",
    "company restore": f"UPDATE companies SET deleted_at = NULL WHERE {some('companies')}",
    "company delete": f"DELETE FROM companies WHERE {some('companies', UNUSED)}",
    "company tenant": f"UPDATE companies SET tenant_id = {{other}} WHERE {some('companies', UNUSED)}",
}

TASKS = {
    "task insert": f"""
        INSERT INTO tasks (tenant_id, title, owner_id, due_at, completed_at)
        SELECT {{tenant}}, 'to do', {one("members", "n")}, {maybe_day("n")},
               CASE WHEN {hashed("n + 1")} % 3 = 0 THEN now() END FROM {new_rows("tasks")}""",
    "task upsert": f"""
        INSERT INTO tasks (tenant_id, title, owner_id, due_at, external_id)
        SELECT {{tenant}}, 'to do', {one("members")}, {maybe_day("n")}, 'u' || name FROM {THREE_NAMES} ORDER BY name
            ON CONFLICT (tenant_id, external_id) DO UPDATE SET due_at = excluded.due_at, completed_at = NULL""",
    "task time": f"UPDATE tasks SET due_at = {maybe_day('id')} WHERE {some('tasks')}",
    "task done": f"UPDATE tasks SET completed_at = now() WHERE {some('tasks')}",
    "task open again": f"UPDATE tasks SET completed_at = NULL WHERE {some('tasks', 'completed_at IS NOT NULL')}",
    "task of no rollup": f"UPDATE tasks SET title = title || '' WHERE {some('tasks')}",
    "task soft delete": f"UPDATE tasks SET deleted_at = now() WHERE {some('tasks')}",
    "task restore": f"UPDATE tasks SET deleted_at = NULL WHERE {some('tasks')}",
    "task delete": f"DELETE FROM tasks WHERE {some('tasks')}",
    "task tenant": f"""
        UPDATE tasks SET tenant_id = {{other}}, owner_id = {one("members", tenant="{other}")} WHERE {some("tasks")}""",
}

WRITES = DEALS | HISTORY | ACTIVITIES | COMPANIES | TASKS
