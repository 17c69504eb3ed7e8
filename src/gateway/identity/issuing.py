"""The gateway's own tokens, signed with its secret and readable by a verifier of the same configuration."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from gateway.identity.claims import TokenConfig, TokenUse

_OWN_CLAIMS = frozenset({"aud", "credential_stamp", "exp", "iat", "iss", "jti", "nbf", "token_use"})


@dataclass(frozen=True)
class IssuedToken:
    """A token and the instant (UTC) at which it expires."""

    token: str
    expires_at: datetime


class TokenIssuer:
    """Issues access and refresh tokens with the claims where `config` has them read.

    Raises ValueError when the configuration has no secret, or reads tenant or subject from a claim that has
    a meaning of its own.
    """

    def __init__(self, config: TokenConfig, *, access_lifetime_seconds: int, refresh_lifetime_seconds: int) -> None:
        if config.secret is None or "HS256" not in config.accepted_algorithms:
            raise ValueError("issuing tokens needs the token secret, and HS256 among the algorithms")
        if config.tenant_claim == config.subject_claim or not _OWN_CLAIMS.isdisjoint(
            {config.tenant_claim, config.subject_claim}
        ):
            raise ValueError("tenant and subject need two claims of their own")
        self._config = config
        self._secret = config.secret
        self._access_lifetime = timedelta(seconds=access_lifetime_seconds)
        self._refresh_lifetime = timedelta(seconds=refresh_lifetime_seconds)

    def access(self, tenant: str, subject: str) -> IssuedToken:
        return self._issue(tenant, subject, "access", self._access_lifetime, {})

    def refresh(self, tenant: str, subject: str, credential_stamp: str) -> IssuedToken:
        """A refresh token, good while the member's stamp (changed with their password) is the same."""
        stamp = {"credential_stamp": credential_stamp}
        return self._issue(tenant, subject, "refresh", self._refresh_lifetime, stamp)

    def _issue(
        self, tenant: str, subject: str, token_use: TokenUse, lifetime: timedelta, extra: dict[str, str]
    ) -> IssuedToken:
        issued_at = datetime.now(UTC).replace(microsecond=0)
        expires_at = issued_at + lifetime
        parties = {"aud": self._config.audience, "iss": self._config.issuer}
        payload: dict[str, object] = {
            # A path is written as one name, dots and all: a reader tries the whole name first.
            self._config.tenant_claim: tenant,
            self._config.subject_claim: subject,
            "token_use": token_use,
            "iat": int(issued_at.timestamp()),
            "exp": int(expires_at.timestamp()),
            "jti": str(uuid.uuid4()),
            **{name: value for name, value in parties.items() if value is not None},
            **extra,
        }
        return IssuedToken(jwt.encode(payload, self._secret, algorithm="HS256"), expires_at)
