"""Closed sets of values that records have and filters name."""

from enum import Enum

import strawberry


@strawberry.enum(
    description="What a member may do. Every role reads the whole tenant; roles differ in what they write."
)
class Role(Enum):
    VIEWER = strawberry.enum_value("viewer", description="Reads.")
    REP = strawberry.enum_value("rep", description="Also writes the records they own.")
    MANAGER = strawberry.enum_value("manager", description="Also writes everybody's records.")
    ADMIN = strawberry.enum_value("admin", description="Also manages members, pipelines and stages.")


@strawberry.enum(description="What a deal in the stage is.")
class StageKind(Enum):
    OPEN = strawberry.enum_value("open", description="Still being sold.")
    WON = strawberry.enum_value("won", description="Sold.")
    LOST = strawberry.enum_value("lost", description="Not sold.")


@strawberry.enum(description="What was done. A call, an email or a meeting is a contact; a note is not.")
class ActivityKind(Enum):
    CALL = strawberry.enum_value("call", description="A telephone call.")
    EMAIL = strawberry.enum_value("email", description="An email.")
    MEETING = strawberry.enum_value("meeting", description="A meeting.")
    NOTE = strawberry.enum_value("note", description="A note to oneself; no contact.")


@strawberry.enum(description="How much a task matters.")
class TaskPriority(Enum):
    LOW = strawberry.enum_value("low", description="Can wait.")
    NORMAL = strawberry.enum_value("normal", description="As usual.")
    HIGH = strawberry.enum_value("high", description="Before others.")


@strawberry.enum(description="Whether a task is done.")
class TaskStatus(Enum):
    OPEN = strawberry.enum_value("open", description="Not done yet.")
    DONE = strawberry.enum_value("done", description="Done.")
