"""Every aggregate field of the API, for each combination of its arguments: what answers it, and how fast."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.rollups.subject import Gateway, Subject, Timed, connected, median, rounds_of
from loaders.activities import activity_counts
from loaders.companies import company_counts, engagement_facts
from loaders.deal_groups import GroupRequest, deal_groups
from loaders.deal_totals import (
    Moves,
    WhichPipelines,
    company_deal_trend,
    company_totals,
    deal_board,
    deal_forecast,
    deal_trend,
    leaderboard,
)
from loaders.keyset import count_rows
from loaders.lists import ACTIVITIES, DEALS
from loaders.periods import ALL_DAYS, Days
from loaders.tasks import task_counts
from loaders.tenants import Moment

BUSIEST = """
SELECT (SELECT owner_id FROM deals WHERE tenant_id = $1 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) AS owner_id,
       (SELECT company_id FROM deals WHERE tenant_id = $1 AND company_id IS NOT NULL
         GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) AS company_id,
       (SELECT id FROM pipelines WHERE tenant_id = $1 AND is_default) AS pipeline_id
"""

NONE, COUNTED, FOLLOWED = Moves(False, False), Moves(True, False), Moves(True, True)
OPEN_BY_DAY = "open deals of the owner, by index"
SINGLE_MOVES = "single moves of the period, by index"
ALL_MOVES = "all single moves, by index"
OF_COMPANY = "the company's own rows, by index"


@dataclass(frozen=True)
class Arguments:
    """Of the largest tenant: its busiest owner and company, the default pipeline, the last 90 days."""

    owner_id: int
    company_id: int
    pipeline_id: int
    days: Days
    moment: Moment


Call = Callable[[Timed, Arguments], Awaitable[Any]]


@dataclass(frozen=True)
class Question:
    """`answered_by`: names of rollups, or what is scanned."""

    field: str
    arguments: str
    answered_by: tuple[str, ...]
    call: Call


@dataclass(frozen=True)
class Answer:
    """`ms`: median in the database, planning included, less a trip to it and back."""

    field: str
    arguments: str
    answered_by: tuple[str, ...]
    ms: float


def _board(owner: bool, period: bool, moves: Moves, *, pipeline: bool = False) -> Call:
    def call(reads: Timed, given: Arguments) -> Awaitable[Any]:
        owner_id, days = given.owner_id if owner else None, given.days if period else ALL_DAYS
        if pipeline:
            return deal_board(reads, WhichPipelines(one=True, id=given.pipeline_id), owner_id, days, moves)
        return deal_board(reads, WhichPipelines(one=False, id=None), owner_id, days, moves)

    return call


def _groups(*keys: str, **filters: object) -> Call:
    request = GroupRequest(keys, "value", True, 100, tuple(filters.items()))
    return lambda reads, _given: deal_groups(reads, request)


DASHBOARD_DEALS = "dashboard.overview.deals, .pipeline"
PASSING = "… .pipeline.entered, .left"
SINGLE = "… .conversionToNext, .medianDaysInStage"

QUESTIONS: Sequence[Question] = (
    Question(DASHBOARD_DEALS, "", ("deal_state",), _board(False, False, NONE)),
    Question(DASHBOARD_DEALS, "ownerId", ("deal_state",), _board(True, False, NONE)),
    Question(DASHBOARD_DEALS, "period", ("deal_state", "deal_flow"), _board(False, True, NONE)),
    Question(DASHBOARD_DEALS, "ownerId, period", ("deal_state", "owner_deal_flow"), _board(True, True, NONE)),
    Question(PASSING, "", ("stage_flow",), _board(False, False, COUNTED)),
    Question(PASSING, "period", ("stage_flow",), _board(False, True, COUNTED)),
    Question(PASSING, "ownerId, period", (SINGLE_MOVES,), _board(True, True, COUNTED)),
    Question(SINGLE, "period", (SINGLE_MOVES,), _board(False, True, FOLLOWED)),
    Question(SINGLE, "", (ALL_MOVES,), _board(False, False, FOLLOWED)),
    Question(
        "dashboard.overview.activities",
        "with or without period",
        ("activity_flow",),
        lambda reads, given: activity_counts(reads, None, given.days, given.moment.today),
    ),
    Question(
        "dashboard.overview.activities",
        "ownerId, period",
        ("activities of the owner, by day, by index",),
        lambda reads, given: activity_counts(reads, given.owner_id, given.days, given.moment.today),
    ),
    Question(
        "dashboard.overview.companies.total, .new",
        "with or without period",
        ("company_flow",),
        lambda reads, given: company_counts(reads, None, given.days, with_deals=False),
    ),
    Question(
        "dashboard.overview.companies.withDeals",
        "",
        ("company_deals",),
        lambda reads, given: company_counts(reads, None, given.days, with_deals=True),
    ),
    Question(
        "dashboard.overview.companies",
        "ownerId",
        ("companies of the owner, by index",),
        lambda reads, given: company_counts(reads, given.owner_id, given.days, with_deals=True),
    ),
    Question(
        "dashboard.overview.tasks",
        "",
        ("task_agenda", "open tasks that are due about now, by index"),
        lambda reads, given: task_counts(reads, None, given.moment.as_of, given.moment.today),
    ),
    Question(
        "dashboard.overview.tasks",
        "ownerId",
        ("open tasks of the owner, by index",),
        lambda reads, given: task_counts(reads, given.owner_id, given.moment.as_of, given.moment.today),
    ),
    Question(
        "dashboard.trend",
        "period",
        ("deal_flow",),
        lambda reads, given: deal_trend(reads, None, None, "week", given.days, given.moment.today),
    ),
    Question(
        "dashboard.trend",
        "ownerId, period",
        ("owner_deal_flow",),
        lambda reads, given: deal_trend(reads, None, given.owner_id, "week", given.days, given.moment.today),
    ),
    Question(
        "dashboard.leaderboard",
        "",
        ("deal_state",),
        lambda reads, _given: leaderboard(reads, None, ALL_DAYS, 10),
    ),
    Question(
        "dashboard.leaderboard",
        "period",
        ("deal_state", "owner_deal_flow"),
        lambda reads, given: leaderboard(reads, None, given.days, 10),
    ),
    Question("pipelineStats.deals, .stages", "pipelineId", ("deal_state",), _board(False, False, NONE, pipeline=True)),
    Question(
        "pipelineStats.deals, .stages",
        "pipelineId, period",
        ("deal_state", "deal_flow"),
        _board(False, True, NONE, pipeline=True),
    ),
    Question(
        "pipelineStats.deals, .stages",
        "pipelineId, ownerId, period",
        ("deal_state", "owner_deal_flow"),
        _board(True, True, NONE, pipeline=True),
    ),
    Question(
        "pipelineStats.trend",
        "pipelineId, period",
        ("deal_flow",),
        lambda reads, given: deal_trend(reads, given.pipeline_id, None, "month", given.days, given.moment.today),
    ),
    Question(
        "pipelineStats.forecast",
        "pipelineId",
        ("deal_forecast",),
        lambda reads, given: deal_forecast(reads, given.pipeline_id, None, "month", ALL_DAYS, given.moment.today),
    ),
    Question(
        "pipelineStats.forecast",
        "pipelineId, ownerId",
        (OPEN_BY_DAY,),
        lambda reads, given: deal_forecast(
            reads, given.pipeline_id, given.owner_id, "month", ALL_DAYS, given.moment.today
        ),
    ),
    Question(
        "companyAnalytics.deals, .activities",
        "companyId, period",
        (OF_COMPANY,),
        lambda reads, given: company_totals(reads, given.company_id, given.days, given.moment.today),
    ),
    Question(
        "companyAnalytics.trend",
        "companyId, period",
        (OF_COMPANY,),
        lambda reads, given: company_deal_trend(reads, given.company_id, "month", given.days, given.moment.today),
    ),
    Question(
        "companyAnalytics.engagement, .lastContactAt",
        "companyId",
        (OF_COMPANY, "the tenant's activities of 30 days, by index"),
        lambda reads, given: engagement_facts(reads, given.company_id, given.moment.today),
    ),
    Question("dealAggregates", "by OWNER, TEAM, REGION, STAGE, PIPELINE, OUTCOME", ("deal_state",), _groups("owner")),
    Question(
        "dealAggregates", "by other keys or with other filters", ("the tenant's deals",), _groups("created_month")
    ),
    Question(
        "deals.totalCount", "", ("the tenant's deals, by index",), lambda reads, _given: count_rows(reads, DEALS, ())
    ),
    Question(
        "activities.totalCount",
        "kinds, owners … of a period",
        ("activities of the period, by index",),
        lambda reads, given: count_rows(
            reads, ACTIVITIES, (("occurred_from", given.days.from_day), ("occurred_to", given.days.to_day))
        ),
    ),
)


async def answer_in_turns(subject: Subject, rounds: int) -> list[Answer]:
    """Each question in each round, all in the gateway's own transactions."""
    async with connected(subject.settings, "owner") as owner:
        busiest = await owner.fetchrow(BUSIEST, subject.tenant_id)
    trips: list[float] = []
    times: list[list[float]] = [[] for _ in QUESTIONS]
    async with Gateway(subject) as gateway:
        for _ in rounds_of(rounds):
            async with gateway.snapshot() as (reads, now):
                given = Arguments(**busiest, days=Days(*now.presets["last_90_days"]), moment=now)
                for question, of_one in zip(QUESTIONS, times, strict=True):
                    # The first one may pay for the memory that the question before it gave back.
                    await question.call(reads, given)
                    trips.append(await reads.trip())
                    of_one.append(await reads.timed(question.call(reads, given)))
    return [
        Answer(question.field, question.arguments, question.answered_by, median(of_one) - median(trips))
        for question, of_one in zip(QUESTIONS, times, strict=True)
    ]
