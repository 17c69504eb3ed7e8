"""Numbers that can be counted on paper: see `tests.world` for what the tenants hold."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.api.ids import encode_id
from tests.api.conftest import SMALL, Tenant
from tests.api.periods import PRESETS, Period

pytestmark = pytest.mark.same_lines

Small = Mapping[str, Tenant]
APRIL = {"period": {"range": {"from": "2024-04-01", "to": "2024-05-01"}}}
DEALS = """query ($period: PeriodInput) { dashboard(period: $period) { overview { deals {
  total open won lost pipelineValue weightedValue wonValue lostValue winRate averageDealSize averageCycleDays } } } }"""


ALL_TIME = {
    "total": 7,
    "open": 4,
    "won": 2,
    "lost": 1,
    "pipelineValue": "1500",
    "weightedValue": "290",
    "wonValue": "500.5",
    "lostValue": "70",
    "winRate": pytest.approx(2 / 3),
    "averageDealSize": "250.25",
    "averageCycleDays": 9.5,
}


async def test_deals_of_all_time(small: Small) -> None:
    answer = await small["tokyo"].query(DEALS)
    assert answer["dashboard"]["overview"]["deals"] == ALL_TIME


async def test_a_deal_of_the_last_second_of_march_is_not_one_of_april(small: Small) -> None:
    answer = await small["tokyo"].query(DEALS, **APRIL)
    assert answer["dashboard"]["overview"]["deals"] == {**ALL_TIME, "total": 6}


async def test_stages_of_deals_that_wander_leap_and_come_back(small: Small) -> None:
    pipeline = await stages(small["tokyo"])
    names = "deals", "value", "weightedValue", "share", "entered", "left", "conversionToNext", "medianDaysInStage"
    assert {stage["stage"]["name"]: tuple(stage[name] for name in names) for stage in pipeline} == {
        "Lead": (2, "1000", "100", pytest.approx(2 / 3), 8, 6, pytest.approx(4 / 7), 3.5),
        "Qualified": (1, "300", "90", pytest.approx(1 / 5), 3, 2, 1.5, 6.5),
        "Proposal": (1, "200", "100", pytest.approx(2 / 15), 1, 0, 2.0, None),
        "Negotiation": (0, "0", "0", 0.0, 0, 0, None, None),
        "Won": (2, "500.5", "0", None, 2, 0, None, None),
        "Lost": (1, "70", "0", None, 2, 1, None, 1.0),
    }


async def test_the_moves_of_a_week(small: Small) -> None:
    week = {"period": {"range": {"from": "2024-04-08", "to": "2024-04-15"}}}
    names = "deals", "entered", "left", "conversionToNext", "medianDaysInStage"
    pipeline = await stages(small["tokyo"], **week)
    assert {stage["stage"]["name"]: tuple(stage[name] for name in names) for stage in pipeline} == {
        "Lead": (2, 1, 4, 4.0, 3.5),
        "Qualified": (1, 2, 0, 1.0, None),
        "Proposal": (1, 1, 0, 1.0, None),
        "Negotiation": (0, 0, 0, None, None),
        "Won": (2, 1, 0, None, None),
        "Lost": (1, 1, 1, None, 1.0),
    }


async def test_ages_are_whole_days_of_tokyo(small: Small) -> None:
    answer = await small["tokyo"].query(
        "{ dashboard { asOf overview { pipeline { stage { name } averageAgeDays } } } }"
    )
    now = datetime.fromisoformat(answer["dashboard"]["asOf"])
    today = (now.astimezone(UTC) + timedelta(hours=9)).date()
    april_5 = (today - date(2024, 4, 5)).days
    ages = {stage["stage"]["name"]: stage["averageAgeDays"] for stage in answer["dashboard"]["overview"]["pipeline"]}
    assert ages == {
        "Lead": april_5 + 4.5,
        "Qualified": float(april_5),
        "Proposal": float(april_5 + 3),
        "Negotiation": None,
        "Won": None,
        "Lost": None,
    }


async def test_a_trend_counts_the_days_of_its_range_alone(small: Small) -> None:
    query = """{ dashboard(period: {range: {from: "2024-04-01", to: "2024-04-11"}}) {
      trend(interval: WEEK) { start created won lost wonValue } } }"""
    assert (await small["tokyo"].query(query))["dashboard"]["trend"] == [
        {"start": "2024-04-01", "created": 5, "won": 0, "lost": 0, "wonValue": "0"},
        {"start": "2024-04-08", "created": 1, "won": 1, "lost": 0, "wonValue": "500.5"},
    ]


async def test_sellers_are_ranked_by_what_they_won(small: Small) -> None:
    query = "{ dashboard { leaderboard { member { name } won wonValue winRate openValue } } }"
    assert (await small["tokyo"].query(query))["dashboard"]["leaderboard"] == [
        {"member": {"name": "bob"}, "won": 2, "wonValue": "500.5", "winRate": 1.0, "openValue": "300"},
        {"member": {"name": "ann"}, "won": 0, "wonValue": "0", "winRate": 0.0, "openValue": "1200"},
    ]


async def test_a_company_counts_its_own_deals(small: Small) -> None:
    (acme,) = small["tokyo"].facts.alive["companies"]
    query = """query ($id: ID!) { companyAnalytics(companyId: $id) { deals {
      total open won lost pipelineValue weightedValue wonValue lostValue } lastContactAt } }"""
    answer = await small["tokyo"].query(query, id=encode_id("Company", acme))
    assert answer["companyAnalytics"] == {
        "deals": {
            "total": 5,
            "open": 3,
            "won": 1,
            "lost": 1,
            "pipelineValue": "1300",
            "weightedValue": "190",
            "wonValue": "500.5",
            "lostValue": "70",
        },
        "lastContactAt": None,
    }


async def test_deleted_companies_do_not_count(small: Small) -> None:
    query = "{ dashboard { overview { companies { total withDeals new } } } }"
    answer = await small["tokyo"].query(query)
    assert answer["dashboard"]["overview"]["companies"] == {"total": 1, "withDeals": 1, "new": 0}


@pytest.mark.parametrize(
    ("first", "last", "created", "won"),
    [("2024-03-09", "2024-03-12", [1, 2, 1], [0, 2, 2]), ("2024-11-02", "2024-11-05", [1, 2, 1], [0, 2, 2])],
    ids=["the short night", "the long night"],
)
async def test_days_around_a_change_of_clocks(
    small: Small, first: str, last: str, created: list[int], won: list[int]
) -> None:
    query = """query ($period: PeriodInput) { dashboard(period: $period) {
      overview { deals { total averageCycleDays } } trend(interval: DAY) { created won } } }"""
    answer = (await small["york"].query(query, period={"range": {"from": first, "to": last}}))["dashboard"]
    assert answer["overview"]["deals"] == {"total": 4, "averageCycleDays": 0.5}
    assert [point["created"] for point in answer["trend"]] == created
    assert [point["won"] for point in answer["trend"]] == won


@pytest.mark.parametrize("slug", SMALL)
@pytest.mark.parametrize("period", [None, *PRESETS, (date(2024, 4, 3), date(2024, 11, 4))], ids=str)
async def test_the_oracle_agrees_on_every_small_tenant(small: Small, slug: str, period: Period) -> None:
    tenant = small[slug]
    for owner in (None, *(row["id"] for row in tenant.facts.rows["members"])):
        answer, expected = await tenant.dashboard(owner, period)
        assert answer == expected


async def test_a_task_due_later_today_is_due_today_and_not_overdue(small: Small) -> None:
    answer = await small["office"].query("{ dashboard { overview { tasks { open overdue dueToday } } } }")
    assert answer["dashboard"]["overview"]["tasks"] == {"open": 4, "overdue": 1, "dueToday": 1}


async def test_a_week_is_seven_days_whatever_day_it_is(small: Small) -> None:
    answer = await small["office"].query("{ dashboard { overview { activities { total today week } } } }")
    assert answer["dashboard"]["overview"]["activities"] == {"total": 20, "today": 2, "week": 8}


@pytest.mark.parametrize(
    ("name", "health", "total"), [("Noted", "DORMANT", 2), ("Planned", "DORMANT", 1), ("Added", "NEW", 0)]
)
async def test_neither_a_note_nor_a_plan_is_a_contact(small: Small, name: str, health: str, total: int) -> None:
    tenant = small["office"]
    key = next(row["id"] for row in tenant.facts.rows["companies"] if row["name"] == name)
    query = """query ($id: ID!) { companyAnalytics(companyId: $id) {
      lastContactAt activities { total } engagement { score health } } }"""
    assert (await tenant.query(query, id=encode_id("Company", key)))["companyAnalytics"] == {
        "lastContactAt": None,
        "activities": {"total": total},
        "engagement": {"score": 0, "health": health},
    }


async def test_a_tenant_without_records_has_zeros_and_no_rates(small: Small) -> None:
    overview = (await small["fresh"].dashboard(None, None))[0]["overview"]
    deals, pipeline = overview["deals"], overview["pipeline"]
    assert deals == dict.fromkeys(deals, 0) | dict.fromkeys(
        ("pipelineValue", "weightedValue", "wonValue", "lostValue"), "0"
    ) | dict.fromkeys(("winRate", "averageDealSize", "averageCycleDays"))
    assert [(stage["deals"], stage["share"], stage["averageAgeDays"]) for stage in pipeline] == [(0, None, None)] * 6


async def test_a_tenant_without_pipelines_has_a_dashboard_and_no_pipeline_stats(small: Small) -> None:
    answer = await small["bare"].query(
        "{ dashboard { overview { deals { total } pipeline { deals } } } pipelineStats { asOf } pipelines { id } }"
    )
    assert answer == {
        "dashboard": {"overview": {"deals": {"total": 0}, "pipeline": []}},
        "pipelineStats": None,
        "pipelines": [],
    }


async def stages(tenant: Tenant, **variables: Any) -> list[dict[str, Any]]:
    query = """query ($period: PeriodInput) { dashboard(period: $period) { overview { pipeline { stage { name }
      deals value weightedValue share entered left conversionToNext medianDaysInStage } } } }"""
    answer = await tenant.query(query, **variables)
    return list(answer["dashboard"]["overview"]["pipeline"])
