"""What a signed payload says, and whether it still holds: expiry, audience, issuer, tenant and subject."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import jwt

from gateway.errors import (
    GatewayError,
    TokenClaimMissingError,
    TokenExpiredError,
    TokenInvalidError,
    TokenMalformedError,
    TokenWrongAudienceError,
    TokenWrongIssuerError,
)
from gateway.identity.keys import ASYMMETRIC_ALGORITHMS

TokenUse = Literal["access", "refresh"]

MIN_SECRET_BYTES = 32
MAX_NAME_CHARACTERS = 255
MAX_INSTANT_SECONDS = 253_402_300_800  # the year 10000


@dataclass(frozen=True)
class TokenConfig:
    """Which tokens are accepted. A claim is named by a top-level name or a dotted path.

    With a secret, HS256 tokens; with a key set's address, tokens of the asymmetric algorithms; of these only
    the ones in `algorithms`. Raises ValueError for settings that no token could satisfy.
    """

    secret: str | None = field(default=None, repr=False)
    jwks_url: str | None = None
    algorithms: tuple[str, ...] = ("HS256", *ASYMMETRIC_ALGORITHMS)
    audience: str | None = None
    issuer: str | None = None
    tenant_claim: str = "tenant"
    subject_claim: str = "sub"
    leeway_seconds: int = 0

    def __post_init__(self) -> None:
        if unknown := set(self.algorithms) - {"HS256", *ASYMMETRIC_ALGORITHMS}:
            raise ValueError(f"algorithms that the gateway does not know: {', '.join(sorted(unknown))}")
        if self.secret is not None:
            _check_secret(self.secret)
        if self.jwks_url is not None and not self.jwks_url.startswith(("https://", "http://")):
            raise ValueError("the address of the key set must begin with https:// or http://")
        if not self.accepted_algorithms:
            raise ValueError("no token could be accepted: set a secret (HS256) or the address of a key set")

    @property
    def accepted_algorithms(self) -> frozenset[str]:
        """The listed algorithms for which there is a secret or a key set."""
        usable = {"HS256"} if self.secret is not None else set()
        if self.jwks_url is not None:
            usable |= set(ASYMMETRIC_ALGORITHMS)
        return frozenset(usable.intersection(self.algorithms))


def _check_secret(secret: str) -> None:
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"the token secret must have at least {MIN_SECRET_BYTES} bytes")
    try:
        jwt.get_algorithm_by_name("HS256").prepare_key(secret)
    except jwt.InvalidKeyError as error:
        raise ValueError("the token secret must be random text, not a PEM or JWK key") from error


@dataclass(frozen=True)
class Claims:
    """The claims of a token that holds. `expires_at` is in seconds since the epoch."""

    tenant: str
    subject: str
    expires_at: float
    token_use: TokenUse
    credential_stamp: str | None
    raw: Mapping[str, object] = field(compare=False, repr=False)


def check_claims(payload: Mapping[str, object], config: TokenConfig, token_use: TokenUse, now: float) -> Claims:
    """The claims of a payload whose signature has been checked. Raises a TOKEN_* error for what fails."""
    expires_at = _required_instant(payload, "exp")
    if now >= expires_at + config.leeway_seconds:
        raise TokenExpiredError
    for name in ("nbf", "iat"):
        if name in payload and _required_instant(payload, name) > now + config.leeway_seconds:
            raise TokenInvalidError(f"The token's `{name}` is in the future. Wait, or set the clocks right.")
    _check_parties(payload, config)
    if payload.get("token_use", "access") != token_use:
        raise TokenInvalidError(f"The token is of another kind. Send the {token_use} token here.")
    stamp = payload.get("credential_stamp")
    return Claims(
        tenant=_required_name(payload, config.tenant_claim),
        subject=_required_name(payload, config.subject_claim),
        expires_at=expires_at,
        token_use=token_use,
        credential_stamp=stamp if isinstance(stamp, str) else None,
        raw=payload,
    )


def read_claim(payload: Mapping[str, object], path: str) -> object | None:
    """The claim of that whole name, else the one that the dotted path leads to, else None.

    Names may hold dots themselves: `https://example.com/claims.tenant` is read as it is written first, then
    as `tenant` within `https://example.com/claims`.
    """
    if path in payload:
        return payload[path]
    for position in (index for index, character in enumerate(path) if character == "."):
        within = payload.get(path[:position])
        if isinstance(within, Mapping) and (found := read_claim(within, path[position + 1 :])) is not None:
            return found
    return None


def _check_parties(payload: Mapping[str, object], config: TokenConfig) -> None:
    if config.audience is not None:
        audience = _required(payload, "aud")
        if config.audience not in (audience if isinstance(audience, list) else [audience]):
            raise TokenWrongAudienceError
    if config.issuer is not None and _required(payload, "iss") != config.issuer:
        raise TokenWrongIssuerError


def _required(payload: Mapping[str, object], path: str) -> object:
    value = read_claim(payload, path)
    if value is None:
        raise TokenClaimMissingError(extensions={"claim": path})
    return value


def _required_instant(payload: Mapping[str, object], name: str) -> float:
    value = _required(payload, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MAX_INSTANT_SECONDS:
        raise _malformed(name, "a number of seconds since 1970")
    return float(value)


def _required_name(payload: Mapping[str, object], path: str) -> str:
    value = _required(payload, path)
    # What is not printable (NUL, lone surrogates) would fail in the database, as an error of ours.
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= MAX_NAME_CHARACTERS:
        raise _malformed(path, f"printable text of 1 to {MAX_NAME_CHARACTERS} characters")
    return value


def _malformed(path: str, wanted: str) -> GatewayError:
    message = f"The token's claim `{path}` is not {wanted}. Have the issuer correct it."
    return TokenMalformedError(message, extensions={"claim": path})
