"""What a change of many records is: what is wanted, what became of each, and the answer as a whole."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class Mode(StrEnum):
    """Whether one item that fails keeps all others from being changed."""

    ALL_OR_NOTHING = "all_or_nothing"
    PER_ITEM = "per_item"


class Status(StrEnum):
    """What became of one item."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    INVALID_STAGE = "invalid_stage"
    INVALID_OWNER = "invalid_owner"
    FORBIDDEN = "forbidden"
    DUPLICATE = "duplicate"
    NOT_APPLIED = "not_applied"


SOUND = frozenset({Status.UPDATED, Status.UNCHANGED, Status.NOT_APPLIED})
"""Statuses of items that nothing is wrong with."""


class Reason(StrEnum):
    """Why an item failed."""

    DEAL_NOT_FOUND = "deal_not_found"
    STAGE_NOT_FOUND = "stage_not_found"
    OWNER_NOT_FOUND = "owner_not_found"
    OWNER_INACTIVE = "owner_inactive"
    STAGE_OF_OTHER_PIPELINE = "stage_of_other_pipeline"
    VERSION_DIFFERS = "version_differs"
    CHANGED_SINCE = "changed_since"
    NOT_OWN_DEAL = "not_own_deal"
    MAY_NOT_WRITE = "may_not_write"
    DEAL_NAMED_TWICE = "deal_named_twice"


class DealState(NamedTuple):
    """A deal as it stands. `expected_close`: an ISO day or `infinity`; `deleted_at`: None when it is not deleted."""

    id: int
    pipeline_id: int
    stage_id: int
    owner_id: int
    name: str
    amount: Decimal | None
    expected_close: str | None
    closed_at: datetime | None
    deleted_at: datetime | None
    version: int


class Refusal(NamedTuple):
    """Why a deal is not changed as wanted."""

    status: Status
    reason: Reason


class Result(NamedTuple):
    """What became of one item. For a conflict, the version and the stage that the deal has."""

    deal_id: int
    status: Status
    reason: Reason | None = None
    current_version: int | None = None
    current_stage_id: int | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """How many items there were, and of each kind; the last four add up to the first."""

    requested: int
    updated: int
    unchanged: int
    failed: int
    not_applied: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer. `operation_id`: None when nothing was changed; `replayed`: it is that of an earlier request."""

    operation_id: UUID | None
    results: Sequence[Result]
    replayed: bool = False

    @property
    def summary(self) -> Summary:
        counts = Counter(result.status for result in self.results)
        updated, unchanged, not_applied = (
            counts[status] for status in (Status.UPDATED, Status.UNCHANGED, Status.NOT_APPLIED)
        )
        requested = len(self.results)
        return Summary(requested, updated, unchanged, requested - updated - unchanged - not_applied, not_applied)
