"""One request on its way in, and its answer on the way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from gateway.deadline import Deadline
from gateway.observe import Stopwatch
from gateway.pipeline.bill import Bill


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a GraphQL request over HTTP holds. Without `query` it names its document: `document_id`, `extensions`."""

    query: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    extensions: Mapping[str, Any] | None = None
    document_id: str | None = None


class CacheStatus(StrEnum):
    """Where an answer comes from: kept and still true, kept and overtaken, read now, or read without being asked
    for."""

    HIT = "HIT"
    STALE = "STALE"
    MISS = "MISS"
    BYPASS = "BYPASS"


class Kept(NamedTuple):
    """What the cache knows of an answer. `key` is None where none can be kept; `etag` where none is."""

    status: CacheStatus = CacheStatus.BYPASS
    key: bytes | None = None
    etag: str | None = None
    age_seconds: float = 0.0


@dataclass(slots=True)
class Trail:
    """What is known of a request so far, for its log line and metrics.

    `statements`: names of those it issued. `changes`: whether it is to change records. `bill`: what it costs.
    """

    request_id: str
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    tenant: str | None = None
    operation: str | None = None
    kind: str | None = None
    cache: CacheStatus = CacheStatus.BYPASS
    statements: list[str] = field(default_factory=list)
    changes: bool = False
    bill: Bill = field(default_factory=Bill)


@dataclass(frozen=True, slots=True)
class CacheWords:
    """What a request says of the cache: its `Cache-Control`, whether `?refresh=true`, whether it wants to be told."""

    control: str = ""
    refresh: bool = False
    told: bool = False


class CostWish(StrEnum):
    """What a request wants to be told of its price: nothing, the price of each path, or that and nothing else done."""

    NOTHING = ""
    FIELDS = "fields"
    DRY_RUN = "dry-run"


@dataclass(frozen=True, slots=True)
class Call:
    """A request, read from the wire. `reads_only`: its method permits no mutation. `text`: the same in one piece,
    by which it is known again; None where it is not to be."""

    authorization: str | None
    x_tenant: str | None
    reads_only: bool
    parameters: Parameters
    deadline: Deadline
    trail: Trail
    cache: CacheWords = CacheWords()
    text: bytes | None = None
    cost: CostWish = CostWish.NOTHING


@dataclass(slots=True)
class Answer:
    """What goes back. `data`: encoded; None where there is none. `outcome`: `ok` or the first error's code."""

    data: bytes | None = None
    errors: Sequence[Mapping[str, Any]] = ()
    extensions: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    outcome: str = "ok"
    retry_after_seconds: int | None = None
    kept: Kept = field(default_factory=Kept)

    @property
    def is_refusal(self) -> bool:
        """Whether the caller was told that what it wants cannot be: nothing was done, and it was not our fault. What
        is not found is none: to ask for it is a step of persisted queries."""
        return self.data is None and 400 <= self.status < 500 and self.status != 404
