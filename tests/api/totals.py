"""Sums and quotients over deals, as the schema describes them."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from gateway.api.ids import encode_id
from tests.api.facts import Deal
from tests.api.periods import Days, contains, trend_starts

Json = dict[str, Any]


def money(value: Decimal | int) -> str:
    return f"{Decimal(value).normalize():f}"


def rate(part: Decimal | int, whole: Decimal | int) -> Any:
    return pytest.approx(float(Fraction(part) / Fraction(whole)), rel=1e-9, abs=1e-9) if whole else None


def deal_summary(deals: Iterable[Deal], days: Days | None) -> Json:
    deals = list(deals)
    still_open = [deal for deal in deals if deal.outcome == "open"]
    won, lost = closed_in(deals, "won", days), closed_in(deals, "lost", days)
    won_value = sum(deal.amount for deal in won)
    cycle_days = sum((deal.closed - deal.created).days for deal in won if deal.closed)
    created = sum(contains(days, deal.created) for deal in deals)
    return {
        "total": created if days else len(still_open) + len(won) + len(lost),
        "open": len(still_open),
        "won": len(won),
        "lost": len(lost),
        "pipelineValue": money(sum(deal.amount for deal in still_open)),
        "weightedValue": money(sum(deal.amount * deal.probability for deal in still_open)),
        "wonValue": money(won_value),
        "lostValue": money(sum(deal.amount for deal in lost)),
        "winRate": rate(len(won), len(won) + len(lost)),
        "averageDealSize": money(round(Decimal(won_value) / len(won), 4)) if won else None,
        "averageCycleDays": rate(cycle_days, len(won)),
    }


def closed_in(deals: Iterable[Deal], outcome: str, days: Days | None) -> list[Deal]:
    return [deal for deal in deals if deal.outcome == outcome and deal.closed and contains(days, deal.closed)]


def trend(deals: Iterable[Deal], unit: str, days: Days | None, today: date) -> list[Json]:
    starts, covered = trend_starts(unit, days, today)
    points: dict[date, Json] = {
        start: {"created": 0, "won": 0, "lost": 0, "wonValue": Decimal(0)} for start in starts.values()
    }
    for deal in deals:
        if contains(covered, deal.created):
            points[starts[deal.created]]["created"] += 1
        if deal.closed and contains(covered, deal.closed):
            point = points[starts[deal.closed]]
            point[deal.outcome] += 1
            point["wonValue"] += deal.amount if deal.outcome == "won" else 0
    return [
        {"start": start.isoformat(), **point, "wonValue": money(point["wonValue"])} for start, point in points.items()
    ]


def leaderboard(deals: Iterable[Deal], days: Days | None) -> list[Json]:
    """Best won value first; equal ones by deals won, then by open value, then by age in the tenant."""
    by_owner: dict[int, list[Deal]] = {}
    for deal in deals:
        by_owner.setdefault(deal.owner_id, []).append(deal)
    ranked = []
    for owner, own in by_owner.items():
        won, lost = closed_in(own, "won", days), closed_in(own, "lost", days)
        still_open = [deal for deal in own if deal.outcome == "open"]
        won_value, open_value = (sum(deal.amount for deal in some) for some in (won, still_open))
        entry = {
            "member": {"id": encode_id("Member", owner)},
            "won": len(won),
            "wonValue": money(won_value),
            "winRate": rate(len(won), len(won) + len(lost)),
            "openValue": money(open_value),
        }
        if won or lost or still_open:
            ranked.append(((-won_value, -len(won), -open_value, owner), entry))
    return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])]
