"""One request on its way in, and its answer on the way out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.deadline import Deadline
from gateway.observe import Stopwatch


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a GraphQL request over HTTP holds. Without `query` it names its document: `document_id`, `extensions`."""

    query: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    extensions: Mapping[str, Any] | None = None
    document_id: str | None = None


@dataclass(slots=True)
class Trail:
    """What is known of a request so far, for its log line and metrics.

    `statements`: names of those it issued. `changes`: whether it is to change records.
    """

    request_id: str
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    tenant: str | None = None
    operation: str | None = None
    kind: str | None = None
    statements: list[str] = field(default_factory=list)
    changes: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request, read from the wire. `reads_only`: its method permits no mutation."""

    authorization: str | None
    x_tenant: str | None
    reads_only: bool
    parameters: Parameters
    deadline: Deadline
    trail: Trail


@dataclass(slots=True)
class Answer:
    """What goes back. `outcome`: `ok` or the first error's code."""

    body: dict[str, Any]
    status: int = 200
    outcome: str = "ok"
    retry_after_seconds: int | None = None
