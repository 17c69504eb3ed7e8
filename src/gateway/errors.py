"""Every error that a caller can meet, each with a stable code. The page `docs/errors.md` is compared with it.

A code never changes its meaning. What is not a `GatewayError` reaches the caller as `INTERNAL`, masked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal, Protocol

Stage = Literal["identify", "document", "price", "execute", "respond"]
STAGES: tuple[Stage, ...] = ("identify", "document", "price", "execute", "respond")


class GraphQLFault(Protocol):
    """What a GraphQL library says of one wrong place; `formatted` is its message with its locations."""

    message: str

    @property
    def formatted(self) -> Mapping[str, object]: ...


class GatewayError(Exception):
    """An error made for the caller's eyes: nothing in it may be secret.

    `message` says what to do; without one it is the catalogue's cause and remedy. An error with
    `retry_after_seconds` carries `retryable: true` in its public `extensions`.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    stage: ClassVar[Stage]
    cause: ClassVar[str]
    remedy: ClassVar[str]
    default_retry_after_seconds: ClassVar[int | None] = None

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after_seconds: int | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        self.message = message or f"{self.cause} {self.remedy}"
        self.retry_after_seconds = (
            self.default_retry_after_seconds if retry_after_seconds is None else retry_after_seconds
        )
        retryable = {} if self.retry_after_seconds is None else {"retryable": True}
        self.extensions: Mapping[str, object] = {**retryable, **(extensions or {})}
        super().__init__(self.message)


def catalogue() -> tuple[type[GatewayError], ...]:
    """Every concrete error, in order of stage and code."""
    concrete = (error for error in _descendants(GatewayError) if "code" in vars(error))
    return tuple(sorted(concrete, key=lambda error: (STAGES.index(error.stage), error.code)))


def _descendants(parent: type[GatewayError]) -> Iterator[type[GatewayError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _descendants(child)


# ── identify: who is calling ──────────────────────────────────────────────────────────────────────


class IdentifyError(GatewayError):
    """The caller cannot be identified, or names a tenant that is not theirs."""

    stage = "identify"
    status = 401


class UnauthenticatedError(IdentifyError):
    code = "UNAUTHENTICATED"
    cause = "The request carries no token, and what it asks for needs one."
    remedy = "Send `Authorization: Bearer <token>` with a token from `login` or your identity provider."


class TokenMalformedError(IdentifyError):
    code = "TOKEN_MALFORMED"
    cause = "The `Authorization` header does not hold a well-formed bearer token."
    remedy = "Send `Authorization: Bearer <token>` with the token exactly as it was issued."


class TokenAlgorithmRefusedError(IdentifyError):
    code = "TOKEN_ALGORITHM_REFUSED"
    cause = "The token is unsigned or signed with an algorithm that the gateway does not accept."
    remedy = "Have the token signed with one of the algorithms that the gateway is configured for."


class TokenInvalidError(IdentifyError):
    code = "TOKEN_INVALID"
    cause = "The token's signature, key, start of validity or kind does not hold."
    remedy = "Log in again and send the new access token."


class TokenExpiredError(IdentifyError):
    code = "TOKEN_EXPIRED"
    cause = "The token's lifetime is over."
    remedy = "Get a new one with the `refreshToken` mutation, or log in again."


class TokenClaimMissingError(IdentifyError):
    code = "TOKEN_CLAIM_MISSING"
    cause = "The token lacks a claim that the gateway needs."
    remedy = "Have the issuer add the claim in `extensions.claim`, or correct the gateway's claim settings."


class TokenWrongAudienceError(IdentifyError):
    code = "TOKEN_WRONG_AUDIENCE"
    cause = "The token was issued for another service."
    remedy = "Request a token whose audience is this gateway."


class TokenWrongIssuerError(IdentifyError):
    code = "TOKEN_WRONG_ISSUER"
    cause = "The token was issued by someone whom the gateway does not trust."
    remedy = "Request a token from the issuer that the gateway is configured for."


class TenantUnknownError(IdentifyError):
    code = "TENANT_UNKNOWN"
    cause = "The token names a tenant that does not exist."
    remedy = "Log in to an existing tenant, or ask the operator to create this one."


class MemberUnknownError(IdentifyError):
    code = "MEMBER_UNKNOWN"
    cause = "The token's subject is not a member of its tenant."
    remedy = "Ask an administrator of the tenant to add you as a member."


class MemberInactiveError(IdentifyError):
    code = "MEMBER_INACTIVE"
    cause = "The token's member has been deactivated."
    remedy = "Ask an administrator of the tenant to activate the member again."


class TenantMismatchError(IdentifyError):
    code = "TENANT_MISMATCH"
    status = 403
    cause = "The `X-Tenant` header names another tenant than the token."
    remedy = "Leave the header out, or send a token of the tenant that it names."


class KeysUnavailableError(IdentifyError):
    code = "KEYS_UNAVAILABLE"
    status = 503
    cause = "The identity provider's keys cannot be fetched, so the token cannot be checked."
    remedy = "Retry after the time in `Retry-After`; if it lasts, check the gateway's key set address."
    default_retry_after_seconds = 10


# ── document: what is asked ───────────────────────────────────────────────────────────────────────


class DocumentError(GatewayError):
    """The request cannot be read, or is not a valid operation of the schema."""

    stage = "document"
    status = 400


class BadRequestError(DocumentError):
    code = "BAD_REQUEST"
    cause = "The request is not a GraphQL request over HTTP."
    remedy = "Send a JSON object with `query`, and optionally `variables`, `operationName` and `extensions`."


class BodyTimedOutError(DocumentError):
    code = "BODY_TIMED_OUT"
    status = 408
    cause = "The request's body did not arrive within the request's deadline."
    remedy = "Send the body without pausing, or a smaller one."


class BodyTooLargeError(DocumentError):
    code = "BODY_TOO_LARGE"
    status = 413
    cause = "The request's body is larger than the gateway accepts."
    remedy = "Send a smaller body, or split the operation."


class UnsupportedMediaTypeError(DocumentError):
    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    cause = "The request's body is not of a media type that the gateway reads."
    remedy = "Send the body as uncompressed UTF-8 with `Content-Type: application/json`."


class NotAcceptableError(DocumentError):
    code = "NOT_ACCEPTABLE"
    status = 406
    cause = "The `Accept` header allows no media type that the gateway can answer with."
    remedy = "Accept `application/graphql-response+json` or `application/json`."


class MethodNotAllowedError(DocumentError):
    code = "METHOD_NOT_ALLOWED"
    status = 405
    cause = "The HTTP method does not fit the operation."
    remedy = "Use POST; GET is for queries only."


class GraphQLDocumentError(DocumentError):
    """A document that is wrong in places. `causes`: one a place, each with its message and locations."""

    def __init__(self, causes: Sequence[GraphQLFault] = ()) -> None:
        self.causes = tuple(causes)
        super().__init__(causes[0].message if causes else None)


class GraphQLParseFailedError(GraphQLDocumentError):
    code = "GRAPHQL_PARSE_FAILED"
    cause = "The document is not valid GraphQL syntax."
    remedy = "Correct the document at the location given."


class GraphQLValidationFailedError(GraphQLDocumentError):
    code = "GRAPHQL_VALIDATION_FAILED"
    cause = "The document does not fit the schema."
    remedy = "Correct the document at the locations given; the schema is in `schema.graphql` and in GraphiQL."


class OperationNotFoundError(DocumentError):
    code = "OPERATION_NOT_FOUND"
    cause = "The document has no operation of that name, or several and no name was given."
    remedy = "Set `operationName` to one of the document's operations."


class VariablesInvalidError(GraphQLDocumentError):
    code = "VARIABLES_INVALID"
    cause = "A variable is missing or does not have its declared type."
    remedy = "Send the variable that the message names with a value of its declared type."


class DocumentTooLargeError(DocumentError):
    code = "DOCUMENT_TOO_LARGE"
    cause = "The document has more tokens, depth or fields than the gateway accepts."
    remedy = "Split the operation or select fewer fields."


class DocumentNotTrustedError(DocumentError):
    code = "DOCUMENT_NOT_TRUSTED"
    status = 403
    cause = "This gateway runs trusted documents only, and the request's is none of them."
    remedy = "Have the operator add it with `gateway documents add`, exactly as the client sends it."


class PersistedQueryMismatchError(DocumentError):
    code = "PERSISTED_QUERY_MISMATCH"
    cause = "The hash is not that of the document sent with it."
    remedy = "Send the SHA-256 of the exact text in `query`, encoded as UTF-8, or no hash."


class PersistedQueryNotFoundError(DocumentError):
    """Its message has to be the one word that clients of Apollo's protocol wait for. Older ones give up on hashes when
    they meet a status of 400."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    status = 404
    cause = "The gateway does not know the document of that hash."
    remedy = "Send the document in `query` beside its hash, as clients of Apollo's protocol do by themselves."


# ── price: what it would cost ─────────────────────────────────────────────────────────────────────


class PriceError(GatewayError):
    """The operation is understood, and is not paid for."""

    stage = "price"


class CostLimitExceededError(PriceError):
    code = "COST_LIMIT_EXCEEDED"
    status = 400
    cause = "The operation costs more points than one operation may under the tenant's plan."
    remedy = "Ask for less where `extensions.dearest` says: smaller pages, a shorter period; or split the query."


class ThrottledError(PriceError):
    code = "THROTTLED"
    status = 429
    cause = "The tenant's budget does not have the points that the operation costs, for the moment."
    remedy = "Retry after the time in `Retry-After`, by which they are restored, or ask for less."
    default_retry_after_seconds = 1


# ── execute: the work itself ──────────────────────────────────────────────────────────────────────


class ExecuteError(GatewayError):
    """The operation was understood, and a part of it could not be done."""

    stage = "execute"


class AnswerTooLargeError(ExecuteError):
    code = "ANSWER_TOO_LARGE"
    status = 400
    cause = "The lists of the answer hold more entries in all than the gateway gives in one."
    remedy = "Ask for smaller pages, here or of the lists above, or split the query."


class BadUserInputError(ExecuteError):
    code = "BAD_USER_INPUT"
    status = 400
    cause = "An argument has the right type but a value that is not allowed."
    remedy = "Correct the value at `extensions.path` as the message says."


class CursorInvalidError(ExecuteError):
    code = "CURSOR_INVALID"
    status = 400
    cause = "The cursor is altered, cut off, or of another list, ordering or filter."
    remedy = "Send a cursor as this list gave it, with the same `orderBy` and `filter`, or begin without one."


class ForbiddenError(ExecuteError):
    code = "FORBIDDEN"
    status = 403
    cause = "The member's role does not permit this."
    remedy = "Ask an administrator of the tenant for a role that does, or act on your own records only."


class NotFoundError(ExecuteError):
    code = "NOT_FOUND"
    status = 404
    cause = "No record of this tenant has that id."
    remedy = "Use an id from an earlier answer; the record may have been deleted since."


class IdempotencyKeyReusedError(ExecuteError):
    code = "IDEMPOTENCY_KEY_REUSED"
    status = 409
    cause = "The idempotency key was used before, by another member or with another input."
    remedy = "Repeat a request exactly as it was first sent; choose a new key for a new one."


class WriteConflictError(ExecuteError):
    code = "WRITE_CONFLICT"
    status = 409
    cause = "Others kept writing the same records, and the change gave way. Nothing of it remains."
    remedy = "Retry after the time in `Retry-After`."
    default_retry_after_seconds = 1


class OutcomeUnknownError(ExecuteError):
    code = "OUTCOME_UNKNOWN"
    status = 503
    cause = "The request ended before the outcome of its change was known: it was made as a whole or not at all."
    remedy = "Repeat the request with the same `idempotencyKey`: it is carried out once. Without a key, look first."
    default_retry_after_seconds = 1


class LoginFailedError(ExecuteError):
    code = "LOGIN_FAILED"
    status = 401
    cause = "The tenant, the email or the password is wrong, or the refresh token no longer holds."
    remedy = "Check all three and log in again."


class LoginUnavailableError(ExecuteError):
    code = "LOGIN_UNAVAILABLE"
    status = 403
    cause = "This gateway issues no tokens: they come from an identity provider."
    remedy = "Get a token there, or have the operator set `JWT_SECRET`."


class LoginBusyError(ExecuteError):
    code = "LOGIN_BUSY"
    status = 503
    cause = "Too many logins are being checked at once."
    remedy = "Retry after the time in `Retry-After`."
    default_retry_after_seconds = 1


class DeadlineExceededError(ExecuteError):
    code = "DEADLINE_EXCEEDED"
    status = 504
    cause = "The request was not finished within its deadline."
    remedy = "Ask for less: a shorter period, smaller pages or fewer aggregates."


class NoPlaceError(ExecuteError):
    """It was not the request's turn in time."""

    status = 503
    default_retry_after_seconds = 1


class PoolExhaustedError(NoPlaceError):
    code = "POOL_EXHAUSTED"
    cause = "No database connection became free in time: those of all tenants together are in use."
    remedy = "Retry after the time in `Retry-After`; if it lasts, have the operator raise `POOL_SIZE`."


class TenantBusyError(NoPlaceError):
    code = "TENANT_BUSY"
    cause = "The tenant has as many requests at work as its plan allows, and none of them ended in time."
    remedy = "Retry after the time in `Retry-After`, send fewer at once, or ask the operator for a larger plan."


class DatabaseUnavailableError(ExecuteError):
    code = "DATABASE_UNAVAILABLE"
    status = 503
    cause = "The database cannot be reached or is restarting."
    remedy = "Retry after the time in `Retry-After`."
    default_retry_after_seconds = 1


class ClientClosedRequestError(ExecuteError):
    code = "CLIENT_CLOSED_REQUEST"
    status = 499
    cause = "The client went away before the answer was ready, and its statements were cancelled."
    remedy = "Keep the connection open until the answer arrives."


class InternalError(ExecuteError):
    code = "INTERNAL"
    status = 500
    cause = "The gateway failed in a way that it did not foresee."
    remedy = "Report it to the operator with the `X-Request-Id` of the response."
