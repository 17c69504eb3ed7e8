"""An operation is undone: each deal that is as the operation left it gets the state that it had before.

What counts is the state, not the version: once a later operation is undone, the earlier one can be.

The way through the stages is not rewritten: a deal goes back now, and its history says so. A deal that was closed gets
back the instant at which it had been.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.commands.change_deals import SQL, Decide, Item, Request, Roles, Verb, change_deals
from gateway.commands.changes import DealState, Mode, Outcome, Reason, Refusal, Status
from gateway.errors import NotFoundError
from gateway.postgres.writing import Writes


@dataclass(frozen=True, slots=True)
class UndoRequest:
    """Which operation is to be undone."""

    operation_id: UUID
    dry_run: bool = False
    note: str | None = None
    idempotency_key: str | None = None


async def undo_operation(writes: Writes, roles: Roles, request: UndoRequest, expect: Callable[[int], None]) -> Outcome:
    """Undoes what can be, deal by deal. `expect` is told how many there are, and may refuse.

    Raises NOT_FOUND for no such operation, and as `change_deals`.
    """
    changes = await writes.fetch(SQL["changes_of_operation"], request.operation_id)
    if not changes:
        raise NotFoundError("This tenant has no operation of that id: use an `operationId` from an earlier answer.")
    expect(len(changes))
    return await change_deals(
        writes,
        roles,
        Request(
            verb=UNDO,
            items=[Item(deal_id, (before, after), None) for deal_id, before, after in changes],
            mode=Mode.PER_ITEM,
            dry_run=request.dry_run,
            note=request.note,
            idempotency_key=request.idempotency_key,
            fingerprint=f"{request.operation_id}:{json.dumps(request.note)}",
            undoes=request.operation_id,
        ),
    )


async def _prepare(writes: Writes, items: Sequence[Item]) -> Decide:
    befores = [_state(item.target[0]) for item in items]
    stages = await writes.fetch(SQL["stage_pipelines"], list({before["stage_id"] for before in befores}))
    owners = await writes.fetch(SQL["owners"], list({before["owner_id"] for before in befores}))
    pipeline_of, known_owners = dict(map(tuple, stages)), {row[0] for row in owners}

    def decide(deal: DealState, states: tuple[str, str]) -> DealState | Refusal:
        before, after = map(_state, states)
        if deal._replace(**after) != deal:
            return Refusal(Status.CONFLICT, Reason.CHANGED_SINCE)
        if pipeline_of.get(before["stage_id"]) != deal.pipeline_id:
            return Refusal(Status.INVALID_STAGE, Reason.STAGE_OF_OTHER_PIPELINE)
        if before["owner_id"] not in known_owners:
            return Refusal(Status.NOT_FOUND, Reason.OWNER_NOT_FOUND)
        return deal._replace(**before)

    return decide


def _state(text: str) -> dict[str, Any]:
    """The fields of a deal that a change may write, as the audit keeps them."""
    kept = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return {
        "stage_id": int(kept["stage_id"]),
        "owner_id": int(kept["owner_id"]),
        "name": kept["name"],
        "amount": kept["amount"],
        "expected_close": kept["expected_close"],
        "closed_at": kept["closed_at"] and datetime.fromisoformat(kept["closed_at"]),
        "deleted_at": kept["deleted_at"] and datetime.fromisoformat(kept["deleted_at"]),
    }


UNDO = Verb("undoOperation", _prepare, finds_deleted=True)
