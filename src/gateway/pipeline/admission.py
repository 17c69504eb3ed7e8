"""What a request may ask for at all, before its price is looked at."""

from gateway.api.filters import MOST_VALUES
from gateway.documents.library import Document, Operation
from gateway.errors import BadUserInputError, MethodNotAllowedError, UnauthenticatedError
from gateway.identity.identify import Identity
from gateway.pipeline.call import Call
from gateway.pipeline.prepared import Prepared

SIGN_IN_FIELDS = frozenset({"login", "refreshToken"})
MOST_SIGN_INS = 3


def admit(
    call: Call, operation: Operation[Prepared], identity: Identity | None, anonymous_fields: frozenset[str]
) -> None:
    """Raises UNAUTHENTICATED, BAD_USER_INPUT, METHOD_NOT_ALLOWED. `anonymous_fields`: of the root, for anybody."""
    fields = operation.root_fields.values()
    if identity is None and not set(fields) <= anonymous_fields:
        raise UnauthenticatedError
    # Each checks a password: many in one request would be a way to guess, and to keep others from signing in.
    if sum(name in SIGN_IN_FIELDS for name in fields) > MOST_SIGN_INS:
        raise BadUserInputError(f"An operation may sign in {MOST_SIGN_INS} times at most: send others apart.")
    if changes_records(operation) and not SIGN_IN_FIELDS.isdisjoint(fields):
        # What is read after a sign-in is read as the one who signed in, what is changed is the token's.
        raise BadUserInputError("An operation signs in or changes records, not both: send them apart.")
    if call.reads_only and operation.kind != "query":
        raise MethodNotAllowedError(f"A {operation.kind} cannot be sent by GET: use POST.")


def longest_list(identity: Identity | None, most_entries: int) -> int:
    """Of what a request may give: a change of many records, or the values of a filter. `most_entries`: of anybody."""
    return most_entries if identity is None else min(most_entries, max(identity.terms.bulk_size, MOST_VALUES))


def changes_records(operation: Operation[Prepared]) -> bool:
    """Whether it is a mutation that does anything but sign in."""
    return operation.kind == "mutation" and not set(operation.root_fields.values()) <= SIGN_IN_FIELDS | {"__typename"}


def signs_in(document: Document[Prepared]) -> bool:
    """Such a document is not kept: a password may stand in its text, and whether a hash is known would tell a guess."""
    return any(
        not SIGN_IN_FIELDS.isdisjoint(operation.root_fields.values()) for operation in document.operations.values()
    )
