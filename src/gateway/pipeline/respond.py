"""Results and errors as answers. What is not meant for the caller is masked here, once."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from graphql import ExecutionResult, FieldNode, GraphQLError

from gateway.errors import (
    BadUserInputError,
    GatewayError,
    GraphQLDocumentError,
    InternalError,
    VariablesInvalidError,
)
from gateway.observe import Observer
from gateway.pipeline.call import Answer


def refusal(error: GatewayError, request_id: str) -> Answer:
    """The answer to a request that was not executed."""
    if isinstance(error, GraphQLDocumentError):
        errors = [_entry({**cause.formatted}, error, request_id) for cause in error.causes]
    else:
        errors = [_entry({"message": error.message}, error, request_id)]
    return Answer(errors=errors, status=error.status, outcome=error.code, retry_after_seconds=error.retry_after_seconds)


def response(result: ExecutionResult, request_id: str, observer: Observer, *, read: bool) -> Answer:
    """The answer to a request that was executed, in whole or in part. `read`: whether any statement was run for it.

    Where none was, since it was not its turn or the database was away, it is refused: null would not tell when to come
    again.
    """
    data = orjson.dumps(result.data)
    if not result.errors:
        return Answer(data)
    if result.data is None and all(error.path is None for error in result.errors):
        return refusal(VariablesInvalidError(result.errors), request_id)
    known = [(error, _gateway_error(error, request_id, observer)) for error in result.errors]
    first = known[0][1]
    if result.data is not None and not read:
        for _, error in known:
            if error.retry_after_seconds is not None:
                return refusal(error, request_id)
    return Answer(
        data,
        _entries(known, request_id),
        status=200 if result.data is not None else first.status,
        outcome=first.code,
        retry_after_seconds=first.retry_after_seconds if result.data is None else None,
    )


def encoded(answer: Answer) -> bytes:
    """The body of an answer: `data`, `errors` and `extensions` as far as there are any."""
    parts = [] if answer.data is None else [b'"data":' + answer.data]
    if answer.errors:
        parts.append(b'"errors":' + orjson.dumps(answer.errors))
    if answer.extensions:
        parts.append(b'"extensions":' + orjson.dumps(answer.extensions))
    return b"{" + b",".join(parts) + b"}"


def end_with_extensions(extensions: Mapping[str, Any]) -> bytes:
    """What the body of an answer without errors ends with, in place of its last brace, where it has extensions."""
    return b',"extensions":' + orjson.dumps(extensions) + b"}"


def _entries(known: Sequence[tuple[GraphQLError, GatewayError]], request_id: str) -> list[dict[str, Any]]:
    return [
        _entry({**error.formatted, "message": gateway_error.message}, gateway_error, request_id)
        for error, gateway_error in known
    ]


def _entry(entry: dict[str, Any], error: GatewayError, request_id: str) -> dict[str, Any]:
    return {**entry, "extensions": {"code": error.code, **error.extensions, "requestId": request_id}}


def _gateway_error(error: GraphQLError, request_id: str, observer: Observer) -> GatewayError:
    cause = _cause(error)
    if isinstance(cause, GatewayError):
        return cause
    if isinstance(cause, GraphQLError) and not all(isinstance(node, FieldNode) for node in cause.nodes or ()):
        # The executor blames an argument, not the field: its value came from the caller.
        return BadUserInputError(cause.message)
    observer.fault("a resolver failed", error=cause, request_id=request_id, path=error.path)
    return InternalError()


def _cause(error: Exception) -> Exception:
    """What was raised first: the executor wraps it to say where, its own errors too."""
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error
