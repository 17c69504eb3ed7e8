import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import GatewayError, TokenClaimMissingError, TokenExpiredError, TokenInvalidError
from gateway.identity import tokens as module
from gateway.identity.claims import read_claim
from gateway.identity.keys import KeySetClient
from gateway.identity.tokens import Claims, TokenConfig, TokenVerifier
from tests.identity.support import (
    NOW,
    RSA_KEY,
    SECRET,
    Clock,
    KeyServer,
    hs256,
    payload,
    public_jwk,
    signed_by,
)


def verifier(clock: Clock | None = None, **changes: Any) -> TokenVerifier:
    return TokenVerifier(TokenConfig(**{"secret": SECRET, **changes}), clock=clock or Clock())


def part(value: object) -> str:
    encoded = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(encoded).rstrip(b"=").decode()


async def refusal(checking: TokenVerifier, token: str) -> str:
    with pytest.raises(GatewayError) as caught:
        await checking.verify(token)
    assert len(token) < 20 or token not in caught.value.message
    return caught.value.code


async def test_a_token_that_holds_gives_its_claims() -> None:
    claims = await verifier().verify(hs256(scope="all"))
    assert claims == Claims("acme", "ann@acme.test", NOW + 600, "access", None, {})
    assert claims.raw["scope"] == "all"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exp": None}, "TOKEN_CLAIM_MISSING"),
        ({"tenant": None}, "TOKEN_CLAIM_MISSING"),
        ({"sub": None}, "TOKEN_CLAIM_MISSING"),
        ({"exp": NOW}, "TOKEN_EXPIRED"),
        ({"exp": "tomorrow"}, "TOKEN_MALFORMED"),
        ({"exp": True}, "TOKEN_MALFORMED"),
        ({"exp": float("nan")}, "TOKEN_MALFORMED"),
        ({"exp": float("inf")}, "TOKEN_MALFORMED"),
        ({"exp": 10**400}, "TOKEN_MALFORMED"),
        ({"exp": [NOW]}, "TOKEN_MALFORMED"),
        ({"nbf": NOW + 1}, "TOKEN_INVALID"),
        ({"iat": NOW + 1}, "TOKEN_INVALID"),
        ({"tenant": ["acme"]}, "TOKEN_MALFORMED"),
        ({"tenant": ""}, "TOKEN_MALFORMED"),
        ({"tenant": "a\x00b"}, "TOKEN_MALFORMED"),
        ({"tenant": "x" * 256}, "TOKEN_MALFORMED"),
        ({"token_use": "refresh"}, "TOKEN_INVALID"),
        ({"token_use": ["access"]}, "TOKEN_INVALID"),
    ],
)
async def test_a_token_whose_claims_do_not_hold_is_refused(changes: dict[str, Any], code: str) -> None:
    assert await refusal(verifier(), hs256(**changes)) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "other", "iss": "us"}, "TOKEN_WRONG_AUDIENCE"),
        ({"aud": ["other", 5, None], "iss": "us"}, "TOKEN_WRONG_AUDIENCE"),
        ({"aud": "gatewa", "iss": "us"}, "TOKEN_WRONG_AUDIENCE"),
        ({"iss": "us"}, "TOKEN_CLAIM_MISSING"),
        ({"aud": "gateway", "iss": "them"}, "TOKEN_WRONG_ISSUER"),
        ({"aud": "gateway", "iss": {"us": 1}}, "TOKEN_WRONG_ISSUER"),
        ({"aud": "gateway"}, "TOKEN_CLAIM_MISSING"),
    ],
)
async def test_a_token_of_other_parties_is_refused(changes: dict[str, Any], code: str) -> None:
    assert await refusal(verifier(audience="gateway", issuer="us"), hs256(**changes)) == code


@pytest.mark.parametrize("audience", ["gateway", ["other", "gateway"]])
async def test_a_token_for_this_audience_is_accepted(audience: object) -> None:
    claims = await verifier(audience="gateway", issuer="us").verify(hs256(aud=audience, iss="us"))
    assert claims.tenant == "acme"


async def test_a_missing_claim_is_named() -> None:
    with pytest.raises(TokenClaimMissingError) as caught:
        await verifier(tenant_claim="app.tenant").verify(hs256())
    assert caught.value.extensions == {"claim": "app.tenant"}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"alg": "none"}, "TOKEN_ALGORITHM_REFUSED"),
        ({"alg": "None"}, "TOKEN_ALGORITHM_REFUSED"),
        ({"alg": "HS512"}, "TOKEN_ALGORITHM_REFUSED"),
        ({"alg": "RS256"}, "TOKEN_ALGORITHM_REFUSED"),
        ({"alg": ["HS256"]}, "TOKEN_ALGORITHM_REFUSED"),
        ({}, "TOKEN_ALGORITHM_REFUSED"),
        ({"alg": "HS256"}, "TOKEN_INVALID"),
        ({"alg": "HS256", "crit": ["exp"]}, "TOKEN_MALFORMED"),
        ({"alg": "HS256", "crit": {}}, "TOKEN_MALFORMED"),
        ({"alg": "HS256", "kid": 5}, "TOKEN_MALFORMED"),
        ({"alg": "HS256", "b64": False}, "TOKEN_MALFORMED"),
        ([], "TOKEN_MALFORMED"),
        (b"\xff\xfe", "TOKEN_MALFORMED"),
        (b"[" * 5000, "TOKEN_MALFORMED"),
        (b'{"alg": ' + b"9" * 5000 + b"}", "TOKEN_MALFORMED"),
    ],
)
async def test_a_forged_header_is_refused(header: object, code: str) -> None:
    assert await refusal(verifier(), f"{part(header)}.{part(payload())}.{part(b'signature')}") == code


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        ".....",
        "a.b",
        "a.b.c",
        "é.é.é",
        "\ud800.a.b",
        "x" * 1_000_000,
        "." * 1_000_000,
        hs256() + ".x",
        hs256(padding="x" * 8192),
    ],
    ids=lambda token: f"{token[:9]!a} of {len(token)}",
)
async def test_rubbish_is_malformed(token: str) -> None:
    assert await refusal(verifier(), token) == "TOKEN_MALFORMED"


@pytest.mark.parametrize("body", [b"5", b"null", b"[]", b"{", b"\xff", b"[" * 3000, b'{"exp": ' + b"9" * 5000 + b"}"])
async def test_a_signed_payload_that_is_no_object_is_malformed(body: bytes) -> None:
    assert await refusal(verifier(), jwt.PyJWS().encode(body, SECRET, algorithm="HS256")) == "TOKEN_MALFORMED"


async def test_an_unsigned_or_tampered_token_is_refused() -> None:
    header, body, signature = hs256().split(".")
    forged = part(payload(tenant="other"))
    assert await refusal(verifier(), f"{header}.{forged}.{signature}") == "TOKEN_INVALID"
    assert await refusal(verifier(), f"{header}.{body}.") == "TOKEN_INVALID"
    assert await refusal(verifier(), hs256("another secret, as long as the first")) == "TOKEN_INVALID"


async def test_leeway_stretches_both_ends() -> None:
    checking = verifier(leeway_seconds=30)
    assert (await checking.verify(hs256(exp=NOW - 29, nbf=NOW + 30))).tenant == "acme"
    assert await refusal(checking, hs256(exp=NOW - 30)) == "TOKEN_EXPIRED"
    assert await refusal(checking, hs256(nbf=NOW + 31)) == "TOKEN_INVALID"


async def test_a_remembered_token_still_expires() -> None:
    clock = Clock()
    checking, token = verifier(clock), hs256()
    assert await checking.verify(token) == await checking.verify(token)
    clock.now = NOW + 600
    with pytest.raises(TokenExpiredError):
        await checking.verify(token)


async def test_a_remembered_access_token_is_no_refresh_token() -> None:
    checking, token = verifier(), hs256()
    await checking.verify(token)
    with pytest.raises(TokenInvalidError):
        await checking.verify(token, use="refresh")


async def test_only_so_many_signatures_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED_TOKENS", 2)
    checking, (first, second, third) = verifier(), (hs256(jti=str(number)) for number in range(3))
    for token in (first, second, first, third):
        await checking.verify(token)
    assert [signed.payload["jti"] for signed in checking._remembered.values()] == ["0", "2"]


@pytest.mark.parametrize(("algorithm", "key_id"), [("RS256", "rsa"), ("ES256", "ec"), ("EdDSA", "ed")])
async def test_tokens_of_a_key_set_and_of_the_secret_are_both_accepted(
    key_server: KeyServer, algorithm: str, key_id: str
) -> None:
    checking = verifier(jwks_url=key_server.url)
    for token in (signed_by(algorithm, key_id), signed_by(algorithm, None), hs256()):
        assert (await checking.verify(token)).subject == "ann@acme.test"


async def test_a_public_key_is_no_secret(key_server: KeyServer) -> None:
    checking = verifier(jwks_url=key_server.url, secret=None)
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signing_input = f"{part({'alg': 'HS256', 'kid': 'rsa'})}.{part(payload())}"
    hmac = jwt.get_algorithm_by_name("HS256").sign(signing_input.encode(), public)
    assert await refusal(checking, f"{signing_input}.{part(hmac)}") == "TOKEN_ALGORITHM_REFUSED"
    assert await refusal(verifier(jwks_url=key_server.url), f"{signing_input}.{part(hmac)}") == "TOKEN_INVALID"


async def test_a_key_of_another_type_than_the_algorithm_is_not_used(key_server: KeyServer) -> None:
    checking = verifier(jwks_url=key_server.url)
    assert await refusal(checking, signed_by("RS256", "ec")) == "TOKEN_INVALID"
    assert await refusal(checking, signed_by("ES256", "rsa")) == "TOKEN_INVALID"
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert await refusal(checking, signed_by("ES256", "ec", stranger)) == "TOKEN_INVALID"


async def test_an_algorithm_that_is_not_listed_is_refused(key_server: KeyServer) -> None:
    checking = verifier(jwks_url=key_server.url, algorithms=("RS256",))
    assert (await checking.verify(signed_by("RS256", "rsa"))).tenant == "acme"
    assert await refusal(checking, signed_by("ES256", "ec")) == "TOKEN_ALGORITHM_REFUSED"
    assert await refusal(checking, hs256()) == "TOKEN_ALGORITHM_REFUSED"


async def test_a_remembered_token_falls_with_its_key(key_server: KeyServer) -> None:
    clock = Clock()
    config = TokenConfig(jwks_url=key_server.url)
    keys = KeySetClient(key_server.url, lifetime_seconds=300, cooldown_seconds=10, clock=clock)
    checking, token = TokenVerifier(config, keys=keys, clock=Clock()), signed_by("ES256", "ec")
    await checking.verify(token)
    successor = ec.generate_private_key(ec.SECP256R1())
    key_server.publish(public_jwk("ES256", "new", successor))
    clock.now += 10
    assert (await checking.verify(signed_by("ES256", "new", successor))).tenant == "acme"
    assert await refusal(checking, token) == "TOKEN_INVALID"


async def test_a_remembered_token_falls_when_its_key_id_gets_another_key(key_server: KeyServer) -> None:
    clock = Clock()
    keys = KeySetClient(key_server.url, lifetime_seconds=300, clock=clock)
    checking = TokenVerifier(TokenConfig(jwks_url=key_server.url), keys=keys, clock=Clock())
    token = signed_by("ES256", "ec")
    await checking.verify(token)
    key_server.publish(public_jwk("ES256", "ec", ec.generate_private_key(ec.SECP256R1())))
    clock.now += 300
    assert await refusal(checking, token) == "TOKEN_INVALID"


async def test_unreachable_keys_are_an_error_of_their_own(key_server: KeyServer) -> None:
    key_server.status = 500
    checking = verifier(jwks_url=key_server.url)
    assert await refusal(checking, signed_by("RS256", "rsa")) == "KEYS_UNAVAILABLE"
    assert (await checking.verify(hs256())).tenant == "acme"


@pytest.mark.parametrize(
    ("path", "claims", "expected"),
    [
        ("tenant", {"tenant": "acme"}, "acme"),
        ("app.tenant", {"app": {"tenant": "acme"}}, "acme"),
        ("app.tenant", {"app.tenant": "flat", "app": {"tenant": "deep"}}, "flat"),
        ("https://example.com/claims.tenant", {"https://example.com/claims": {"tenant": "acme"}}, "acme"),
        ("https://example.com/claims.tenant", {"https://example.com/claims.tenant": "acme"}, "acme"),
        ("a.b.c", {"a": {"x": 1}, "a.b": {"c": "acme"}}, "acme"),
        ("a.b.c", {"a": {"b.c": "acme"}}, "acme"),
        ("a.b", {"a": "b"}, None),
        ("a..b", {"a": {"": {"b": "acme"}}}, "acme"),
        ("", {}, None),
    ],
)
def test_a_claim_is_read_by_its_whole_name_first(path: str, claims: dict[str, object], expected: object) -> None:
    assert read_claim(claims, path) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "no token could be accepted"),
        ({"secret": "short"}, "at least 32 bytes"),
        ({"secret": '{"kty": "oct", "k": "0123456789012345678901234567890"}'}, "not a PEM or JWK key"),
        ({"secret": SECRET, "algorithms": ("none",)}, "does not know: none"),
        ({"secret": SECRET, "algorithms": ("RS256",)}, "no token could be accepted"),
        ({"jwks_url": "file:///etc/keys"}, "must begin with https"),
        ({"jwks_url": "https://id.test/keys", "algorithms": ("HS256",)}, "no token could be accepted"),
    ],
)
def test_settings_that_no_token_could_satisfy_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TokenConfig(**settings)


def test_the_secret_does_not_show() -> None:
    assert SECRET not in repr(TokenConfig(secret=SECRET))
