"""Filters of lists: what a caller may ask for, as the conditions that loaders know. Conditions are joined by AND."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

import strawberry

from gateway.api import costs
from gateway.api.enums import ActivityKind, Role, StageKind, TaskPriority, TaskStatus
from gateway.api.ids import key_of
from gateway.api.periods import DateRangeInput, days_of_range
from gateway.api.spelling import schema_name
from gateway.errors import BadUserInputError

MOST_VALUES = 1000
LONGEST_SEARCH = 200

Condition = tuple[str, object]
Ids = list[strawberry.ID] | None
Words = list[str] | None


@strawberry.input(description="A range of amounts; both ends are in, an open end is left out. Unknown amounts are not.")
class AmountRangeInput:
    min: Decimal | None = strawberry.field(default=None, description="The least amount.")
    max: Decimal | None = strawberry.field(default=None, description="The greatest amount.")


@strawberry.input(description="Which deals. Every condition that is given must hold.")
class DealFilter:
    ids: Ids = strawberry.field(default=None, description="These deals.", directives=[costs.EACH_ID])
    pipeline_ids: Ids = strawberry.field(
        default=None, description="In one of these pipelines.", directives=[costs.EACH_ID]
    )
    stage_ids: Ids = strawberry.field(default=None, description="In one of these stages.", directives=[costs.EACH_ID])
    owner_ids: Ids = strawberry.field(default=None, description="Of one of these members.", directives=[costs.EACH_ID])
    company_ids: Ids = strawberry.field(
        default=None, description="With one of these companies.", directives=[costs.EACH_ID]
    )
    teams: Words = strawberry.field(
        default=None, description="Of members of one of these teams.", directives=[costs.EACH_ID]
    )
    regions: Words = strawberry.field(
        default=None, description="Of members of one of these regions.", directives=[costs.EACH_ID]
    )
    industries: Words = strawberry.field(
        default=None, description="With companies of one of these industries.", directives=[costs.EACH_ID]
    )
    outcomes: list[StageKind] | None = strawberry.field(default=None, description="Open, won or lost.")
    amount: AmountRangeInput | None = strawberry.field(default=None, description="Of an amount within the range.")
    created: DateRangeInput | None = strawberry.field(default=None, description="Created on one of these days.")
    closed: DateRangeInput | None = strawberry.field(default=None, description="Won or lost on one of these days.")
    expected_close: DateRangeInput | None = strawberry.field(
        default=None, description="Expected to close on one of these days."
    )
    search: str | None = strawberry.field(
        default=None, description="With this text anywhere in the name, in any case.", directives=[costs.SEARCH]
    )

    def conditions(self) -> list[Condition]:
        return [
            *_keys("Deal", "ids", self.ids),
            *_keys("Pipeline", "pipeline_ids", self.pipeline_ids),
            *_keys("Stage", "stage_ids", self.stage_ids),
            *_keys("Member", "owner_ids", self.owner_ids),
            *_keys("Company", "company_ids", self.company_ids),
            *_words("teams", self.teams),
            *_words("regions", self.regions),
            *_words("industries", self.industries),
            *_choices("outcomes", self.outcomes),
            *_amounts(self.amount),
            *_days("created", self.created),
            *_days("closed", self.closed),
            *_days("expected_close", self.expected_close),
            *_search(self.search),
        ]


@strawberry.input(description="Which companies. Every condition that is given must hold.")
class CompanyFilter:
    ids: Ids = strawberry.field(default=None, description="These companies.", directives=[costs.EACH_ID])
    owner_ids: Ids = strawberry.field(
        default=None, description="Looked after by one of these members.", directives=[costs.EACH_ID]
    )
    teams: Words = strawberry.field(
        default=None, description="Looked after by members of one of these teams.", directives=[costs.EACH_ID]
    )
    industries: Words = strawberry.field(
        default=None, description="Of one of these industries.", directives=[costs.EACH_ID]
    )
    regions: Words = strawberry.field(default=None, description="In one of these regions.", directives=[costs.EACH_ID])
    created: DateRangeInput | None = strawberry.field(default=None, description="Added on one of these days.")
    search: str | None = strawberry.field(
        default=None, description="With this text anywhere in the name, in any case.", directives=[costs.SEARCH]
    )

    def conditions(self) -> list[Condition]:
        return [
            *_keys("Company", "ids", self.ids),
            *_keys("Member", "owner_ids", self.owner_ids),
            *_words("teams", self.teams),
            *_words("industries", self.industries),
            *_words("regions", self.regions),
            *_days("created", self.created),
            *_search(self.search),
        ]


@strawberry.input(description="Which contacts. Every condition that is given must hold.")
class ContactFilter:
    ids: Ids = strawberry.field(default=None, description="These contacts.", directives=[costs.EACH_ID])
    company_ids: Ids = strawberry.field(
        default=None, description="At one of these companies.", directives=[costs.EACH_ID]
    )
    owner_ids: Ids = strawberry.field(
        default=None, description="Looked after by one of these members.", directives=[costs.EACH_ID]
    )
    search: str | None = strawberry.field(
        default=None, description="With this text anywhere in name or email, in any case.", directives=[costs.SEARCH]
    )

    def conditions(self) -> list[Condition]:
        return [
            *_keys("Contact", "ids", self.ids),
            *_keys("Company", "company_ids", self.company_ids),
            *_keys("Member", "owner_ids", self.owner_ids),
            *_search(self.search),
        ]


@strawberry.input(description="Which activities. Every condition that is given must hold.")
class ActivityFilter:
    ids: Ids = strawberry.field(default=None, description="These activities.", directives=[costs.EACH_ID])
    kinds: list[ActivityKind] | None = strawberry.field(default=None, description="Of one of these kinds.")
    owner_ids: Ids = strawberry.field(default=None, description="Of one of these members.", directives=[costs.EACH_ID])
    teams: Words = strawberry.field(
        default=None, description="Of members of one of these teams.", directives=[costs.EACH_ID]
    )
    company_ids: Ids = strawberry.field(
        default=None, description="With one of these companies.", directives=[costs.EACH_ID]
    )
    contact_ids: Ids = strawberry.field(
        default=None, description="With one of these contacts.", directives=[costs.EACH_ID]
    )
    deal_ids: Ids = strawberry.field(default=None, description="About one of these deals.", directives=[costs.EACH_ID])
    occurred: DateRangeInput | None = strawberry.field(default=None, description="On one of these days.")
    search: str | None = strawberry.field(
        default=None, description="With this text anywhere in the subject, in any case.", directives=[costs.SEARCH]
    )

    def conditions(self) -> list[Condition]:
        return [
            *_keys("Activity", "ids", self.ids),
            *_choices("kinds", self.kinds),
            *_keys("Member", "owner_ids", self.owner_ids),
            *_words("teams", self.teams),
            *_keys("Company", "company_ids", self.company_ids),
            *_keys("Contact", "contact_ids", self.contact_ids),
            *_keys("Deal", "deal_ids", self.deal_ids),
            *_days("occurred", self.occurred),
            *_search(self.search),
        ]


@strawberry.input(description="Which tasks. Every condition that is given must hold.")
class TaskFilter:
    ids: Ids = strawberry.field(default=None, description="These tasks.", directives=[costs.EACH_ID])
    owner_ids: Ids = strawberry.field(default=None, description="Of one of these members.", directives=[costs.EACH_ID])
    teams: Words = strawberry.field(
        default=None, description="Of members of one of these teams.", directives=[costs.EACH_ID]
    )
    company_ids: Ids = strawberry.field(
        default=None, description="About one of these companies.", directives=[costs.EACH_ID]
    )
    deal_ids: Ids = strawberry.field(default=None, description="About one of these deals.", directives=[costs.EACH_ID])
    priorities: list[TaskPriority] | None = strawberry.field(default=None, description="Of one of these priorities.")
    status: TaskStatus | None = strawberry.field(default=None, description="Open or done.")
    due: DateRangeInput | None = strawberry.field(default=None, description="Due on one of these days.")
    search: str | None = strawberry.field(
        default=None, description="With this text anywhere in the title, in any case.", directives=[costs.SEARCH]
    )

    def conditions(self) -> list[Condition]:
        status = [] if self.status is None else [("is_open", self.status is TaskStatus.OPEN)]
        return [
            *_keys("Task", "ids", self.ids),
            *_keys("Member", "owner_ids", self.owner_ids),
            *_words("teams", self.teams),
            *_keys("Company", "company_ids", self.company_ids),
            *_keys("Deal", "deal_ids", self.deal_ids),
            *_choices("priorities", self.priorities),
            *status,
            *_days("due", self.due),
            *_search(self.search),
        ]


@strawberry.input(description="Which members. Every condition that is given must hold.")
class MemberFilter:
    ids: Ids = strawberry.field(default=None, description="These members.", directives=[costs.EACH_ID])
    roles: list[Role] | None = strawberry.field(default=None, description="Of one of these roles.")
    teams: Words = strawberry.field(default=None, description="Of one of these teams.", directives=[costs.EACH_ID])
    regions: Words = strawberry.field(default=None, description="Of one of these regions.", directives=[costs.EACH_ID])
    active: bool | None = strawberry.field(default=None, description="Active, or deactivated.")
    search: str | None = strawberry.field(
        default=None, description="With this text anywhere in name or email, in any case.", directives=[costs.SEARCH]
    )

    def conditions(self) -> list[Condition]:
        active = [] if self.active is None else [("active", self.active)]
        return [
            *_keys("Member", "ids", self.ids),
            *_choices("roles", self.roles),
            *_words("teams", self.teams),
            *_words("regions", self.regions),
            *active,
            *_search(self.search),
        ]


@strawberry.input(description="Which changes. Every condition that is given must hold.")
class AuditFilter:
    deal_ids: Ids = strawberry.field(default=None, description="Of one of these deals.", directives=[costs.EACH_ID])
    operation_ids: Ids = strawberry.field(
        default=None, description="Made by one of these operations.", directives=[costs.EACH_ID]
    )
    member_ids: Ids = strawberry.field(
        default=None, description="Made by one of these members.", directives=[costs.EACH_ID]
    )
    actions: Words = strawberry.field(
        default=None, description="Made by one of these mutations: `assignDeals`, say.", directives=[costs.EACH_ID]
    )
    since: datetime | None = strawberry.field(default=None, description="At this instant or later.")
    until: datetime | None = strawberry.field(default=None, description="Before this instant.")

    def conditions(self) -> list[Condition]:
        instants = [("since", self.since), ("until", self.until)]
        return [
            *_keys("Deal", "deal_ids", self.deal_ids),
            *_operations(self.operation_ids),
            *_keys("Member", "member_ids", self.member_ids),
            *_words("actions", self.actions),
            *((name, instant) for name, instant in instants if instant is not None),
        ]


def _keys(type_name: str, name: str, ids: Ids) -> Iterator[Condition]:
    if ids is not None:
        _check_number(name, ids)
        with _condition(name):
            keys = tuple(key_of(type_name, global_id, schema_name(name)) for global_id in ids)
        yield name, keys


def _operations(ids: Ids) -> Iterator[Condition]:
    if ids is not None:
        _check_number("operation_ids", ids)
        try:
            yield "operation_ids", tuple(UUID(operation_id) for operation_id in ids)
        except ValueError:
            raise _refused("operation_ids", "send ids exactly as an earlier answer gave them.") from None


def _words(name: str, words: Words) -> Iterator[Condition]:
    if words is not None:
        _check_number(name, words)
        for word in words:
            _check_text(name, word)
        yield name, tuple(words)


def _choices(name: str, choices: Sequence[Enum] | None) -> Iterator[Condition]:
    if choices is not None:
        yield name, tuple(choice.value for choice in choices)


def _amounts(amount: AmountRangeInput | None) -> Iterator[Condition]:
    if amount is None:
        return
    if amount.min is not None and amount.max is not None and amount.min > amount.max:
        raise _refused("amount", "`min` is greater than `max`.")
    if amount.min is not None:
        yield "amount_min", amount.min
    if amount.max is not None:
        yield "amount_max", amount.max


def _days(name: str, wanted: DateRangeInput | None) -> Iterator[Condition]:
    if wanted is not None:
        with _condition(name):
            days = days_of_range(wanted, schema_name(name))
        yield f"{name}_from", days.from_day
        yield f"{name}_to", days.to_day


def _search(text: str | None) -> Iterator[Condition]:
    if text is not None:
        _check_text("search", text)
        yield "search", contains(text)


def contains(text: str) -> str:
    """The pattern of a text anywhere, its `%`, `_` and `\\` meaning themselves."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _check_number(name: str, values: Sequence[object]) -> None:
    if len(values) > MOST_VALUES:
        raise _refused(name, f"takes at most {MOST_VALUES} values; there are {len(values)}.")


def _check_text(name: str, text: str) -> None:
    if len(text) > LONGEST_SEARCH or "\0" in text:
        raise _refused(name, f"takes texts of at most {LONGEST_SEARCH} characters, without NUL.")


@contextmanager
def _condition(name: str) -> Iterator[None]:
    """What is refused of a condition's value names the condition in its path, as the schema spells it."""
    try:
        yield
    except BadUserInputError as error:
        raise BadUserInputError(error.message, extensions={"path": ["filter", schema_name(name)]}) from None


def _refused(name: str, message: str) -> BadUserInputError:
    shown = schema_name(name)
    return BadUserInputError(f"`{shown}`: {message}", extensions={"path": ["filter", shown]})
