"""A control: keys that are kept apart from their changes. Who checks that each change is made once must see it."""

import json
from collections.abc import Awaitable, Callable

from gateway.commands.changes import Outcome
from gateway.commands.idempotency import KEPT, SQL, Answered
from gateway.postgres.writing import Writes


class KeptLate:
    """Keeps each answer in a transaction of its own, after the change. Between the two, the connection breaks once."""

    def __init__(self) -> None:
        self._broke = False

    async def answer(self, writes: Writes, once: Answered, answer: Callable[[], Awaitable[Outcome]]) -> Outcome:
        outcome = await answer()
        connection = writes._connection
        await connection.execute("COMMIT")
        if not self._broke:
            self._broke = True
            connection.terminate()
        await connection.execute(f"BEGIN; SET LOCAL app.tenant_id = '{writes.writer.tenant_id}'")
        await writes.fetch(
            SQL["claim_key"], once.key, writes.writer.member_id, once.hash(writes.writer.member_id), KEPT
        )
        await writes.fetch(SQL["keep_answer"], once.key, json.dumps({}))
        return outcome
