"""Signing in with a password, and staying signed in with a refresh token."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.errors import LoginFailedError, LoginUnavailableError
from gateway.identity.issuing import TokenIssuer
from gateway.identity.passwords import Passwords
from gateway.identity.tokens import TokenVerifier


class Credentials(Protocol):
    """A member as sign-in sees one. `password_hash` is None for a member who signs in elsewhere."""

    @property
    def tenant_id(self) -> int: ...
    @property
    def member_id(self) -> int: ...
    @property
    def subject(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def password_hash(self) -> str | None: ...


Lookup = Callable[[str, str], Awaitable[Credentials | None]]
"""(tenant slug, email or subject) to the credentials; None: unknown."""


@dataclass(frozen=True, slots=True)
class Session:
    """Tokens of a member who signed in."""

    tenant_id: int
    member_id: int
    token: str
    expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime


class Sessions:
    """Without an issuer, tokens come from an identity provider and signing in here is refused."""

    def __init__(
        self,
        *,
        issuer: TokenIssuer | None,
        verifier: TokenVerifier,
        passwords: Passwords,
        by_email: Lookup,
        by_subject: Lookup,
    ) -> None:
        self._issuer = issuer
        self._verifier = verifier
        self._passwords = passwords
        self._by_email = by_email
        self._by_subject = by_subject

    async def login(self, tenant: str, email: str, password: str) -> Session:
        """New tokens for a right password. Every refusal is the same and takes the same work: LOGIN_FAILED."""
        issuer = self._issuing()
        credentials = await self._by_email(tenant, email)
        await self._passwords.check(password, credentials.password_hash if credentials else None)
        if credentials is None or not credentials.active:
            raise LoginFailedError
        return _session(issuer, tenant, credentials)

    async def refresh(self, token: str) -> Session:
        """New tokens for a refresh token whose member is active and has the same password still."""
        issuer = self._issuing()
        claims = await self._verifier.verify(token, use="refresh")
        credentials = await self._by_subject(claims.tenant, claims.subject)
        if credentials is None or not credentials.active:
            raise LoginFailedError
        if not hmac.compare_digest(claims.credential_stamp or "", credential_stamp(credentials.password_hash)):
            raise LoginFailedError
        return _session(issuer, claims.tenant, credentials)

    def _issuing(self) -> TokenIssuer:
        if self._issuer is None:
            raise LoginUnavailableError
        return self._issuer


def credential_stamp(password_hash: str | None) -> str:
    """What a refresh token remembers of the password: it ends when the password changes."""
    return hashlib.sha256((password_hash or "").encode()).hexdigest()[:32]


def _session(issuer: TokenIssuer, tenant: str, credentials: Credentials) -> Session:
    access = issuer.access(tenant, credentials.subject)
    refresh = issuer.refresh(tenant, credentials.subject, credential_stamp(credentials.password_hash))
    return Session(
        credentials.tenant_id, credentials.member_id, access.token, access.expires_at, refresh.token, refresh.expires_at
    )
