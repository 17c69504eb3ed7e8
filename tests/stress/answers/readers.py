"""Readers: they ask any gateway in every way there is, and hold each answer against the ledgers."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.changes.arena import Dice
from tests.stress.answers.checks import Answer, judge, story
from tests.stress.answers.gateways import Gateway
from tests.stress.answers.ground import ROLES, Ground, Tenant
from tests.stress.answers.questions import Question, questions
from tests.stress.answers.tally import Tally

CONTROLS = ("", "", "", "", "", "", "max-age=60", "no-cache", "max-age=0", "no-store", "max-stale=600")
LONGEST_PAUSE_SECONDS = 0.03
MOST_IN_A_ROW = 6
EXCUSES = {"DATABASE_UNAVAILABLE", "POOL_EXHAUSTED", "TENANT_BUSY", "DEADLINE_EXCEEDED"}
"""Why a gateway may refuse in times like these."""


@dataclass
class Reader:
    """`known`: what it was answered before, by tag: a 304 says that it is so still."""

    ground: Ground
    gateways: list[Gateway]
    dice: Dice
    tally: Tally
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    _tags: dict[tuple[str, str, str], str] = field(default_factory=dict)

    async def read(self) -> None:
        """Reads until cancelled."""
        asked = [question for tenant in self.ground.tenants for question in questions(tenant)]
        while True:
            question = self.dice.choice(asked)
            for _ in range(self.dice.randint(1, MOST_IN_A_ROW)):
                await self.ask(question, self.dice.choice(CONTROLS))
                await asyncio.sleep(self.dice.uniform(0, LONGEST_PAUSE_SECONDS))

    async def read_behind(self, tenant: Tenant) -> None:
        """What somebody does who has just been told of a change."""
        chosen = self.dice.sample(questions(tenant), 2)
        await asyncio.gather(*(self.ask(question, "") for question in chosen))

    async def ask(self, question: Question, control: str) -> None:
        """One request, judged."""
        gateway, role = self.dice.choice(self.gateways), self.dice.choice(ROLES)
        known, crashes, begun_at = self.ground.known, self.ground.crashes, time.monotonic()
        response = await self._send(gateway, question, role, control)
        ended_at = time.monotonic()
        self._count(question, response, ended_at - begun_at)
        data = self._data(question, role, response)
        if data is None:
            return
        if not known or crashes != self.ground.crashes:
            self.tally.unjudged += 1
            return
        status = response.headers["X-Cache"]
        answer = Answer(question, gateway.name, control, status, begun_at, ended_at, data)
        verdict = judge(answer)
        self.tally.checks += 1
        self.tally.lag_seconds = max(self.tally.lag_seconds, 0.0 if status == "STALE" else verdict.lag_seconds)
        self.tally.broken |= verdict.broken
        if verdict.wrong:
            self.tally.wrong.append(f"{', '.join(verdict.wrong)}: {response.status_code} {story(answer)}")

    async def _send(self, gateway: Gateway, question: Question, role: str, control: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {question.tenant.tokens[role]}"}
        if control:
            headers["Cache-Control"] = control
        if self.dice.random() < 0.5:
            return await gateway.http.post("/graphql", json=_body(question), headers=headers)
        tag = self._tags.get((question.tenant.slug, _key(question), role))
        if tag and self.dice.random() < 0.7:
            headers["If-None-Match"] = tag
        params = {**_body(question), "variables": json.dumps(question.variables)}
        return await gateway.http.get("/graphql", params=params, headers=headers)

    def _data(self, question: Question, role: str, response: httpx.Response) -> dict[str, Any] | None:
        """What was answered; None where it was not."""
        if response.status_code == 304:
            self.tally.unmodified += 1
            return self.known[response.headers["ETag"]]
        if "json" not in response.headers["Content-Type"]:
            self.tally.wrong.append(f"{question.name} was answered {response.status_code}: {response.text}")
            return None
        body = response.json()
        if "errors" in body:
            self._refused(question, response, body)
            return None
        data: dict[str, Any] = body["data"]
        if tag := response.headers.get("ETag"):
            self.known[tag] = data
            self._tags[question.tenant.slug, _key(question), role] = tag
        return data

    def _refused(self, question: Question, response: httpx.Response, body: Mapping[str, Any]) -> None:
        codes = {error["extensions"]["code"] for error in body["errors"]}
        self.tally.codes.update(codes)
        if codes - EXCUSES:
            self.tally.wrong.append(f"{question.name} was refused: {response.status_code} {response.text}")

    def _count(self, question: Question, response: httpx.Response, seconds: float) -> None:
        if response.status_code in (200, 304):
            self.tally.statuses[response.headers["X-Cache"]] += 1
        self.tally.took(seconds, question.name)
        others = (tenant for tenant in self.ground.tenants if tenant is not question.tenant)
        if leaked := [tenant.slug for tenant in others if tenant.canary in response.text]:
            self.tally.wrong.append(f"{question.tenant.slug} was shown what is {leaked}'s: {response.text}")


def _key(question: Question) -> str:
    return f"{question.name} {question.variables}"


def _body(question: Question) -> dict[str, Any]:
    return {"query": question.text, "variables": dict(question.variables)}
