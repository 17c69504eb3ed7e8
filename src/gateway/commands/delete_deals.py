"""Deals leave every list and total, and come back. There is no target."""

from collections.abc import Sequence

from gateway.commands.change_deals import SQL, Decide, Item, Verb
from gateway.commands.changes import DealState, Refusal
from gateway.postgres.writing import Writes


async def _prepare_deletion(writes: Writes, _items: Sequence[Item]) -> Decide:
    ((now,),) = await writes.fetch(SQL["instant"])

    def decide(deal: DealState, _target: None) -> DealState | Refusal:
        return deal if deal.deleted_at else deal._replace(deleted_at=now)

    return decide


async def _prepare_restoration(_writes: Writes, _items: Sequence[Item]) -> Decide:
    def decide(deal: DealState, _target: None) -> DealState | Refusal:
        return deal._replace(deleted_at=None)

    return decide


DELETE_DEALS = Verb("deleteDeals", _prepare_deletion, finds_deleted=True)
RESTORE_DEALS = Verb("restoreDeals", _prepare_restoration, finds_deleted=True)
