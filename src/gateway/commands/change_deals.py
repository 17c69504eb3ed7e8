"""The one way in which deals are changed: many at once, each judged, in one transaction.

Deals are locked in the order of their ids, judged as they stand, and written by one statement that checks versions and
rights once more. How many statements that takes does not depend on how many deals there are.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar
from uuid import UUID, uuid4

from gateway.commands.changes import SOUND, DealState, Mode, Outcome, Reason, Refusal, Result, Status
from gateway.commands.idempotency import Answered, answer_once
from gateway.postgres.writing import RacedError, Writes
from loaders.reads import statements

SQL = statements("deal_changes", "gateway.commands")

Done = TypeVar("Done")


class Item(NamedTuple):
    """One deal that is to be changed. `target`: what for, as its verb knows; `expected_version`: None for any."""

    deal_id: int
    target: Any
    expected_version: int | None


Decide = Callable[[DealState, Any], DealState | Refusal]
"""The state that a deal gets for a target, the same one when nothing is to be done, or why it gets none."""


@dataclass(frozen=True, slots=True)
class Verb:
    """A kind of change. `prepare` reads what deciding needs, for all items at once."""

    action: str
    prepare: Callable[[Writes, Sequence[Item]], Awaitable[Decide]]
    finds_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Roles:
    """Which roles may write all records, and which only their own."""

    all: Sequence[str]
    own: Sequence[str]


Command: TypeAlias = Callable[[Writes, Roles], Awaitable[Done]]
"""Work of a write transaction, which is told which roles may write what."""


def reporting(command: Command[Done], report: Callable[[Sequence[str], int], None]) -> Command[Done]:
    """The same command. It reports the names of its statements and how many rows these found, each time that it is
    tried, whatever becomes of it."""

    async def reported(writes: Writes, roles: Roles) -> Done:
        try:
            return await command(writes, roles)
        finally:
            report(writes.statements, writes.rows)

    return reported


@dataclass(frozen=True, slots=True)
class Request:
    """What one caller wants. `fingerprint`: of the whole input, so that a key is not used for two."""

    verb: Verb
    items: Sequence[Item]
    mode: Mode
    dry_run: bool = False
    note: str | None = None
    idempotency_key: str | None = None
    fingerprint: str = ""
    undoes: UUID | None = None


async def change_deals(writes: Writes, roles: Roles, request: Request) -> Outcome:
    """Changes deals, or tells what would become of each. Raises IDEMPOTENCY_KEY_REUSED, RacedError."""
    if request.dry_run or request.idempotency_key is None:
        return await _change(writes, roles, request)
    once = Answered(request.idempotency_key, f"{request.verb.action}:{request.fingerprint}")
    return await answer_once(writes, once, lambda: _change(writes, roles, request))


async def _change(writes: Writes, roles: Roles, request: Request) -> Outcome:
    found = await writes.fetch(SQL["lock_deals"], [item.deal_id for item in request.items])
    deals = {row[0]: DealState(*row) for row in found}
    judge = await _judge(writes, roles, request, deals)
    judged = [judge(item) for item in request.items]
    failed = any(isinstance(verdict, Result) and verdict.status not in SOUND for verdict in judged)
    if failed and request.mode is Mode.ALL_OR_NOTHING:
        return Outcome(None, [_not_applied(verdict) for verdict in judged])
    wanted = [verdict for verdict in judged if isinstance(verdict, DealState)]
    operation_id = None
    if wanted and not request.dry_run:
        operation_id = uuid4()
        await _write(writes, roles, request, operation_id, wanted)
    return Outcome(operation_id, [_as_result(verdict) for verdict in judged])


async def _judge(
    writes: Writes, roles: Roles, request: Request, deals: dict[int, DealState]
) -> Callable[[Item], DealState | Result]:
    """What becomes of an item: the state to be written, or a result for which nothing is."""
    rows = await writes.fetch(SQL["writer_role"], writes.writer.member_id)
    role = rows[0][0] if rows else None
    decide = await request.verb.prepare(writes, request.items)
    named = Counter(item.deal_id for item in request.items)
    alike = Counter(request.items)
    seen: set[int] = set()

    def judge(item: Item) -> DealState | Result:
        # Named twice for the same, the first counts; for different things, nobody knows which is meant.
        repeated = item.deal_id in seen or named[item.deal_id] > alike[item]
        seen.add(item.deal_id)
        if repeated:
            return Result(item.deal_id, Status.DUPLICATE, Reason.DEAL_NAMED_TWICE)
        deal = deals.get(item.deal_id)
        if deal is None or (deal.deleted_at is not None and not request.verb.finds_deleted):
            return Result(item.deal_id, Status.NOT_FOUND, Reason.DEAL_NOT_FOUND)
        if role not in roles.all and (role not in roles.own or deal.owner_id != writes.writer.member_id):
            reason = Reason.NOT_OWN_DEAL if role in roles.own else Reason.MAY_NOT_WRITE
            return Result(item.deal_id, Status.FORBIDDEN, reason)
        wanted = decide(deal, item.target)
        if not isinstance(wanted, Refusal) and item.expected_version not in (None, deal.version):
            wanted = Refusal(Status.CONFLICT, Reason.VERSION_DIFFERS)
        if isinstance(wanted, Refusal):
            now = (deal.version, deal.stage_id) if wanted.status is Status.CONFLICT else ()
            return Result(item.deal_id, *wanted, *now)
        return Result(item.deal_id, Status.UNCHANGED) if wanted == deal else wanted

    return judge


def _as_result(verdict: DealState | Result) -> Result:
    return verdict if isinstance(verdict, Result) else Result(verdict.id, Status.UPDATED)


def _not_applied(verdict: DealState | Result) -> Result:
    return verdict if isinstance(verdict, Result) else Result(verdict.id, Status.NOT_APPLIED)


async def _write(
    writes: Writes, roles: Roles, request: Request, operation_id: UUID, wanted: Sequence[DealState]
) -> None:
    ids, _, stages, owners, names, amounts, closes, closed, deleted, versions = map(list, zip(*wanted, strict=True))
    written = await writes.fetch(
        SQL["change_deals"],
        *(ids, versions, stages, owners, names, amounts, closes, closed, deleted),
        *(operation_id, writes.writer.member_id, writes.writer.request_id, request.verb.action, request.note),
        *(list(roles.all), list(roles.own), request.undoes),
    )
    if len(written) < len(wanted):
        # The rows are locked: it was the right to write them that went, or an owner who is active no more.
        raise RacedError(f"{len(wanted) - len(written)} deals could not be written any more")
