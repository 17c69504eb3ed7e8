"""The steps of one request, in their order. Each step is timed by its name."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from inspect import isawaitable
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, execute

from gateway.api.context import Context
from gateway.api.filters import MOST_VALUES
from gateway.cost.actual import Ran
from gateway.deadline import Deadline
from gateway.documents.library import Document, Documents, Operation
from gateway.documents.persisted import PersistedDocuments, named_hash
from gateway.documents.variables import check_lists
from gateway.errors import (
    BadUserInputError,
    DeadlineExceededError,
    GatewayError,
    InternalError,
    MethodNotAllowedError,
    OutcomeUnknownError,
    UnauthenticatedError,
)
from gateway.identity.identify import Identity
from gateway.observe import Observer, RequestFinished
from gateway.pipeline.at_once import KnownCalls
from gateway.pipeline.bill import Order
from gateway.pipeline.caching import Caching, Executed, good_for_seconds, stamp_of
from gateway.pipeline.call import Answer, Call, CostWish, Parameters, Trail
from gateway.pipeline.charging import Charging
from gateway.pipeline.executor import PlainExecutor
from gateway.pipeline.prepared import Prepared
from gateway.pipeline.respond import refusal, response
from gateway.terms import Terms

Identify = Callable[[str | None, str | None], Awaitable[Identity | None]]
OpenContext = Callable[[Identity | None, Deadline, str], Context]
"""For a caller, with the request's deadline and id."""

LOGGED_NAME_CHARACTERS = 100
SIGN_IN_FIELDS = frozenset({"login", "refreshToken"})
MOST_SIGN_INS = 3
NOTHING_DONE = b"null"
"""The data of an operation that was only priced."""


class Pipeline:
    """Takes calls, gives answers. Whatever happens, there is an answer and no connection stays taken."""

    def __init__(
        self,
        *,
        identify: Identify,
        documents: Documents[Prepared],
        caching: Caching,
        charging: Charging,
        known: KnownCalls,
        persisted: PersistedDocuments,
        schema: GraphQLSchema,
        anonymous_fields: frozenset[str],
        open_context: OpenContext,
        most_list_entries: int,
        observer: Observer,
    ) -> None:
        self._identify = identify
        self._documents = documents
        self._caching = caching
        self._charging = charging
        self._known = known
        self._persisted = persisted
        self._schema = schema
        self._anonymous_fields = anonymous_fields
        self._open_context = open_context
        self._most_list_entries = most_list_entries
        self._observer = observer

    async def answer(self, call: Call) -> Answer:
        """The answer to a call; errors are answers too. Raises only when it is cancelled."""
        answer = await self._answer_or_refuse(call)
        bill = call.trail.bill
        if bill.payer is not None or call.cost is not CostWish.NOTHING:
            answer.extensions["cost"] = bill.told(by_path=call.cost is not CostWish.NOTHING)
        return answer

    async def _answer_or_refuse(self, call: Call) -> Answer:
        request_id = call.trail.request_id
        try:
            async with asyncio.timeout(call.deadline.left_seconds()) as limit:
                return await self._answer(call, limit)
        except TimeoutError:
            return refusal(OutcomeUnknownError() if call.trail.changes else DeadlineExceededError(), request_id)
        except GatewayError as error:
            return refusal(error, request_id)
        except Exception as error:  # noqa: BLE001 - the last line of defence: logged, masked, answered
            self._observer.fault("a request failed", error=error, request_id=request_id)
            return refusal(InternalError(), request_id)

    def finished(self, trail: Trail, *, outcome: str, status: int) -> None:
        """Reports a request that is answered, whether or not it became a call."""
        self._observer.request(
            RequestFinished(
                request_id=trail.request_id,
                operation=trail.operation,
                kind=trail.kind,
                tenant=trail.tenant,
                outcome=outcome,
                status=status,
                seconds=trail.stopwatch.total_seconds(),
                stages=trail.stopwatch.seconds,
                statements=len(trail.statements),
                cache=trail.cache.value,
                requested_points=trail.bill.requested,
                paid_points=trail.bill.paid,
            )
        )

    async def _answer(self, call: Call, limit: asyncio.Timeout) -> Answer:
        trail = call.trail
        with trail.stopwatch.stage("identify"):
            identity = await self._identify(call.authorization, call.x_tenant)
        if identity is not None:
            call = _within(call, identity.terms, limit)
        trail.tenant = identity.tenant_slug if identity else None
        trail.bill = bill = self._charging.open(identity)
        with trail.stopwatch.stage("document"):
            document = await self._document(call.parameters, identity)
            operation = document.operation(call.parameters.operation_name)
            trail.operation = operation.name and operation.name[:LOGGED_NAME_CHARACTERS]
            trail.kind = operation.kind
            self._admit(call, operation, identity)
            trail.changes = changes_records(operation)
            variables = call.parameters.variables or {}
            check_lists(variables, self._longest_list(identity))
            bill.take(Order(operation.prepared.price, variables))
        if call.cost is CostWish.DRY_RUN:
            await self._charging.price(bill)
            return Answer(NOTHING_DONE)
        answer = await self._found_or_executed(call, document, operation, identity)
        if not bill.paid:
            self._charging.charge_kept(bill)
        return answer

    async def _found_or_executed(
        self, call: Call, document: Document[Prepared], operation: Operation[Prepared], identity: Identity | None
    ) -> Answer:
        def execute() -> Coroutine[Any, Any, Executed]:
            return self._charging.executed(
                call.trail.bill, call.deadline, lambda: self._execute(call, document, operation, identity)
            )

        asked = self._caching.asked(call, operation, identity) if identity else None
        if asked is None:
            return (await execute()).answer
        answer = await self._caching.answer(call, asked, execute)
        call.trail.cache = answer.kept.status
        if not self._persisted.only_trusted:
            # A trusted document may be withdrawn: it is looked for each time.
            self._known.remember(call, asked, operation)
        return answer

    async def _document(self, parameters: Parameters, identity: Identity | None) -> Document[Prepared]:
        named = named_hash(parameters.document_id, parameters.extensions)
        text = await self._persisted.text(parameters.query, named)
        document = self._documents.get(text)
        if named and parameters.query is not None and identity is not None and not _signs_in(document):
            await self._persisted.keep(named, text)
        return document

    def _longest_list(self, identity: Identity | None) -> int:
        """Of what a request may give: a change of many records, or the values of a filter."""
        if identity is None:
            return self._most_list_entries
        return min(self._most_list_entries, max(identity.terms.bulk_size, MOST_VALUES))

    def _admit(self, call: Call, operation: Operation[Prepared], identity: Identity | None) -> None:
        if identity is None and not set(operation.root_fields.values()) <= self._anonymous_fields:
            raise UnauthenticatedError
        # Each checks a password: many in one request would be a way to guess, and to keep others from signing in.
        if sum(name in SIGN_IN_FIELDS for name in operation.root_fields.values()) > MOST_SIGN_INS:
            raise BadUserInputError(f"An operation may sign in {MOST_SIGN_INS} times at most: send others apart.")
        if changes_records(operation) and not SIGN_IN_FIELDS.isdisjoint(operation.root_fields.values()):
            # What is read after a sign-in is read as the one who signed in, what is changed is the token's.
            raise BadUserInputError("An operation signs in or changes records, not both: send them apart.")
        if call.reads_only and operation.kind != "query":
            raise MethodNotAllowedError(f"A {operation.kind} cannot be sent by GET: use POST.")

    async def _execute(
        self, call: Call, document: Document[Prepared], operation: Operation[Prepared], identity: Identity | None
    ) -> Executed:
        read_at = time.time()
        context = self._open_context(identity, call.deadline, call.trail.request_id)
        with call.trail.stopwatch.stage("execute"):
            try:
                result = execute(
                    self._schema,
                    document.ast,
                    context_value=context,
                    variable_values=dict(call.parameters.variables or {}),
                    operation_name=call.parameters.operation_name,
                    executor_class=PlainExecutor,
                    memory=operation.memory(),
                )
                settled: ExecutionResult = await result if isawaitable(result) else result
            finally:
                # Before encoding: the connection is the scarcest thing that a request holds.
                await context.close()
                call.trail.statements = context.statements
        with call.trail.stopwatch.stage("respond"):
            answer = response(settled, call.trail.request_id, self._observer, read=bool(context.statements))
        policy = operation.prepared.policy
        good_until = read_at + good_for_seconds(context, policy)
        failed = [error.path for error in settled.errors or () if error.path]
        answered = None if answer.data is None else settled.data
        ran = Ran(answered, failed, len(context.statements), context.rows)
        return Executed(answer, stamp_of(context, policy), read_at, good_until, ran)


def _within(call: Call, terms: Terms, limit: asyncio.Timeout) -> Call:
    """A call that ends in the time of its tenant's plan, where that is sooner."""
    left_seconds = terms.deadline_seconds - call.trail.stopwatch.total_seconds()
    deadline = min(call.deadline, Deadline.after(left_seconds))
    limit.reschedule(asyncio.get_running_loop().time() + deadline.left_seconds())
    return replace(call, deadline=deadline)


def _signs_in(document: Document[Prepared]) -> bool:
    """Such a document is not kept: a password may stand in its text, and whether a hash is known would tell a guess."""
    return any(
        not SIGN_IN_FIELDS.isdisjoint(operation.root_fields.values()) for operation in document.operations.values()
    )


def changes_records(operation: Operation[Prepared]) -> bool:
    """Whether it is a mutation that does anything but sign in."""
    return operation.kind == "mutation" and not set(operation.root_fields.values()) <= SIGN_IN_FIELDS | {"__typename"}
