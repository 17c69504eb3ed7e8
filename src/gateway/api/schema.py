"""The schema's roots. Resolvers decode ids and hand on."""

from typing import Annotated, Any

import strawberry
from graphql import GraphQLSchema, is_input_object_type
from strawberry.schema.config import StrawberryConfig

from gateway.api import companies, costs, deals, members
from gateway.api.activities import Activity
from gateway.api.arguments import CompanyId, OptionalPeriod, OwnerId, PipelineId, RecordId
from gateway.api.attributes import DEFINITION, resolve_directly
from gateway.api.audit import AuditEntry
from gateway.api.budget import Budget, read_budget
from gateway.api.cache import PurgeCachePayload, Tags
from gateway.api.changes import (
    AssignDealsPayload,
    DeleteDealsPayload,
    RestoreDealsPayload,
    UndoOperationPayload,
    UpdateDealsPayload,
    UpdateDealStagesPayload,
)
from gateway.api.companies import Company
from gateway.api.company_analytics import CompanyAnalytics
from gateway.api.contacts import Contact
from gateway.api.context import Info
from gateway.api.dashboard import Dashboard
from gateway.api.deal_aggregates import (
    DealAggregate,
    GroupBy,
    GroupFilter,
    GroupFirst,
    GroupOrder,
    read_deal_aggregates,
)
from gateway.api.deal_changes import (
    AssignDealsInput,
    DeleteDealsInput,
    RestoreDealsInput,
    UpdateDealsInput,
    UpdateDealStagesInput,
    deletion_request,
    fields_request,
    owners_request,
    restoration_request,
    stages_request,
    undo_request,
)
from gateway.api.deals import Deal
from gateway.api.directives import NEVER_KEPT, ONES_OWN
from gateway.api.ids import decode_id, key_of, optional_key_of
from gateway.api.lists import ACTIVITIES, AUDIT, COMPANIES, CONTACTS, DEALS, MEMBERS, TASKS, list_field
from gateway.api.members import Member
from gateway.api.node import Node
from gateway.api.pipeline_stats import PipelineStats
from gateway.api.pipelines import Pipeline, Stage
from gateway.api.products import Product
from gateway.api.rollups import Rollup, read_rollups
from gateway.api.scalars import SCALARS
from gateway.api.session import Email, LoginPayload, Password, RefreshToken, TenantSlug
from gateway.api.tasks import Task
from loaders import pipelines as pipeline_loaders


@strawberry.type(description="Reads. All fields of one query are of the same moment.")
class Query:
    @strawberry.field(
        description="Sales at a glance: of the whole tenant, or of one member; of all time, or of a period."
    )
    async def dashboard(self, info: Info, owner_id: OwnerId = None, period: OptionalPeriod = None) -> Dashboard:
        return await Dashboard.read(info, optional_key_of("Member", owner_id, "ownerId"), period)

    @strawberry.field(
        description="A pipeline in numbers; without an id, the tenant's default one. Null when there is no such "
        "pipeline."
    )
    async def pipeline_stats(
        self,
        info: Info,
        pipeline_id: PipelineId = None,
        owner_id: OwnerId = None,
        period: OptionalPeriod = None,
    ) -> PipelineStats | None:
        return await PipelineStats.read(info, pipeline_id, owner_id, period)

    @strawberry.field(description="A company in numbers. Null when there is no such company.")
    async def company_analytics(
        self, info: Info, company_id: CompanyId, period: OptionalPeriod = None
    ) -> CompanyAnalytics | None:
        return await CompanyAnalytics.read(info, key_of("Company", company_id, "companyId"), period)

    @strawberry.field(description="A company. Null when there is none of that id.")
    async def company(self, info: Info, id: RecordId) -> Company | None:  # noqa: A002 - the schema's name
        return await companies.company(info, key_of("Company", id, "id"))

    @strawberry.field(description="A deal. Null when there is none of that id.")
    async def deal(self, info: Info, id: RecordId) -> Deal | None:  # noqa: A002 - the schema's name
        return await deals.deal(info, key_of("Deal", id, "id"))

    @strawberry.field(description="Any record by its global id. Null when there is none of that id.")
    async def node(self, info: Info, id: RecordId) -> Node | None:  # noqa: A002 - the schema's name
        type_name, key = decode_id(id)
        if type_name not in NODES:
            return None
        node_type, loader_name = NODES[type_name]
        row = await getattr(info.context.loaders, loader_name).load(key)
        return None if row is None else node_type.of(row)

    companies = list_field(COMPANIES, "Companies that are not deleted.")
    contacts = list_field(CONTACTS, "Contacts that are not deleted.")
    deals = list_field(DEALS, "Deals of all pipelines that are not deleted.")
    activities = list_field(ACTIVITIES, "Activities that are not deleted.")
    tasks = list_field(TASKS, "Tasks that are not deleted, open and done.")
    members = list_field(MEMBERS, "Members, active and deactivated.")

    @strawberry.field(
        description="An analyst's question in one field: deals grouped by one to three keys, filtered, "
        "measured, ordered.",
        directives=[*costs.DEAL_GROUPS, costs.sized_by("first")],
    )
    async def deal_aggregates(
        self,
        info: Info,
        group_by: GroupBy,
        where: GroupFilter = None,
        order_by: GroupOrder = None,
        first: GroupFirst = 100,
    ) -> list[DealAggregate]:
        return await read_deal_aggregates(info, group_by, where, order_by, first)

    @strawberry.field(description="All pipelines, the default one first, then by name.", directives=[costs.at_most(10)])
    async def pipelines(self, info: Info) -> list[Pipeline]:
        return [Pipeline.of(row) for row in await pipeline_loaders.pipelines(info.context.snapshot)]

    @strawberry.field(
        description="The rollups that aggregates are read from, as far as they are the tenant's own. For admins.",
        directives=[NEVER_KEPT, costs.at_most(20)],
    )
    async def rollups(self, info: Info) -> list[Rollup] | None:
        return await read_rollups(info)

    @strawberry.field(
        description="The tenant's budget, as it is now. Null where prices are off.", directives=[NEVER_KEPT]
    )
    async def budget(self, info: Info) -> Budget | None:
        return await read_budget(info)

    audit_log = list_field(
        AUDIT, "Every change that was made through the gateway, one entry a record. For admins.", permission="operate"
    )

    @strawberry.field(description="Who is asking.", directives=[ONES_OWN])
    async def me(self, info: Info) -> Member:
        if info.context.member_id is None:
            raise LookupError("an anonymous caller asked for `me`")
        return await members.owner(info, info.context.member_id)


BULK = "Viewers write nothing, reps their own deals, managers and admins all."
INPUT = strawberry.argument(description="What is to be changed, and how.")
OperationId = Annotated[strawberry.ID, strawberry.argument(description="The `operationId` of an earlier answer.")]
UndoKey = Annotated[str | None, strawberry.argument(description="As of the other changes.")]
UndoDryRun = Annotated[bool, strawberry.argument(description="Only tells what would become of each deal.")]
UndoNote = Annotated[str | None, strawberry.argument(description="Why, for the audit: 1 to 2000 characters.")]


@strawberry.type(
    description="Changes. Fields run one after the other; each payload is read after its change was committed."
)
class Mutation:
    @strawberry.mutation(description="Signs a member in. Works without a token.")
    async def login(self, info: Info, tenant: TenantSlug, email: Email, password: Password) -> LoginPayload:
        return await LoginPayload.of(info, info.context.sign_in.login(tenant, email, password))

    @strawberry.mutation(description="Exchanges a refresh token for new tokens. Works without a token.")
    async def refresh_token(self, info: Info, token: RefreshToken) -> LoginPayload:
        return await LoginPayload.of(info, info.context.sign_in.refresh(token))

    @strawberry.mutation(
        description=f"Moves deals to other stages of their pipelines. {BULK}", directives=[costs.CHANGED]
    )
    async def update_deal_stages(
        self,
        info: Info,
        input: Annotated[UpdateDealStagesInput, INPUT],  # noqa: A002 - the schema's name
    ) -> UpdateDealStagesPayload:
        return await UpdateDealStagesPayload.change(info, stages_request(info, input))

    @strawberry.mutation(description=f"Gives deals to other owners. {BULK}", directives=[costs.CHANGED])
    async def assign_deals(
        self,
        info: Info,
        input: Annotated[AssignDealsInput, INPUT],  # noqa: A002 - the schema's name
    ) -> AssignDealsPayload:
        return await AssignDealsPayload.change(info, owners_request(info, input))

    @strawberry.mutation(
        description=f"Changes name, amount or expected close of deals. {BULK}", directives=[costs.CHANGED_SINGLY]
    )
    async def update_deals(
        self,
        info: Info,
        input: Annotated[UpdateDealsInput, INPUT],  # noqa: A002 - the schema's name
    ) -> UpdateDealsPayload:
        return await UpdateDealsPayload.change(info, fields_request(info, input))

    @strawberry.mutation(
        description=f"Deletes deals: they leave every list and total, and can be restored. {BULK}",
        directives=[costs.CHANGED],
    )
    async def delete_deals(
        self,
        info: Info,
        input: Annotated[DeleteDealsInput, INPUT],  # noqa: A002 - the schema's name
    ) -> DeleteDealsPayload:
        return await DeleteDealsPayload.change(info, deletion_request(info, input))

    @strawberry.mutation(description=f"Brings deleted deals back. {BULK}", directives=[costs.CHANGED])
    async def restore_deals(
        self,
        info: Info,
        input: Annotated[RestoreDealsInput, INPUT],  # noqa: A002 - the schema's name
    ) -> RestoreDealsPayload:
        return await RestoreDealsPayload.change(info, restoration_request(info, input))

    @strawberry.mutation(
        description="Undoes an operation, deal by deal: each one that is still as the operation left it gets back "
        "what it was before. An undo is an operation too, and can be undone.",
        directives=[costs.UNDO, costs.UNDONE],
    )
    async def undo_operation(
        self,
        info: Info,
        operation_id: OperationId,
        idempotency_key: UndoKey = None,
        dry_run: UndoDryRun = False,
        note: UndoNote = None,
    ) -> UndoOperationPayload:
        return await UndoOperationPayload.undo(info, undo_request(info, operation_id, idempotency_key, dry_run, note))

    @strawberry.mutation(
        description="Ends kept answers of the tenant, on every process. For admins. Nothing wrong is kept without it: "
        "it is for whoever wants to see for themselves."
    )
    async def purge_cache(self, info: Info, tags: Tags = None) -> PurgeCachePayload:
        return await PurgeCachePayload.purge(info, tags)


NODES: dict[str, Any] = {
    node.__name__: (node, node.__name__.lower())
    for node in (Activity, Company, Contact, Deal, Member, Pipeline, Product, Stage, Task)
}
"""How `node` finds a record of each type: its class, and the name of its loader."""

ANONYMOUS_FIELDS = frozenset({"login", "refreshToken", "__typename"})
"""Root fields that need no token."""

SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[AuditEntry, *(node for node, _ in NODES.values())],
    config=StrawberryConfig(scalar_map=SCALARS),
)


def graphql_schema() -> GraphQLSchema:
    """The executable schema."""
    schema = SCHEMA._schema
    for input_type in filter(is_input_object_type, schema.type_map.values()):
        # Strawberry checks a oneOf input only where it makes the value. Known to the schema, validation and
        # introspection speak of it too.
        input_type.is_one_of = input_type.extensions[DEFINITION].is_one_of
    resolve_directly(schema)
    return schema


def sdl() -> str:
    """The schema as text, as it stands in `schema.graphql`."""
    return SCHEMA.as_str() + "\n"
