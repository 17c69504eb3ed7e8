"""A source with every type of record, and what becomes of references that lead nowhere."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.imports.conftest import Target

MAPPING = Path(__file__).parent / "fixtures" / "every-record.toml"

FILES = {
    "people.csv": "mail;name;role\nann@x.example;Ann;manager\nbob@x.example;Bob;rep\n",
    "firms.csv": "id;name;site;since;boss\nc1;Acme;https://acme.example;01.02.2020;Ann\nc2;Twin;;;\nc3;Twin;;;\n",
    "contacts.csv": "name;mail;firm\nCarl;carl@acme.example;c1\n",
    "products.csv": "name;code;price\nAnvil;A1;1.234,50\n",
    "deals.csv": "id;name;stage;mail;firm;code;value;close\nd1;Anvils;Lead;bob@x.example;Acme;A1;2.469;31.12.2030\n",
    "calls.csv": "id;kind;what;mail;contact;deal;when\n"
    "a1;call;Hello;bob@x.example;carl@acme.example;d1;2024-06-30T23:30:00-0700\n",
    "tasks.csv": "id;title;mail;deal;due;done\nt1;Call again;bob@x.example;d1;01.07.2024 09:00;\n",
}


def write(directory: Path, changes: Mapping[str, str]) -> None:
    directory.mkdir(exist_ok=True)
    for name, content in FILES.items():
        (directory / name).write_text(changes.get(name.removesuffix(".csv"), content))


async def imported(target: Target, directory: Path, **changes: str) -> Mapping[str, tuple[int, int, int, int]]:
    """By file: created, updated, unchanged, rejected."""
    write(directory, changes)
    summaries = await target.run(directory, str(MAPPING))
    return {s.file: (s.created, s.updated, s.unchanged, s.rejected) for s in summaries}


async def test_every_type_of_record_is_imported_once(target: Target, tmp_path: Path) -> None:
    rows = {"people.csv": 2, "firms.csv": 3}
    first = {name: (rows.get(name, 1), 0, 0, 0) for name in FILES}
    again = {name: (0, 0, rows.get(name, 1), 0) for name in FILES}
    assert await imported(target, tmp_path / "all") == first
    before = await target.versions()
    assert await imported(target, tmp_path / "all") == again
    assert await target.versions() == before


async def test_references_lead_to_their_records(target: Target, tmp_path: Path) -> None:
    await imported(target, tmp_path / "all")
    row = await target.fetch(
        """SELECT a.kind, m.name, c.name, f.name, d.name, d.amount::text, d.expected_close::text, p.unit_price::text,
                  a.occurred_day::text, t.title, t.due_day::text, timezone('UTC', t.due_at)::text, o.name
             FROM activities a JOIN members m ON m.tenant_id = $1 AND m.id = a.owner_id
             JOIN contacts c ON c.tenant_id = $1 AND c.id = a.contact_id
             JOIN deals d ON d.tenant_id = $1 AND d.id = a.deal_id
             JOIN companies f ON f.tenant_id = $1 AND f.id = c.company_id AND f.id = d.company_id
             JOIN members o ON o.tenant_id = $1 AND o.id = f.owner_id
             JOIN deal_products l ON l.tenant_id = $1 AND l.deal_id = d.id
             JOIN products p ON p.tenant_id = $1 AND p.id = l.product_id
             JOIN tasks t ON t.tenant_id = $1 AND t.deal_id = d.id AND t.priority = 'normal'
            WHERE a.tenant_id = $1"""
    )
    names = ("call", "Bob", "Carl", "Acme", "Anvils", "2469.0000", "2030-12-31", "1234.5000")
    assert row == [(*names, "2024-06-30", "Call again", "2024-07-01", "2024-07-01 16:00:00", "Ann")]


HEADER = FILES["deals.csv"].splitlines()[0]


@pytest.mark.parametrize(
    ("row", "reject"),
    {
        "an unknown member": ("d2;X;Lead;eve@x.example;;;;", ("mail", "is no member of this email", "eve@x.example")),
        "no member": ("d2;X;Lead;;;;;", ("mail", "is empty", "")),
        "a name of two companies": (
            "d2;X;Lead;bob@x.example;Twin;;;",
            ("firm", "is the name of several records: refer to a company by its key", "Twin"),
        ),
        "an unknown product": (
            "d2;X;Lead;bob@x.example;;A2;;",
            ("code", "is no product of this external_id", "A2"),
        ),
        "an unknown stage": ("d2;X;Limbo;bob@x.example;;;;", ("stage", "is no stage of the pipeline", "Limbo")),
        "an amount that is none": (
            "d2;X;Lead;bob@x.example;;;NaN;",
            ("value", "is not a number such as 1234,50", "NaN"),
        ),
        "a date that does not exist": (
            "d2;X;Lead;bob@x.example;;;;31.06.2024",
            ("close", "is not a date as %d.%m.%Y", "31.06.2024"),
        ),
    }.values(),
)
async def test_a_row_that_leads_nowhere_is_listed(
    target: Target, tmp_path: Path, row: str, reject: tuple[str, str, str]
) -> None:
    result = await imported(target, tmp_path / "all", deals=f"{FILES['deals.csv']}{row}\n")
    assert result["deals.csv"] == (1, 0, 0, 1)
    assert target.rejected() == [("deals.csv", "3", *reject)]


async def test_what_may_be_missing_is_created_or_left_empty(target: Target, tmp_path: Path) -> None:
    deals = f"{HEADER}\nd1;X;Lead;bob@x.example;New Firm;;;\n"
    contacts = "name;mail;firm\nCarl;carl@acme.example;c9\n"
    await imported(target, tmp_path / "all", deals=deals, contacts=contacts)
    assert target.rejected() == []
    company = "SELECT name, external_id FROM companies WHERE tenant_id = $1 AND name = 'New Firm'"
    assert await target.fetch(company) == [("New Firm", "New Firm")]
    assert await target.fetch("SELECT company_id FROM contacts WHERE tenant_id = $1") == [(None,)]


async def test_a_code_of_two_products_is_listed_for_both(target: Target, tmp_path: Path) -> None:
    result = await imported(target, tmp_path / "all", products=f"{FILES['products.csv']}Bolt;B1;1\nNut;B1;1\n")
    assert result["products.csv"] == (1, 0, 0, 2)
    reason = "is that of another product too"
    assert target.rejected() == [("products.csv", line, "code", reason, "B1") for line in ("3", "4")]


async def test_a_code_that_another_product_has_is_listed(target: Target, tmp_path: Path) -> None:
    await imported(target, tmp_path / "all")
    result = await imported(target, tmp_path / "all", products="name;code;price\nHammer;A1;1\n")
    assert result["products.csv"] == (0, 0, 0, 1)


async def test_a_deal_closed_before_it_was_created_is_listed(target: Target, maven_like: Path) -> None:
    path = maven_like / "sales_pipeline.csv"
    path.write_text(path.read_text().replace("3/16/2024,4/18/2024", "3/16/2024,3/15/2024"))
    *_, deals = await target.run(maven_like)
    assert (deals.created, deals.rejected) == (39, 1)
    reason = "is closed on a day before it was created"
    assert target.rejected() == [("sales_pipeline.csv", "5", "close_date", reason, "2024-03-15")]


async def test_a_deleted_record_stays_deleted(target: Target, tmp_path: Path) -> None:
    await imported(target, tmp_path / "all")
    await target.fetch("UPDATE deals SET deleted_at = now() WHERE tenant_id = $1 RETURNING id")
    assert (await imported(target, tmp_path / "all"))["deals.csv"] == (0, 0, 1, 0)
    assert await target.fetch("SELECT count(*) FROM deals WHERE tenant_id = $1 AND deleted_at IS NULL") == [(0,)]
