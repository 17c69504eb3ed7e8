"""Deals that go to other stages and back, over HTTP or by a bare UPDATE."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from benchmarks.lists import Caller
from benchmarks.queries import Tenant, find_tenants
from benchmarks.rollups.subject import connected
from benchmarks.servers import Server
from gateway.api.ids import encode_id
from gateway.settings import Settings
from gateway.tokens import issue_token

DEALS = 1_000

# What is selected of the payload besides its summary.
SELECTED = {
    "the summary": "",
    "the status of each": "results { dealId status }",
    "each deal, its stage": "results { dealId status deal { id version stage { id } } }",
}
STATUSES = "the status of each"

MOVE = """
mutation ($input: UpdateDealStagesInput!) {{
  updateDealStages(input: $input) {{ operationId summary {{ updated }} {selected} }}
}}
"""
UNDO = "mutation ($id: ID!) { undoOperation(operationId: $id) { summary { updated } } }"

BARE = """
UPDATE deals d SET stage_id = w.stage_id FROM unnest($2::bigint[], $3::bigint[]) AS w (id, stage_id)
 WHERE d.tenant_id = $1 AND d.id = w.id
"""

# Open deals, by a digest of the id: spread over owners, stages and days; each with another open stage of its pipeline.
CHOSEN = """
SELECT d.id, d.stage_id, s.id AS target_id
  FROM deals d CROSS JOIN LATERAL (
       SELECT id FROM stages WHERE tenant_id = d.tenant_id AND pipeline_id = d.pipeline_id AND kind = 'open'
                               AND id <> d.stage_id ORDER BY position DESC LIMIT 1) AS s
 WHERE d.tenant_id = $1 AND d.outcome = 'open' AND d.deleted_at IS NULL ORDER BY md5(d.id::text) LIMIT $2
"""


@dataclass(frozen=True)
class Moves:
    """Deals that go to other stages and back: by a manager, or by a bare UPDATE. `stage_ids`: where they are."""

    tenant: Tenant
    caller: Caller
    serving: asyncpg.Connection
    ids: Sequence[int]
    stage_ids: Sequence[int]
    target_ids: Sequence[int]

    def move(self, selected: str, first: int = 0, count: int = DEALS) -> tuple[str, float]:
        """Moves deals: the operation, and its milliseconds."""
        moved = list(zip(self.ids, self.target_ids, strict=True))[first : first + count]
        changes = [{"dealId": encode_id("Deal", deal), "stageId": encode_id("Stage", stage)} for deal, stage in moved]
        query = MOVE.format(selected=SELECTED[selected])
        data, milliseconds = self.caller.ask(query, {"input": {"changes": changes}})
        return _checked(data["updateDealStages"], len(moved)), milliseconds

    def undo(self, operation_id: str, count: int = DEALS) -> None:
        _checked(self.caller.ask(UNDO, {"id": operation_id})[0]["undoOperation"], min(count, len(self.ids)))

    def moved_and_undone(self, selected: str, first: int = 0, count: int = DEALS) -> float:
        operation_id, milliseconds = self.move(selected, first, count)
        self.undo(operation_id, len(self.ids[first : first + count]))
        return milliseconds

    async def bare_and_undone(self) -> float:
        milliseconds = await self._bare(self.target_ids)
        await self._bare(self.stage_ids)
        return milliseconds

    async def _bare(self, stage_ids: Sequence[int]) -> float:
        begun = time.perf_counter()
        async with self.serving.transaction():
            await self.serving.execute(f"SET LOCAL app.tenant_id = '{self.tenant.id:d}'")
            done = await self.serving.execute(BARE, self.tenant.id, self.ids, stage_ids)
        milliseconds = (time.perf_counter() - begun) * 1000
        if done != f"UPDATE {len(self.ids)}":
            raise RuntimeError(f"{len(self.ids)} deals were to be moved: {done}")
        return milliseconds


@asynccontextmanager
async def open_moves(settings: Settings, server: Server) -> AsyncIterator[Moves]:
    """Moves of the largest tenant's deals, by a manager at a server, or by the role that serves."""
    (tenant, *_) = await find_tenants(settings)
    async with connected(settings, "owner") as owner:
        ids, stage_ids, target_ids = zip(*await owner.fetch(CHOSEN, tenant.id, DEALS), strict=True)
    token = (await issue_token(settings, tenant.slug, email=None, role="manager")).token
    serving = await asyncpg.connect(settings.require("database_url"))
    try:
        yield Moves(tenant, Caller(server, token), serving, ids, stage_ids, target_ids)
    finally:
        await serving.close()


def _checked(payload: dict[str, Any], count: int) -> str:
    if payload["summary"]["updated"] != count:
        raise RuntimeError(f"{count} deals were to be changed: {payload['summary']}")
    return str(payload.get("operationId"))
