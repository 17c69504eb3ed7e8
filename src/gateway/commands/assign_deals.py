"""Deals are given to other owners. A target is the key of a member."""

from collections.abc import Sequence

from gateway.commands.change_deals import SQL, Decide, Item, Verb
from gateway.commands.changes import DealState, Reason, Refusal, Status
from gateway.postgres.writing import Writes


async def _prepare(writes: Writes, items: Sequence[Item]) -> Decide:
    rows = await writes.fetch(SQL["owners"], list({item.target for item in items}))
    is_active: dict[int, bool] = {row[0]: row[1] for row in rows}

    def decide(deal: DealState, owner_id: int) -> DealState | Refusal:
        if owner_id not in is_active:
            return Refusal(Status.NOT_FOUND, Reason.OWNER_NOT_FOUND)
        if owner_id != deal.owner_id and not is_active[owner_id]:
            return Refusal(Status.INVALID_OWNER, Reason.OWNER_INACTIVE)
        return deal._replace(owner_id=owner_id)

    return decide


ASSIGN_DEALS = Verb("assignDeals", _prepare)
