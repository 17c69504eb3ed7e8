import jwt
import pytest

from gateway.errors import TokenInvalidError
from gateway.identity.issuing import TokenIssuer
from gateway.identity.tokens import Claims, TokenConfig, TokenVerifier
from tests.identity.support import SECRET


def issuer(config: TokenConfig) -> TokenIssuer:
    return TokenIssuer(config, access_lifetime_seconds=900, refresh_lifetime_seconds=86_400)


@pytest.mark.parametrize(
    "config",
    [
        TokenConfig(secret=SECRET),
        TokenConfig(secret=SECRET, audience="gateway", issuer="us"),
        TokenConfig(secret=SECRET, tenant_claim="https://example.com/claims.tenant", subject_claim="user.id"),
    ],
)
async def test_what_is_issued_is_read_by_a_verifier_of_the_same_configuration(config: TokenConfig) -> None:
    access, refresh = issuer(config).access("acme", "ann"), issuer(config).refresh("acme", "ann", "stamp 1")
    verifier = TokenVerifier(config)
    assert [await verifier.verify(access.token), await verifier.verify(refresh.token, use="refresh")] == [
        Claims("acme", "ann", access.expires_at.timestamp(), "access", None, {}),
        Claims("acme", "ann", refresh.expires_at.timestamp(), "refresh", "stamp 1", {}),
    ]


async def test_the_lifetimes_are_those_stated() -> None:
    config = TokenConfig(secret=SECRET)
    tokens = issuer(config).access("acme", "ann"), issuer(config).refresh("acme", "ann", "stamp")
    bodies = [jwt.decode(issued.token, SECRET, algorithms=["HS256"]) for issued in tokens]
    assert [body["exp"] - body["iat"] for body in bodies] == [900, 86_400]


async def test_an_access_token_and_a_refresh_token_do_not_replace_each_other() -> None:
    config = TokenConfig(secret=SECRET)
    verifier = TokenVerifier(config)
    with pytest.raises(TokenInvalidError):
        await verifier.verify(issuer(config).access("acme", "ann").token, use="refresh")
    with pytest.raises(TokenInvalidError):
        await verifier.verify(issuer(config).refresh("acme", "ann", "stamp").token)


def test_no_two_tokens_are_the_same() -> None:
    issuing = issuer(TokenConfig(secret=SECRET))
    assert issuing.access("acme", "ann").token != issuing.access("acme", "ann").token


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TokenConfig(jwks_url="https://id.test/keys"), "needs the token secret"),
        (
            TokenConfig(secret=SECRET, jwks_url="https://id.test/keys", algorithms=("RS256",)),
            "HS256 among the algorithms",
        ),
        (TokenConfig(secret=SECRET, tenant_claim="iss"), "claims of their own"),
        (TokenConfig(secret=SECRET, tenant_claim="sub"), "claims of their own"),
    ],
)
def test_an_issuer_whose_tokens_could_not_be_read_is_refused(config: TokenConfig, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        issuer(config)
