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
    ACTIVITIES = "activities"
    AUDIT_LOG = "audit_log"
    COMPANIES = "companies"
    CONTACTS = "contacts"
    DEAL_PRODUCTS = "deal_products"
    DEAL_STAGE_HISTORY = "deal_stage_history"
    DEALS = "deals"
    MEMBERS = "members"
    OPERATIONS = "operations"
    PIPELINES = "pipelines"
    PRODUCTS = "products"
    STAGES = "stages"
    TASKS = "tasks"
    TENANTS = "tenants"


Tags = Annotated[
    list[CacheTag] | None, strawberry.argument(description="What the answers were read from. Null for all answers.")
]


@strawberry.type(description="The answer to `purgeCache`.")
class PurgeCachePayload:
    tags: list[CacheTag] = strawberry.field(
        description="What no answer from before is given out for any more.", directives=[costs.at_most(len(CacheTag))]
    )

    @classmethod
    async def purge(cls, info: Info, tags: list[CacheTag] | None) -> Self:
        """Raises FORBIDDEN."""
        info.context.require("operate")
        wanted = list(CacheTag) if tags is None else tags
        await info.context.write(partial(purge_cache, tables={tag.value for tag in wanted}))
        return cls(tags=wanted)
