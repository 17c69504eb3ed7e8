"""Orderings of lists: by what, and which way."""

from enum import Enum

import strawberry


@strawberry.enum(description="Which way a list is ordered. Entries without a value come last, either way.")
class Direction(Enum):
    ASC = strawberry.enum_value("asc", description="Least, earliest or alphabetically first.")
    DESC = strawberry.enum_value("desc", description="Greatest, latest or alphabetically last.")


@strawberry.enum(description="What deals may be ordered by.")
class DealOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When it was added.")
    NAME = strawberry.enum_value("name", description="Its name.")
    AMOUNT = strawberry.enum_value("amount", description="Its amount.")
    EXPECTED_CLOSE = strawberry.enum_value("expected_close", description="When it is expected to close.")
    CLOSED_AT = strawberry.enum_value("closed_at", description="When it was won or lost.")


@strawberry.enum(description="What companies may be ordered by.")
class CompanyOrderField(Enum):
    NAME = strawberry.enum_value("name", description="Its name.")
    CREATED_AT = strawberry.enum_value("created_at", description="When it was added.")
    EMPLOYEES = strawberry.enum_value("employees", description="Number of employees.")


@strawberry.enum(description="What contacts may be ordered by.")
class ContactOrderField(Enum):
    NAME = strawberry.enum_value("name", description="The name.")
    CREATED_AT = strawberry.enum_value("created_at", description="When the contact was added.")


@strawberry.enum(description="What activities may be ordered by.")
class ActivityOrderField(Enum):
    OCCURRED_AT = strawberry.enum_value("occurred_at", description="When it was done.")
    CREATED_AT = strawberry.enum_value("created_at", description="When it was added.")


@strawberry.enum(description="What tasks may be ordered by.")
class TaskOrderField(Enum):
    DUE_AT = strawberry.enum_value("due_at", description="When it must be done by.")
    CREATED_AT = strawberry.enum_value("created_at", description="When it was added.")
    COMPLETED_AT = strawberry.enum_value("completed_at", description="When it was done.")


@strawberry.enum(description="What members may be ordered by.")
class MemberOrderField(Enum):
    NAME = strawberry.enum_value("name", description="The name.")
    CREATED_AT = strawberry.enum_value("created_at", description="When the member was added.")


@strawberry.enum(description="What changes may be ordered by.")
class AuditOrderField(Enum):
    AT = strawberry.enum_value("at", description="When it was made.")


@strawberry.input(description="How deals are ordered.")
class DealOrder:
    field: DealOrderField = strawberry.field(description="By what.")
    direction: Direction = strawberry.field(default=Direction.ASC, description="Which way.")


@strawberry.input(description="How companies are ordered.")
class CompanyOrder:
    field: CompanyOrderField = strawberry.field(description="By what.")
    direction: Direction = strawberry.field(default=Direction.ASC, description="Which way.")


@strawberry.input(description="How contacts are ordered.")
class ContactOrder:
    field: ContactOrderField = strawberry.field(description="By what.")
    direction: Direction = strawberry.field(default=Direction.ASC, description="Which way.")


@strawberry.input(description="How activities are ordered.")
class ActivityOrder:
    field: ActivityOrderField = strawberry.field(description="By what.")
    direction: Direction = strawberry.field(default=Direction.ASC, description="Which way.")


@strawberry.input(description="How tasks are ordered.")
class TaskOrder:
    field: TaskOrderField = strawberry.field(description="By what.")
    direction: Direction = strawberry.field(default=Direction.ASC, description="Which way.")


@strawberry.input(description="How members are ordered.")
class MemberOrder:
    field: MemberOrderField = strawberry.field(description="By what.")
    direction: Direction = strawberry.field(default=Direction.ASC, description="Which way.")


@strawberry.input(description="How changes are ordered.")
class AuditOrder:
    field: AuditOrderField = strawberry.field(description="By what.")
    direction: Direction = strawberry.field(default=Direction.ASC, description="Which way.")
