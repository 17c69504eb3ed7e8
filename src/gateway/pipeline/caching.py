"""The step between a document and its execution: an answer that is kept, one that somebody else is reading, or a
new one."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from gateway.api.context import Context
from gateway.cache.changes import Stamp
from gateway.cache.directives import Wishes, wishes
from gateway.cache.entries import Entry
from gateway.cache.flights import Flights
from gateway.cache.keys import answer_key, question
from gateway.cache.policy import Policy, Scope
from gateway.cache.responses import Look, ResponseCache
from gateway.cache.snapshots import Snapshot
from gateway.cost.actual import Ran
from gateway.documents.library import Operation
from gateway.errors import DatabaseUnavailableError, PoolExhaustedError, TenantBusyError, ThrottledError
from gateway.identity.identify import Identity
from gateway.pipeline.call import Answer, CacheStatus, Call, Kept
from gateway.pipeline.prepared import Prepared

SILENT_SECONDS = 2.0
"""For so long nothing has to be heard of the database before it is taken for away."""
AWAY = frozenset({DatabaseUnavailableError.code})
AWAY_IN_SILENCE = AWAY | {TenantBusyError.code, PoolExhaustedError.code}
"""Why nothing was read, for what an older answer stands in: places are taken by requests that wait in vain."""


@dataclass(frozen=True, slots=True)
class Executed:
    """An answer that was read now. `stamp`: what it was read from, None where that is not known or nobody may keep it;
    `read_at`, `good_until`: seconds since the epoch by this machine's clock; `ran`: what its cost is found from."""

    answer: Answer
    stamp: Stamp | None
    read_at: float
    good_until: float
    ran: Ran


Execute = Callable[[], Coroutine[Any, Any, Executed]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that may be answered from what is kept. `question`: it, whoever asks; `key`: this caller's answer;
    `stale_instead`: of a refusal for want of budget."""

    question: bytes
    key: bytes
    tenant_id: int
    wishes: Wishes
    told: bool
    stale_instead: bool


class Caching:
    """Answers from what is kept where it is true, and keeps what is read.

    `grace_seconds`: so old at most may an answer be that stands in while the database cannot be reached;
    `silent_seconds`: how long nothing was heard of it.
    """

    def __init__(
        self,
        cache: ResponseCache,
        *,
        schema_version: str,
        grace_seconds: float,
        silent_seconds: Callable[[], float],
    ) -> None:
        self._cache = cache
        self._schema_version = schema_version
        self._grace_seconds = grace_seconds
        self._silent_seconds = silent_seconds
        self._flights: Flights[Executed] = Flights()
        self._reading: set[asyncio.Future[Executed]] = set()

    def asked(self, call: Call, operation: Operation[Prepared], identity: Identity) -> Asked | None:
        """What is asked; None where no answer to it is ever kept."""
        prepared = operation.prepared
        if prepared.policy.max_age_seconds == 0:
            return None
        try:
            asked = question(self._schema_version, prepared.text, prepared.defaults, call.parameters.variables or {})
        except ValueError:
            return None
        words = call.cache
        return Asked(
            asked,
            key_of(asked, prepared.policy, identity),
            identity.tenant_id,
            wishes(words.control, refresh=words.refresh),
            words.told,
            identity.terms.stale_instead,
        )

    async def answer(self, call: Call, asked: Asked, execute: Execute) -> Answer:
        """What is kept where it holds and suits the caller, else what is read. Where that is refused since there is
        no budget for it, the terms of a tenant may let what was kept before stand in."""
        with call.trail.stopwatch.stage("cache"):
            look = await self._cache.look(asked.key, asked.tenant_id)
        if look.entry is not None and (status := _served(asked.wishes, look)):
            return self._of_entry(asked, look.entry, status)
        try:
            executed = await self._read_while_heard(asked, look, execute)
        except (ThrottledError, DatabaseUnavailableError) as error:
            excused = asked.stale_instead or self._is_silent() or isinstance(error, DatabaseUnavailableError)
            if excused and (entry := self._standing_in(asked, look)):
                call.trail.bill.give_up()
                return self._of_entry(asked, entry, CacheStatus.STALE)
            raise
        away = executed.answer.outcome in (AWAY_IN_SILENCE if self._is_silent() else AWAY)
        if away and (entry := self._standing_in(asked, look)):
            return self._of_entry(asked, entry, CacheStatus.STALE)
        status = CacheStatus.BYPASS if asked.wishes.fresh else CacheStatus.MISS
        return _told(executed.answer, asked, Kept(status, asked.key, executed.answer.kept.etag))

    async def _read_while_heard(self, asked: Asked, look: Look, execute: Execute) -> Executed:
        """As `_read`. Where something stands in, nobody waits to its deadline for a database that says nothing at all:
        raises DATABASE_UNAVAILABLE."""
        if self._standing_in(asked, look) is None:
            return await self._read(asked, look, execute)
        reading = asyncio.ensure_future(self._read(asked, look, execute))
        self._reading.add(reading)
        reading.add_done_callback(self._forget)
        try:
            while not (await asyncio.wait({reading}, timeout=SILENT_SECONDS))[0]:
                if self._is_silent():
                    # To be given up may take long as well. Nobody waits for that.
                    reading.cancel()
                    raise DatabaseUnavailableError
            return reading.result()
        except asyncio.CancelledError:
            reading.cancel()
            # Until it has put everything in order.
            await asyncio.wait({reading})
            raise

    def _is_silent(self) -> bool:
        return self._silent_seconds() >= SILENT_SECONDS

    def _forget(self, reading: "asyncio.Future[Executed]") -> None:
        self._reading.discard(reading)
        if not reading.cancelled():
            # Where nobody waits for it any more, nobody has to hear of it.
            reading.exception()

    async def _read(self, asked: Asked, look: Look, execute: Execute) -> Executed:
        async def read_and_keep() -> Executed:
            return self._keep(asked, await execute())

        if asked.wishes.fresh or not asked.wishes.keep:
            return await read_and_keep()
        return await self._flights.join(
            asked.key,
            read_and_keep,
            sound=lambda executed: not executed.answer.errors,
            late_enough=lambda executed: executed.stamp is not None and look.known.holds(executed.stamp),
        )

    def _keep(self, asked: Asked, executed: Executed) -> Executed:
        answer = executed.answer
        if executed.stamp is None or answer.errors or answer.data is None:
            return executed
        entry = Entry.of(executed.stamp, answer.data, read_at=executed.read_at, good_until=executed.good_until)
        answer.kept = Kept(CacheStatus.MISS, asked.key, entry.etag)
        if asked.wishes.keep:
            self._cache.keep(asked.key, entry)
        return executed

    def _standing_in(self, asked: Asked, look: Look) -> Entry | None:
        """What may be given out, overtaken or not, while nothing can be read."""
        age_seconds = look.entry.age_seconds(time.time()) if look.entry else 0.0
        return look.entry if age_seconds <= self._grace_seconds and asked.wishes.accept(age_seconds) else None

    def _of_entry(self, asked: Asked, entry: Entry, status: CacheStatus) -> Answer:
        kept = Kept(status, asked.key, entry.etag, entry.age_seconds(time.time()))
        return _told(Answer(entry.data), asked, kept)


def key_of(asked: bytes, policy: Policy, identity: Identity) -> bytes:
    """What a caller's answer to a question is kept under."""
    member_id = identity.member_id if policy.scope is Scope.PRIVATE else None
    return answer_key(asked, identity.tenant_id, member_id, identity.terms.page_size)


def stamp_of(context: Context, policy: Policy) -> Stamp | None:
    """What an answer was read from. None where nothing was read, nobody may share it, or the database tells no
    incarnation."""
    moment, tenant_id = context.opened_at, context.tenant_id
    shared_but_personal = context.personal and policy.scope is not Scope.PRIVATE
    if moment is None or moment.incarnation is None or tenant_id is None or shared_but_personal:
        return None
    return Stamp.of(tenant_id, moment.incarnation, Snapshot.parse(moment.snapshot), context.tables)


def good_for_seconds(context: Context, policy: Policy) -> float:
    """How long an answer stays true at most if nobody changes anything. Counted by the database's clock alone."""
    if context.good_until is None or context.opened_at is None:
        return float(policy.max_age_seconds)
    return min(policy.max_age_seconds, (context.good_until - context.opened_at.as_of).total_seconds())


def _served(wishes: Wishes, look: Look) -> CacheStatus | None:
    """As what an entry is given out; None where it is not."""
    age_seconds = look.entry.age_seconds(time.time()) if look.entry else 0.0
    if look.holds and wishes.accept(age_seconds):
        return CacheStatus.HIT
    return CacheStatus.STALE if wishes.accept_stale(age_seconds) else None


def _told(answer: Answer, asked: Asked, kept: Kept) -> Answer:
    """A copy for one caller: what was read is shared by all who waited for it."""
    extensions = dict(answer.extensions)
    if asked.told:
        extensions["cache"] = {"status": kept.status.value, "ageMs": round(kept.age_seconds * 1000)}
    return Answer(
        answer.data, answer.errors, extensions, answer.status, answer.outcome, answer.retry_after_seconds, kept
    )
