"""How many statements a query issues, by name. It follows from the query's shape, whatever rows there are."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.api.ids import encode_id
from gateway.app import create_app
from gateway.web.default_query import DEFAULT_QUERY
from tests.api.conftest import Tenant
from tests.conftest import Client, Database, serving

SUMS = "moment deal_board stage_passages activity_summary company_summary task_summary deal_trend leaderboard"
RECORDS = "recent_activities next_tasks members_by_id companies_by_id deals_by_id"
DASHBOARD = Counter(f"{SUMS} {RECORDS}".split())

# Long lists, so that some row has each relation: one that no row has costs no statement.
WIDE_QUERY = DEFAULT_QUERY.replace("first: 5", "first: 50")

EVERYTHING = """
{
  dashboard {
    asOf period { from to preset }
    overview {
      deals { total open won lost pipelineValue weightedValue wonValue lostValue
              winRate averageDealSize averageCycleDays }
      activities { total today week byKind { kind count } }
      companies { total withDeals new }
      tasks { open overdue dueToday }
      pipeline {
        stage { name position probability kind pipeline { name isDefault stages { name } } }
        deals value weightedValue share averageAgeDays entered left conversionToNext medianDaysInStage
      }
    }
    trend { start created won lost wonValue }
    leaderboard { member { id name email role team region active createdAt } won wonValue winRate openValue }
    recent {
      activities(first: 50) {
        kind subject body occurredAt owner { name } company { name } contact { name }
        deal { name amount outcome stage { name pipeline { name } } }
      }
      tasks {
        title priority dueAt completedAt createdAt owner { name } company { name }
        deal { name amount outcome stage { name pipeline { name } } }
      }
    }
  }
}
"""

PIPELINE_STATS = """
{
  pipelineStats {
    asOf pipeline { name isDefault stages { name kind } }
    deals { total open won lost pipelineValue weightedValue wonValue lostValue
            winRate averageDealSize averageCycleDays }
    stages {
      stage { name kind pipeline { name stages { name } } }
      deals value weightedValue share averageAgeDays entered left conversionToNext medianDaysInStage
    }
    trend { start created won lost wonValue }
    forecast { start deals value weightedValue }
  }
}
"""

COMPANY_ANALYTICS = """
query ($id: ID!) {
  companyAnalytics(companyId: $id) {
    asOf company { name industry region website employees createdAt updatedAt owner { name } }
    deals { total open won lost pipelineValue weightedValue wonValue lostValue
            winRate averageDealSize averageCycleDays }
    activities { total today week byKind { kind count } }
    engagement { score health components { name points maxPoints explanation } }
    lastContactAt
    trend { start created won lost wonValue }
  }
}
"""

TWO_DASHBOARDS = """
query ($one: ID, $other: ID) {
  one: dashboard(ownerId: $one) { ...Some }
  other: dashboard(ownerId: $other) { ...Some }
}
fragment Some on Dashboard {
  asOf
  overview { deals { total } activities { total } pipeline { deals } }
  leaderboard { member { name } }
  recent { activities(first: 50) { owner { name } company { name } } tasks { owner { name } company { name } } }
}
"""


class Counted:
    """A gateway that nobody else calls, so that what its metrics add is what a query issued."""

    def __init__(self, gateway: Client) -> None:
        self._gateway = gateway

    async def issued(self, query: str, *, token: str, times: int = 1, **variables: Any) -> Counter[str]:
        """The names of the statements of a query, sent so many times at once."""
        caller = Client(self._gateway.app, self._gateway.http, token)
        before = await self._totals()
        await asyncio.gather(*(caller.data(query, **variables) for _ in range(times)))
        return await self._totals() - before

    async def _totals(self) -> Counter[str]:
        text = (await self._gateway.http.get("/metrics")).text
        return Counter(
            {
                sample.labels["statement"]: int(sample.value)
                for family in text_string_to_metric_families(text)
                for sample in family.samples
                if sample.name == "gateway_statement_seconds_count"
            }
        )


@pytest.fixture(scope="module")
async def counted(demo: Database) -> AsyncIterator[Counted]:
    settings = demo.settings(pool_wait_seconds=60, request_deadline_seconds=60)  # a busy machine takes its time
    async with serving(create_app(settings), None) as gateway:
        yield Counted(gateway)


@pytest.fixture(scope="module")
async def token(demo: Database) -> str:
    return await demo.token("aurora")


async def test_the_suggested_dashboard_issues_thirteen_statements(counted: Counted, token: str) -> None:
    issued = await counted.issued(WIDE_QUERY, token=token)
    assert issued == DASHBOARD
    assert issued.total() == 13


async def test_everything_beneath_a_dashboard_adds_one_statement_for_its_contacts(counted: Counted, token: str) -> None:
    assert await counted.issued(EVERYTHING, token=token) == DASHBOARD + Counter(["contacts_by_id"])


@pytest.mark.parametrize("slug", ["aurora", "cobalt"])
@pytest.mark.parametrize("rows", [30, 100])
async def test_the_number_does_not_depend_on_the_rows(counted: Counted, demo: Database, slug: str, rows: int) -> None:
    query = DEFAULT_QUERY.replace("first: 5", f"first: {rows}")
    assert await counted.issued(query, token=await demo.token(slug)) == DASHBOARD


async def test_a_relation_that_no_row_has_costs_nothing(counted: Counted, token: str) -> None:
    assert await counted.issued(DEFAULT_QUERY.replace("first: 5", "first: 1"), token=token) <= DASHBOARD
    nothing_found = Counter(f"{SUMS} recent_activities next_tasks".split())
    assert await counted.issued(DEFAULT_QUERY.replace("first: 5", "first: 0"), token=token) == nothing_found


async def test_pipeline_stats_issue_five_statements(counted: Counted, token: str) -> None:
    names = "moment", "deal_board", "stage_passages", "deal_trend", "deal_forecast"
    assert await counted.issued(PIPELINE_STATS, token=token) == Counter(names)


async def test_company_analytics_issue_six_statements(
    counted: Counted, tenants: Mapping[str, Tenant], token: str
) -> None:
    company = min(row["id"] for row in tenants["aurora"].facts.rows["companies"] if row["owner_id"])
    issued = await counted.issued(COMPANY_ANALYTICS, token=token, id=encode_id("Company", company))
    names = "company_totals", "company_engagement", "company_deal_trend"
    assert issued == Counter(["moment", "companies_by_id", "members_by_id", *names])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("{ me { name email role team } }", "moment members_by_id"),
        (
            "{ pipelines { name stages { name pipeline { name } } } }",
            "moment pipelines stages_by_pipeline pipelines_by_id",
        ),
        ("{ pipelines { name stages { name } } }", "moment pipelines stages_by_pipeline"),
        ("{ __typename }", ""),
    ],
)
async def test_small_queries_issue_what_they_need(counted: Counted, token: str, query: str, names: str) -> None:
    assert await counted.issued(query, token=token) == Counter(names.split())


async def test_a_deal_with_all_it_points_at(counted: Counted, tenants: Mapping[str, Tenant], token: str) -> None:
    query = """query ($id: ID!) {
      deal(id: $id) { name amount stage { name pipeline { name stages { name } } } owner { name } company { name } }
      node(id: $id) { id ... on Deal { name company { name } } }
    }"""
    deal = next(deal.id for deal in tenants["aurora"].facts.deals if deal.company_id)
    relations = "stages_by_id", "members_by_id", "companies_by_id", "pipelines_by_id", "stages_by_pipeline"
    assert await counted.issued(query, token=token, id=encode_id("Deal", deal)) == Counter(
        ["moment", "deals_by_id", *relations]
    )


async def test_two_dashboards_share_one_moment_and_their_records(
    counted: Counted, tenants: Mapping[str, Tenant], token: str
) -> None:
    sellers = Counter(deal.owner_id for deal in tenants["aurora"].facts.deals).most_common(2)
    one, other = (encode_id("Member", seller) for seller, _ in sellers)
    answer = await tenants["aurora"].query(TWO_DASHBOARDS, one=one, other=other)
    assert answer["one"]["asOf"] == answer["other"]["asOf"]
    assert answer["one"]["leaderboard"] != answer["other"]["leaderboard"]
    each = Counter(["deal_board", "activity_summary", "leaderboard", "recent_activities", "next_tasks"])
    once = Counter(["moment", "members_by_id", "companies_by_id"])
    assert await counted.issued(TWO_DASHBOARDS, token=token, one=one, other=other) == each + each + once


@pytest.mark.parametrize("rounds", [2, pytest.param(50, marks=pytest.mark.slow)])
async def test_batches_are_the_same_whatever_else_goes_on(counted: Counted, token: str, rounds: int) -> None:
    for _ in range(rounds):
        issued = await counted.issued(WIDE_QUERY, token=token, times=20)
        assert issued == Counter(dict.fromkeys(DASHBOARD, 20))
