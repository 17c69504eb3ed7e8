"""Writers: through any gateway, and past all of them in SQL. Each write is in the ledger before it can be seen."""

import asyncio
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg
import httpx

from tests.changes.arena import Dice
from tests.stress.answers.gateways import Gateway
from tests.stress.answers.ground import Ground, Lane, Tenant, unless_gone
from tests.stress.answers.ledger import Commit
from tests.stress.answers.questions import shown
from tests.stress.answers.readers import Reader
from tests.stress.answers.tally import Tally

CHANGE = """
mutation Change($input: UpdateDealsInput!) {
  updateDeals(input: $input) { results { status deal { name amount } } }
}"""
EXCUSES = {"DATABASE_UNAVAILABLE", "POOL_EXHAUSTED", "TENANT_BUSY", "OUTCOME_UNKNOWN", "WRITE_CONFLICT"}
WRITING_ROLES = ("manager", "admin")
LONGEST_PAUSE_SECONDS = 0.8
LONGEST_OPEN_SECONDS = 0.15
ROLLED_BACK = 0.1
UPDATE_DEALS = "UPDATE deals SET amount = $3 WHERE tenant_id = $1 AND id = ANY ($2::bigint[])"
UPDATE_TASK = "UPDATE tasks SET title = $3 WHERE tenant_id = $1 AND id = $2"


@dataclass
class Writer:
    """`reader`: reads behind each acknowledged write."""

    ground: Ground
    gateways: list[Gateway]
    reader: Reader
    dice: Dice
    tally: Tally
    _owner: asyncpg.Connection | None = None

    async def write(self) -> None:
        """Writes until cancelled: one half through gateways."""
        try:
            while True:
                await self._write_one(self.dice.choice(self.ground.tenants))
                await asyncio.sleep(self.dice.uniform(0, LONGEST_PAUSE_SECONDS))
        finally:
            if self._owner is not None:
                self._owner.terminate()

    async def _write_one(self, tenant: Tenant) -> None:
        # Rather one that nobody writes to: so that writes overtake each other.
        lane = self.dice.choice([lane for lane in tenant.lanes if not lane.turn.locked()] or tenant.lanes)
        if self.dice.random() < 0.5:
            await self._change(tenant, lane)
        else:
            await self._past_gateways(lane)

    async def _change(self, tenant: Tenant, lane: Lane) -> None:
        gateway = self.dice.choice(self.gateways)
        async with lane.turn:
            number = lane.ledger.next_number()
            commit = lane.ledger.send(number, gateway.name, time.monotonic(), with_task=False)
            response = await self._send(gateway, tenant, lane, number)
            done = self._heard(lane, commit, response)
        if done:
            self.tally.writes["through gateways"] += 1
            await self.reader.read_behind(tenant)

    async def _send(self, gateway: Gateway, tenant: Tenant, lane: Lane, number: int) -> httpx.Response:
        changes = [{"dealId": key, "amount": str(number)} for key in lane.deal_ids]
        body = {"query": CHANGE, "variables": {"input": {"changes": changes}}}
        headers = {"Authorization": f"Bearer {tenant.tokens[self.dice.choice(WRITING_ROLES)]}"}
        begun_at = time.monotonic()
        response = await gateway.http.post("/graphql", json=body, headers=headers)
        self.tally.took(time.monotonic() - begun_at, "a write")
        return response

    def _heard(self, lane: Lane, commit: Commit, response: httpx.Response) -> bool:
        """Whether the write is known to be done. What failed may be done all the same."""
        answer: dict[str, Any] = response.json()
        if "errors" in answer:
            codes = {error["extensions"]["code"] for error in answer["errors"]}
            self.tally.codes.update(f"{code} of a write" for code in codes)
            if codes - EXCUSES:
                self.tally.wrong.append(f"a write was refused: {response.text}")
            return False
        commit.done_at = commit.acknowledged_at = time.monotonic()
        if shown(answer["data"]).numbers != {lane.mark: {Decimal(commit.number)}}:
            self.tally.wrong.append(f"a write of {commit.number} to {lane.mark} was answered with {response.text}")
        return True

    async def _past_gateways(self, lane: Lane) -> None:
        async with lane.turn:
            with unless_gone():
                if self._owner is None or self._owner.is_closed():
                    self._owner = await asyncpg.connect(self.ground.database.owner_dsn)
                await self._write_all(self._owner, lane)

    async def _write_all(self, owner: asyncpg.Connection, lane: Lane) -> None:
        """Open for a while, so that others who began later commit before it."""
        number = lane.ledger.next_number()
        await owner.execute("BEGIN")
        await owner.execute(UPDATE_DEALS, lane.tenant_id, list(lane.deals), number)
        await owner.execute(UPDATE_TASK, lane.tenant_id, lane.task, lane.title(number))
        await asyncio.sleep(self.dice.choice((0, self.dice.uniform(0, LONGEST_OPEN_SECONDS))))
        if self.dice.random() < ROLLED_BACK:
            await owner.execute("ROLLBACK")
            self.tally.writes["rolled back"] += 1
            return
        commit = lane.ledger.send(number, "SQL", time.monotonic(), with_task=True)
        await owner.execute("COMMIT")
        commit.done_at = time.monotonic()
        self.tally.writes["in SQL"] += 1
