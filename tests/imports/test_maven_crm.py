"""The public data set itself, where it lies beside the project: its known answers, through the API."""

from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.imports.conftest import Target

DATA = Path(__file__).parents[3] / "shared" / "data" / "maven-crm"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the data set is not beside the project: ../shared/data")

ANSWERS = """
{ dashboard { overview { deals { total won lost wonValue } companies { total withDeals } }
              leaderboard(first: 1) { member { name team region } won wonValue } }
  pipelineStats { stages { stage { name } deals } } }
"""
GROUPS = """
{ outcomes: dealAggregates(groupBy: [OUTCOME], orderBy: { key: OUTCOME, direction: ASC }) { labels count wonValue }
  members: dealAggregates(groupBy: [OWNER], orderBy: { measure: WON_VALUE }, first: 1) {
    keys { owner { name } } wonValue
  }
  accounts: dealAggregates(groupBy: [COMPANY], orderBy: { measure: WON_VALUE }, first: 1) {
    keys { company { name } } labels wonValue
  } }
"""


async def test_known_answers_come_back(target: Target, serve: Serve) -> None:
    await target.run(DATA)
    assert target.rejected() == []
    client = await serve(target.database, "acme", "manager")
    data = await client.data(ANSWERS)
    assert data["dashboard"]["overview"] == {
        "deals": {"total": 8800, "won": 4238, "lost": 2473, "wonValue": "10005534"},
        "companies": {"total": 85, "withDeals": 85},
    }
    best = {"name": "Darcel Schlecht", "team": "Melvin Marxen", "region": "Central"}
    assert data["dashboard"]["leaderboard"] == [{"member": best, "won": 349, "wonValue": "1153214"}]
    stages = {entry["stage"]["name"]: entry["deals"] for entry in data["pipelineStats"]["stages"]}
    assert stages == {"Prospecting": 500, "Engaging": 1589, "Won": 4238, "Lost": 2473}
    groups = await client.data(GROUPS)
    assert groups["outcomes"] == [
        {"labels": ["open"], "count": 2089, "wonValue": "0"},
        {"labels": ["won"], "count": 4238, "wonValue": "10005534"},
        {"labels": ["lost"], "count": 2473, "wonValue": "0"},
    ]
    assert groups["members"] == [{"keys": {"owner": {"name": "Darcel Schlecht"}}, "wonValue": "1153214"}]
    account = {"keys": {"company": {"name": "Kan-code"}}, "labels": ["Kan-code"], "wonValue": "341455"}
    assert groups["accounts"] == [account]


async def test_each_deal_has_one_line_of_a_product_that_is_listed(target: Target) -> None:
    await target.run(DATA)
    lines = """SELECT count(*), count(DISTINCT l.product_id), sum(l.amount) FILTER (WHERE d.outcome = 'won')::int
                 FROM deals d JOIN deal_products l ON l.tenant_id = $1 AND l.deal_id = d.id WHERE d.tenant_id = $1"""
    assert await target.fetch(lines) == [(8800, 7, 10_005_534)]


async def test_a_second_run_finds_all_of_it_unchanged(target: Target) -> None:
    await target.run(DATA)
    before = await target.versions()
    assert [summary.unchanged for summary in await target.run(DATA)] == [35, 35, 7, 85, 8800]
    assert await target.versions() == before
