"""Scalars with exact meanings: decimals that keep every digit, dates within the calendar that reports use."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

FIRST_DATE = date(1900, 1, 1)
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
PLAIN_DECIMAL = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?", re.ASCII)


def write_decimal(value: Decimal) -> str:
    """Plain notation without trailing zeros, so that equal numbers are spelled alike: `1200`, `0.5`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise GraphQLError("Decimal wants a number, best as a string: a float may have lost digits.")
    if not PLAIN_DECIMAL.fullmatch(str(value)):
        raise GraphQLError('Decimal wants plain digits, such as "1250.50".')
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise GraphQLError('Decimal wants plain digits, such as "1250.50".') from None


def read_date(value: object) -> date:
    if not isinstance(value, str) or not ISO_DATE.fullmatch(value):
        raise GraphQLError("Date wants YYYY-MM-DD, from 1900-01-01 to 9999-12-31.")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise GraphQLError(f"There is no day {value}.") from None
    if day < FIRST_DATE:
        raise GraphQLError("Date wants a day from 1900-01-01 to 9999-12-31.")
    return day


def read_instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise GraphQLError("DateTime wants an ISO 8601 instant with its offset, such as 2026-03-01T09:30:00Z.")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise GraphQLError("DateTime wants an instant from year 1 to year 9999 in UTC.") from None


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number, as a string in plain notation: `"1250.5"`. Amounts are in the '
        "tenant's currency.",
        serialize=write_decimal,
        parse_value=read_decimal,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A day as `YYYY-MM-DD`, from 1900-01-01 to 9999-12-31. Days of records are days in the "
        "tenant's time zone.",
        serialize=date.isoformat,
        parse_value=read_date,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant as ISO 8601 with its offset: `2026-03-01T09:30:00+00:00`.",
        serialize=datetime.isoformat,
        parse_value=read_instant,
    ),
}
