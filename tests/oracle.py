"""What the gateway must answer, computed a second time: in plain Python, from the rows of the base tables alone.

It follows the schema's definitions, not its SQL. No derived column is read: days come from instants by `zoneinfo`,
outcomes from stages, days in a stage from the instants of two moves. Answers have the shape of GraphQL's; rates compare
equal within 1e-9, everything else exactly.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from statistics import median
from typing import Any

import asyncpg

from gateway.api.ids import encode_id
from tests.api.facts import Deal, Facts, Move
from tests.api.periods import Days, Period, contains, week_of, window_of
from tests.api.totals import deal_summary, leaderboard, money, rate, trend

Json = dict[str, Any]

KINDS = ("call", "email", "meeting", "note")


class Oracle:
    """The answers at one moment. Keys of records are the database's own."""

    def __init__(self, facts: Facts, as_of: str) -> None:
        self.facts = facts
        self.now = datetime.fromisoformat(as_of)
        self.today = facts.day(self.now)

    def dashboard(self, owner: int | None, period: Period) -> Json:
        facts, days = self.facts, window_of(period, self.today)
        deals = [deal for deal in facts.deals if owner in (None, deal.owner_id)]
        moves = [move for move in facts.moves if owner in (None, move.deal.owner_id)]
        activities = [(row, day) for row, day in facts.activities if owner in (None, row["owner_id"])]
        return {
            "period": shown(period, self.today),
            "overview": {
                "deals": deal_summary(deals, days),
                "activities": self._activity_summary(activities, days),
                "companies": self._company_summary(owner, days),
                "tasks": self._task_summary(owner),
                "pipeline": self._stages(self._pipelines(), deals, moves, days),
            },
            "recent": {"activities": self._recent(activities), "tasks": self._next_tasks(owner)},
            "leaderboard": leaderboard(deals, days),
            **self._trends(deals, days),
        }

    def pipeline_stats(self, pipeline: int | None, owner: int | None, period: Period) -> Json | None:
        days = window_of(period, self.today)
        found = [row for row in self._pipelines() if (row["is_default"] if pipeline is None else row["id"] == pipeline)]
        if not found:
            return None
        key = found[0]["id"]
        deals = [deal for deal in self.facts.deals if deal.pipeline_id == key and owner in (None, deal.owner_id)]
        moves = [move for move in self.facts.moves if owner in (None, move.deal.owner_id)]
        return {
            "pipeline": {"id": encode_id("Pipeline", key)},
            "deals": deal_summary(deals, days),
            "stages": self._stages(found, deals, moves, days),
            **self._trends(deals, days),
        }

    def company_analytics(self, company: int, period: Period) -> Json | None:
        if company not in self.facts.alive["companies"]:
            return None
        days = window_of(period, self.today)
        deals = [deal for deal in self.facts.deals if deal.company_id == company]
        activities = [(row, day) for row, day in self.facts.activities if row["company_id"] == company]
        contacts = [row["occurred_at"] for row, day in activities if row["kind"] != "note" and day <= self.today]
        return {
            "company": {"id": encode_id("Company", company)},
            "deals": deal_summary(deals, days),
            "activities": self._activity_summary(activities, days),
            "engagement": self._engagement(company, deals),
            "lastContactAt": max(contacts).astimezone(UTC).isoformat() if contacts else None,
            **self._trends(deals, days),
        }

    def _pipelines(self) -> list[asyncpg.Record]:
        return sorted(self.facts.rows["pipelines"], key=lambda row: (not row["is_default"], row["name"], row["id"]))

    def _activity_summary(self, activities: Iterable[tuple[asyncpg.Record, date]], days: Days | None) -> Json:
        activities = list(activities)
        counted = [row["kind"] for row, day in activities if contains(days, day)]
        return {
            "total": len(counted),
            "today": sum(day == self.today for _, day in activities),
            "week": sum(contains(week_of(self.today), day) for _, day in activities),
            "byKind": [{"kind": kind.upper(), "count": counted.count(kind)} for kind in KINDS],
        }

    def _company_summary(self, owner: int | None, days: Days | None) -> Json:
        companies = [row for row in self.facts.rows["companies"] if owner in (None, row["owner_id"])]
        sold_to = {deal.company_id for deal in self.facts.deals}
        new_in = days or window_of("LAST_30_DAYS", self.today)
        return {
            "total": len(companies),
            "withDeals": sum(row["id"] in sold_to for row in companies),
            "new": sum(contains(new_in, self.facts.day(row["created_at"])) for row in companies),
        }

    def _open_tasks(self, owner: int | None) -> list[asyncpg.Record]:
        tasks = self.facts.rows["tasks"]
        return [row for row in tasks if row["completed_at"] is None and owner in (None, row["owner_id"])]

    def _task_summary(self, owner: int | None) -> Json:
        due = [row["due_at"] for row in self._open_tasks(owner) if row["due_at"]]
        return {
            "open": len(self._open_tasks(owner)),
            "overdue": sum(instant < self.now for instant in due),
            "dueToday": sum(self.facts.day(instant) == self.today for instant in due),
        }

    def _recent(self, activities: Iterable[tuple[asyncpg.Record, date]]) -> list[Json]:
        newest = sorted((row for row, _ in activities), key=lambda row: (row["occurred_at"], row["id"]), reverse=True)
        return [
            {
                "id": encode_id("Activity", row["id"]),
                "kind": row["kind"].upper(),
                "owner": {"id": encode_id("Member", row["owner_id"])},
                **self._links(row, ("company", "contact", "deal")),
            }
            for row in newest[:10]
        ]

    def _next_tasks(self, owner: int | None) -> list[Json]:
        last = datetime.max.replace(tzinfo=UTC)
        first_due = sorted(self._open_tasks(owner), key=lambda row: (row["due_at"] or last, row["id"]))
        return [
            {
                "id": encode_id("Task", row["id"]),
                "owner": {"id": encode_id("Member", row["owner_id"])},
                **self._links(row, ("company", "deal")),
            }
            for row in first_due[:5]
        ]

    def _links(self, row: asyncpg.Record, names: Iterable[str]) -> Json:
        tables = {"company": "companies", "contact": "contacts", "deal": "deals"}
        keys = {name: row[f"{name}_id"] for name in names}
        return {
            name: {"id": encode_id(name.capitalize(), key)} if key in self.facts.alive[tables[name]] else None
            for name, key in keys.items()
        }

    def _stages(
        self, pipelines: Iterable[asyncpg.Record], deals: Collection[Deal], moves: Iterable[Move], days: Days | None
    ) -> list[Json]:
        moves = [move for move in moves if contains(days, move.day)]
        ordered = sorted(self.facts.stages.values(), key=lambda row: row["position"])
        listed = [row for pipeline in pipelines for row in ordered if row["pipeline_id"] == pipeline["id"]]
        open_value = sum(deal.amount for deal in deals if deal.outcome == "open")
        return [self._stage(row, deals, moves, open_value) for row in listed]

    def _stage(self, stage: asyncpg.Record, deals: Iterable[Deal], moves: Sequence[Move], open_value: Any) -> Json:
        in_it = [deal for deal in deals if deal.stage_id == stage["id"]]
        value = sum(deal.amount for deal in in_it)
        is_open = stage["kind"] == "open"
        came = [move.deal.id for move in moves if move.to_stage == stage["id"]]
        gone = [move.stay_days for move in moves if move.from_stage == stage["id"]]
        later = {
            row["id"]
            for row in self.facts.stages.values()
            if row["pipeline_id"] == stage["pipeline_id"]
            and row["position"] > stage["position"]
            and row["kind"] != "lost"
        }
        went_on = {move.deal.id for move in moves if move.to_stage in later}
        ages = [(self.today - deal.created).days for deal in in_it]
        return {
            "stage": {"id": encode_id("Stage", stage["id"]), "kind": stage["kind"].upper()},
            "deals": len(in_it),
            "value": money(value),
            "weightedValue": money(value * stage["probability"] if is_open else 0),
            "share": rate(value, open_value) if is_open else None,
            "averageAgeDays": rate(sum(ages), len(ages)) if is_open else None,
            "entered": len(came),
            "left": len(gone),
            "conversionToNext": rate(len(went_on), len(set(came))) if is_open else None,
            "medianDaysInStage": float(median(days for days in gone if days is not None)) if gone else None,
        }

    def _trends(self, deals: Collection[Deal], days: Days | None) -> Json:
        return {unit: trend(deals, unit, days, self.today) for unit in ("day", "week", "month", "quarter")}

    def _engagement(self, company: int, deals: Collection[Deal]) -> Json:
        contacts = [
            (row, (self.today - day).days)
            for row, day in self.facts.activities
            if row["kind"] != "note" and row["company_id"] is not None and day <= self.today
        ]
        own = [(row, age) for row, age in contacts if row["company_id"] == company]
        recent = sorted(row["company_id"] for row, age in contacts if age < 30)
        counts = {key: len(list(group)) for key, group in groupby(recent)}
        typical = Fraction(median(counts.values())) if counts else Fraction(0)
        last = min((age for _, age in own), default=None)
        people = {row["contact_id"] for row, age in own if age < 90} - {None}
        ended = [deal.outcome for deal in deals if deal.outcome != "open"]
        shares = {
            "recency": (30, Fraction(90 - last, 90 - 7) if last is not None else 0),
            "activity": (25, Fraction(counts.get(company, 0)) / (2 * typical) if typical else 0),
            "pipeline": (20, Fraction(len(deals) - len(ended), 3)),
            "wins": (15, Fraction(ended.count("won"), len(ended)) if ended else 0),
            "breadth": (10, Fraction(len(people), 3)),
        }
        parts = [(name, most, round(most * max(0, min(share, 1)))) for name, (most, share) in shares.items()]
        score = sum(points for _, _, points in parts)
        return {
            "score": score,
            "health": self._health(company, score, last),
            "components": [{"name": name, "points": points, "maxPoints": most} for name, most, points in parts],
        }

    def _health(self, company: int, score: int, last_contact_days: int | None) -> str:
        created = next(row["created_at"] for row in self.facts.rows["companies"] if row["id"] == company)
        if last_contact_days is None:
            return "NEW" if (self.today - self.facts.day(created)) < timedelta(days=30) else "DORMANT"
        if last_contact_days > 90:
            return "DORMANT"
        return "HEALTHY" if score >= 50 and last_contact_days <= 30 else "AT_RISK"


def shown(period: Period, today: date) -> Json | None:
    days = window_of(period, today)
    preset = period if isinstance(period, str) else None
    return {"from": days[0].isoformat(), "to": days[1].isoformat(), "preset": preset} if days else None
