"""Numbers that must add up: parts to wholes, days to periods, members and companies to the tenant."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.api.ids import encode_id
from tests.api.conftest import Tenant
from tests.api.periods import Period, argument
from tests.api.questions import DASHBOARD
from tests.conftest import ANCHOR

pytestmark = pytest.mark.same_lines

Json = dict[str, Any]
UNALIGNED = (ANCHOR.date() - timedelta(days=333), ANCHOR.date() - timedelta(days=17))
COUNTS = "open", "won", "lost", "total"
VALUES = "pipelineValue", "weightedValue", "wonValue", "lostValue"

each_tenant = pytest.mark.parametrize("slug", ["aurora", "birch", "cobalt"])
each_period = pytest.mark.parametrize("period", [None, "LAST_QUARTER", "LAST_90_DAYS", UNALIGNED], ids=str)


@each_tenant
@each_period
async def test_stages_add_up_to_the_open_deals(tenants: Mapping[str, Tenant], slug: str, period: Period) -> None:
    overview = (await dashboard(tenants[slug], period))["overview"]
    deals = overview["deals"]
    still_open = [stage for stage in overview["pipeline"] if stage["stage"]["kind"] == "OPEN"]
    assert sum(stage["deals"] for stage in still_open) == deals["open"] > 0
    assert total(still_open, "value") == Decimal(deals["pipelineValue"])
    assert total(still_open, "weightedValue") == Decimal(deals["weightedValue"])
    assert sum(stage["share"] for stage in still_open) == pytest.approx(1)


@each_tenant
async def test_every_deal_is_open_won_or_lost(tenants: Mapping[str, Tenant], slug: str) -> None:
    overview = (await dashboard(tenants[slug], None))["overview"]
    deals = overview["deals"]
    assert deals["total"] == deals["open"] + deals["won"] + deals["lost"]
    assert deals["total"] == sum(stage["deals"] for stage in overview["pipeline"])
    assert total(overview["pipeline"], "value") == sum(
        Decimal(deals[name]) for name in ("pipelineValue", "wonValue", "lostValue")
    )


@each_tenant
@pytest.mark.parametrize("period", ["THIS_YEAR", "LAST_90_DAYS", UNALIGNED], ids=str)
async def test_trends_add_up_to_their_period(tenants: Mapping[str, Tenant], slug: str, period: Period) -> None:
    answer = await dashboard(tenants[slug], period)
    deals = answer["overview"]["deals"]
    expected = deals["total"], deals["won"], deals["lost"], Decimal(deals["wonValue"])
    for unit in ("day", "week", "month", "quarter"):
        counts = tuple(sum(point[name] for point in answer[unit]) for name in ("created", "won", "lost"))
        assert (*counts, total(answer[unit], "wonValue")) == expected


@each_tenant
@each_period
async def test_sellers_add_up_to_the_tenant(tenants: Mapping[str, Tenant], slug: str, period: Period) -> None:
    answer = await dashboard(tenants[slug], period)
    deals, sellers = answer["overview"]["deals"], answer["leaderboard"]
    assert sum(seller["won"] for seller in sellers) == deals["won"]
    assert total(sellers, "wonValue") == Decimal(deals["wonValue"])
    assert total(sellers, "openValue") == Decimal(deals["pipelineValue"])
    assert total(sellers[:3], "wonValue") < Decimal(deals["wonValue"])


@each_tenant
@each_period
async def test_kinds_of_activities_add_up(tenants: Mapping[str, Tenant], slug: str, period: Period) -> None:
    activities = (await dashboard(tenants[slug], period))["overview"]["activities"]
    assert sum(kind["count"] for kind in activities["byKind"]) == activities["total"] > 0


@each_period
async def test_members_add_up_to_the_tenant(tenants: Mapping[str, Tenant], period: Period) -> None:
    tenant = tenants["birch"]
    members = [row["id"] for row in tenant.facts.rows["members"]]
    whole = (await dashboard(tenant, period))["overview"]
    parts = [(await dashboard(tenant, period, member))["overview"] for member in members]
    deals = [part["deals"] for part in parts]
    assert {name: sum(each[name] for each in deals) for name in COUNTS} == picked(whole["deals"], COUNTS)
    assert {name: total(deals, name) for name in VALUES} == decimals(whole["deals"])
    for topic, names in (("activities", ("total", "today", "week")), ("tasks", ("open", "overdue", "dueToday"))):
        assert {name: sum(part[topic][name] for part in parts) for name in names} == picked(whole[topic], names)
    stages = zip(*(part["pipeline"] for part in parts), strict=True)
    names = "deals", "entered", "left"
    assert [{name: sum(part[name] for part in stage) for name in names} for stage in stages] == [
        picked(stage, names) for stage in whole["pipeline"]
    ]


@each_period
async def test_companies_and_deals_without_one_add_up_to_the_tenant(
    tenants: Mapping[str, Tenant], period: Period
) -> None:
    tenant = tenants["cobalt"]
    counted = [await company_deals(tenant, company, period) for company in tenant.facts.alive["companies"]]
    whole = (await dashboard(tenant, period))["overview"]["deals"]
    elsewhere = [deal for deal in tenant.facts.deals if deal.company_id not in tenant.facts.alive["companies"]]
    still_open = [deal.amount for deal in elsewhere if deal.outcome == "open"]
    assert sum(each["open"] for each in counted) + len(still_open) == whole["open"]
    assert total(counted, "pipelineValue") + sum(still_open) == Decimal(whole["pipelineValue"])
    if period is None:
        assert sum(each["total"] for each in counted) + len(elsewhere) == whole["total"]
        won = [deal.amount for deal in elsewhere if deal.outcome == "won"]
        assert total(counted, "wonValue") + sum(won) == Decimal(whole["wonValue"])


@each_tenant
async def test_pipelines_add_up_to_the_dashboard(tenants: Mapping[str, Tenant], slug: str) -> None:
    tenant = tenants[slug]
    pipelines = [row["id"] for row in tenant.facts.rows["pipelines"]]
    parts = [(await tenant.pipeline_stats(pipeline, None, UNALIGNED))[0]["deals"] for pipeline in pipelines]
    whole = (await dashboard(tenant, UNALIGNED))["overview"]["deals"]
    assert {name: sum(part[name] for part in parts) for name in COUNTS} == picked(whole, COUNTS)
    assert {name: total(parts, name) for name in VALUES} == decimals(whole)


async def dashboard(tenant: Tenant, period: Period, member: int | None = None) -> Json:
    variables = {"owner": member and encode_id("Member", member), "period": argument(period)}
    found: Json = (await tenant.query(DASHBOARD, **variables))["dashboard"]
    return found


async def company_deals(tenant: Tenant, company: int, period: Period) -> Json:
    query = """query ($id: ID!, $period: PeriodInput) { companyAnalytics(companyId: $id, period: $period) {
      deals { total open won wonValue pipelineValue } } }"""
    answer = await tenant.query(query, id=encode_id("Company", company), period=argument(period))
    found: Json = answer["companyAnalytics"]["deals"]
    return found


def total(parts: Iterable[Json], name: str) -> Decimal:
    return sum((Decimal(part[name]) for part in parts), Decimal(0))


def picked(whole: Json, names: Iterable[str]) -> Json:
    return {name: whole[name] for name in names}


def decimals(deals: Json) -> dict[str, Decimal]:
    return {name: Decimal(deals[name]) for name in VALUES}
