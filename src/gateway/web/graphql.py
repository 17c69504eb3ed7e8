"""The GraphQL endpoint: a thin shell around the pipeline."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.deadline import Deadline
from gateway.errors import BadRequestError, ClientClosedRequestError, GatewayError
from gateway.pipeline.call import Answer, CacheWords, Call, CostWish, Trail
from gateway.pipeline.pipeline import Pipeline
from gateway.pipeline.respond import encoded, refusal
from gateway.web.headers import content_type, not_modified, rate_limit_headers, response_headers
from gateway.web.wire import JSON, media_type_of, read_parameters, request_id

ALLOW = "GET, HEAD, OPTIONS, POST"
NAMES_A_DOCUMENT = frozenset({"query", "documentId", "extensions"})
"""Parameters of a query string that make it a GraphQL request, which a browser may follow as a link."""

# A caller who accepts only plain JSON is told of GraphQL's own errors in the body, under status 200:
# many such clients take any other status for a broken connection and never read it.
STATUS_200_IN_PLAIN_JSON = frozenset(
    {
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "DOCUMENT_TOO_LARGE",
        "DOCUMENT_NOT_TRUSTED",
        "PERSISTED_QUERY_NOT_FOUND",
        "OPERATION_NOT_FOUND",
        "VARIABLES_INVALID",
        "ANSWER_TOO_LARGE",
        "BAD_USER_INPUT",
        "CURSOR_INVALID",
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
        request = Request(scope, receive)
        response = self._shown(request) or await self._respond(request)
        await response(scope, receive, send)

    def _shown(self, request: Request) -> Response | None:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ALLOW})
        if self._page and request.method == "GET" and _is_browser(request):
            body, headers = self._page.render()
            return Response(body, headers=headers)
        return None

    async def _respond(self, request: Request) -> Response:
        trail, media_type = Trail(request_id(request.headers.get("x-request-id", ""))), JSON
        deadline = Deadline.after(self._deadline_seconds)
        try:
            media_type = media_type_of(request)
            answer = await self._answer(request, deadline, trail)
        except ClientClosedRequestError as error:
            answer = refusal(error, trail.request_id)
        except GatewayError as error:
            authorization, x_tenant = _only(request, "authorization"), _only(request, "x-tenant")
            answer = await self._pipeline.refused(error, authorization, x_tenant, deadline, trail)
        response = _response(request, answer, media_type, trail)
        self._pipeline.finished(trail, outcome=answer.outcome, status=response.status_code)
        return response

    async def _answer(self, request: Request, deadline: Deadline, trail: Trail) -> Answer:
        parameters, text = await read_parameters(request, limit_bytes=self._body_limit_bytes, deadline=deadline)
        call = Call(
            authorization=_single(request, "authorization"),
            x_tenant=_single(request, "x-tenant"),
            reads_only=request.method != "POST",
            parameters=parameters,
            deadline=deadline,
            trail=trail,
            cache=_cache_words(request),
            cost=_cost_wish(request),
            text=text,
        )
        return await _unless_gone(request, self._pipeline.answer(call))


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and NAMES_A_DOCUMENT.isdisjoint(request.query_params)


def _single(request: Request, name: str) -> str | None:
    """A header that says who is calling. Given twice, a proxy and this service could each believe another one."""
    if len(request.headers.getlist(name)) > 1:
        raise BadRequestError(f"The header `{name}` may be given once.")
    return _only(request, name)


def _only(request: Request, name: str) -> str | None:
    """Its value; None too where it is given twice."""
    given = request.headers.getlist(name)
    return given[0] if len(given) == 1 else None


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


def _cache_words(request: Request) -> CacheWords:
    return CacheWords(
        ",".join(request.headers.getlist("cache-control")),
        refresh=request.query_params.get("refresh") == "true",
        told=request.headers.get("graphql-cache") == "status",
    )


def _cost_wish(request: Request) -> CostWish:
    """Raises BAD_REQUEST: who wanted a price must not be charged for the operation."""
    try:
        return CostWish(request.headers.get("graphql-cost", "").strip().lower())
    except ValueError:
        raise BadRequestError("`GraphQL-Cost` may be `fields` or `dry-run`.") from None


def _response(request: Request, answer: Answer, media_type: str, trail: Trail) -> Response:
    plain = media_type == JSON and answer.outcome in STATUS_200_IN_PLAIN_JSON
    status = 200 if plain else answer.status
    with trail.stopwatch.stage("respond"):
        body = encoded(answer)
    headers = response_headers(trail, answer.kept)
    if answer.retry_after_seconds is not None:
        headers["retry-after"] = str(answer.retry_after_seconds)
    if status == 429:
        headers.update(rate_limit_headers(trail.bill))
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if status == 405:
        headers["allow"] = ALLOW
    if status == 200 and not_modified(request.method, request.headers.get("if-none-match"), answer.kept):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers=headers, media_type=content_type(media_type))
