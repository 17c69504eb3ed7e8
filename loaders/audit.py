"""What was changed, by whom and when."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class AuditRow(NamedTuple):
    """One record that an operation changed. `before` and `after`: its state as JSON, by names of columns."""

    id: int
    at: datetime
    member_id: int | None
    action: str
    record_type: str
    record_id: int
    operation_id: UUID | None
    request_id: str | None
    note: str | None
    undoes: UUID | None
    before: str | None
    after: str | None
