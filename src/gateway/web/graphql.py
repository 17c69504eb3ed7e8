"""The GraphQL endpoint: a thin shell around the pipeline."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.deadline import Deadline
from gateway.errors import ClientClosedRequestError, GatewayError
from gateway.observe import Stopwatch
from gateway.pipeline.call import Answer, Call
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.respond import refusal
from gateway.web.wire import GRAPHQL_RESPONSE, JSON, media_type_of, read_parameters, request_id_of

# A caller who accepts only plain JSON is told of GraphQL's own errors in the body, under status 200:
# many such clients take any other status for a broken connection and never read it.
STATUS_200_IN_PLAIN_JSON = frozenset(
    {
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "DOCUMENT_TOO_LARGE",
        "OPERATION_NOT_FOUND",
        "VARIABLES_INVALID",
        "BAD_USER_INPUT",
        "NOT_FOUND",
        "FORBIDDEN",
        "LOGIN_FAILED",
        "LOGIN_UNAVAILABLE",
    }
)


@dataclass(frozen=True, slots=True)
class Page:
    """The page for browsers."""

    render: Callable[[], tuple[bytes, dict[str, str]]]


class GraphQLEndpoint:
    """POST and GET of GraphQL requests; a browser that opens the address gets the page, where there is one."""

    def __init__(
        self, pipeline: Pipeline, *, deadline_seconds: float, body_limit_bytes: int, page: Page | None
    ) -> None:
        self._pipeline = pipeline
        self._deadline_seconds = deadline_seconds
        self._body_limit_bytes = body_limit_bytes
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if self._page and request.method == "GET" and _is_browser(request):
            body, headers = self._page.render()
            return Response(body, headers=headers)
        stopwatch, request_id = Stopwatch(), request_id_of(request)
        try:
            media_type = media_type_of(request)
        except GatewayError as error:
            return _encode(refusal(error, request_id), JSON, request_id, stopwatch)
        return await self._answer(request, media_type, request_id, stopwatch)

    async def _answer(self, request: Request, media_type: str, request_id: str, stopwatch: Stopwatch) -> Response:
        deadline = Deadline.after(self._deadline_seconds)
        try:
            parameters = await read_parameters(request, limit_bytes=self._body_limit_bytes, deadline=deadline)
        except GatewayError as error:
            return _encode(refusal(error, request_id), media_type, request_id, stopwatch)
        call = Call(
            request_id=request_id,
            authorization=request.headers.get("authorization"),
            x_tenant=request.headers.get("x-tenant"),
            reads_only=request.method == "GET",
            parameters=parameters,
            deadline=deadline,
            stopwatch=stopwatch,
        )
        try:
            answer = await _unless_gone(request, self._pipeline.answer(call))
        except ClientClosedRequestError as error:
            self._pipeline.abandoned(call)
            return _encode(refusal(error, request_id), media_type, request_id, stopwatch)
        encoded = _encode(answer, media_type, request_id, stopwatch)
        self._pipeline.finished(call, answer)
        return encoded


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and "query" not in request.query_params


async def _unless_gone(request: Request, work: Awaitable[Answer]) -> Answer:
    """The work's answer; the work is cancelled when the caller goes away first: CLIENT_CLOSED_REQUEST."""
    answering = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientClosedRequestError
        return answering.result()
    finally:
        leaving.cancel()
        answering.cancel()
        await asyncio.wait({answering, leaving})


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _encode(answer: Answer, media_type: str, request_id: str, stopwatch: Stopwatch) -> Response:
    with stopwatch.stage("respond"):
        body = orjson.dumps(answer.body)
    plain = media_type == JSON and answer.outcome in STATUS_200_IN_PLAIN_JSON
    status = 200 if plain else answer.status
    return Response(body, status, headers=_headers(answer, request_id, stopwatch), media_type=_charset(media_type))


def _headers(answer: Answer, request_id: str, stopwatch: Stopwatch) -> Mapping[str, str]:
    headers = {
        "X-Request-Id": request_id,
        "X-Response-Time": f"{stopwatch.total_seconds() * 1000:.2f}ms",
        "Server-Timing": ", ".join(f"{name};dur={s * 1000:.2f}" for name, s in stopwatch.seconds.items()),
        "Cache-Control": "private, no-store",
        "Vary": "Accept, Authorization, X-Tenant",
    }
    if answer.retry_after_seconds is not None:
        headers["Retry-After"] = str(answer.retry_after_seconds)
    if answer.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if answer.status == 405:
        headers["Allow"] = "GET, POST"
    return headers


def _charset(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type in (GRAPHQL_RESPONSE, JSON) else media_type
