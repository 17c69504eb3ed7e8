import json
from dataclasses import replace

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.identity.identify import Identifier, Identity
from gateway.identity.members import MemberCache, MemberRecord
from gateway.identity.permissions import Role
from gateway.identity.tokens import TokenConfig, TokenVerifier
from tests.identity.support import NOW, SECRET, TERMS, Clock, hs256

ANN = MemberRecord(1, "acme", TERMS, "EUR", "Europe/Berlin", 7, "rep", active=True, still_true=lambda: True)
IDENTITY = Identity(1, "acme", TERMS, "EUR", "Europe/Berlin", 7, Role.REP)
asked: list[tuple[str, str]] = []


async def lookup(tenant: str, subject: str) -> MemberRecord | None:
    asked.append((tenant, subject))
    members = {
        "ann@acme.test": ANN,
        "left@acme.test": replace(ANN, member_id=9, active=False),
    }
    nobody = replace(ANN, member_id=None, role=None, active=False)
    return members.get(subject, nobody) if tenant == "acme" else None


def identifier(clock: Clock | None = None) -> Identifier:
    """Without a clock, no time passes."""
    asked.clear()
    clock = clock or Clock()
    verifier = TokenVerifier(TokenConfig(secret=SECRET), clock=clock)
    return Identifier(verifier, MemberCache(lookup, clock=clock), clock=clock)


async def refusal(authorization: str, x_tenant: str | None = None) -> tuple[str, int]:
    with pytest.raises(GatewayError) as caught:
        await identifier().identify(authorization, x_tenant)
    return caught.value.code, caught.value.status


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", " Bearer ", "Bearer   "])
async def test_a_bearer_token_names_a_member(scheme: str) -> None:
    assert await identifier().identify(f"{scheme} {hs256()} ", None) == IDENTITY


@pytest.mark.parametrize("x_tenant", [None, "acme", "no such tenant"])
async def test_without_a_token_the_caller_is_anonymous(x_tenant: str | None) -> None:
    assert await identifier().identify(None, x_tenant) is None


@pytest.mark.parametrize("authorization", ["", " ", "Bearer", "Bearer ", "Basic YTpi", hs256(), f"Token {hs256()}"])
async def test_another_scheme_or_none_is_malformed(authorization: str) -> None:
    assert await refusal(authorization) == ("TOKEN_MALFORMED", 401)


@pytest.mark.parametrize(
    ("tenant", "subject", "code"),
    [
        ("unknown", "ann@acme.test", "TENANT_UNKNOWN"),
        ("acme", "stranger@acme.test", "MEMBER_UNKNOWN"),
        ("acme", "left@acme.test", "MEMBER_INACTIVE"),
    ],
)
async def test_who_is_not_an_active_member_is_refused(tenant: str, subject: str, code: str) -> None:
    assert await refusal(f"Bearer {hs256(tenant=tenant, sub=subject)}") == (code, 401)
    assert asked == [(tenant, subject)]


@pytest.mark.parametrize("x_tenant", ["other", "", "ACME", "acme,other"])
async def test_another_tenant_than_the_tokens_is_refused_before_the_lookup(x_tenant: str) -> None:
    assert await refusal(f"Bearer {hs256()}", x_tenant) == ("TENANT_MISMATCH", 403)
    assert asked == []


@pytest.mark.parametrize("x_tenant", ["acme", " acme "])
async def test_the_tokens_own_tenant_may_be_named(x_tenant: str) -> None:
    assert await identifier().identify(f"Bearer {hs256()}", x_tenant) == IDENTITY


SEGMENT = st.binary(max_size=60).map(lambda raw: jwt.utils.base64url_encode(raw).decode())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
HEADER = st.fixed_dictionaries({}, optional={"alg": JSON | st.just("HS256"), "kid": JSON, "crit": JSON, "b64": JSON})
PAYLOAD = st.dictionaries(st.sampled_from(["exp", "nbf", "iat", "tenant", "sub", "token_use", "aud"]), JSON)


def sign(header: dict[str, object], body: dict[str, object]) -> str:
    """As an issuer would that knows the secret and writes what it likes."""
    head, claims = (jwt.utils.base64url_encode(json.dumps(part).encode()) for part in (header, body))
    mac = jwt.get_algorithm_by_name("HS256").sign(head + b"." + claims, SECRET.encode())
    return b".".join([head, claims, jwt.utils.base64url_encode(mac)]).decode()


@settings(deadline=None, max_examples=300)
@given(
    st.text()
    | st.text().map("Bearer {}".format)
    | st.lists(SEGMENT, min_size=2, max_size=5).map(lambda parts: "Bearer " + ".".join(parts))
    | st.builds(sign, HEADER, PAYLOAD).map("Bearer {}".format)
)
async def test_whatever_the_header_holds_only_an_error_of_the_catalogue_comes_out(authorization: str) -> None:
    try:
        outcome: object = await identifier().identify(authorization, None)
    except GatewayError as error:
        outcome = error.stage
    assert outcome in ("identify", IDENTITY)


async def test_a_caller_who_was_identified_is_remembered_by_the_very_same_headers() -> None:
    known, token = identifier(), f"Bearer {hs256()}"
    assert known.remembered(token, None) is None
    await known.identify(token, None)
    assert [known.remembered(token, tenant) for tenant in (None, "acme", " acme ")] == [IDENTITY] * 3
    assert [known.remembered(token, tenant) for tenant in ("other", "")] == [None] * 2
    assert known.remembered(f"{token} ", None) is None


async def test_who_was_refused_is_not_remembered() -> None:
    known = identifier()
    claims = [{"sub": "stranger@acme.test"}, {"sub": "left@acme.test"}, {"tenant": "unknown"}]
    refused = [f"Bearer {hs256(**changes)}" for changes in claims]
    for token in refused:
        with pytest.raises(GatewayError):
            await known.identify(token, None)
    assert [known.remembered(token, None) for token in refused] == [None] * 3


async def test_a_token_that_has_expired_is_not_remembered() -> None:
    clock = Clock()
    known, token = identifier(clock), f"Bearer {hs256(exp=NOW + 0.3)}"
    await known.identify(token, None)
    assert known.remembered(token, None) == IDENTITY
    clock.now += 0.3
    assert known.remembered(token, None) is None


async def test_one_request_looks_at_a_token_again_before_it_is_forgotten() -> None:
    clock = Clock()
    known, token = identifier(clock), f"Bearer {hs256()}"
    await known.identify(token, None)
    clock.now += 0.7
    assert [known.remembered(token, None) for _ in range(3)] == [None, IDENTITY, IDENTITY]
    await known.identify(token, None)
    clock.now += 0.5
    assert known.remembered(token, None) == IDENTITY
    clock.now += 0.5
    assert [known.remembered(token, None) for _ in range(3)] == [None] * 3
