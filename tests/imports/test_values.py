"""Each kind of value: what is read, and why the rest is not."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from gateway.imports.records import Field
from gateway.imports.values import Formats, Value, email_of, parser

AMOUNT, COUNT = Field("decimal"), Field("integer")
US = Formats("%m/%d/%Y", thousands_mark=",")
GERMAN = Formats("%d.%m.%Y %H:%M", ",", ".")


@pytest.mark.parametrize(
    ("field", "formats", "text", "value"),
    [
        (AMOUNT, Formats(), "1054", Decimal(1054)),
        (AMOUNT, Formats(), "+0.5000", Decimal("0.5")),
        (AMOUNT, Formats(), "-0.00", Decimal(0)),
        (AMOUNT, Formats(), "99999999999999.9999", Decimal("99999999999999.9999")),
        (AMOUNT, US, "1,234.50", Decimal("1234.50")),
        (AMOUNT, US, "1234.50", Decimal("1234.50")),
        (AMOUNT, GERMAN, "1.234.567,89", Decimal("1234567.89")),
        (COUNT, US, "2,147,483,647", 2147483647),
        (Field("date"), US, "3/1/2017", date(2017, 3, 1)),
        (Field("date"), US, "02/29/2016", date(2016, 2, 29)),
        (Field("instant"), US, "3/1/2017", datetime(2017, 3, 1, 12)),  # noqa: DTZ001 - local times have no zone
        (Field("instant"), GERMAN, "01.03.2017 09:30", datetime(2017, 3, 1, 9, 30)),  # noqa: DTZ001 - as above
        (Field("choice", choices=("call", "note")), US, "Call", "call"),
        (Field("email"), US, "Ann@Example.com", "ann@example.com"),
    ],
)
def test_a_value_is_read(field: Field, formats: Formats, text: str, value: Value) -> None:
    assert parser(field, formats)(text) == value


@pytest.mark.parametrize(
    ("field", "formats", "text", "reason"),
    [
        (AMOUNT, Formats(), "1,234.50", "is not a number such as 1234.50"),
        (AMOUNT, US, "12,34.50", "is not a number such as 1234.50"),
        (AMOUNT, GERMAN, "1234.50", "is not a number such as 1234,50"),
        (AMOUNT, US, "NaN", "is not a number such as 1234.50"),
        (AMOUNT, US, "inf", "is not a number such as 1234.50"),
        (AMOUNT, US, "1e30", "is not a number such as 1234.50"),
        (AMOUNT, US, "٣", "is not a number such as 1234.50"),
        (AMOUNT, US, "$5", "is not a number such as 1234.50"),
        (AMOUNT, US, "-5", "is negative"),
        (AMOUNT, US, "0.12345", "has more than 4 decimals"),
        (AMOUNT, US, "100000000000000", "has more than 14 digits before its decimals"),
        (COUNT, US, "1.5", "is not a whole number"),
        (COUNT, US, "-1", "is negative"),
        (COUNT, US, "2147483648", "is larger than 2147483647"),
        (COUNT, US, "9" * 5000, "is larger than 2147483647"),
        (Field("date"), US, "2/30/2017", "is not a date as %m/%d/%Y"),
        (Field("date"), US, "2/29/2017", "is not a date as %m/%d/%Y"),
        (Field("date"), US, "31/12/2017", "is not a date as %m/%d/%Y"),
        (Field("date"), US, "2017-12-31", "is not a date as %m/%d/%Y"),
        (Field("date"), US, "12/31/0017", "is not within the years 1900 to 2999"),
        (Field("date"), US, "12/31/9999", "is not within the years 1900 to 2999"),
        (Field("choice", choices=("call", "note")), US, "fax", "is none of call, note"),
        (Field("email"), US, "ann", "is not an email address"),
        (Field("email"), US, "a@b@c", "is not an email address"),
        (Field(limit=3), US, "abcd", "has 4 characters, 3 at most are kept"),
        (Field(limit=3), US, "a\0", "holds a NUL character"),
    ],
)
def test_what_is_no_value_has_a_reason(field: Field, formats: Formats, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".*") as fault:
        parser(field, formats)(text)
    assert str(fault.value) == reason


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Darcel Schlecht", "darcel.schlecht@x.example"),
        ("  Mei-Mei   JOHNS ", "mei.mei.johns@x.example"),
        ("Zoë O'Hara", "zoe.o.hara@x.example"),
        ("Ж", "ж@x.example"),
    ],
)
def test_an_email_address_is_made_of_a_name(name: str, email: str) -> None:
    assert email_of(name, "x.example") == email


def test_no_email_address_is_made_of_nothing() -> None:
    with pytest.raises(ValueError, match="has no letter"):
        email_of("—", "x.example")
