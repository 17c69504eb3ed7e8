"""Callers who give each move a key and repeat it until it is answered; and whether it was made once."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.changes.arena import Arena, Dice
from tests.changes.heard import Heard, Json, wrong_answers
from tests.changes.strokes import Stroke, any_move
from tests.changes.traces import Traces, wrong_traces

CALLERS = 6
RETRY_SECONDS = 0.05
UNANSWERED, TOLD = "(unanswered)", "(told)"
"""Ends of requests besides codes of errors. Told is who got an answer, with errors further down."""

OPEN_ENDS = {UNANSWERED, TOLD, "OUTCOME_UNKNOWN"}
"""Those after which a change may have been made. After all others, nothing remains of it."""

ENDS = OPEN_ENDS | {"DATABASE_UNAVAILABLE", "POOL_EXHAUSTED", "TENANT_BUSY"}


@dataclass(frozen=True)
class Insisted:
    """One move that was answered in the end. `attempts`: ids of its requests; `ends`: of all but the last."""

    stroke: Stroke
    attempts: Sequence[str]
    ends: Sequence[str]
    payload: Json


class Callers:
    """Members who move deals from `begin` until `finish`, which they only do once all is answered."""

    def __init__(self, arena: Arena, http: httpx.AsyncClient, seed: str) -> None:
        self.moves: list[Insisted] = []
        self._arena = arena
        self._http = http
        self._seed = seed
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        self._tasks = [asyncio.create_task(self._move(f"{self._seed}-{number}")) for number in range(CALLERS)]

    async def answered(self, number: int) -> None:
        """Returns when so many more moves are answered than now."""
        until = len(self.moves) + number
        while len(self.moves) < until:
            for task in self._tasks:
                assert not task.done(), task.exception()
            await asyncio.sleep(RETRY_SECONDS / 10)

    async def finish(self) -> None:
        self._over.set()
        await asyncio.gather(*self._tasks)

    def ends(self) -> Counter[str]:
        return Counter(end for move in self.moves for end in move.ends)

    def replays(self) -> int:
        return sum(move.payload["replayed"] for move in self.moves)

    async def _move(self, name: str) -> None:
        dice, number = Dice(name), 0
        while not self._over.is_set():
            number += 1
            self.moves.append(await self._insist(any_move(self._arena, dice, f"{name}-{number}"), f"{name}-{number}"))

    async def _insist(self, stroke: Stroke, key: str) -> Insisted:
        attempts: list[str] = []
        ends: list[str] = []
        while True:
            attempts.append(f"{key}-{len(attempts)}")
            answer = await self._ask(stroke, attempts[-1])
            if "errors" not in answer:
                return Insisted(stroke, attempts, ends, answer["data"]["answer"])
            ends.append(TOLD if answer.get("data") else answer["errors"][0]["extensions"]["code"])
            assert ends[-1] in ENDS, answer
            await asyncio.sleep(RETRY_SECONDS)

    async def _ask(self, stroke: Stroke, request_id: str) -> dict[str, Any]:
        body = {"query": stroke.text, "variables": stroke.variables}
        try:
            response = await self._http.post("/graphql", json=body, headers={"X-Request-Id": request_id})
        except httpx.TransportError:
            return {"errors": [{"extensions": {"code": UNANSWERED}}]}
        answer: dict[str, Any] = response.json()
        return answer


def wrong_moves(moves: Sequence[Insisted], traces: Traces, member: int) -> list[str]:
    """Each was made once, whichever of its attempts did it; and the answer says when it was an earlier one."""
    # As if each had been answered at once: what was answered is to be what was done.
    heard = [Heard(member, move.stroke, [move.payload | {"replayed": False}], ()) for move in moves]
    wrong = wrong_traces(traces, {}) + wrong_answers(heard, traces, alone=True)
    made = set(traces.requests.values())
    for move in moves:
        ends = zip(move.attempts, move.ends, strict=False)  # the last attempt was answered
        wrong += [f"{id_} was made, and ended with {end}" for id_, end in ends if id_ in made and end not in OPEN_ENDS]
        made_by = traces.requests.get(move.payload["operationId"])
        if made_by and move.payload["replayed"] != (made_by != move.attempts[-1]):
            wrong.append(f"{made_by} made it, {move.attempts[-1]} was answered replayed: {move.payload['replayed']}")
    return wrong
