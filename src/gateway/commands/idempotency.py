"""Answers that are given once: who repeats a request with its key gets the first answer.

The key is taken in the transaction of the change, so both are there or neither. Who comes while the first still runs
waits for it.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from gateway.commands.changes import Outcome, Reason, Result, Status
from gateway.errors import IdempotencyKeyReusedError
from gateway.postgres.writing import RacedError, Writes
from loaders.reads import statements

SQL = statements("idempotency", "gateway.commands")

KEPT = timedelta(days=7)
"""How long answers are kept."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A key, and what it stands for."""

    key: str
    request: str

    def hash(self, member_id: int) -> str:
        return hashlib.sha256(f"{member_id}:{self.request}".encode()).hexdigest()


async def answer_once(writes: Writes, once: Answered, answer: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """The answer, or the one that the key's first request got. Raises IDEMPOTENCY_KEY_REUSED, RacedError."""
    request_hash = once.hash(writes.writer.member_id)
    if not await writes.fetch(SQL["claim_key"], once.key, writes.writer.member_id, request_hash, KEPT):
        rows = await writes.fetch(SQL["kept_answer"], once.key)
        if not rows:
            raise RacedError("the key was given up in between")
        ((kept_hash, kept),) = rows
        if kept_hash != request_hash:
            raise IdempotencyKeyReusedError
        return replace(_read(json.loads(kept)), replayed=True)
    outcome = await answer()
    await writes.fetch(SQL["keep_answer"], once.key, json.dumps(_written(outcome)))
    return outcome


def _written(outcome: Outcome) -> dict[str, Any]:
    return {
        "operation": outcome.operation_id and str(outcome.operation_id),
        "results": [list(result) for result in outcome.results],
    }


def _read(kept: dict[str, Any]) -> Outcome:
    operation = kept["operation"]
    return Outcome(operation and UUID(operation), [_read_result(*each) for each in kept["results"]])


def _read_result(deal_id: int, status: str, reason: str | None, version: int | None, stage_id: int | None) -> Result:
    return Result(deal_id, Status(status), None if reason is None else Reason(reason), version, stage_id)
