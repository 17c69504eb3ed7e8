"""Counters that a dashboard shows: in each tenant one open deal, whose amount goes up by one at a time."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import asyncpg

from benchmarks.lists import Caller
from benchmarks.promise import Write
from benchmarks.queries import Tenant, find_tenants
from benchmarks.rollups.subject import connected
from benchmarks.servers import Server
from gateway.api.ids import encode_id
from gateway.settings import Settings
from gateway.tokens import issue_token
from gateway.web.default_query import DEFAULT_QUERY

CHOSEN = """
SELECT id, amount FROM deals
 WHERE tenant_id = $1 AND outcome = 'open' AND deleted_at IS NULL AND amount IS NOT NULL ORDER BY id LIMIT 1
"""
SET = "UPDATE deals SET amount = $3 WHERE tenant_id = $1 AND id = $2"
CHANGE = "mutation ($input: UpdateDealsInput!) { updateDeals(input: $input) { summary { updated } } }"


@dataclass
class Counter:
    """`amount`, `value`: the deal's and the pipeline's before the first step. `writes`: the steps that were taken."""

    tenant: Tenant
    deal_id: int
    amount: Decimal
    value: Decimal
    manager: Caller
    owner: asyncpg.Connection
    writes: list[Write] = field(default_factory=list)

    async def step(self, *, by_gateway: bool) -> None:
        """One step more. Raises RuntimeError when it is not taken."""
        amount = self.amount + len(self.writes) + 1
        begun = time.perf_counter()
        if by_gateway:
            await asyncio.to_thread(self._change, amount)
        else:
            await self.owner.execute(SET, self.tenant.id, self.deal_id, amount)
        self.writes.append(Write(begun, time.perf_counter(), acknowledged=by_gateway))

    def steps(self, data: bytes) -> int:
        """How many steps a dashboard shows."""
        return int(_pipeline_value(json.loads(data)["data"]) - self.value)

    def _change(self, amount: Decimal) -> None:
        changes = [{"dealId": encode_id("Deal", self.deal_id), "amount": str(amount)}]
        data, _ = self.manager.ask(CHANGE, {"input": {"changes": changes}})
        self.manager.rest()
        if data["updateDeals"]["summary"]["updated"] != 1:
            raise RuntimeError(f"a deal was to be changed: {data}")


@asynccontextmanager
async def counters(settings: Settings, server: Server, ranks: Sequence[int]) -> AsyncIterator[list[Counter]]:
    """One for each tenant of those ranks that there is; steps are taken by a manager at the server, or by the owner."""
    async with AsyncExitStack() as stack:
        found = []
        for tenant in await find_tenants(settings, ranks):
            owner = await stack.enter_async_context(connected(settings, "owner"))
            found.append(await _counter(settings, server, owner, tenant))
        yield found


async def _counter(settings: Settings, server: Server, owner: asyncpg.Connection, tenant: Tenant) -> Counter:
    manager = Caller(server, (await issue_token(settings, tenant.slug, email=None, role="manager")).token)
    deal_id, amount = await owner.fetchrow(CHOSEN, tenant.id)
    data, _ = await asyncio.to_thread(manager.ask, DEFAULT_QUERY)
    manager.rest()
    return Counter(tenant, deal_id, amount, _pipeline_value(data), manager, owner)


def _pipeline_value(data: Mapping[str, Any]) -> Decimal:
    return Decimal(data["dashboard"]["overview"]["deals"]["pipelineValue"])
