"""A mapping: which files a source has, and which record and field each of their columns becomes."""

import re
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.imports.values import Formats

Constant = str | int | float | date | datetime
PLACEHOLDER = re.compile(r"\{(.*?)\}")
"""A column's name within a template."""

Missing = Literal["reject", "create", "empty"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(_Part):
    """Where a field's value comes from, and how it is read. Exactly one of column, template and constant is given."""

    column: str | None = None
    template: list[str] | None = None
    constant: Constant | None = None
    default: Constant | None = None
    date_format: str | None = None
    email_domain: str | None = None
    by: str | None = None
    missing: Missing = "reject"

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if [self.column, self.template, self.constant].count(None) != 2:
            raise ValueError("needs exactly one of column, template and constant")
        return self

    @property
    def columns(self) -> list[str]:
        """The columns that it reads."""
        if self.column is not None:
            return [self.column]
        return [name for text in self.template or [] for name in PLACEHOLDER.findall(text)]

    @property
    def label(self) -> str:
        """What it is called in a list of rejects."""
        return self.column or " + ".join(dict.fromkeys(self.columns)) or str(self.constant)


def _source(value: object) -> object:
    """A text alone is the name of a column, and a text where templates are expected is one template."""
    if isinstance(value, str):
        return {"column": value}
    if isinstance(value, dict) and isinstance(value.get("template"), str):
        return {**value, "template": [value["template"]]}
    return value


def _is_text_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except LookupError:
        return False
    return True


class FileMapping(_Part):
    """One pass through one file, for one type of record."""

    path: str
    record: Literal["members", "companies", "contacts", "products", "deals", "activities", "tasks"]
    fields: dict[str, Annotated[Source, BeforeValidator(_source)]]
    encoding: str = "utf-8"
    delimiter: str = Field(",", min_length=1, max_length=1)
    date_format: str = "%Y-%m-%d"
    decimal_mark: Literal[".", ","] = "."
    thousands_mark: Literal["", ",", ".", " ", "'", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"] = ""
    required: list[str] = []
    aliases: dict[str, dict[str, str]] = {}
    duplicates: Literal["reject", "first"] = "reject"
    optional: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        path = PurePosixPath(self.path)
        if path.is_absolute() or ".." in path.parts or "\\" in self.path or not path.name:
            raise ValueError("path: has to be that of a file within the directory")
        if not _is_text_encoding(self.encoding):
            raise ValueError(f"encoding: there is none called {self.encoding}")
        if self.delimiter in '"\r\n\0':
            raise ValueError("delimiter: has to be a character that separates, such as , or ;")
        if self.decimal_mark == self.thousands_mark:
            raise ValueError("thousands_mark: has to differ from decimal_mark")
        unread = {*self.aliases, *self.required} - set(self.columns)
        if unread:
            raise ValueError(f"aliases or required: no field reads the column {min(unread)}")
        return self

    @property
    def columns(self) -> list[str]:
        """The columns that it reads, each once."""
        return list(dict.fromkeys(name for source in self.fields.values() for name in source.columns))

    def formats(self, source: Source) -> Formats:
        return Formats(source.date_format or self.date_format, self.decimal_mark, self.thousands_mark)


class StageMapping(_Part):
    name: str = Field(min_length=1, max_length=200)
    kind: Literal["open", "won", "lost"]
    probability: float | int | None = Field(None, ge=0, le=1)

    @model_validator(mode="after")
    def _probability_fits(self) -> Self:
        certain = {"won": 1, "lost": 0}.get(self.kind)
        if certain is None and self.probability is None:
            raise ValueError("probability: an open stage needs one, from 0 to 1")
        if certain is not None and self.probability not in {None, certain}:
            raise ValueError(f"probability: of a {self.kind} stage is {certain}")
        return self

    @property
    def chance(self) -> float:
        """The probability, that of a closed stage included."""
        return {"won": 1.0, "lost": 0.0}.get(self.kind, self.probability or 0.0)


class PipelineMapping(_Part):
    """A pipeline that is created where the tenant has none of its name. `default`: if the present one is empty."""

    name: str = Field(min_length=1, max_length=200)
    default: bool = False
    stages: list[StageMapping] = Field(min_length=1)

    @model_validator(mode="after")
    def _stages_differ(self) -> Self:
        if len({stage.name for stage in self.stages}) < len(self.stages):
            raise ValueError("stages: two have the same name")
        return self


class Mapping(_Part):
    """A whole source. Files are imported in their order: what is referred to comes first."""

    description: str = ""
    pipelines: list[PipelineMapping] = []
    files: list[FileMapping] = Field(min_length=1)
