"""The steps of one request, in their order. Each step is timed by its name."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial
from inspect import isawaitable
from typing import Any

from graphql import ExecutionResult, GraphQLSchema, execute

from gateway.api.context import Context
from gateway.cost.actual import Ran
from gateway.deadline import Deadline
from gateway.documents.library import Document, Documents, Operation
from gateway.documents.persisted import PersistedDocuments, named_hash
from gateway.documents.variables import check_lists
from gateway.errors import (
    DeadlineExceededError,
    GatewayError,
    InternalError,
    OutcomeUnknownError,
)
from gateway.identity.identify import Identity
from gateway.observe import Observer, RequestFinished
from gateway.pipeline.admission import admit, changes_records, longest_list, signs_in
from gateway.pipeline.at_once import KnownCalls
from gateway.pipeline.bill import Bill, Order
from gateway.pipeline.caching import Caching, Executed, good_for_seconds, stamp_of
from gateway.pipeline.call import Answer, Call, CostWish, Parameters, Trail
from gateway.pipeline.charging import Charging
from gateway.pipeline.executor import PlainExecutor
from gateway.pipeline.prepared import Prepared
from gateway.pipeline.refusals import NOBODY, Refusals
from gateway.pipeline.respond import refusal, response
from gateway.terms import Terms

Identify = Callable[[str | None, str | None], Awaitable[Identity | None]]
OpenContext = Callable[[Identity | None, Deadline, str], Context]
"""For a caller, with the request's deadline and id."""

LOGGED_NAME_CHARACTERS = 100
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
        self._refusals = Refusals(observer)

    async def answer(self, call: Call) -> Answer:
        """The answer to a call; errors are answers too. Raises only when it is cancelled."""
        answer = await self._answer_or_refuse(call)
        await self._tell_cost(answer, call.trail.bill, call.cost)
        return answer

    async def refused(
        self, error: GatewayError, authorization: str | None, x_tenant: str | None, deadline: Deadline, trail: Trail
    ) -> Answer:
        """The answer to what became no call. Whose it is, is found out all the same: it is told what is left."""
        answer = refusal(error, trail.request_id)
        try:
            async with asyncio.timeout(deadline.left_seconds()):
                identity = await self._identify(authorization, x_tenant)
            trail.tenant = identity.tenant_slug if identity else None
            trail.bill = self._charging.open(identity)
        except (GatewayError, TimeoutError):
            pass
        except Exception as cause:  # noqa: BLE001 - the caller is refused all the same
            self._observer.fault("who was refused is not known", error=cause, request_id=trail.request_id)
        await self._tell_cost(answer, trail.bill, CostWish.NOTHING)
        return answer

    async def _tell_cost(self, answer: Answer, bill: Bill, wish: CostWish) -> None:
        if bill.payer is not None or wish is not CostWish.NOTHING:
            answer.extensions["cost"] = bill.told(by_path=wish is not CostWish.NOTHING)
        # A dry run takes as long as a refusal, and is paid as little.
        if bill.most is not None and (answer.is_refusal or wish is CostWish.DRY_RUN):
            await self._refusals.told(bill.payer.tenant_id if bill.payer else NOBODY)

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
        if identity is not None:
            bill.may_advise = partial(self._refusals.may_advise, identity.tenant_id)
        with trail.stopwatch.stage("document"):
            document = await self._document(call.parameters, identity)
            operation = document.operation(call.parameters.operation_name)
            trail.operation = operation.name and operation.name[:LOGGED_NAME_CHARACTERS]
            trail.kind = operation.kind
            admit(call, operation, identity, self._anonymous_fields)
            trail.changes = changes_records(operation)
            variables = call.parameters.variables or {}
            check_lists(variables, longest_list(identity, self._most_list_entries))
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
        if named and parameters.query is not None and identity is not None and not signs_in(document):
            await self._persisted.keep(named, text)
        return document

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
