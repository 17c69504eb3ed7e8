"""What `dealAggregates` and `forecast` must answer: in plain Python, from raw rows, by the schema's definitions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import asyncpg
import pytest

from gateway.api.ids import encode_id
from tests.api.periods import first_day, following
from tests.lists.conditions import chosen
from tests.lists.rows import Rows

Json = dict[str, Any]
KEYS = (
    "OWNER",
    "TEAM",
    "REGION",
    "STAGE",
    "PIPELINE",
    "COMPANY",
    "INDUSTRY",
    "PRODUCT",
    "OUTCOME",
    "CREATED_MONTH",
    "CLOSED_MONTH",
)
MEASURES = ("COUNT", "VALUE", "WON_VALUE", "WIN_RATE", "AVERAGE_DEAL_SIZE", "AVERAGE_CYCLE_DAYS")
RECORDS = {
    "OWNER": ("Member", "members"),
    "STAGE": ("Stage", "stages"),
    "PIPELINE": ("Pipeline", "pipelines"),
    "COMPANY": ("Company", "companies"),
    "PRODUCT": ("Product", "products"),
}
OUTCOMES = ("open", "won", "lost")


@dataclass(frozen=True)
class Sale:
    """A deal that is not deleted, or one line of it: under one value of each key."""

    values: Mapping[str, Any]
    outcome: str
    amount: Decimal
    cycle_days: int


@dataclass(frozen=True)
class Group:
    values: tuple[Any, ...]
    sales: Sequence[Sale]

    def of(self, outcome: str) -> list[Sale]:
        return [sale for sale in self.sales if sale.outcome == outcome]

    @property
    def value(self) -> Decimal:
        return sum((sale.amount for sale in self.sales), Decimal(0))

    @property
    def won_value(self) -> Decimal:
        return sum((sale.amount for sale in self.of("won")), Decimal(0))

    @property
    def win_rate(self) -> Fraction | None:
        won, lost = len(self.of("won")), len(self.of("lost"))
        return Fraction(won, won + lost) if won + lost else None

    @property
    def average_deal_size(self) -> Fraction | None:
        return Fraction(self.won_value) / len(self.of("won")) if self.of("won") else None

    @property
    def average_cycle_days(self) -> Fraction | None:
        won = self.of("won")
        return Fraction(sum(sale.cycle_days for sale in won), len(won)) if won else None

    def measure(self, name: str) -> Any:
        return len(self.sales) if name == "COUNT" else getattr(self, name.lower())


class Deals:
    """The groups of one tenant's deals."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def groups(self, keys: Sequence[str], wanted: Mapping[str, Any] | None = None) -> list[Group]:
        """All groups, in no order."""
        found: dict[tuple[Any, ...], list[Sale]] = {}
        kept = chosen(self.rows, "deals", wanted or {})
        for row in self.rows.alive("deals"):
            if row["id"] in kept:
                for sale in self._sales(row, by_line="PRODUCT" in keys):
                    found.setdefault(tuple(sale.values[key] for key in keys), []).append(sale)
        return [Group(values, sales) for values, sales in found.items()]

    def answer(
        self,
        keys: Sequence[str],
        wanted: Mapping[str, Any] | None = None,
        *,
        by: str = "VALUE",
        descending: bool = True,
        first: int = 1000,
    ) -> list[Json]:
        """The field's answer: groups ordered by a measure or a key, without one last, ties by the keys' values."""
        groups = self.groups(keys, wanted)
        groups.sort(key=lambda group: [_absent_last(value) for value in group.values])
        rank = self._rank(keys, by)
        ranked = [group for group in groups if rank(group) is not None]
        ranked.sort(key=rank, reverse=descending)
        ordered = ranked + [group for group in groups if rank(group) is None]
        return [self._shown(keys, group) for group in ordered[:first]]

    def _sales(self, row: asyncpg.Record, *, by_line: bool) -> Iterable[Sale]:
        values = self._values(row)
        outcome = self.rows.tables["stages"][row["stage_id"]]["kind"]
        created, closed = self.rows.day(row["created_at"]), self.rows.day(row["closed_at"])
        cycle_days = (closed - created).days if closed and created else 0
        if not by_line or row["id"] not in self.rows.lines:
            yield Sale({**values, "PRODUCT": None}, outcome, row["amount"] or Decimal(0), cycle_days)
            return
        for line in self.rows.lines[row["id"]]:
            amount = line["amount"] or Decimal(0)
            yield Sale({**values, "PRODUCT": line["product_id"]}, outcome, amount, cycle_days)

    def _values(self, row: asyncpg.Record) -> Json:
        owner = self.rows.tables["members"][row["owner_id"]]
        company = self.rows.tables["companies"].get(row["company_id"])
        return {
            "OWNER": row["owner_id"],
            "TEAM": owner["team"],
            "REGION": owner["region"],
            "STAGE": row["stage_id"],
            "PIPELINE": row["pipeline_id"],
            "COMPANY": row["company_id"],
            "INDUSTRY": company["industry"] if company else None,
            "OUTCOME": self.rows.tables["stages"][row["stage_id"]]["kind"],
            "CREATED_MONTH": _month(self.rows.day(row["created_at"])),
            "CLOSED_MONTH": _month(self.rows.day(row["closed_at"])),
        }

    def _rank(self, keys: Sequence[str], by: str) -> Callable[[Group], Any]:
        if by in MEASURES:
            return lambda group: group.measure(by)
        place = keys.index(by)
        return lambda group: self._sort_value(by, group.values[place])

    def _sort_value(self, key: str, value: Any) -> Any:
        if value is None or key not in RECORDS:
            return OUTCOMES.index(value) if key == "OUTCOME" else value
        record = self.rows.tables[RECORDS[key][1]][value]
        return (record["pipeline_id"], record["position"]) if key == "STAGE" else record["name"]

    def _shown(self, keys: Sequence[str], group: Group) -> Json:
        won, lost, average = group.of("won"), group.of("lost"), group.average_deal_size
        return {
            "keys": {_field(key): self._key(key, value) for key, value in zip(keys, group.values, strict=True)},
            "labels": [self._label(key, value) for key, value in zip(keys, group.values, strict=True)],
            "count": len(group.sales),
            "won": len(won),
            "lost": len(lost),
            "value": money(group.value),
            "wonValue": money(group.won_value),
            "winRate": _float(group.win_rate),
            "averageDealSize": None if average is None else money(_rounded(average)),
            "averageCycleDays": _float(group.average_cycle_days),
        }

    def _key(self, key: str, value: Any) -> Any:
        if value is None:
            return None
        if key in RECORDS:
            type_name, table = RECORDS[key]
            deleted = self.rows.tables[table][value].get("deleted_at") is not None
            return None if deleted else {"id": encode_id(type_name, value)}
        return value.isoformat() if isinstance(value, date) else value.upper() if key == "OUTCOME" else value

    def _label(self, key: str, value: Any) -> str:
        if value is None:
            return "(none)"
        if key in RECORDS:
            return str(self.rows.tables[RECORDS[key][1]][value]["name"])
        return value.strftime("%Y-%m") if isinstance(value, date) else str(value)


def forecast(
    rows: Rows,
    pipeline: int,
    unit: str,
    today: date,
    *,
    owner: int | None = None,
    days: tuple[date, date] | None = None,
) -> list[Json]:
    """Open deals by expected close: in the days of the period, or in twelve intervals from the present one on."""
    start = first_day(unit, days[0] if days else today)
    starts, end = [start], days[1] if days else None
    while (following(unit, starts[-1]) < end) if end else (len(starts) < 12):
        starts.append(following(unit, starts[-1]))
    covered = days or (start, following(unit, starts[-1]))
    expected: dict[date, list[asyncpg.Record]] = {start: [] for start in starts}
    for row in _expected(rows, pipeline, owner, covered):
        expected[first_day(unit, row["expected_close"])].append(row)
    return [_point(start, deals, rows) for start, deals in expected.items()]


def _expected(rows: Rows, pipeline: int, owner: int | None, covered: tuple[date, date]) -> Iterable[asyncpg.Record]:
    for row in rows.alive("deals"):
        is_open = rows.tables["stages"][row["stage_id"]]["kind"] == "open"
        if is_open and row["pipeline_id"] == pipeline and owner in (None, row["owner_id"]):
            day = row["expected_close"]
            if day and covered[0] <= day < covered[1]:
                yield row


def _point(start: date, deals: Sequence[asyncpg.Record], rows: Rows) -> Json:
    amounts = [(row["amount"] or Decimal(0), rows.tables["stages"][row["stage_id"]]["probability"]) for row in deals]
    return {
        "start": start.isoformat(),
        "deals": len(deals),
        "value": money(sum((amount for amount, _ in amounts), Decimal(0))),
        "weightedValue": money(sum((amount * probability for amount, probability in amounts), Decimal(0))),
    }


def money(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _month(day: date | None) -> date | None:
    return day and day.replace(day=1)


def _field(key: str) -> str:
    head, *rest = key.lower().split("_")
    return head + "".join(part.capitalize() for part in rest)


def _absent_last(value: Any) -> tuple[Any, ...]:
    return (1,) if value is None else (0, value)


def _float(rate: Fraction | None) -> Any:
    return None if rate is None else pytest.approx(float(rate), rel=1e-12)


def _rounded(average: Fraction) -> Decimal:
    exact = Decimal(average.numerator) / Decimal(average.denominator)
    return exact.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
