"""The mapping `maven-crm` on a small source of the same shape, whose numbers are known."""

import re
from pathlib import Path

from gateway.imports.importer import Summary
from tests.conftest import Database, Serve
from tests.imports.conftest import MAVEN_LIKE, Target, new_target

DASHBOARD = """
{ dashboard { overview { deals { total open won lost wonValue } }
              leaderboard(first: 1) { member { name email team region } won wonValue } }
  pipelineStats { pipeline { name } deals { total } stages { stage { name } deals } } }
"""


def numbers(summaries: list[Summary]) -> list[tuple[str, int, int, int, int, int]]:
    return [(s.record, s.read, s.created, s.updated, s.unchanged, s.rejected) for s in summaries]


FIRST = [
    ("members", 5, 2, 0, 3, 0),
    ("members", 5, 5, 0, 0, 0),
    ("products", 3, 3, 0, 0, 0),
    ("companies", 5, 5, 0, 0, 0),
    ("deals", 40, 40, 0, 0, 0),
]
AGAIN = [(record, read, 0, 0, read, 0) for record, read, *_ in FIRST]


async def test_known_numbers_come_back_through_the_api(target: Target, serve: Serve) -> None:
    assert numbers(await target.run(MAVEN_LIKE)) == FIRST
    client = await serve(target.database, "acme", "manager")
    data = await client.data(DASHBOARD)
    assert data["dashboard"] == {
        "overview": {"deals": {"total": 40, "open": 15, "won": 16, "lost": 9, "wonValue": "45090"}},
        "leaderboard": [
            {
                "member": {
                    "name": "Ben Okoro",
                    "email": "ben.okoro@maven.example",
                    "team": "Mara Voss",
                    "region": "North",
                },
                "won": 9,
                "wonValue": "24633",
            }
        ],
    }
    stages = [(entry["stage"]["name"], entry["deals"]) for entry in data["pipelineStats"]["stages"]]
    assert (data["pipelineStats"]["pipeline"]["name"], data["pipelineStats"]["deals"]["total"]) == ("Opportunities", 40)
    assert stages == [("Prospecting", 6), ("Engaging", 9), ("Won", 16), ("Lost", 9)]


async def test_a_second_run_touches_no_row(target: Target) -> None:
    await target.run(MAVEN_LIKE)
    before = await target.versions()
    assert numbers(await target.run(MAVEN_LIKE)) == AGAIN
    assert await target.versions() == before


async def test_values_are_those_of_the_files(target: Target) -> None:
    await target.run(MAVEN_LIKE)
    deal = await target.fetch(
        """SELECT d.name, m.name, c.name, d.amount::int, d.outcome, d.created_day::text, d.closed_day::text,
                  timezone('America/Los_Angeles', d.created_at)::text, p.name, l.amount::int
             FROM deals d JOIN members m USING (tenant_id) JOIN companies c USING (tenant_id)
             JOIN deal_products l USING (tenant_id) JOIN products p USING (tenant_id)
            WHERE d.tenant_id = $1 AND d.external_id = 'OPP001' AND m.id = d.owner_id AND c.id = d.company_id
              AND l.deal_id = d.id AND p.id = l.product_id"""
    )
    day = "2024-03-01"
    names = ("GTX Pro for Brightwell", "Ada Stone", "Brightwell", 4000, "won")
    assert deal == [(*names, day, day, f"{day} 12:00:00", "GTX Pro", 4000)]
    companies = "SELECT name, industry, region, employees FROM companies WHERE tenant_id = $1 ORDER BY name LIMIT 2"
    assert await target.fetch(companies) == [
        ("Brightwell", "technology", "United States", 2822),
        ("Hollow & Sons, Ltd", "retail", "Philippines", 40),
    ]


async def test_opportunities_without_account_date_or_amount_are_kept(target: Target) -> None:
    await target.run(MAVEN_LIKE)
    deal = """SELECT name, company_id, amount, created_day::text, closed_at FROM deals
               WHERE tenant_id = $1 AND external_id = $2"""
    assert await target.fetch(deal, "OPP003") == [("MG One", None, None, "2016-10-20", None)]


async def test_managers_and_offices_become_teams_and_regions(target: Target) -> None:
    await target.run(MAVEN_LIKE)
    members = "SELECT email, name, role, team, region FROM members WHERE tenant_id = $1 ORDER BY email"
    assert await target.fetch(members) == [
        ("ada.stone@maven.example", "Ada Stone", "rep", "Mara Voss", "North"),
        ("ben.okoro@maven.example", "Ben Okoro", "rep", "Mara Voss", "North"),
        ("chloe.dubois@maven.example", "Chloé Dubois", "rep", "Theo Quill", "South"),
        ("dan.o.reilly@maven.example", "Dan O'Reilly", "rep", "Theo Quill", "South"),
        ("eve.lund@maven.example", "Eve Lund", "rep", "Theo Quill", "South"),
        ("mara.voss@maven.example", "Mara Voss", "manager", "Mara Voss", "North"),
        ("theo.quill@maven.example", "Theo Quill", "manager", "Theo Quill", "South"),
    ]


async def test_only_what_changed_is_written(target: Target, maven_like: Path) -> None:
    await target.run(maven_like)
    before = await target.versions()
    edit(maven_like / "sales_pipeline.csv", "OPP001,.*,4000", "OPP001,Ada Stone,GTXPro,Kestrel,Won,3/1/2024,3/1/2024,9")
    edit(maven_like / "accounts.csv", "finance,", "software,")
    assert numbers(await target.run(maven_like))[3:] == [("companies", 5, 0, 1, 4, 0), ("deals", 40, 0, 1, 39, 0)]
    after = await target.versions()
    changed = {table: len({*after[table]} - {*before[table]}) for table in before}
    assert {table: rows for table, rows in changed.items() if rows} == {"companies": 1, "deals": 1, "deal_products": 1}
    deal = "SELECT name, amount::int, version FROM deals WHERE tenant_id = $1 AND external_id = 'OPP001'"
    assert await target.fetch(deal) == [("GTX Pro for Kestrel", 9, 2)]


async def test_a_deal_that_has_moved_gets_its_history(target: Target, maven_like: Path) -> None:
    await target.run(maven_like)
    edit(maven_like / "sales_pipeline.csv", "Engaging,3/21/2024,,", "Won,3/21/2024,4/2/2024,75")
    assert numbers(await target.run(maven_like))[4] == ("deals", 40, 0, 1, 39, 0)
    history = await target.fetch(
        """SELECT o.name, n.name, h.moved_day::text, h.days_in_stage FROM deal_stage_history h
             JOIN deals d ON d.tenant_id = $1 AND d.id = h.deal_id AND d.external_id = 'OPP005'
             JOIN stages n ON n.tenant_id = $1 AND n.id = h.to_stage_id
             LEFT JOIN stages o ON o.tenant_id = $1 AND o.id = h.from_stage_id
            WHERE h.tenant_id = $1 ORDER BY h.id"""
    )
    assert history == [(None, "Engaging", "2024-03-21", None), ("Engaging", "Won", "2024-04-02", 12)]
    assert numbers(await target.run(maven_like)) == AGAIN


async def test_a_won_deal_that_is_lost_after_all_keeps_its_closing_day(target: Target, maven_like: Path) -> None:
    await target.run(maven_like)
    edit(maven_like / "sales_pipeline.csv", "Won,3/16/2024", "Lost,3/16/2024")
    await target.run(maven_like)
    deal = "SELECT outcome, closed_day::text FROM deals WHERE tenant_id = $1 AND external_id = 'OPP004'"
    assert await target.fetch(deal) == [("lost", "2024-04-18")]
    assert numbers(await target.run(maven_like)) == AGAIN


async def test_another_product_takes_the_place_of_the_first(target: Target, maven_like: Path) -> None:
    await target.run(maven_like)
    edit(maven_like / "sales_pipeline.csv", "OPP006,Ben Okoro,GTX Pro,", "OPP006,Ben Okoro,Anvil,")
    assert numbers(await target.run(maven_like))[4] == ("deals", 40, 0, 1, 39, 0)
    lines = """SELECT p.name, l.amount::int FROM deal_products l JOIN deals d USING (tenant_id)
                 JOIN products p USING (tenant_id)
                WHERE l.tenant_id = $1 AND d.id = l.deal_id AND p.id = l.product_id AND d.external_id = 'OPP006'"""
    assert await target.fetch(lines) == [("Anvil", 4035)]


async def test_an_administrator_keeps_the_role(target: Target) -> None:
    await target.run(MAVEN_LIKE)
    await target.fetch("UPDATE members SET role = 'admin' WHERE tenant_id = $1 AND name = 'Ada Stone' RETURNING id")
    await target.run(MAVEN_LIKE)
    role = "SELECT role FROM members WHERE tenant_id = $1 AND name = 'Ada Stone'"
    assert await target.fetch(role) == [("admin",)]


async def test_a_default_pipeline_that_is_in_use_stays_the_default(target: Target) -> None:
    await target.fetch(
        """WITH m AS (INSERT INTO members (tenant_id, email, name, role) VALUES ($1, 'a@b.example', 'A', 'rep')
                      RETURNING tenant_id, id)
           INSERT INTO deals (tenant_id, pipeline_id, stage_id, owner_id, name)
           SELECT $1, s.pipeline_id, s.id, m.id, 'Old' FROM stages s JOIN m USING (tenant_id) WHERE s.name = 'Lead'
           RETURNING id"""
    )
    await target.run(MAVEN_LIKE)
    default = "SELECT name FROM pipelines WHERE tenant_id = $1 AND is_default"
    assert await target.fetch(default) == [("Sales",)]


async def test_a_dry_run_changes_nothing_and_tells_the_same(target: Target) -> None:
    before = await target.versions()
    assert numbers(await target.run(MAVEN_LIKE, dry_run=True)) == FIRST
    assert await target.versions() == before


async def test_other_tenants_are_left_alone(database: Database, tmp_path: Path) -> None:
    target, other = [await new_target(database, slug, tmp_path / "rejects.csv") for slug in ("acme", "other")]
    await other.run(MAVEN_LIKE)
    before = await other.versions()
    assert numbers(await target.run(MAVEN_LIKE)) == FIRST
    assert numbers(await target.run(MAVEN_LIKE)) == AGAIN
    assert await other.versions() == before


def edit(path: Path, old: str, new: str) -> None:
    """Replaces what a pattern finds first; it has to be there."""
    text, times = re.subn(old, new, path.read_text(encoding="utf-8"), count=1)
    assert times == 1
    path.write_text(text, encoding="utf-8")
