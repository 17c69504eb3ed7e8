"""Bearer tokens (JWT) to claims."""

import base64
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import jwt
from jwt import PyJWK

from gateway.errors import TokenAlgorithmRefusedError, TokenInvalidError, TokenMalformedError
from gateway.identity.claims import Claims, TokenConfig, TokenUse, check_claims
from gateway.identity.keys import KeySetClient, VerificationKey

__all__ = ["Claims", "TokenConfig", "TokenUse", "TokenVerifier"]

MAX_TOKEN_BYTES = 8 * 1024
MAX_REMEMBERED_TOKENS = 4096


@dataclass(frozen=True)
class _SignedToken:
    """A token whose signature was found good, with the key that it was checked by."""

    key: VerificationKey
    payload: Mapping[str, object]


class TokenVerifier:
    """Checks tokens against a `TokenConfig`, for one event loop.

    Only the signature check is remembered, and only while its key is in force: expiry and all other claims
    are checked at each use. `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        config: TokenConfig,
        *,
        keys: KeySetClient | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._clock = clock
        self._secret_key = None if config.secret is None else _secret_key(config.secret)
        self._keys = KeySetClient(config.jwks_url) if keys is None and config.jwks_url else keys
        self._signatures = jwt.PyJWS(options={"verify_signature": True, "enforce_minimum_key_length": True})
        self._remembered: OrderedDict[bytes, _SignedToken] = OrderedDict()

    async def verify(self, token: str, *, use: TokenUse = "access") -> Claims:
        """The claims of a token that holds now.

        Raises TOKEN_MALFORMED, TOKEN_ALGORITHM_REFUSED, TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_CLAIM_MISSING,
        TOKEN_WRONG_AUDIENCE, TOKEN_WRONG_ISSUER or KEYS_UNAVAILABLE.
        """
        signed = await self._check_signature(token)
        return check_claims(signed.payload, self._config, use, self._clock())

    def is_over(self, claims: Claims) -> bool:
        """Whether the time of a token that was verified has come, without any leeway."""
        return self._clock() >= claims.expires_at

    async def _check_signature(self, token: str) -> _SignedToken:
        if not token.isascii() or len(token) > MAX_TOKEN_BYTES or token.count(".") != 2:
            raise TokenMalformedError
        digest = hashlib.sha256(token.encode()).digest()
        known = self._remembered.get(digest)
        if known and await self._key(known.key.key_id, known.key.algorithm) == known.key:
            return self._remember(digest, known)
        key = await self._key(*self._read_header(token))
        return self._remember(digest, self._verify_signature(token, key))

    def _read_header(self, token: str) -> tuple[str | None, str]:
        """The key id and algorithm that the token names, not to be trusted yet."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise TokenMalformedError from error
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self._config.accepted_algorithms:
            raise TokenAlgorithmRefusedError
        return header.get("kid"), algorithm

    async def _key(self, key_id: str | None, algorithm: str) -> VerificationKey | None:
        if algorithm == "HS256":
            return self._secret_key
        return await self._keys.find(key_id, algorithm) if self._keys else None

    def _verify_signature(self, token: str, key: VerificationKey | None) -> _SignedToken:
        if key is None:
            raise TokenInvalidError("The token is signed with a key that is not in force. Log in again.")
        try:
            # The key brings its algorithm along: the token's header has no say in how it is checked.
            body = self._signatures.decode(token, key.jwk)
        except jwt.PyJWTError as error:
            raise TokenInvalidError from error
        return _SignedToken(key, _parse_payload(body))

    def _remember(self, digest: bytes, signed: _SignedToken) -> _SignedToken:
        self._remembered[digest] = signed
        self._remembered.move_to_end(digest)
        if len(self._remembered) > MAX_REMEMBERED_TOKENS:
            self._remembered.popitem(last=False)
        return signed


def _parse_payload(body: bytes) -> Mapping[str, object]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise TokenMalformedError from error
    if not isinstance(payload, dict):
        raise TokenMalformedError
    return MappingProxyType(payload)


def _secret_key(secret: str) -> VerificationKey:
    encoded = base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
    return VerificationKey(None, "HS256", "secret", PyJWK.from_dict({"kty": "oct", "k": encoded}, "HS256"))
