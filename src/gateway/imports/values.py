"""From a cell's text to a value of a field. A text that is no such value raises ValueError with the reason."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from gateway.imports.records import EMAIL_LIMIT, Field

Value = str | int | Decimal | date | datetime
Parse = Callable[[str], Value]

NOON = time(12)
YEARS = range(1900, 3000)
AMOUNT_DECIMALS = 4
AMOUNT_LIMIT = Decimal(10) ** 14
INTEGER_LIMIT = 2**31
TIME_DIRECTIVES = ("%H", "%I", "%M", "%S", "%c", "%X")
DATES_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Formats:
    """How a file writes dates (directives of strptime) and numbers (`thousands_mark`: empty for none)."""

    date_format: str = "%Y-%m-%d"
    decimal_mark: str = "."
    thousands_mark: str = ""

    @property
    def has_zone(self) -> bool:
        """Whether its instants carry an offset; those without are in the tenant's time zone."""
        return "%z" in self.date_format


def parser(field: Field, formats: Formats) -> Parse:
    """What reads the values of one field: text that is stripped and not empty."""
    match field.kind:
        case "integer":
            return _integers(formats)
        case "decimal":
            return _decimals(formats)
        case "date":
            return _dates(formats)
        case "instant":
            return _instants(formats)
        case "choice":
            return _choices(field.choices)
        case "email":
            return _email
        case _:
            return _texts(field.limit)


def email_of(name: str, domain: str) -> str:
    """An address made of a name, always the same: `Zoë O'Hara` at example.com is zoe.o.hara@example.com."""
    plain = unicodedata.normalize("NFKD", name.lower())
    words = re.findall(r"\w+", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    if not words:
        raise ValueError("has no letter to make an email address of")
    return f"{'.'.join(words)}@{domain}"


def _texts(limit: int) -> Parse:
    def parse(text: str) -> str:
        if len(text) > limit:
            raise ValueError(f"has {len(text)} characters, {limit} at most are kept")
        if "\0" in text:
            raise ValueError("holds a NUL character")
        return text

    return parse


def _email(text: str) -> str:
    if not re.fullmatch(r"[^@\s\0]+@[^@\s\0]+", text) or len(text) > EMAIL_LIMIT:
        raise ValueError("is not an email address")
    return text.lower()


def _choices(choices: tuple[str, ...]) -> Parse:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"is none of {', '.join(choices)}")
        return text.lower()

    return parse


def _numbers(formats: Formats) -> Callable[[str], str | None]:
    """Digits with a point, made of a number as the file writes it; None when it is none."""
    mark, thousands = re.escape(formats.decimal_mark), re.escape(formats.thousands_mark)
    grouped = rf"|[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+" if thousands else ""
    pattern = re.compile(rf"([+-]?)([0-9]+{grouped})(?:{mark}([0-9]+))?")

    def parse(text: str) -> str | None:
        found = pattern.fullmatch(text)
        if found is None:
            return None
        whole = found[2].replace(formats.thousands_mark, "") if thousands else found[2]
        return f"{found[1]}{whole}.{found[3]}" if found[3] else found[1] + whole

    return parse


def _decimals(formats: Formats) -> Parse:
    number = _numbers(formats)

    def parse(text: str) -> Decimal:
        plain = number(text)
        if plain is None:
            raise ValueError(f"is not a number such as 1234{formats.decimal_mark}50")
        if plain.startswith("-") and plain.strip("-0."):
            raise ValueError("is negative")
        _, _, decimals = plain.partition(".")
        if len(decimals.rstrip("0")) > AMOUNT_DECIMALS:
            raise ValueError(f"has more than {AMOUNT_DECIMALS} decimals")
        value = abs(Decimal(plain))
        if value >= AMOUNT_LIMIT:
            raise ValueError("has more than 14 digits before its decimals")
        return value

    return parse


def _integers(formats: Formats) -> Parse:
    number = _numbers(formats)

    def parse(text: str) -> int:
        plain = number(text)
        if plain is None or "." in plain:
            raise ValueError("is not a whole number")
        # Too many digits to count them is too large, whatever they are.
        if len(plain) > 20 or not 0 <= (value := int(plain)) < INTEGER_LIMIT:
            raise ValueError("is negative" if plain.startswith("-") else f"is larger than {INTEGER_LIMIT - 1}")
        return value

    return parse


def _moments(formats: Formats) -> Callable[[str], datetime]:
    @lru_cache(DATES_REMEMBERED)
    def parse(text: str) -> datetime:
        try:
            moment = datetime.strptime(text, formats.date_format)  # noqa: DTZ007 - local: PostgreSQL knows the zone
        except ValueError:
            raise ValueError(f"is not a date as {formats.date_format}") from None
        if moment.year not in YEARS:
            raise ValueError(f"is not within the years {YEARS.start} to {YEARS.stop - 1}")
        return moment

    return parse


def _dates(formats: Formats) -> Parse:
    moment = _moments(formats)
    return lambda text: moment(text).date()


def _instants(formats: Formats) -> Parse:
    """A date without a time is noon: the same local day, whatever clocks do at night."""
    moment = _moments(formats)
    if any(directive in formats.date_format for directive in TIME_DIRECTIVES):
        return moment
    return lambda text: datetime.combine(moment(text), NOON)
