"""Whole answers against the oracle, number by number: three time zones, every period, every interval."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from tests.api.conftest import Tenant
from tests.api.periods import PRESETS, Period
from tests.conftest import ANCHOR

pytestmark = pytest.mark.same_lines

LONG_AGO = (date(1900, 1, 1), date(1901, 2, 3))
TO_THE_LAST_DAY = (date(9998, 5, 6), date(9999, 12, 31))
# Neither begins nor ends with an interval, whatever the interval.
UNALIGNED = (ANCHOR.date() - timedelta(days=201), ANCHOR.date() - timedelta(days=2))

PERIODS: tuple[Period, ...] = (None, *PRESETS, UNALIGNED, LONG_AGO, TO_THE_LAST_DAY)
SOME_PERIODS: tuple[Period, ...] = (None, "LAST_90_DAYS", "THIS_QUARTER", UNALIGNED)

each_tenant = pytest.mark.parametrize("slug", ["aurora", "birch", "cobalt"])


@each_tenant
@pytest.mark.parametrize("period", PERIODS, ids=str)
async def test_a_dashboard_is_what_the_rows_say(tenants: Mapping[str, Tenant], slug: str, period: Period) -> None:
    answer, expected = await tenants[slug].dashboard(None, period)
    assert answer == expected


@each_tenant
@pytest.mark.parametrize("period", SOME_PERIODS, ids=str)
async def test_a_members_dashboard_is_what_their_rows_say(
    tenants: Mapping[str, Tenant], slug: str, period: Period
) -> None:
    for member in members_of_note(tenants[slug]):
        answer, expected = await tenants[slug].dashboard(member, period)
        assert answer == expected


@each_tenant
@pytest.mark.parametrize("period", PERIODS, ids=str)
async def test_pipeline_stats_are_what_the_rows_say(tenants: Mapping[str, Tenant], slug: str, period: Period) -> None:
    tenant = tenants[slug]
    for pipeline in (None, *(row["id"] for row in tenant.facts.rows["pipelines"])):
        answer, expected = await tenant.pipeline_stats(pipeline, None, period)
        assert answer == expected


@each_tenant
async def test_a_members_pipeline_stats_are_what_their_rows_say(tenants: Mapping[str, Tenant], slug: str) -> None:
    tenant = tenants[slug]
    for member in members_of_note(tenant):
        answer, expected = await tenant.pipeline_stats(None, member, "THIS_YEAR")
        assert answer == expected


@each_tenant
@pytest.mark.parametrize("period", PERIODS, ids=str)
async def test_company_analytics_are_what_the_rows_say(
    tenants: Mapping[str, Tenant], slug: str, period: Period
) -> None:
    tenant = tenants[slug]
    for company in companies_of_note(tenant):
        answer, expected = await tenant.company_analytics(company, period)
        assert answer == expected


@each_tenant
async def test_companies_are_engaged_as_their_rows_say(tenants: Mapping[str, Tenant], slug: str) -> None:
    tenant = tenants[slug]
    for company in sorted(tenant.facts.alive["companies"])[:60]:
        answer, expected = await tenant.company_analytics(company, "LAST_30_DAYS")
        assert answer == expected


@pytest.mark.parametrize("period", [LONG_AGO, TO_THE_LAST_DAY], ids=str)
async def test_where_nothing_happened_all_is_zero_and_rates_are_null(
    tenants: Mapping[str, Tenant], period: Period
) -> None:
    answer, _ = await tenants["aurora"].dashboard(None, period)
    deals, stages = answer["overview"]["deals"], answer["overview"]["pipeline"]
    assert {deals[name] for name in ("total", "won", "lost")} == {0}
    assert {deals[name] for name in ("wonValue", "lostValue")} == {"0"}
    assert {deals[name] for name in ("winRate", "averageDealSize", "averageCycleDays")} == {None}
    assert {stage["entered"] + stage["left"] for stage in stages} == {0}
    assert {stage[name] for stage in stages for name in ("conversionToNext", "medianDaysInStage")} == {None}
    assert {point["created"] + point["won"] + point["lost"] for point in answer["day"]} == {0}


def members_of_note(tenant: Tenant) -> list[int]:
    """The busiest seller, a middling one, an inactive member with deals, one without any records."""
    rows, facts = tenant.facts.rows, tenant.facts
    sellers = [member for member, _ in Counter(deal.owner_id for deal in facts.deals).most_common()]
    inactive = [row["id"] for row in rows["members"] if not row["active"] and row["id"] in sellers]
    owners = {row["owner_id"] for table in ("companies", "deals", "activities", "tasks") for row in rows[table]}
    idle = [row["id"] for row in rows["members"] if row["id"] not in owners]
    assert inactive
    assert idle
    return [sellers[0], sellers[len(sellers) // 2], inactive[0], idle[0]]


def companies_of_note(tenant: Tenant) -> list[int]:
    """The company with the most contacts, the newest one, the one that was quiet longest, one without deals."""
    facts = tenant.facts
    last = {
        row["company_id"]: row["occurred_at"]
        for row in sorted(facts.rows["activities"], key=lambda row: row["occurred_at"])
    }
    busy = Counter(row["company_id"] for row in facts.rows["activities"] if row["company_id"]).most_common(1)[0][0]
    newest = max(facts.rows["companies"], key=lambda row: row["created_at"])["id"]
    quiet = min((key for key in last if key in facts.alive["companies"]), key=lambda key: last[key])
    without_deals = facts.alive["companies"] - {deal.company_id for deal in facts.deals}
    return [busy, newest, quiet, *sorted(without_deals)[:1]]
