"""GraphQL over HTTP: reading a request from the wire, and what its caller accepts back."""

import asyncio
import random
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.types import Receive

from gateway.deadline import Deadline
from gateway.errors import (
    BadRequestError,
    BodyTimedOutError,
    BodyTooLargeError,
    ClientClosedRequestError,
    MethodNotAllowedError,
    NotAcceptableError,
    UnsupportedMediaTypeError,
)
from gateway.pipeline.call import Parameters

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"

# JSON first: it is taken where the caller leaves it open, since every client reads it.
OFFERS = (JSON, GRAPHQL_RESPONSE)
WILDCARDS = ("application/*", "*/*")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
QUALITY = re.compile(r"0(\.\d*)?|1(\.0*)?", re.ASCII)


def request_id(given: str) -> str:
    """The caller's own `X-Request-Id` where it is a plain word, else a new one."""
    # It tells requests apart and is no secret: a true random one would take longer than to find a kept answer.
    return given if REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


def media_type_of(request: Request) -> str:
    """The media type to answer with. Raises NOT_ACCEPTABLE."""
    found = accepted_media_type(",".join(request.headers.getlist("accept")) or "*/*")
    if found is None:
        raise NotAcceptableError
    return found


@lru_cache(maxsize=256)
def accepted_media_type(accept: str) -> str | None:
    """Of an `Accept` header, the best liked, of equals the one named first; None where it likes none."""
    accepted = _qualities(accept)

    def quality(offer: str) -> float:
        return next((accepted[name] for name in (offer, *WILDCARDS) if name in accepted), 0.0)

    named = [name for name in accepted if name in OFFERS]
    best = max((*named, *OFFERS), key=quality)
    return best if quality(best) else None


async def read_parameters(request: Request, *, limit_bytes: int, deadline: Deadline) -> tuple[Parameters, bytes | None]:
    """The parameters of a GET or a POST, and the text that they were read from where it is the same each time.

    Raises the errors of stage `document` that concern the wire.
    """
    query_string = bytes(request.scope["query_string"])
    if request.method in ("GET", "HEAD"):
        return _parameters(_from_query_string(request)), text_of_get(query_string)
    if request.method != "POST":
        raise MethodNotAllowedError
    _check_media_type(request)
    _check_length(request, limit_bytes)
    try:
        async with asyncio.timeout(deadline.left_seconds()):
            body = await _read_body(request.receive, limit_bytes)
    except TimeoutError:
        raise BodyTimedOutError from None
    return _parameters(_loads(body, "The body")), None if query_string else body


def text_of_get(query_string: bytes) -> bytes | None:
    """A request by GET in one piece, which no body is like; None where it asks nothing."""
    return b"?" + query_string if query_string else None


def _qualities(accept: str) -> dict[str, float]:
    """Quality by media range, in the order they are named."""
    ranges = ([piece.strip().lower() for piece in part.split(";")] for part in accept.split(","))
    return {name: _quality(parameters) for name, *parameters in ranges}


def _quality(parameters: list[str]) -> float:
    """The `q` among the parameters: 1 without one, 0 for rubbish."""
    value = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    return float(value) if QUALITY.fullmatch(value) else 0.0


def _check_media_type(request: Request) -> None:
    name, *parameters = (piece.strip().lower() for piece in request.headers.get("content-type", "").split(";"))
    charset = next((p.partition("=")[2].strip('" ') for p in parameters if p.startswith("charset=")), "utf-8")
    encoding = request.headers.get("content-encoding", "identity").lower()
    if name != JSON or charset not in ("utf-8", "utf8") or encoding != "identity":
        raise UnsupportedMediaTypeError


def _check_length(request: Request, limit_bytes: int) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > limit_bytes:
        raise _too_large(limit_bytes)


async def _read_body(receive: Receive, limit_bytes: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientClosedRequestError
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
        if not message.get("more_body", False):
            return bytes(body)


def _too_large(limit_bytes: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"The body is larger than {limit_bytes} bytes. Send a smaller one, or split the operation."
    )


def _from_query_string(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = _loads(given[name].encode("utf-8", "surrogatepass"), f"`{name}`")
    return given


def _loads(text: bytes, what: str) -> Any:
    if not text.strip():
        raise BadRequestError(f"{what} is empty: send a JSON object with `query`.")
    try:
        return orjson.loads(text)
    except ValueError as error:
        raise BadRequestError(f"{what} is not JSON: {error}.") from None


def _parameters(given: Any) -> Parameters:
    if isinstance(given, list):
        raise BadRequestError("Batches are not accepted: send one operation, or several fields in one query.")
    if not isinstance(given, dict):
        raise BadRequestError("The body must be a JSON object with `query`.")
    extensions, document_id = _optional(given, "extensions", Mapping), _optional(given, "documentId", str)
    named = document_id is not None or (extensions or {}).get("persistedQuery") is not None
    return Parameters(
        _query(given.get("query"), named=named),
        _optional(given, "operationName", str),
        _optional(given, "variables", Mapping),
        extensions,
        document_id,
    )


def _query(given: Any, *, named: bool) -> str | None:
    """The document's text; where the request names its document, it may be left out."""
    if named and given in (None, ""):
        return None
    if not isinstance(given, str) or not given.strip():
        raise BadRequestError("`query` must be a string that holds a GraphQL document.")
    return given


def _optional(given: Mapping[str, Any], name: str, kind: type) -> Any:
    value = given.get(name)
    if value is not None and not isinstance(value, kind):
        wanted = "a string" if kind is str else "an object"
        raise BadRequestError(f"`{name}` must be {wanted} or null.")
    return value
