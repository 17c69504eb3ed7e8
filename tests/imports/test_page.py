"""`docs/import.md` against the code."""

import re
from pathlib import Path

from gateway.imports.loading import load_mapping
from gateway.imports.mapping import FileMapping, PipelineMapping, Source
from gateway.imports.records import RECORDS

PAGE = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")


def test_the_template_for_a_new_source_is_a_mapping(tmp_path: Path) -> None:
    (template,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    path = tmp_path / "new.toml"
    path.write_text(template, encoding="utf-8")
    assert [plan.file.record for plan in load_mapping(str(path)).plans] == ["companies", "deals"]


def test_every_field_of_every_record_stands_in_the_page() -> None:
    for name, record in RECORDS.items():
        (row,) = re.findall(rf"^\| {name} \|(.*?)\|(.*?)\|(.*?)\|$", PAGE, flags=re.MULTILINE)
        fields, found_by, on_sight = (re.sub(r"\(.*?\)|\*", "", cell) for cell in row)
        assert {field.strip() for field in fields.split(",")} == set(record.fields)
        assert re.findall(r"\w+", found_by) == list(record.found_by)
        assert re.findall(r"\w+", on_sight) == list(record.on_sight)


def test_needed_fields_are_bold() -> None:
    for name, record in RECORDS.items():
        (row,) = re.findall(rf"^\| {name} \| (\*\*.*)\|$", PAGE, flags=re.MULTILINE)
        needed = {field for field, what in record.fields.items() if what.required}
        assert set(re.findall(r"\*\*(\w+)\*\*", row)) == needed


def test_every_key_of_the_language_stands_in_the_page() -> None:
    keys = {*Source.model_fields, *FileMapping.model_fields, *PipelineMapping.model_fields}
    assert [key for key in sorted(keys) if f"`{key}" not in PAGE] == []
