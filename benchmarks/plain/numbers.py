"""The plain server's types of numbers, with their formulas."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Self

import strawberry

from benchmarks.plain.context import global_id
from benchmarks.plain.records import ActivityKind, StageKind


def ratio(part: Decimal | int, whole: Decimal | int) -> float | None:
    return float(part / whole) if whole else None


@strawberry.type
class DealSummary:
    total: int
    open: int
    won: int
    lost: int
    pipeline_value: Decimal
    weighted_value: Decimal
    won_value: Decimal
    lost_value: Decimal
    win_rate: float | None
    average_deal_size: Decimal | None
    average_cycle_days: float | None

    @classmethod
    def of(cls, row: Any, *, in_period: bool) -> Self:
        won, lost = row["won"], row["lost"]
        return cls(
            total=row["created"] if in_period else row["open"] + won + lost,
            open=row["open"],
            won=won,
            lost=lost,
            pipeline_value=row["pipeline_value"],
            weighted_value=row["weighted_value"],
            won_value=row["won_value"],
            lost_value=row["lost_value"],
            win_rate=ratio(won, won + lost),
            average_deal_size=(row["won_value"] / won).quantize(Decimal("0.0001")) if won else None,
            average_cycle_days=ratio(row["cycle_days"], won),
        )


@strawberry.type
class ActivityKindCount:
    kind: ActivityKind
    count: int


@strawberry.type
class ActivitySummary:
    total: int
    today: int
    week: int
    by_kind: list[ActivityKindCount]

    @classmethod
    def of(cls, row: Any) -> Self:
        by_kind = [ActivityKindCount(kind=kind, count=row[f"{kind.value}s"]) for kind in ActivityKind]
        total = sum(entry.count for entry in by_kind)
        return cls(total=total, today=row["today"], week=row["week"], by_kind=by_kind)


@strawberry.type
class CompanySummary:
    total: int
    with_deals: int
    new: int


@strawberry.type
class TaskSummary:
    open: int
    overdue: int
    due_today: int


@strawberry.type
class Stage:
    id: strawberry.ID
    name: str
    position: int
    probability: Decimal
    kind: StageKind

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
            id=global_id("Stage", row["id"]),
            name=row["name"],
            position=row["position"],
            probability=row["probability"],
            kind=StageKind(row["kind"]),
        )


@strawberry.type
class StageStats:
    stage: Stage
    deals: int
    value: Decimal
    weighted_value: Decimal
    share: float | None
    average_age_days: float | None
    entered: int
    left: int
    conversion_to_next: float | None
    median_days_in_stage: float | None

    @classmethod
    def all_of(cls, rows: Sequence[Any]) -> list[Self]:
        open_value = sum((row["value"] for row in rows if row["kind"] == "open"), Decimal(0))
        return [cls._of(row, open_value) for row in rows]

    @classmethod
    def _of(cls, row: Any, open_value: Decimal) -> Self:
        is_open = row["kind"] == "open"
        return cls(
            stage=Stage.of(row),
            deals=row["deals"],
            value=row["value"],
            weighted_value=row["value"] * row["probability"] if is_open else Decimal(0),
            share=ratio(row["value"], open_value) if is_open else None,
            average_age_days=ratio(row["age_days"], row["deals"]) if is_open else None,
            entered=row["entered"],
            left=row["departed"],
            conversion_to_next=ratio(row["later_deals"], row["entered_deals"]) if is_open else None,
            median_days_in_stage=row["median_days"],
        )
