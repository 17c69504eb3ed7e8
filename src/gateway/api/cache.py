"""The response cache, as an admin can act on it."""

from enum import Enum
from functools import partial
from typing import Annotated, Self

import strawberry

from gateway.api import costs
from gateway.api.context import Info
from gateway.commands.purge_cache import purge_cache


@strawberry.enum(description="What answers are read from. A change of it ends the answers that were read from it.")
class CacheTag(Enum):
    ACTIVITIES = strawberry.enum_value("activities", description="Calls, emails, meetings and notes.")
    AUDIT_LOG = strawberry.enum_value("audit_log", description="What was changed through the gateway.")
    COMPANIES = strawberry.enum_value("companies", description="Companies.")
    CONTACTS = strawberry.enum_value("contacts", description="Contacts.")
    DEAL_PRODUCTS = strawberry.enum_value("deal_products", description="Lines of deals.")
    DEAL_STAGE_HISTORY = strawberry.enum_value("deal_stage_history", description="How deals went through their stages.")
    DEALS = strawberry.enum_value("deals", description="Deals.")
    MEMBERS = strawberry.enum_value("members", description="Members.")
    OPERATIONS = strawberry.enum_value("operations", description="Changes of many records at once.")
    PIPELINES = strawberry.enum_value("pipelines", description="Pipelines.")
    PRODUCTS = strawberry.enum_value("products", description="Products.")
    STAGES = strawberry.enum_value("stages", description="Stages of pipelines.")
    TASKS = strawberry.enum_value("tasks", description="Tasks.")
    TENANTS = strawberry.enum_value("tenants", description="The tenant itself: every answer is read from it.")


Tags = Annotated[
    list[CacheTag] | None, strawberry.argument(description="What the answers were read from. Null for all answers.")
]


@strawberry.type(description="The answer to `purgeCache`.")
class PurgeCachePayload:
    tags: list[CacheTag] = strawberry.field(
        description="What no answer from before is given out for any more, not as a stale one either.",
        directives=[costs.at_most(len(CacheTag))],
    )

    @classmethod
    async def purge(cls, info: Info, tags: list[CacheTag] | None) -> Self:
        """Raises FORBIDDEN."""
        info.context.require("operate")
        wanted = list(CacheTag) if tags is None else tags
        await info.context.write(partial(purge_cache, tables={tag.name.lower() for tag in wanted}))
        return cls(tags=wanted)
