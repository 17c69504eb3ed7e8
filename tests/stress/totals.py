"""The truth once more, written by hand: the total of each measure, straight from the base table."""

from gateway.rollups import declared

FLOW = """
SELECT count(*) AS created,
       count(*) FILTER (WHERE outcome = 'won'), count(*) FILTER (WHERE outcome = 'lost'),
       coalesce(sum(amount) FILTER (WHERE outcome = 'won'), 0),
       coalesce(sum(amount) FILTER (WHERE outcome = 'lost'), 0),
       coalesce(sum(closed_day - created_day) FILTER (WHERE outcome = 'won'), 0)
  FROM public.deals WHERE deleted_at IS NULL
"""

TOTALS = {
    declared.DEAL_STATE.name: """
        SELECT count(*), coalesce(sum(amount), 0), coalesce(sum(created_day - date '2000-01-01'), 0),
               coalesce(sum(closed_day - created_day), 0) FROM public.deals WHERE deleted_at IS NULL""",
    declared.DEAL_FLOW.name: FLOW,
    declared.OWNER_DEAL_FLOW.name: FLOW,
    declared.DEAL_FORECAST.name: """
        SELECT count(*), coalesce(sum(amount), 0) FROM public.deals
         WHERE deleted_at IS NULL AND outcome = 'open' AND expected_close IS NOT NULL""",
    declared.COMPANY_DEALS.name: "SELECT count(*) FROM public.deals WHERE deleted_at IS NULL",
    declared.STAGE_FLOW.name: """
        SELECT count(*), count(from_stage_id) FROM public.deal_stage_history WHERE NOT deal_deleted""",
    declared.ACTIVITY_FLOW.name: """
        SELECT count(*) FILTER (WHERE kind = 'call'), count(*) FILTER (WHERE kind = 'email'),
               count(*) FILTER (WHERE kind = 'meeting'), count(*) FILTER (WHERE kind = 'note')
          FROM public.activities WHERE deleted_at IS NULL""",
    declared.COMPANY_FLOW.name: "SELECT count(*) FROM public.companies WHERE deleted_at IS NULL",
    declared.TASK_AGENDA.name: """
        SELECT count(*) FROM public.tasks WHERE deleted_at IS NULL AND completed_at IS NULL""",
}
"""By rollup; columns in the order of its measures."""
