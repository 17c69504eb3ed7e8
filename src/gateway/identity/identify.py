"""The first step of a request: from its headers to who is calling."""

import time
from collections import OrderedDict
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

REMEMBERED_SECONDS = 0.9
"""A token's key may be withdrawn: so often at least is the whole token looked at again."""
MOST_REMEMBERED = 4096


@dataclass(frozen=True)
class Identity:
    """An active member of a tenant."""

    tenant_id: int
    tenant_slug: str
    plan: str
    currency: str
    time_zone: str
    member_id: int
    role: Role


class Identifier:
    """Tells who is calling, from the values of two headers."""

    def __init__(self, verifier: TokenVerifier, members: MemberCache) -> None:
        self._verifier = verifier
        self._members = members
        self._verified: OrderedDict[str, tuple[Claims, float]] = OrderedDict()

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
        claims, verified_at = self._verified.get(authorization, (None, 0.0))
        if claims is None or time.monotonic() - verified_at > REMEMBERED_SECONDS or time.time() >= claims.expires_at:
            return None
        if x_tenant is not None and x_tenant.strip() != claims.tenant:
            return None
        record = self._members.remembered(claims.tenant, claims.subject)
        return _identity(record) if record is not None and record.role and record.active else None

    def _remember(self, authorization: str, claims: Claims) -> None:
        self._verified[authorization] = (claims, time.monotonic())
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
        plan=record.plan,
        currency=record.currency,
        time_zone=record.time_zone,
        member_id=record.member_id,
        role=Role(record.role),
    )
