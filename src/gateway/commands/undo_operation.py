"""An operation is undone: each deal that nobody changed since gets the state that it had before.

The way through the stages is not rewritten: a deal goes back now, and its history says so. A deal that was closed gets
back the instant at which it had been.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.commands.change_deals import SQL, Decide, Item, Request, Roles, Verb, change_deals
from gateway.commands.changes import DealState, Mode, Outcome, Refusal
from gateway.errors import NotFoundError
from gateway.postgres.writing import Writes


@dataclass(frozen=True, slots=True)
class UndoRequest:
    """Which operation is to be undone."""

    operation_id: UUID
    dry_run: bool = False
    note: str | None = None
    idempotency_key: str | None = None


async def undo_operation(writes: Writes, roles: Roles, request: UndoRequest) -> Outcome:
    """Undoes what can be, deal by deal. Raises NOT_FOUND for no such operation, and as `change_deals`."""
    changes = await writes.fetch(SQL["changes_of_operation"], request.operation_id)
    if not changes:
        raise NotFoundError("This tenant has no operation of that id: use an `operationId` from an earlier answer.")
    return await change_deals(
        writes,
        roles,
        Request(
            verb=UNDO,
            items=[Item(deal_id, before, version) for deal_id, before, version in changes],
            mode=Mode.PER_ITEM,
            dry_run=request.dry_run,
            note=request.note,
            idempotency_key=request.idempotency_key,
            fingerprint=f"{request.operation_id}:{json.dumps(request.note)}",
            undoes=request.operation_id,
        ),
    )


async def _prepare(_writes: Writes, _items: Sequence[Item]) -> Decide:
    def decide(deal: DealState, before: str) -> DealState | Refusal:
        return deal._replace(**_state(json.loads(before, parse_float=Decimal, parse_int=Decimal)))

    return decide


def _state(before: dict[str, Any]) -> dict[str, Any]:
    return {
        "stage_id": int(before["stage_id"]),
        "owner_id": int(before["owner_id"]),
        "name": before["name"],
        "amount": before["amount"],
        "expected_close": before["expected_close"] and date.fromisoformat(before["expected_close"]),
        "closed_at": before["closed_at"] and datetime.fromisoformat(before["closed_at"]),
        "deleted_at": before["deleted_at"] and datetime.fromisoformat(before["deleted_at"]),
    }


UNDO = Verb("undoOperation", _prepare, finds_deleted=True)
