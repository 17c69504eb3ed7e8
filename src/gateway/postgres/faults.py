"""What the driver raises, in the words of the error catalogue."""

import asyncpg

from gateway.errors import BadUserInputError, DatabaseUnavailableError, DeadlineExceededError, GatewayError

# The connection is gone or refused: nothing of ours is wrong, and the same request can succeed in a moment.
UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.exceptions.ConnectionDoesNotExistError,
    asyncpg.exceptions.ConnectionFailureError,
)

# A text of the caller's, cast by a statement to a date, an instant or a number, is none.
UNREADABLE = (
    asyncpg.DatetimeFieldOverflowError,
    asyncpg.InvalidDatetimeFormatError,
    asyncpg.InvalidTextRepresentationError,
    asyncpg.NumericValueOutOfRangeError,
)


def is_unavailable(error: BaseException) -> bool:
    """Whether the database went away. TimeoutError is an OSError too, and is not meant."""
    if isinstance(error, TimeoutError):
        return False
    return isinstance(error, UNAVAILABLE) or _is_closed(error)


def _is_closed(error: BaseException) -> bool:
    """Whether the connection was closed under its user, which the driver tells in words only."""
    said = str(error)
    if isinstance(error, asyncpg.InternalClientError):
        return "cannot switch to state" in said  # it was just reading the server's good-bye
    return isinstance(error, asyncpg.InterfaceError) and ("clos" in said or "released back to the pool" in said)


def as_gateway_error(error: BaseException) -> GatewayError | None:
    """The catalogue's error for a fault of the database; None for what is a fault of ours."""
    if isinstance(error, TimeoutError | asyncpg.QueryCanceledError):
        return DeadlineExceededError()
    if is_unavailable(error):
        return DatabaseUnavailableError()
    if isinstance(error, asyncpg.CharacterNotInRepertoireError | asyncpg.UntranslatableCharacterError):
        return BadUserInputError("A text holds a character that cannot be stored, such as NUL. Leave it out.")
    if isinstance(error, UNREADABLE):
        return BadUserInputError(
            "A value cannot be read as what it should be. Send it exactly as an earlier answer gave it."
        )
    return None
