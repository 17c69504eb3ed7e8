"""The identity provider's public keys (a JWK set), fetched, remembered and rotated."""

import asyncio
import hashlib
import http.client
import json
import logging
import math
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jwt import PyJWK

from gateway.errors import KeysUnavailableError

ASYMMETRIC_ALGORITHMS = ("RS256", "ES256", "EdDSA")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VerificationKey:
    """A key bound to its one algorithm. Equal when its content is, whenever it was fetched."""

    key_id: str | None
    algorithm: str
    fingerprint: str
    jwk: PyJWK = field(compare=False, repr=False)


class KeySetClient:
    """Finds keys in the JWK set at `url`, for one event loop.

    The set lives `lifetime_seconds`. Whatever callers ask, no fetch begins within `cooldown_seconds` after
    the last one. When a fetch fails, the set known before stays in use.
    """

    def __init__(
        self,
        url: str,
        *,
        lifetime_seconds: float = 300,
        cooldown_seconds: float = 10,
        timeout_seconds: float = 5,
        max_size_bytes: int = 256 * 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._lifetime_seconds = lifetime_seconds
        self._cooldown_seconds = cooldown_seconds
        self._timeout_seconds = timeout_seconds
        self._max_size_bytes = max_size_bytes
        self._clock = clock
        self._keys: tuple[VerificationKey, ...] | None = None
        self._fetched_at = self._attempted_at = -math.inf
        self._refreshing: asyncio.Task[None] | None = None

    async def find(self, key_id: str | None, algorithm: str) -> VerificationKey | None:
        """The key of that id and algorithm; without an id, the algorithm's key if it has only one.

        Raises KEYS_UNAVAILABLE when no set could be fetched yet.
        """
        if self._clock() - self._fetched_at >= self._lifetime_seconds:
            await self._refresh()
        found = self._match(key_id, algorithm)
        if found is None:
            await self._refresh()
            found = self._match(key_id, algorithm)
        if self._keys is None:
            raise KeysUnavailableError(retry_after_seconds=math.ceil(max(1, self._cooldown_left_seconds())))
        return found

    def _match(self, key_id: str | None, algorithm: str) -> VerificationKey | None:
        fitting = [key for key in self._keys or () if key.algorithm == algorithm]
        if key_id is not None:
            fitting = [key for key in fitting if key.key_id == key_id]
        return fitting[0] if len(fitting) == 1 else None

    def _cooldown_left_seconds(self) -> float:
        return self._attempted_at + self._cooldown_seconds - self._clock()

    async def _refresh(self) -> None:
        """Fetch the set, or join the fetch under way, or do nothing within the cooldown."""
        if self._refreshing is None:
            if self._cooldown_left_seconds() > 0:
                return
            self._refreshing = asyncio.ensure_future(self._fetch())
        # One caller that leaves must not take the fetch away from the others.
        await asyncio.shield(self._refreshing)

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                body = await asyncio.to_thread(self._download)
            self._keys = parse_keys(body)
            self._fetched_at = self._clock()
        except (OSError, http.client.HTTPException, ValueError) as error:
            _log.warning("the key set at %s could not be fetched: %s", self._url, error)
        finally:
            self._attempted_at = self._clock()
            self._refreshing = None

    def _download(self) -> bytes:
        """The body of the key set, read in a thread. Raises OSError, HTTPException or ValueError."""
        give_up_at = time.monotonic() + self._timeout_seconds
        body = b""
        with _opener().open(self._url, timeout=self._timeout_seconds) as response:
            while chunk := response.read1(64 * 1024):
                body += chunk
                if len(body) > self._max_size_bytes:
                    raise ValueError(f"it is larger than {self._max_size_bytes} bytes")
                if time.monotonic() > give_up_at:
                    raise TimeoutError(f"it took longer than {self._timeout_seconds} seconds")
        return body


def _opener() -> urllib.request.OpenerDirector:
    # Only HTTP and HTTPS, and no redirects: the operator named the place of the keys, nobody else may.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def parse_keys(body: bytes) -> tuple[VerificationKey, ...]:
    """The keys of a JWK set that can verify a token; the others are skipped. Raises ValueError for no set."""
    try:
        document = json.loads(body)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    entries = document.get("keys") if isinstance(document, dict) else None
    if isinstance(entries, list):
        parsed = (_parse_key(entry) for entry in entries if isinstance(entry, dict))
        return tuple(key for key in parsed if key is not None)
    raise ValueError("it is not a JWK set")


def _parse_key(entry: Mapping[str, object]) -> VerificationKey | None:
    # A private key ("d") has no place in a public set, and verifies nothing.
    if entry.get("use", "sig") != "sig" or "d" in entry:
        return None
    try:
        jwk = PyJWK.from_dict(dict(entry))
        if jwk.algorithm_name not in ASYMMETRIC_ALGORITHMS:
            return None
        if jwk.Algorithm.check_key_length(jwk.Algorithm.prepare_key(jwk.key)) is not None:
            return None
    except Exception as error:  # noqa: BLE001 - the parser's errors are an open set; one bad key spares the rest
        _log.warning("a key of the key set is skipped: %s", type(error).__name__)
        return None
    key_id = entry.get("kid")
    content = json.dumps(entry, sort_keys=True).encode()
    return VerificationKey(
        key_id=key_id if isinstance(key_id, str) else None,
        algorithm=jwk.algorithm_name,
        fingerprint=hashlib.sha256(content).hexdigest(),
        jwk=jwk,
    )
