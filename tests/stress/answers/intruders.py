"""Intruders: any question with any ids by anybody, to gateways that hold everybody's answers. None may see a canary of
another tenant, and who is nobody sees nothing."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from gateway.api.ids import encode_id
from tests.changes.arena import Dice
from tests.conftest import JWT_SECRET
from tests.stress.answers.gateways import Gateway
from tests.stress.answers.ground import ROLES, Ground, Tenant
from tests.stress.answers.questions import lane_variables, questions
from tests.stress.answers.tally import Tally

LONGEST_PAUSE_SECONDS = 0.1
NODES = """
query Nodes($one: ID!, $other: ID!, $task: ID!) {
  one: deal(id: $one) { name amount owner { name } }
  other: deal(id: $other) { name amount owner { name } }
  node(id: $task) { ... on Task { title } }
}"""
LISTS = """{
  companies(first: 5) { nodes { name } } members(first: 50) { nodes { name email } } pipelines { name }
  dealAggregates(groupBy: [OWNER, STAGE]) { labels count value } dashboard { leaderboard { member { name } won } }
}"""


@dataclass
class Intruder:
    ground: Ground
    gateways: list[Gateway]
    dice: Dice
    tally: Tally

    async def intrude(self) -> None:
        """Tries until cancelled."""
        while True:
            own, other = self.dice.sample(self.ground.tenants, 2)
            name, headers, status = self.dice.choice(list(self._callers(own, other)))
            response = await self._send(headers, self._body(own, other))
            self._judge(name, own if status == 200 else None, status, response)
            await asyncio.sleep(self.dice.uniform(0, LONGEST_PAUSE_SECONDS))

    def _callers(self, own: Tenant, other: Tenant) -> Iterator[tuple[str, dict[str, str], int]]:
        """Who calls: with which headers, and the status that is due to them."""
        token = own.tokens[self.dice.choice(ROLES)]
        yield "of another's ids", _bearer(token), 200
        yield "of another's ids, again", _bearer(token), 200
        yield "naming another tenant", {**_bearer(token), "X-Tenant": other.slug}, 403
        yield "without a token", {}, 401
        yield "with a broken token", _bearer(self._broken(token)), 401
        yield "with an expired token", _bearer(self._claiming(token, exp=1)), 401
        yield "with a token signed by others", _bearer(self._forged(token, other)), 401
        yield "with a subject of another tenant", _bearer(self._claiming(token, tenant=other.slug)), 401

    def _body(self, own: Tenant, other: Tenant) -> dict[str, Any]:
        """A question with ids of either tenant, each chosen by itself."""
        lanes = [lane for tenant in (own, other) for lane in tenant.lanes]
        one, two, three = (self.dice.choice(lanes) for _ in range(3))
        nodes = {"one": one.deal_ids[0], "other": two.deal_ids[0], "task": encode_id("Task", three.task)}
        of_lane = lane_variables(one.deals, two.task, three.owner)
        asked = [(question.text, question.variables and of_lane) for question in questions(own)]
        text, variables = self.dice.choice([*asked, (NODES, nodes), (LISTS, {})])
        return {"query": text, "variables": variables}

    async def _send(self, headers: dict[str, str], body: dict[str, Any]) -> httpx.Response:
        control = self.dice.choice(("", "max-stale=600", "no-cache"))
        sent = {**headers, "Accept": "application/graphql-response+json"}
        if control:
            sent["Cache-Control"] = control
        return await self.dice.choice(self.gateways).http.post("/graphql", json=body, headers=sent)

    def _judge(self, name: str, own: Tenant | None, status: int, response: httpx.Response) -> None:
        self.tally.intrusions[f"{name} {response.headers.get('X-Cache', '')}".strip()] += 1
        seen = [tenant.slug for tenant in self.ground.tenants if tenant is not own and tenant.canary in response.text]
        if seen:
            self.tally.wrong.append(f"who came {name} was shown what is {seen}'s: {response.text}")
        if response.status_code not in (status, 503, 504):
            self.tally.wrong.append(f"who came {name} was answered {response.status_code}: {response.text}")

    def _broken(self, token: str) -> str:
        place = self.dice.randrange(len(token) - 1)
        return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]

    def _claiming(self, token: str, **claims: object) -> str:
        """A token by the right hand that claims something else."""
        held = jwt.decode(token, options={"verify_signature": False})
        return jwt.encode(held | claims, JWT_SECRET, algorithm="HS256")

    def _forged(self, token: str, other: Tenant) -> str:
        held = jwt.decode(token, options={"verify_signature": False})
        return jwt.encode(
            held | {"tenant": other.slug}, "a secret of somebody else, long enough too", algorithm="HS256"
        )


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
