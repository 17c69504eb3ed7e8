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


@strawberry.enum(description="Whether one item that fails keeps all others from being changed.")
class BulkMode(Enum):
    ALL_OR_NOTHING = strawberry.enum_value(
        "all_or_nothing", description="Changes nothing when one item fails, and still tells of each."
    )
    PER_ITEM = strawberry.enum_value("per_item", description="Changes what can be changed.")


@strawberry.enum(description="What became of one item of a change; in a dry run, what would.")
class ChangeStatus(Enum):
    UPDATED = strawberry.enum_value("updated", description="Changed.")
    UNCHANGED = strawberry.enum_value("unchanged", description="It was as wanted already: nothing was written.")
    NOT_FOUND = strawberry.enum_value(
        "not_found", description="No such deal, or no such stage or member to give it to, in this tenant."
    )
    CONFLICT = strawberry.enum_value(
        "conflict", description="The deal is not at the version that was expected, or not as the operation left it."
    )
    INVALID_STAGE = strawberry.enum_value("invalid_stage", description="The stage is of another pipeline.")
    INVALID_OWNER = strawberry.enum_value("invalid_owner", description="The member is deactivated.")
    FORBIDDEN = strawberry.enum_value("forbidden", description="The caller's role may not write this deal.")
    DUPLICATE = strawberry.enum_value(
        "duplicate",
        description="The deal is named more than once. Named again for the same, its first item counts; named for "
        "different things, none does.",
    )
    NOT_APPLIED = strawberry.enum_value(
        "not_applied", description="Nothing is wrong with it; it was left out because another item failed."
    )


@strawberry.enum(description="Why an item of a change failed.")
class ChangeErrorCode(Enum):
    DEAL_NOT_FOUND = strawberry.enum_value("deal_not_found", description="There is no such deal, or it is deleted.")
    STAGE_NOT_FOUND = strawberry.enum_value("stage_not_found", description="There is no such stage.")
    OWNER_NOT_FOUND = strawberry.enum_value("owner_not_found", description="There is no such member.")
    OWNER_INACTIVE = strawberry.enum_value("owner_inactive", description="The member is deactivated.")
    STAGE_OF_OTHER_PIPELINE = strawberry.enum_value(
        "stage_of_other_pipeline", description="The stage is not one of the deal's pipeline."
    )
    VERSION_DIFFERS = strawberry.enum_value("version_differs", description="The deal was changed since it was read.")
    CHANGED_SINCE = strawberry.enum_value(
        "changed_since", description="The deal is not as the operation that is to be undone left it."
    )
    NOT_OWN_DEAL = strawberry.enum_value("not_own_deal", description="The caller writes their own deals only.")
    MAY_NOT_WRITE = strawberry.enum_value("may_not_write", description="The caller may not write any more.")
    DEAL_NAMED_TWICE = strawberry.enum_value("deal_named_twice", description="The deal is named more than once.")
