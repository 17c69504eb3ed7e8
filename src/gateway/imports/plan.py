"""How the rows of one file become values: a mapping's sources bound to the fields of its record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from gateway.imports.mapping import PLACEHOLDER, Constant, FileMapping, Source
from gateway.imports.records import RECORDS, Field, Record
from gateway.imports.values import NOON, YEARS, Formats, Value, email_of, parser

LABEL_LIMIT = 10_000
SQL_TYPES = {"integer": "integer", "decimal": "numeric", "date": "date"}
TYPICAL = datetime(2001, 2, 3, 14, 5, 6)  # noqa: DTZ001 - only its digits are looked at

Cells = Sequence[str]
Read = Callable[[Cells], Value | None]


class Fault(NamedTuple):
    """Why a row is rejected: the column, the reason, and the text that was there."""

    column: str
    reason: str
    value: str


@dataclass(frozen=True)
class FieldPlan:
    """One field of one file: its name, what it is, and where its values come from."""

    name: str
    field: Field
    source: Source
    formats: Formats
    aliases: dict[str, dict[str, str]]

    @property
    def sql_type(self) -> str:
        """Of its column in the staging table."""
        if self.field.kind == "instant":
            return "timestamptz" if self.formats.has_zone else "timestamp"
        return SQL_TYPES.get(self.field.kind, "text")

    @property
    def by(self) -> str:
        """The field by which a reference finds its record."""
        return self.source.by or RECORDS[self.field.target].key

    def bind(self, header: Cells) -> Read:
        """What reads its value from the cells of a row; it raises ValueError with the reason."""
        text_of = self.text(header)
        parse = self._parse()
        default = self._constant(self.source.default)

        def read(cells: Cells) -> Value | None:
            if text := text_of(cells):
                return parse(text)
            if default is None and self.field.required:
                raise ValueError("is empty")
            return default

        if self.source.constant is None:
            return read
        constant = self._constant(self.source.constant)
        return lambda _cells: constant

    def text(self, header: Cells) -> Callable[[Cells], str]:
        """What finds its text in the cells of a row, aliases replaced; empty when there is none."""
        if self.source.column is not None:
            return self._cell(header, self.source.column)
        templates = [(template, PLACEHOLDER.findall(template)) for template in self.source.template or ()]
        cells = {column: self._cell(header, column) for column in self.source.columns}

        def fill(row: Cells) -> str:
            texts = {column: cell(row) for column, cell in cells.items()}
            for template, columns in templates:
                if all(texts[column] for column in columns):
                    return PLACEHOLDER.sub(lambda found: texts[found[1]], template)
            return ""

        return fill

    def _cell(self, header: Cells, column: str) -> Callable[[Cells], str]:
        index, aliases = header.index(column), self.aliases.get(column)
        if aliases is None:
            return lambda cells: cells[index].strip()

        def replace(cells: Cells) -> str:
            text = cells[index].strip()
            return aliases.get(text, text)

        return replace

    def _parse(self) -> Callable[[str], Value]:
        field = self.field
        if field.kind == "reference":
            field = RECORDS[field.target].fields[self.by]
        parse = parser(field, self.formats)
        if self.source.email_domain is None:
            return parse
        domain = self.source.email_domain
        return lambda text: parse(email_of(text, domain))

    def _constant(self, value: Constant | None) -> Value | None:
        """A constant as the value of this field: a date of TOML needs no format, nor has a number one."""
        if value is None:
            return None
        if isinstance(value, date):
            return self._constant_date(value)
        if isinstance(value, str):
            return self._parse()(value.strip())
        return parser(self.field, Formats())(str(value))

    def _constant_date(self, value: date) -> Value:
        if self.field.kind not in {"date", "instant"} or value.year not in YEARS:
            raise ValueError(f"{value} is no value for it")
        if self.field.kind == "date":
            return value.date() if isinstance(value, datetime) else value
        moment = value if isinstance(value, datetime) else datetime.combine(value, NOON)
        if (moment.tzinfo is not None) != self.formats.has_zone:
            raise ValueError(f"{value} needs an offset exactly if the dates of the file have one")
        return moment


@dataclass(frozen=True)
class Plan:
    """One file of a mapping, checked."""

    file: FileMapping
    record: Record
    fields: Sequence[FieldPlan]

    def field(self, name: str) -> FieldPlan | None:
        """The plan of a field; None when it is not mapped."""
        return next((field for field in self.fields if field.name == name), None)

    def bind(self, header: Cells) -> Callable[[Cells], tuple[list[Value | None], list[Fault]]]:
        """What makes of a row's cells the values of all fields, in order, and all that is wrong with them."""
        readers = [(field, field.bind(header)) for field in self.fields]
        required = [(column, header.index(column)) for column in self.file.required]

        def read(cells: Cells) -> tuple[list[Value | None], list[Fault]]:
            values: list[Value | None] = []
            faults = [Fault(column, "is empty", "") for column, index in required if not cells[index].strip()]
            for field, reader in readers:
                try:
                    values.append(reader(cells))
                except ValueError as reason:
                    faults.append(Fault(field.source.label, str(reason), field.text(header)(cells)))
            return values, faults

        return read


def make_plan(file: FileMapping) -> Plan:
    """The plan of a file. Raises ValueError, which names the field and what is wrong with it."""
    record = RECORDS[file.record]
    sources = dict(file.fields)
    if record.key not in sources and record.key_from in sources:
        sources[record.key] = sources[record.key_from]
    plans: list[FieldPlan] = []
    for name, source in sources.items():
        if name not in record.fields:
            raise ValueError(f"fields.{name}: {file.record} have no such field, they have {', '.join(record.fields)}")
        plan = FieldPlan(name, record.fields[name], source, file.formats(source), file.aliases)
        try:
            _check(plan)
            plan.bind(plan.source.columns)
        except ValueError as error:
            raise ValueError(f"fields.{name}: {error}") from None
        plans += [plan, *_labels(plan)]
    _check_whole(file.record, record, sources)
    return Plan(file, record, plans)


def _labels(plan: FieldPlan) -> list[FieldPlan]:
    """A member who is created on sight needs the name that the email address was made of."""
    if plan.field.kind != "reference" or plan.source.missing != "create" or plan.by != "email":
        return []
    source = plan.source.model_copy(update={"email_domain": None})
    return [FieldPlan(f"{plan.name}_label", Field(limit=LABEL_LIMIT), source, plan.formats, plan.aliases)]


def _check_whole(name: str, record: Record, sources: dict[str, Source]) -> None:
    lacking = [field for field, what in record.fields.items() if what.required and field not in sources]
    if lacking:
        raise ValueError(f"fields: {name} need {', '.join(lacking)}")
    if name == "deals" and "closed_at" in sources and "created_at" not in sources:
        raise ValueError("fields: deals with closed_at need created_at, else they would be closed before they began")


def _check(plan: FieldPlan) -> None:
    is_reference, is_dated = plan.field.kind == "reference", plan.field.kind in {"date", "instant"}
    is_email = plan.field.kind == "email" or (is_reference and plan.by == "email")
    applies = {"by": is_reference, "missing": is_reference, "date_format": is_dated, "email_domain": is_email}
    for key in plan.source.model_fields_set & applies.keys():
        if not applies[key]:
            raise ValueError(f"{key} does not apply to it")
    if plan.source.constant is None and not plan.source.columns:
        raise ValueError("template: it names no column: write {column}, or use constant")
    if is_reference:
        _check_reference(plan)
    if is_dated:
        _check_dates(plan)
    if plan.source.email_domain is not None:
        parser(Field("email"), plan.formats)(f"name@{plan.source.email_domain}")


def _check_reference(plan: FieldPlan) -> None:
    target = RECORDS[plan.field.target]
    if plan.by not in target.found_by:
        raise ValueError(f"by: a {target.singular} is found by {' or '.join(target.found_by)}")
    if plan.source.missing == "create" and plan.by not in target.on_sight:
        how = f"only one found by {' or '.join(target.on_sight)} can" if target.on_sight else "it has to be imported"
        raise ValueError(f"missing: a {target.singular} cannot be created on sight so, {how}")
    if plan.source.missing == "empty" and plan.field.required:
        raise ValueError("missing: it may not be empty")


def _check_dates(plan: FieldPlan) -> None:
    pattern = plan.formats.date_format
    try:
        read = datetime.strptime(TYPICAL.strftime(pattern.replace("%z", "+0000")), pattern)  # noqa: DTZ007 - only digits
    except ValueError:
        read = None
    if read is None or read.date() != TYPICAL.date():
        raise ValueError(f"date_format: {pattern} does not write a whole date, such as %Y-%m-%d or %d.%m.%Y %H:%M")
