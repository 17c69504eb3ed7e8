"""Mistakes in a mapping: each is one sentence with its place."""

from pathlib import Path

import pytest

from gateway.commands.refusals import CommandRefusedError
from gateway.imports.loading import load_mapping, shipped_names

DEALS = """
[[files]]
path = "deals.csv"
record = "deals"
[files.fields]
external_id = "id"
name = "name"
pipeline = { constant = "Sales" }
stage = "stage"
owner = "owner"
"""
FILE = "Mapping broken.toml, file 1 (deals.csv): "

KINDS = "'members', 'companies', 'contacts', 'products', 'deals', 'activities' or 'tasks'"
DEAL_FIELDS = (
    "external_id, name, amount, pipeline, stage, owner, company, product, expected_close, created_at, closed_at"
)
PIPELINE = '[[pipelines]]\nname = "P"\nstages = '

MISTAKES = {
    "no TOML": ("files = [", "Mapping broken.toml is no TOML: Invalid value (at end of document)."),
    "no files": ("", "Mapping broken.toml: files: is missing."),
    "an unknown table": (f"x = 1\n{DEALS}", "Mapping broken.toml: x: there is no such key."),
    "an unknown key": (DEALS.replace("record", "fold = 1\nrecord"), f"{FILE}fold: there is no such key."),
    "a file without path": (DEALS.replace('path = "deals.csv"', ""), "Mapping broken.toml, file 1: path: is missing."),
    "a path that leads out": (
        DEALS.replace("deals.csv", "../deals.csv"),
        "Mapping broken.toml, file 1 (../deals.csv): path: has to be that of a file within the directory.",
    ),
    "an unknown record": (
        DEALS.replace('"deals"', '"leads"'),
        f"{FILE}record: input should be {KINDS}.",
    ),
    "an unknown field": (
        DEALS + 'price = "price"',
        f"{FILE}fields.price: deals have no such field, they have {DEAL_FIELDS}.",
    ),
    "an unknown key of a field": (
        DEALS + 'amount = { column = "a", scale = 2 }',
        f"{FILE}fields.amount.scale: there is no such key.",
    ),
    "two origins": (
        DEALS + 'amount = { column = "a", constant = 2 }',
        f"{FILE}fields.amount: needs exactly one of column, template and constant.",
    ),
    "a missing field": (DEALS.replace('owner = "owner"', ""), f"{FILE}fields: deals need owner."),
    "a missing key": (DEALS.replace('external_id = "id"', ""), f"{FILE}fields: deals need external_id."),
    "a closing date alone": (
        DEALS + 'closed_at = "closed"',
        f"{FILE}fields: deals with closed_at need created_at, else they would be closed before they began.",
    ),
    "a template without columns": (
        DEALS + 'amount = { template = "5" }',
        f"{FILE}fields.amount: template: it names no column: write {{column}}, or use constant.",
    ),
    "a constant that is no value": (
        DEALS + 'amount = { constant = "much" }',
        f"{FILE}fields.amount: is not a number such as 1234.50.",
    ),
    "a default that is no date": (
        DEALS + 'created_at = { column = "c", default = "soon" }',
        f"{FILE}fields.created_at: is not a date as %Y-%m-%d.",
    ),
    "a date where none belongs": (
        DEALS + "amount = { constant = 2020-01-01 }",
        f"{FILE}fields.amount: 2020-01-01 is no value for it.",
    ),
    "a format that is none": (
        DEALS + 'created_at = { column = "c", date_format = "%m/%Y" }',
        f"{FILE}fields.created_at: date_format: %m/%Y does not write a whole date, such as %Y-%m-%d or %d.%m.%Y %H:%M.",
    ),
    "a format for what is no date": (
        DEALS + 'amount = { column = "a", date_format = "%Y" }',
        f"{FILE}fields.amount: date_format does not apply to it.",
    ),
    "a reference by an unknown field": (
        DEALS + 'company = { column = "c", by = "email" }',
        f"{FILE}fields.company: by: a company is found by external_id or name.",
    ),
    "creation on sight of what cannot be": (
        DEALS.replace('"owner"', '{ column = "owner", by = "name", missing = "create" }'),
        f"{FILE}fields.owner: missing: a member cannot be created on sight so, only one found by email can.",
    ),
    "a required reference left empty": (
        DEALS.replace('"owner"', '{ column = "owner", missing = "empty" }'),
        f"{FILE}fields.owner: missing: it may not be empty.",
    ),
    "an email domain that is none": (
        DEALS.replace('"owner"', '{ column = "owner", email_domain = "a b" }'),
        f"{FILE}fields.owner: is not an email address.",
    ),
    "an alias of a column that nobody reads": (
        DEALS.replace("[files.fields]", 'aliases.x = { a = "b" }\n[files.fields]'),
        f"{FILE}aliases or required: no field reads the column x.",
    ),
    "an encoding that is none": (
        DEALS.replace("[files.fields]", 'encoding = "utf-9"\n[files.fields]'),
        f"{FILE}encoding: there is none called utf-9.",
    ),
    "marks that are the same": (
        DEALS.replace("[files.fields]", 'thousands_mark = "."\n[files.fields]'),
        f"{FILE}thousands_mark: has to differ from decimal_mark.",
    ),
    "a separator that is a quote": (
        DEALS.replace("[files.fields]", "delimiter = '\"'\n[files.fields]"),
        f"{FILE}delimiter: has to be a character that separates, such as , or ;.",
    ),
    "an open stage without probability": (
        PIPELINE + '[{ name = "A", kind = "open" }]\n' + DEALS,
        "Mapping broken.toml, pipeline 1 (P): stages.0: probability: an open stage needs one, from 0 to 1.",
    ),
    "a won stage that is uncertain": (
        PIPELINE + '[{ name = "A", kind = "won", probability = 0.5 }]\n' + DEALS,
        "Mapping broken.toml, pipeline 1 (P): stages.0: probability: of a won stage is 1.",
    ),
    "two stages of one name": (
        PIPELINE + '[{ name = "A", kind = "won" }, { name = "A", kind = "lost" }]\n' + DEALS,
        "Mapping broken.toml, pipeline 1 (P): stages: two have the same name.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, mistake: str) -> None:
    toml, sentence = MISTAKES[mistake]
    path = tmp_path / "broken.toml"
    path.write_text(toml)
    with pytest.raises(CommandRefusedError) as refusal:
        load_mapping(str(path))
    assert str(refusal.value) == sentence


def test_the_mapping_without_mistakes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deals.toml"
    path.write_text(DEALS)
    assert [plan.file.path for plan in load_mapping(str(path)).plans] == ["deals.csv"]


def test_a_mapping_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(
        CommandRefusedError, match=r"^There is no mapping `x`: name one of maven-crm, or a TOML file\.$"
    ):
        load_mapping("x")


@pytest.mark.parametrize("name", shipped_names())
def test_what_ships_is_right(name: str) -> None:
    assert load_mapping(name).plans
