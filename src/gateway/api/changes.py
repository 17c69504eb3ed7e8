"""The answer to a change of many deals: of each item, and as a whole."""

from typing import Self

import strawberry

from gateway.api import deals, pipelines
from gateway.api.arguments import OptionalPeriod, OwnerId, PipelineId
from gateway.api.context import Info
from gateway.api.deals import Deal
from gateway.api.enums import ChangeErrorCode, ChangeStatus
from gateway.api.ids import encode_id
from gateway.api.pipeline_stats import PipelineStats
from gateway.api.pipelines import Stage
from gateway.commands.change_deals import Command, Request, change_deals
from gateway.commands.changes import Outcome, Reason, Result
from gateway.commands.undo_operation import UndoRequest, undo_operation

MESSAGES = {
    Reason.DEAL_NOT_FOUND: "There is no such deal, or it is deleted: `restoreDeals` brings a deleted one back.",
    Reason.STAGE_NOT_FOUND: "There is no such stage: use an id from `pipelines`.",
    Reason.OWNER_NOT_FOUND: "There is no such member: use an id from `members`.",
    Reason.OWNER_INACTIVE: "The member is deactivated: choose an active one.",
    Reason.STAGE_OF_OTHER_PIPELINE: "The stage is of another pipeline: choose one of the deal's.",
    Reason.VERSION_DIFFERS: "The deal was changed since: look at it as it is now, and send its present version.",
    Reason.CHANGED_SINCE: "The deal was changed since: look at it as it is now, or undo the later operation first.",
    Reason.NOT_OWN_DEAL: "Your role writes your own deals only: ask the deal's owner or a manager.",
    Reason.MAY_NOT_WRITE: "Your role does not write any more: ask an administrator of the tenant.",
    Reason.DEAL_NAMED_TWICE: "The deal is named more than once: name each deal once.",
}


@strawberry.type(description="Why an item failed.")
class ChangeError:
    stage_key: strawberry.Private[int | None]
    code: ChangeErrorCode = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="For people: what is wrong and what to do.")
    current_version: int | None = strawberry.field(
        description="The version that the deal has, for a conflict; else null."
    )

    @strawberry.field(description="The stage that the deal was in when it was looked at, for a conflict; else null.")
    async def current_stage(self, info: Info) -> Stage | None:
        return await pipelines.stage(info, self.stage_key)

    @classmethod
    def of(cls, result: Result, reason: Reason) -> Self:
        return cls(
            stage_key=result.current_stage_id,
            code=ChangeErrorCode(reason.value),
            message=MESSAGES[reason],
            current_version=result.current_version,
        )


@strawberry.type(description="What became of one item.")
class DealChangeResult:
    key: strawberry.Private[int]
    deal_id: strawberry.ID = strawberry.field(description="The deal.")
    status: ChangeStatus = strawberry.field(description="What became of it.")
    error: ChangeError | None = strawberry.field(description="Why it failed; null when it did not.")

    @strawberry.field(description="The deal as it is now; null when there is none of that id or it is deleted.")
    async def deal(self, info: Info) -> Deal | None:
        return await deals.deal(info, self.key)

    @classmethod
    def of(cls, result: Result) -> Self:
        return cls(
            key=result.deal_id,
            deal_id=strawberry.ID(encode_id("Deal", result.deal_id)),
            status=ChangeStatus(result.status.value),
            error=None if result.reason is None else ChangeError.of(result, result.reason),
        )


@strawberry.type(description="How many items a change had; the last four add up to the first.")
class ChangeSummary:
    requested: int = strawberry.field(description="Items of the input.")
    updated: int = strawberry.field(description="Changed, or in a dry run those that would be.")
    unchanged: int = strawberry.field(description="As wanted already.")
    failed: int = strawberry.field(description="Not changed, each with its error.")
    not_applied: int = strawberry.field(description="Sound, and left out because another item failed.")


@strawberry.interface(description="The answer to a change of deals. What is nested in it is read after the change.")
class DealChanges:
    outcome: strawberry.Private[Outcome]
    operation_id: strawberry.ID | None = strawberry.field(
        description="What `undoOperation` and `auditLog` know the change by; null when nothing was changed."
    )
    dry_run: bool = strawberry.field(description="Whether nothing was to be changed.")
    replayed: bool = strawberry.field(
        description="Whether this is the answer to an earlier request with the same idempotency key. Statuses are as "
        "they were then, nested records as they are now."
    )

    @strawberry.field(description="What became of each item, in the order of the input.")
    def results(self) -> list[DealChangeResult]:
        return [DealChangeResult.of(result) for result in self.outcome.results]

    @strawberry.field(description="How many items there were, and what became of them.")
    def summary(self) -> ChangeSummary:
        counts = self.outcome.summary
        return ChangeSummary(
            requested=counts.requested,
            updated=counts.updated,
            unchanged=counts.unchanged,
            failed=counts.failed,
            not_applied=counts.not_applied,
        )

    @strawberry.field(description="A pipeline in numbers, after the change. As `pipelineStats` of the query.")
    async def pipeline_stats(
        self, info: Info, pipeline_id: PipelineId = None, owner_id: OwnerId = None, period: OptionalPeriod = None
    ) -> PipelineStats | None:
        return await PipelineStats.read(info, pipeline_id, owner_id, period)

    @classmethod
    async def change(cls, info: Info, request: Request) -> Self:
        """Makes a change. Raises FORBIDDEN, IDEMPOTENCY_KEY_REUSED, WRITE_CONFLICT, OUTCOME_UNKNOWN."""
        info.context.spend(len(request.items))
        return await cls._of(info, request.dry_run, lambda writes, roles: change_deals(writes, roles, request))

    @classmethod
    async def undo(cls, info: Info, request: UndoRequest) -> Self:
        """Undoes a change. Raises NOT_FOUND besides."""
        spend = info.context.spend
        return await cls._of(info, request.dry_run, lambda writes, roles: undo_operation(writes, roles, request, spend))

    @classmethod
    async def _of(cls, info: Info, dry_run: bool, command: Command[Outcome]) -> Self:
        outcome = await info.context.write(command)
        return cls(
            outcome=outcome,
            operation_id=strawberry.ID(str(outcome.operation_id)) if outcome.operation_id else None,
            dry_run=dry_run,
            replayed=outcome.replayed,
        )


@strawberry.type(description="The answer to `updateDealStages`.")
class UpdateDealStagesPayload(DealChanges):
    pass


@strawberry.type(description="The answer to `assignDeals`.")
class AssignDealsPayload(DealChanges):
    pass


@strawberry.type(description="The answer to `updateDeals`.")
class UpdateDealsPayload(DealChanges):
    pass


@strawberry.type(description="The answer to `deleteDeals`.")
class DeleteDealsPayload(DealChanges):
    pass


@strawberry.type(description="The answer to `restoreDeals`.")
class RestoreDealsPayload(DealChanges):
    pass


@strawberry.type(description="The answer to `undoOperation`.")
class UndoOperationPayload(DealChanges):
    pass
