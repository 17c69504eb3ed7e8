"""The first step of a request: from its headers to who is calling."""

from dataclasses import dataclass

from gateway.errors import (
    MemberInactiveError,
    MemberUnknownError,
    TenantMismatchError,
    TenantUnknownError,
    TokenMalformedError,
)
from gateway.identity.members import MemberCache, MemberRecord
from gateway.identity.permissions import Role
from gateway.identity.tokens import TokenVerifier


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

    async def identify(self, authorization: str | None, x_tenant: str | None) -> Identity | None:
        """The caller; None without an `Authorization` header: anonymous.

        Raises the errors of `TokenVerifier.verify`, TENANT_MISMATCH, TENANT_UNKNOWN, MEMBER_UNKNOWN,
        MEMBER_INACTIVE, and whatever the lookup of the member raises.
        """
        if authorization is None:
            return None
        claims = await self._verifier.verify(_bearer_token(authorization))
        if x_tenant is not None and x_tenant.strip() != claims.tenant:
            raise TenantMismatchError
        return _identity(await self._members.find(claims.tenant, claims.subject))


def _bearer_token(authorization: str) -> str:
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise TokenMalformedError
    return token.strip()


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
