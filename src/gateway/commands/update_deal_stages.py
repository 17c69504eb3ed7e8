"""Deals are moved to other stages of their pipelines. A target is the key of a stage."""

from collections.abc import Sequence

from gateway.commands.change_deals import SQL, Decide, Item, Verb
from gateway.commands.changes import DealState, Reason, Refusal, Status
from gateway.postgres.writing import Writes


async def _prepare(writes: Writes, items: Sequence[Item]) -> Decide:
    rows = await writes.fetch(SQL["stage_pipelines"], list({item.target for item in items}))
    pipeline_of: dict[int, int] = {row[0]: row[1] for row in rows}

    def decide(deal: DealState, stage_id: int) -> DealState | Refusal:
        if stage_id not in pipeline_of:
            return Refusal(Status.NOT_FOUND, Reason.STAGE_NOT_FOUND)
        if pipeline_of[stage_id] != deal.pipeline_id:
            return Refusal(Status.INVALID_STAGE, Reason.STAGE_OF_OTHER_PIPELINE)
        return deal._replace(stage_id=stage_id)

    return decide


UPDATE_DEAL_STAGES = Verb("updateDealStages", _prepare)
