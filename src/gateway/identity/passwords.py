"""Passwords by argon2id, in threads, a bounded number at once.

Whatever is wrong with a login, the same work is done and the same error raised, so that neither the time
nor the answer tells an unknown email from a wrong password.
"""

import asyncio
from collections.abc import Callable
from secrets import token_bytes
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.errors import BadUserInputError, LoginBusyError, LoginFailedError

# What OWASP advises for argon2id, at its smaller memory size: every login verified at once holds this much.
MEMORY_KIB = 19 * 1024
TIME_COST_PASSES = 2
PARALLELISM_LANES = 1

MAX_PASSWORD_BYTES = 1024

T = TypeVar("T")

_HASHER = PasswordHasher(TIME_COST_PASSES, MEMORY_KIB, PARALLELISM_LANES)


def hash_password(password: str) -> str:
    """The encoded argon2id hash. Takes tens of milliseconds: on an event loop use `Passwords.hash`.

    Raises BAD_USER_INPUT for an empty password or one over 1024 bytes of UTF-8.
    """
    encoded = _encode(password)
    if not 0 < len(encoded) <= MAX_PASSWORD_BYTES:
        raise BadUserInputError(f"Choose a password of 1 to {MAX_PASSWORD_BYTES} bytes of UTF-8.")
    return _HASHER.hash(encoded)


class Passwords:
    """Hashes and checks passwords: at most `max_concurrent` at once and `max_waiting` behind them."""

    def __init__(self, *, max_concurrent: int = 2, max_waiting: int = 32) -> None:
        self._slots = asyncio.Semaphore(max_concurrent)
        self._max_admitted = max_concurrent + max_waiting
        self._admitted: set[asyncio.Task[object]] = set()
        self._dummy_hash = _HASHER.hash(token_bytes(32))

    async def hash(self, password: str) -> str:
        """As `hash_password`, in a thread. Raises LOGIN_BUSY when too many wait."""
        return await self._in_thread(lambda: hash_password(password))

    async def check(self, password: str, encoded_hash: str | None) -> None:
        """Return if the password is that of the hash (None: there is no such member, or no password).

        Raises LOGIN_FAILED when it is not, LOGIN_BUSY when too many wait.
        """
        encoded = _encode(password)
        within_bounds = len(encoded) <= MAX_PASSWORD_BYTES
        against = encoded_hash or self._dummy_hash
        matches = await self._in_thread(lambda: _matches(against, encoded[:MAX_PASSWORD_BYTES]))
        if not (matches and within_bounds and encoded_hash):
            raise LoginFailedError

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if len(self._admitted) >= self._max_admitted:
            raise LoginBusyError
        task = asyncio.ensure_future(self._run(work))
        self._admitted.add(task)
        task.add_done_callback(self._admitted.discard)
        # A thread cannot be interrupted: a caller that leaves must not free the slot its work still fills.
        return await asyncio.shield(task)

    async def _run(self, work: Callable[[], T]) -> T:
        async with self._slots:
            return await asyncio.to_thread(work)


def _encode(password: str) -> bytes:
    # JSON can carry lone surrogates, which strict UTF-8 refuses with an error of its own.
    return password.encode("utf-8", "surrogatepass")


def _matches(encoded_hash: str, password: bytes) -> bool:
    try:
        return _HASHER.verify(encoded_hash, password)
    except (VerificationError, InvalidHashError):
        return False
