"""The audit: every change that the gateway made, with what it was before and after."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

import strawberry

from gateway.api import costs, deals, members
from gateway.api.connections import NODES
from gateway.api.context import Info
from gateway.api.deals import Deal
from gateway.api.ids import encode_id
from gateway.api.members import Member
from gateway.api.scalars import write_decimal
from gateway.api.spelling import schema_name
from loaders import lists
from loaders.audit import AuditRow

IDS = {"stage_id": "Stage", "owner_id": "Member"}
"""Fields that hold ids, and of what."""

INSTANTS = frozenset({"closed_at", "deleted_at"})


@strawberry.type(description="A field that a change made otherwise.")
class FieldChange:
    field: str = strawberry.field(description="Its name: `stageId`, `ownerId`, `amount` and so on.")
    before: str | None = strawberry.field(description="What it was, as text; null for none.")
    after: str | None = strawberry.field(description="What it became, as text; null for none.")


@strawberry.type(description="One record that was changed.")
class AuditEntry:
    member_key: strawberry.Private[int | None]
    deal_key: strawberry.Private[int | None]
    at: datetime = strawberry.field(description="When.")
    action: str = strawberry.field(description="By which mutation: the name of its field.")
    record_id: strawberry.ID = strawberry.field(description="Global id of the record.")
    operation_id: strawberry.ID | None = strawberry.field(description="Shared by all records changed at once.")
    request_id: str | None = strawberry.field(description="The `X-Request-Id` of the request.")
    note: str | None = strawberry.field(description="Why, as the caller noted; null for nothing.")
    undoes: strawberry.ID | None = strawberry.field(
        description="The operation that this one undid; null for any other."
    )
    changes: list[FieldChange] = strawberry.field(
        description="What became otherwise, the version included.", directives=[costs.at_most(10)]
    )

    @strawberry.field(description="Who.")
    async def member(self, info: Info) -> Member | None:
        return None if self.member_key is None else await members.owner(info, self.member_key)

    @strawberry.field(description="The deal as it is now; null when it is deleted.")
    async def deal(self, info: Info) -> Deal | None:
        return await deals.deal(info, self.deal_key)

    @classmethod
    def of(cls, row: AuditRow) -> Self:
        return cls(
            member_key=row.member_id,
            deal_key=row.record_id if row.record_type == "Deal" else None,
            at=row.at,
            action=row.action,
            record_id=strawberry.ID(encode_id(row.record_type, row.record_id)),
            operation_id=strawberry.ID(str(row.operation_id)) if row.operation_id else None,
            request_id=row.request_id,
            note=row.note,
            undoes=strawberry.ID(str(row.undoes)) if row.undoes else None,
            changes=list(_differences(_state(row.before), _state(row.after))),
        )


def _state(text: str | None) -> Mapping[str, Any]:
    state: dict[str, Any] = json.loads(text, parse_float=Decimal) if text else {}
    return state


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in sorted(before.keys() | after.keys()):
        was, became = before.get(name), after.get(name)
        if was != became:
            yield FieldChange(field=schema_name(name), before=_text(name, was), after=_text(name, became))


def _text(name: str, value: Any) -> str | None:
    """A value as the fields of records spell it."""
    if value is None:
        return None
    if name in IDS:
        return encode_id(IDS[name], value)
    if name in INSTANTS:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    return write_decimal(value) if isinstance(value, Decimal) else str(value)


NODES[lists.AUDIT.name] = AuditEntry.of
