"""How engaged a company is: a score from 0 to 100 out of five components, each with its rule."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Self

import strawberry

from gateway.api import costs
from loaders.companies import EngagementFacts

NEW_COMPANY_DAYS = 30
AT_RISK_CONTACT_DAYS = 30
DORMANT_CONTACT_DAYS = 90
HEALTHY_SCORE = 50

RECENCY_POINTS, ACTIVITY_POINTS, PIPELINE_POINTS, WINS_POINTS, BREADTH_POINTS = 30, 25, 20, 15, 10
FULL_RECENCY_DAYS = 7
FULL_OPEN_DEALS = 3
FULL_PEOPLE = 3


@strawberry.enum(description="How a company is doing, judged from its engagement.")
class CompanyHealth(Enum):
    HEALTHY = strawberry.enum_value("healthy", description="A score of 50 or more, and a contact within 30 days.")
    AT_RISK = strawberry.enum_value("at_risk", description="A score under 50, or no contact for more than 30 days.")
    DORMANT = strawberry.enum_value("dormant", description="No contact for more than 90 days, or never.")
    NEW = strawberry.enum_value("new", description="Added within the last 30 days and not contacted yet.")


@strawberry.type(description="One part of an engagement score.")
class EngagementComponent:
    name: str = strawberry.field(description="`recency`, `activity`, `pipeline`, `wins` or `breadth`; more may come.")
    points: int = strawberry.field(description="Points reached.")
    max_points: int = strawberry.field(description="Points that can be reached.")
    explanation: str = strawberry.field(description="Why, in a sentence.")


@strawberry.type(
    description="How engaged a company is. The score is the sum of its components: recency of the last contact (30), "
    "contacts of 30 days against the tenant's median (25), open deals (20), win rate (15), people reached in 90 "
    "days (10). "
    "A contact is a call, an email or a meeting."
)
class Engagement:
    score: int = strawberry.field(description="Sum of the points, from 0 to 100.")
    health: CompanyHealth = strawberry.field(description="What it says about the company.")
    components: list[EngagementComponent] = strawberry.field(
        description="The five parts, always in the same order.", directives=[costs.at_most(5)]
    )

    @classmethod
    def of(cls, facts: EngagementFacts, *, company_created: date, today: date) -> Self:
        components = [part(facts, today) for part in (_recency, _activity, _pipeline, _wins, _breadth)]
        score = sum(component.points for component in components)
        ages = _Ages((today - company_created).days, _days_since_contact(facts, today))
        return cls(score=score, health=_health(score, ages), components=components)


@dataclass(frozen=True, slots=True)
class _Ages:
    company_days: int
    contact_days: int | None


def _health(score: int, ages: _Ages) -> CompanyHealth:
    if ages.contact_days is None and ages.company_days < NEW_COMPANY_DAYS:
        return CompanyHealth.NEW
    if ages.contact_days is None or ages.contact_days > DORMANT_CONTACT_DAYS:
        return CompanyHealth.DORMANT
    if ages.contact_days > AT_RISK_CONTACT_DAYS or score < HEALTHY_SCORE:
        return CompanyHealth.AT_RISK
    return CompanyHealth.HEALTHY


def _days_since_contact(facts: EngagementFacts, today: date) -> int | None:
    return None if facts.last_contact_day is None else (today - facts.last_contact_day).days


def _recency(facts: EngagementFacts, today: date) -> EngagementComponent:
    """Full points up to 7 days, none from 90 days on, falling evenly between."""
    days = _days_since_contact(facts, today)
    if days is None:
        return _component("recency", 0.0, RECENCY_POINTS, "There was no contact yet.")
    left = (DORMANT_CONTACT_DAYS - days) / (DORMANT_CONTACT_DAYS - FULL_RECENCY_DAYS)
    return _component("recency", left, RECENCY_POINTS, f"Days since the last contact: {days}.")


def _activity(facts: EngagementFacts, _today: date) -> EngagementComponent:
    """Full points at twice the tenant's median of contacts in 30 days, half at the median."""
    made, typical = facts.contacts_30_days, facts.typical_contacts_30_days or 0.0
    explanation = f"Contacts in 30 days: {made}; the median of the tenant's companies that had any is {typical:g}."
    return _component("activity", made / (2 * typical) if typical else 0.0, ACTIVITY_POINTS, explanation)


def _pipeline(facts: EngagementFacts, _today: date) -> EngagementComponent:
    """Full points from 3 open deals on."""
    share = facts.open_deals / FULL_OPEN_DEALS
    return _component("pipeline", share, PIPELINE_POINTS, f"Open deals: {facts.open_deals}.")


def _wins(facts: EngagementFacts, _today: date) -> EngagementComponent:
    """The win rate of all time; none without a closed deal."""
    closed = facts.won + facts.lost
    share = facts.won / closed if closed else 0.0
    return _component("wins", share, WINS_POINTS, f"Closed deals: {closed}, of which won: {facts.won}.")


def _breadth(facts: EngagementFacts, _today: date) -> EngagementComponent:
    """Full points from 3 people reached in 90 days on."""
    share = facts.people_90_days / FULL_PEOPLE
    return _component("breadth", share, BREADTH_POINTS, f"People reached in 90 days: {facts.people_90_days}.")


def _component(name: str, share: float, most: int, explanation: str) -> EngagementComponent:
    points = round(max(0.0, min(share, 1.0)) * most)
    return EngagementComponent(name=name, points=points, max_points=most, explanation=explanation)
