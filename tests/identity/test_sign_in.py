"""Signing in, from the mutation to the answer that its token opens."""

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import asyncpg
import httpx
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.commands.add_member import NewMember, add_member
from gateway.commands.create_tenant import NewTenant, create_tenant
from gateway.identity.keys import KeySetClient
from gateway.identity.passwords import hash_password
from tests.conftest import Client, Database, Serve
from tests.identity.support import KeyServer, public_jwk, signed_by

PASSWORD = "correct horse battery staple"
LOGIN = """mutation ($tenant: String!, $email: String!, $password: String!) {
  login(tenant: $tenant, email: $email, password: $password) {
    token expiresAt refreshToken refreshExpiresAt member { name role }
  }
}"""
REFRESH = "mutation ($token: String!) { refreshToken(token: $token) { token refreshToken member { name } } }"
ME = "{ me { name } }"

REFUSED = {
    "wrong password": {"password": "wrong"},
    "empty password": {"password": ""},
    "unknown email": {"email": "nobody@acme.test"},
    "another tenant's email": {"email": "ben@other.test"},
    "unknown tenant": {"tenant": "nowhere"},
    "member without a password": {"email": "sso@acme.test"},
    "deactivated member": {"email": "gone@acme.test"},
    "deactivated member, wrong password": {"email": "gone@acme.test", "password": "wrong"},
    "overlong password": {"password": PASSWORD + "x" * 5000},
    "pattern instead of an email": {"email": "%"},
}

STRANGE = {
    "NUL": "\0",
    "NUL within": "a\0b",
    "very long": "x" * 300_000,
    "emoji": "👩‍💻" * 50,
    "controls": "\x01\x1b[2J\x7f\r\n",
    "right to left": "\u202eevil\u2066",
    "not a character": "\ufffe\uffff",
    "quotes": "'; DROP TABLE members; --",
    "blank": "   ",
}


@pytest.fixture
async def acme(database: Database) -> Database:
    """Two tenants: `acme` with Ann, who has the password, and three who cannot sign in; `other` with Ben."""
    password_hash = hash_password(PASSWORD)
    async with database.as_owner() as owner:
        for slug in ("acme", "other"):
            await create_tenant(owner, NewTenant(slug, slug, "enterprise"))
        for tenant, email, known in (
            ("acme", "ann@acme.test", password_hash),
            ("acme", "sso@acme.test", None),
            ("acme", "gone@acme.test", password_hash),
            ("other", "ben@other.test", password_hash),
        ):
            await add_member(owner, NewMember(tenant, email, email.partition("@")[0], "rep", password_hash=known))
        await owner.execute("UPDATE members SET active = false WHERE name = 'gone'")
    return database


@pytest.fixture
async def caller(acme: Database, serve: Serve) -> Client:
    return await serve(acme)


@pytest.fixture
async def owner(acme: Database) -> AsyncIterator[asyncpg.Connection]:
    async with acme.as_owner() as connection:
        yield connection


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords are verified against, as it happens."""
    seen: list[str] = []
    verify = PasswordHasher.verify

    def counted(hasher: PasswordHasher, encoded_hash: str, password: bytes) -> bool:
        seen.append(encoded_hash)
        return bool(verify(hasher, encoded_hash, password))

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    return seen


def credentials(**changes: str) -> dict[str, str]:
    return {"tenant": "acme", "email": "ann@acme.test", "password": PASSWORD, **changes}


def code(response: httpx.Response) -> str:
    (error,) = response.json()["errors"]
    return str(error["extensions"]["code"])


async def me(caller: Client, token: str) -> httpx.Response:
    return await caller.post(ME, headers={"Authorization": f"Bearer {token}"})


async def signed_in(caller: Client) -> dict[str, Any]:
    login: dict[str, Any] = (await caller.data(LOGIN, **credentials()))["login"]
    return login


async def test_a_right_password_gives_a_token_that_works(caller: Client) -> None:
    login = await signed_in(caller)
    assert login["member"] == {"name": "ann", "role": "REP"}
    assert login["expiresAt"] < login["refreshExpiresAt"]
    assert (await me(caller, login["token"])).json() == {"data": {"me": {"name": "ann"}}}


async def test_an_email_is_found_whatever_its_case(caller: Client) -> None:
    assert (await caller.data(LOGIN, **credentials(email="Ann@ACME.test")))["login"]["member"]["name"] == "ann"


async def test_every_refusal_is_the_same_answer_for_the_same_work(caller: Client, verifications: list[str]) -> None:
    answers = set()
    for reason, changes in REFUSED.items():
        verifications.clear()
        response = await caller.post(LOGIN, credentials(**changes))
        request_id = response.headers["X-Request-Id"]
        answers.add((response.status_code, response.content.replace(request_id.encode(), b"")))
        assert len(verifications) == 1, reason
    ((_, body),) = answers
    assert json.loads(body)["errors"][0]["extensions"]["code"] == "LOGIN_FAILED"


async def test_a_hash_to_compare_with_is_as_expensive_as_a_members(caller: Client, verifications: list[str]) -> None:
    for email in ("ann@acme.test", "nobody@acme.test"):
        await caller.post(LOGIN, credentials(email=email))
    members, nobodys = (encoded.rsplit("$", 2)[0] for encoded in verifications)
    assert members == nobodys


@pytest.mark.parametrize("place", ["tenant", "email", "password"])
async def test_strange_input_is_refused_and_never_a_fault(caller: Client, place: str) -> None:
    for kind, text in STRANGE.items():
        response = await caller.post(LOGIN, credentials(**{place: text}))
        assert code(response) in {"LOGIN_FAILED", "BAD_USER_INPUT"}, kind


async def test_a_strange_refresh_token_is_refused(caller: Client) -> None:
    for kind, text in STRANGE.items():
        assert code(await caller.post(REFRESH, {"token": text})) == "TOKEN_MALFORMED", kind


async def test_half_a_surrogate_pair_is_never_a_fault(caller: Client) -> None:
    body = json.dumps({"query": LOGIN, "variables": credentials(password="PLACE")}).replace("PLACE", "\\ud800")
    response = await caller.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert code(response) in {"BAD_REQUEST", "LOGIN_FAILED", "BAD_USER_INPUT"}


async def test_a_refresh_token_gives_new_tokens(caller: Client) -> None:
    login = await signed_in(caller)
    refreshed = (await caller.data(REFRESH, token=login["refreshToken"]))["refreshToken"]
    assert refreshed["member"] == {"name": "ann"}
    assert len({login["token"], login["refreshToken"], refreshed["token"], refreshed["refreshToken"]}) == 4
    assert (await me(caller, refreshed["token"])).json() == {"data": {"me": {"name": "ann"}}}
    assert (await caller.data(REFRESH, token=refreshed["refreshToken"]))["refreshToken"]["member"] == {"name": "ann"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE members SET password_hash = $1 WHERE name = 'ann'",
        "UPDATE members SET password_hash = NULL WHERE name = 'ann' AND $1 <> ''",
        "UPDATE members SET active = false WHERE name = 'ann' AND $1 <> ''",
        "DELETE FROM members WHERE name = 'ann' AND $1 <> ''",
        "UPDATE tenants SET slug = 'moved' WHERE slug = 'acme' AND $1 <> ''",
    ],
)
async def test_a_refresh_token_ends_with_what_it_stood_for(
    caller: Client, owner: asyncpg.Connection, change: str
) -> None:
    login = await signed_in(caller)
    await owner.execute(change, hash_password(PASSWORD))
    assert code(await caller.post(REFRESH, {"token": login["refreshToken"]})) == "LOGIN_FAILED"


async def test_each_token_is_for_its_own_door(caller: Client) -> None:
    login = await signed_in(caller)
    assert code(await caller.post(REFRESH, {"token": login["token"]})) == "TOKEN_INVALID"
    assert code(await me(caller, login["refreshToken"])) == "TOKEN_INVALID"


@pytest.mark.parametrize("field", ["token", "refreshToken"])
async def test_a_token_changed_in_one_place_is_refused(caller: Client, field: str) -> None:
    header, payload, signature = (await signed_in(caller))[field].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "tenant": "other"}).encode()).rstrip(b"=").decode()
    token = f"{header}.{forged}.{signature}"
    response = await (me(caller, token) if field == "token" else caller.post(REFRESH, {"token": token}))
    assert code(response) == "TOKEN_INVALID"


async def test_signing_in_by_get_is_refused(caller: Client) -> None:
    document = LOGIN.replace("mutation", "mutation M", 1)
    asked = {"query": document, "variables": json.dumps(credentials())}
    response = await caller.http.get("/graphql", params=asked, headers={"Accept": "application/json"})
    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")


async def test_two_logins_in_one_request_give_each_its_own_member(caller: Client) -> None:
    login = 'login(tenant: "%s", email: "%s", password: "correct horse battery staple") { member { name } }'
    query = f"mutation {{ a: {login % ('acme', 'ann@acme.test')} b: {login % ('other', 'ben@other.test')} }}"
    assert await caller.data(query) == {"a": {"member": {"name": "ann"}}, "b": {"member": {"name": "ben"}}}


async def test_many_logins_in_one_request_are_refused(caller: Client) -> None:
    login = 'login(tenant: "acme", email: "ann@acme.test", password: "guess") { token }'
    query = (
        "mutation { ...Guesses } fragment Guesses on Mutation {" + " ".join(f"a{n}: {login}" for n in range(4)) + "}"
    )
    assert await caller.codes(query) == ["BAD_USER_INPUT"]


Provider = tuple[Client, Callable[..., str]]
"""A gateway that trusts an identity provider, and what signs the provider's tokens."""


@pytest.fixture
async def provider(
    acme: Database, serve: Serve, key_server: KeyServer, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> Provider:
    # Only the pause between two fetches is shortened: a rotation is seen at once.
    monkeypatch.setattr("gateway.app.KeySetClient", partial(KeySetClient, cooldown_seconds=0))
    await owner.execute("UPDATE members SET subject = 'ann@idp.example' WHERE name = 'ann'")
    claims = {"jwt_tenant_claim": "https://idp.example/tenant", "jwt_subject_claim": "profile.email"}
    parties = {"jwt_issuer": "https://idp.example", "jwt_audience": "crm"}
    client = await serve(acme, jwt_secret=None, jwks_url=key_server.url, **claims, **parties)

    def sign(algorithm: str, key_id: str, **changes: object) -> str:
        now = int(time.time())
        given: dict[str, Any] = {
            "tenant": None,
            "sub": "auth0|123",
            "iat": now,
            "exp": now + 600,
            "https://idp.example/tenant": "acme",
            "profile": {"email": "ann@idp.example"},
            "iss": "https://idp.example",
            "aud": ["crm", "other"],
            **changes,
        }
        return signed_by(algorithm, key_id, **given)

    return client, sign


@pytest.mark.parametrize(("algorithm", "key_id"), [("RS256", "rsa"), ("ES256", "ec"), ("EdDSA", "ed")])
async def test_a_providers_token_works(provider: Provider, algorithm: str, key_id: str) -> None:
    caller, sign = provider
    assert (await me(caller, sign(algorithm, key_id))).json() == {"data": {"me": {"name": "ann"}}}


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"https://idp.example/tenant": "other"}, "MEMBER_UNKNOWN"),
        ({"https://idp.example/tenant": "nowhere"}, "TENANT_UNKNOWN"),
        ({"https://idp.example/tenant": None}, "TOKEN_CLAIM_MISSING"),
        ({"profile": {"email": "gone@acme.test"}}, "MEMBER_UNKNOWN"),
        ({"iss": "https://evil.example"}, "TOKEN_WRONG_ISSUER"),
        ({"aud": "other"}, "TOKEN_WRONG_AUDIENCE"),
        ({"exp": 1}, "TOKEN_EXPIRED"),
    ],
)
async def test_a_providers_token_is_not_taken_on_trust(
    provider: Provider, changes: dict[str, object], refusal: str
) -> None:
    caller, sign = provider
    assert code(await me(caller, sign("RS256", "rsa", **changes))) == refusal


async def test_a_provider_may_rotate_its_keys(provider: Provider, key_server: KeyServer) -> None:
    caller, sign = provider
    assert (await me(caller, sign("ES256", "ec"))).status_code == 200
    new_key = ec.generate_private_key(ec.SECP256R1())
    key_server.publish(public_jwk("ES256", "next", new_key))
    assert (await me(caller, sign("ES256", "next", key=new_key))).status_code == 200
    assert code(await me(caller, sign("ES256", "ec"))) == "TOKEN_INVALID"


async def test_where_a_provider_signs_nobody_signs_in_here(provider: Provider) -> None:
    caller, sign = provider
    assert code(await caller.post(LOGIN, credentials())) == "LOGIN_UNAVAILABLE"
    assert code(await caller.post(REFRESH, {"token": sign("RS256", "rsa", token_use="refresh")})) == "LOGIN_UNAVAILABLE"
