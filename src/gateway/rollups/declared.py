"""The gateway's rollups. `docs/rollups.md` says which question each one answers."""

from gateway.rollups.declaration import Contribution, Key, Rollup, Table, count, total

DEALS = Table(
    "deals",
    frozenset(
        {
            *("pipeline_id", "stage_id", "owner_id", "company_id", "amount", "outcome"),
            *("created_day", "closed_day", "expected_close", "deleted_at"),
        }
    ),
)
HISTORY = Table("deal_stage_history", frozenset({"from_stage_id", "to_stage_id", "moved_day", "deal_deleted"}))
ACTIVITIES = Table("activities", frozenset({"kind", "occurred_day", "deleted_at"}))
COMPANIES = Table("companies", frozenset({"created_day", "deleted_at"}))
TASKS = Table("tasks", frozenset({"due_day", "completed_at", "deleted_at"}))

LIVE = "deleted_at IS NULL"
WON, LOST = "outcome = 'won'", "outcome = 'lost'"

CREATED = Contribution(LIVE, {"created": count()}, {"day": "created_day"})
CLOSED = Contribution(
    f"{LIVE} AND closed_day IS NOT NULL",
    {
        "won": count(WON),
        "lost": count(LOST),
        "won_value": total("amount", WON),
        "lost_value": total("amount", LOST),
        "won_cycle_days": total("closed_day - created_day", WON, sql_type="bigint"),
    },
    {"day": "closed_day"},
)

DEAL_STATE = Rollup(
    "deal_state",
    DEALS,
    (Key("pipeline_id"), Key("stage_id"), Key("owner_id")),
    (
        Contribution(
            LIVE,
            {
                "deals": count(),
                "value": total("amount"),
                "created_days": total("created_day - date '2000-01-01'", sql_type="bigint"),
                "cycle_days": total("closed_day - created_day", sql_type="bigint"),
            },
        ),
    ),
    "Deals as they stand now, by stage and owner. created_days: sum of creation days, counted from 2000-01-01; "
    "cycle_days: sum of days from creation to close.",
)

DEAL_FLOW = Rollup(
    "deal_flow",
    DEALS,
    (Key("day", "date"), Key("pipeline_id")),
    (CREATED, CLOSED),
    "What happened to deals on a day: created, won, lost, by pipeline.",
)

OWNER_DEAL_FLOW = Rollup(
    "owner_deal_flow",
    DEALS,
    (Key("day", "date"), Key("owner_id"), Key("pipeline_id")),
    (CREATED, CLOSED),
    "What happened to deals on a day: created, won, lost, by owner and pipeline.",
    indexes=(("owner_id", "day"),),
)

DEAL_FORECAST = Rollup(
    "deal_forecast",
    DEALS,
    (Key("day", "date"), Key("stage_id")),
    (
        Contribution(
            f"{LIVE} AND outcome = 'open' AND expected_close IS NOT NULL",
            {"deals": count(), "value": total("amount")},
            {"day": "expected_close"},
        ),
    ),
    "Open deals by the day on which they are expected to close, by stage.",
)

COMPANY_DEALS = Rollup(
    "company_deals",
    DEALS,
    (Key("company_id", absent="0"),),
    (Contribution(LIVE, {"deals": count()}),),
    "How many deals a company has; company 0 stands for none.",
)

STAGE_FLOW = Rollup(
    "stage_flow",
    HISTORY,
    (Key("day", "date"), Key("stage_id")),
    (
        Contribution("NOT deal_deleted", {"entered": count()}, {"stage_id": "to_stage_id", "day": "moved_day"}),
        Contribution(
            "NOT deal_deleted AND from_stage_id IS NOT NULL",
            {"departed": count()},
            {"stage_id": "from_stage_id", "day": "moved_day"},
        ),
    ),
    "How many times deals entered and departed from a stage on a day.",
)

ACTIVITY_FLOW = Rollup(
    "activity_flow",
    ACTIVITIES,
    (Key("day", "date"),),
    (
        Contribution(
            LIVE,
            {
                "calls": count("kind = 'call'"),
                "emails": count("kind = 'email'"),
                "meetings": count("kind = 'meeting'"),
                "notes": count("kind = 'note'"),
            },
            {"day": "occurred_day"},
        ),
    ),
    "Activities of a day; the kinds are measures.",
)

COMPANY_FLOW = Rollup(
    "company_flow",
    COMPANIES,
    (Key("day", "date"),),
    (Contribution(LIVE, {"created": count()}, {"day": "created_day"}),),
    "Companies by the day they were created.",
)

TASK_AGENDA = Rollup(
    "task_agenda",
    TASKS,
    (Key("day", "date", absent="date '9999-12-31'"),),
    (Contribution(f"{LIVE} AND completed_at IS NULL", {"tasks": count()}, {"day": "due_day"}),),
    "Open tasks by the day on which they are due; those without one stand on 9999-12-31, which is never over.",
)

ROLLUPS: tuple[Rollup, ...] = (
    DEAL_STATE,
    DEAL_FLOW,
    OWNER_DEAL_FLOW,
    DEAL_FORECAST,
    COMPANY_DEALS,
    STAGE_FLOW,
    ACTIVITY_FLOW,
    COMPANY_FLOW,
    TASK_AGENDA,
)
