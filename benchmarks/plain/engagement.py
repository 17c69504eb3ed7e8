"""The plain server's engagement score: the documented rules, written down again."""

from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Any, Self

import strawberry


@strawberry.enum
class CompanyHealth(Enum):
    HEALTHY = "healthy"
    AT_RISK = "at_risk"
    DORMANT = "dormant"
    NEW = "new"


@strawberry.type
class EngagementComponent:
    name: str
    points: int
    max_points: int
    explanation: str


@strawberry.type
class Engagement:
    score: int
    health: CompanyHealth
    components: list[EngagementComponent]

    @classmethod
    def of(cls, facts: Any, contact_day: date | None, company_created: date, today: date) -> Self:
        contact_days = None if contact_day is None else max((today - contact_day).days, 0)
        components = [
            EngagementComponent(
                name=name, points=round(max(0.0, min(share, 1.0)) * most), max_points=most, explanation=why
            )
            for name, share, most, why in _components(facts, contact_days)
        ]
        score = sum(component.points for component in components)
        health = _health(score, contact_days, (today - company_created).days)
        return cls(score=score, health=health, components=components)


def _components(facts: Any, contact_days: int | None) -> Iterator[tuple[str, float, int, str]]:
    made, typical, closed = facts["contacts"], facts["typical"] or 0.0, facts["won"] + facts["lost"]
    if contact_days is None:
        yield "recency", 0.0, 30, "There was no contact yet."
    else:
        yield "recency", (90 - contact_days) / 83, 30, f"Days since the last contact: {contact_days}."
    median = f"the median of the tenant's companies that had any is {typical:g}."
    yield "activity", made / (2 * typical) if typical else 0.0, 25, f"Contacts in 30 days: {made}; {median}"
    yield "pipeline", facts["open"] / 3, 20, f"Open deals: {facts['open']}."
    wins = facts["won"] / closed if closed else 0.0
    yield "wins", wins, 15, f"Closed deals: {closed}, of which won: {facts['won']}."
    yield "breadth", facts["people"] / 3, 10, f"People reached in 90 days: {facts['people']}."


def _health(score: int, contact_days: int | None, company_days: int) -> CompanyHealth:
    if contact_days is None and company_days < 30:
        return CompanyHealth.NEW
    if contact_days is None or contact_days > 90:
        return CompanyHealth.DORMANT
    return CompanyHealth.AT_RISK if contact_days > 30 or score < 50 else CompanyHealth.HEALTHY
