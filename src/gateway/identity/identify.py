"""The first step of a request: from its headers to who is calling."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from gateway.errors import (
    MemberInactiveError,
    MemberUnknownError,
    TenantMismatchError,
    TenantUnknownError,
    TokenMalformedError,
)
from gateway.identity.members import MemberCache, MemberRecord
from gateway.identity.permissions import Role
from gateway.identity.tokens import Claims, TokenVerifier
from gateway.terms import Terms

REMEMBERED_SECONDS = 0.9
"""A token's key may be withdrawn: so often at least is the whole token looked at again."""
RENEWED_SECONDS = 0.6
"""From then on one request is sent to look again, so that not all who hold the token find it forgotten at once."""
MOST_REMEMBERED = 4096


@dataclass(frozen=True)
class Identity:
    """An active member of a tenant."""

    tenant_id: int
    tenant_slug: str
    terms: Terms
    currency: str
    time_zone: str
    member_id: int
    role: Role


@dataclass(slots=True)
class _Verified:
    """`at`: when, by the identifier's clock. `renewing`: whether a request was sent to look again."""

    claims: Claims
    at: float
    renewing: bool = False


class Identifier:
    """Tells who is calling, from the values of two headers. `clock` gives seconds that only grow."""

    def __init__(
        self, verifier: TokenVerifier, members: MemberCache, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._verifier = verifier
        self._members = members
        self._clock = clock
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    async def identify(self, authorization: str | None, x_tenant: str | None) -> Identity | None:
        """The caller; None without an `Authorization` header: anonymous.

        Raises the errors of `TokenVerifier.verify`, TENANT_MISMATCH, TENANT_UNKNOWN, MEMBER_UNKNOWN,
        MEMBER_INACTIVE, and whatever the lookup of the member raises.
        """
        if authorization is None:
            return None
        claims = await self._verifier.verify(_bearer_token(authorization))
        self._remember(authorization, claims)
        if x_tenant is not None and x_tenant.strip() != claims.tenant:
            raise TenantMismatchError
        return _identity(await self._members.find(claims.tenant, claims.subject))

    def remembered(self, authorization: str, x_tenant: str | None) -> Identity | None:
        """The caller, where `identify` would say so without waiting for anything. None: it may say anything."""
        verified = self._verified.get(authorization)
        if verified is None or not self._counts(verified):
            return None
        claims = verified.claims
        if x_tenant is not None and x_tenant.strip() != claims.tenant:
            return None
        record = self._members.remembered(claims.tenant, claims.subject)
        return _identity(record) if record is not None and record.role and record.active else None

    def _counts(self, verified: _Verified) -> bool:
        age_seconds = self._clock() - verified.at
        if age_seconds > RENEWED_SECONDS and not verified.renewing:
            verified.renewing = True
            return False
        return age_seconds <= REMEMBERED_SECONDS and not self._verifier.is_over(verified.claims)

    def _remember(self, authorization: str, claims: Claims) -> None:
        self._verified[authorization] = _Verified(claims, self._clock())
        self._verified.move_to_end(authorization)
        if len(self._verified) > MOST_REMEMBERED:
            self._verified.popitem(last=False)


def _bearer_token(authorization: str) -> str:
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise TokenMalformedError
    return token.strip()


@lru_cache(maxsize=MOST_REMEMBERED)
def _identity(record: MemberRecord | None) -> Identity:
    if record is None:
        raise TenantUnknownError
    if record.member_id is None or record.role is None:
        raise MemberUnknownError
    if not record.active:
        raise MemberInactiveError
    return Identity(
        tenant_id=record.tenant_id,
        tenant_slug=record.tenant_slug,
        terms=record.terms,
        currency=record.currency,
        time_zone=record.time_zone,
        member_id=record.member_id,
        role=Role(record.role),
    )
