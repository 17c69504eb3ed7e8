"""Signing in: the only mutations that an anonymous caller may use."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Self

import strawberry

from gateway.api import members
from gateway.api.context import Info, Session
from gateway.api.members import Member

TenantSlug = Annotated[str, strawberry.argument(description="Slug of the tenant.")]
Email = Annotated[str, strawberry.argument(description="The member's email address.")]
Password = Annotated[str, strawberry.argument(description="The member's password.")]
RefreshToken = Annotated[str, strawberry.argument(description="The `refreshToken` of an earlier sign-in.")]


@strawberry.type(description="Tokens of a member who signed in.")
class LoginPayload:
    member_key: strawberry.Private[int]
    token: str = strawberry.field(description="Send it as `Authorization: Bearer <token>`.")
    expires_at: datetime = strawberry.field(description="When the token ends.")
    refresh_token: str = strawberry.field(description="Gets new tokens from `refreshToken`, without a password.")
    refresh_expires_at: datetime = strawberry.field(
        description="When the refresh token ends. It ends at once when the password changes or the member is "
        "deactivated."
    )

    @strawberry.field(description="Who signed in.")
    async def member(self, info: Info) -> Member:
        return await members.owner(info, self.member_key)

    @classmethod
    async def of(cls, info: Info, signing_in: Awaitable[Session]) -> Self:
        # A request never holds two connections: the payload of the mutation before may still hold one.
        await info.context.release()
        session = await signing_in
        await info.context.renew(session.tenant_id, session.member_id)
        return cls(
            member_key=session.member_id,
            token=session.token,
            expires_at=session.expires_at,
            refresh_token=session.refresh_token,
            refresh_expires_at=session.refresh_expires_at,
        )
