"""Name, amount and expected close of deals. A target is pairs of a field and its new value; other fields stay."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from gateway.commands.change_deals import Decide, Item, Verb
from gateway.commands.changes import DealState, Refusal
from gateway.postgres.writing import Writes

Field: TypeAlias = Literal["name", "amount", "expected_close"]
FieldValues: TypeAlias = tuple[tuple[Field, Any], ...]


async def _prepare(_writes: Writes, _items: Sequence[Item]) -> Decide:
    def decide(deal: DealState, values: FieldValues) -> DealState | Refusal:
        changed: dict[str, Any] = dict(values)
        return deal._replace(**changed)

    return decide


UPDATE_DEALS = Verb("updateDeals", _prepare)
