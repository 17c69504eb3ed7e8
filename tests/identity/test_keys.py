import asyncio
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import get_default_algorithms

from gateway.errors import KeysUnavailableError
from gateway.identity.keys import KeySetClient, parse_keys
from tests.identity.support import EC_KEY, Clock, KeyServer, public_jwk


def client(server: KeyServer, clock: Clock, **changes: float) -> KeySetClient:
    limits = {"lifetime_seconds": 300, "cooldown_seconds": 10, **changes}
    return KeySetClient(
        server.url,
        lifetime_seconds=limits["lifetime_seconds"],
        cooldown_seconds=limits["cooldown_seconds"],
        timeout_seconds=limits.get("timeout_seconds", 5),
        max_size_bytes=int(limits.get("max_size_bytes", 65536)),
        clock=clock,
    )


async def found(keys: KeySetClient, key_id: str | None, algorithm: str) -> tuple[str | None, str] | None:
    key = await keys.find(key_id, algorithm)
    return None if key is None else (key.key_id, key.algorithm)


async def test_a_key_is_found_by_id_and_algorithm_with_one_fetch(key_server: KeyServer) -> None:
    keys = client(key_server, Clock())
    assert await found(keys, "rsa", "RS256") == ("rsa", "RS256")
    assert await found(keys, "ec", "ES256") == ("ec", "ES256")
    assert await found(keys, "ed", "EdDSA") == ("ed", "EdDSA")
    assert await found(keys, "rsa", "ES256") is None
    assert await found(keys, None, "ES256") == ("ec", "ES256")
    assert key_server.fetches == 1


async def test_without_an_id_several_keys_of_the_algorithm_are_none(key_server: KeyServer) -> None:
    key_server.publish(public_jwk("ES256", "a"), public_jwk("ES256", "b"))
    assert await client(key_server, Clock()).find(None, "ES256") is None


async def test_unknown_ids_cause_one_fetch_per_cooldown(key_server: KeyServer) -> None:
    clock = Clock()
    keys = client(key_server, clock)
    for number in range(100):
        assert await keys.find(f"random {number}", "RS256") is None
    assert key_server.fetches == 1
    clock.now += 10
    for number in range(100):
        assert await keys.find(f"random {number}", "RS256") is None
    assert key_server.fetches == 2


async def test_a_new_key_is_found_after_the_cooldown(key_server: KeyServer) -> None:
    clock = Clock()
    keys = client(key_server, clock)
    await keys.find("rsa", "RS256")
    key_server.publish(public_jwk("ES256", "new"))
    clock.now += 10
    assert await found(keys, "new", "ES256") == ("new", "ES256")


async def test_a_withdrawn_key_is_gone_when_the_set_is_old(key_server: KeyServer) -> None:
    clock = Clock()
    keys = client(key_server, clock)
    await keys.find("rsa", "RS256")
    key_server.publish(public_jwk("ES256", "ec"))
    clock.now += 299
    assert await found(keys, "rsa", "RS256") == ("rsa", "RS256")
    clock.now += 1
    assert await keys.find("rsa", "RS256") is None


async def test_an_unchanged_key_is_equal_after_a_refetch(key_server: KeyServer) -> None:
    clock = Clock()
    keys = client(key_server, clock)
    before = await keys.find("ec", "ES256")
    clock.now += 300
    assert await keys.find("ec", "ES256") == before
    key_server.publish(public_jwk("ES256", "ec", ec.generate_private_key(ec.SECP256R1())))
    clock.now += 300
    assert await keys.find("ec", "ES256") != before
    assert key_server.fetches == 3


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_the_old_set_is_used_while_a_refetch_fails(key_server: KeyServer, status: int) -> None:
    clock = Clock()
    keys = client(key_server, clock)
    await keys.find("rsa", "RS256")
    key_server.status, key_server.headers = status, {"Location": key_server.url}
    clock.now += 300
    assert await found(keys, "rsa", "RS256") == ("rsa", "RS256")
    assert await found(keys, "rsa", "RS256") == ("rsa", "RS256")
    assert key_server.fetches == 2


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b'{"keys": {}}', b"[" * 50_000])
async def test_a_body_that_is_no_key_set_makes_keys_unavailable(key_server: KeyServer, body: bytes) -> None:
    key_server.body = body
    with pytest.raises(KeysUnavailableError):
        await client(key_server, Clock()).find("rsa", "RS256")


async def test_a_key_set_over_the_size_limit_is_not_used(key_server: KeyServer) -> None:
    key_server.body += b" " * 65_536
    with pytest.raises(KeysUnavailableError):
        await client(key_server, Clock()).find("rsa", "RS256")


async def test_unavailable_keys_say_when_to_retry_and_are_then_fetched(key_server: KeyServer) -> None:
    clock = Clock()
    keys = client(key_server, clock)
    key_server.status = 503
    for _ in range(3):
        with pytest.raises(KeysUnavailableError) as caught:
            await keys.find("rsa", "RS256")
        assert (caught.value.retry_after_seconds, key_server.fetches) == (10, 1)
    key_server.status = 200
    clock.now += 10
    assert await found(keys, "rsa", "RS256") == ("rsa", "RS256")


async def test_a_server_that_does_not_answer_is_given_up(key_server: KeyServer) -> None:
    key_server.open_gate.clear()
    with pytest.raises(KeysUnavailableError):
        await client(key_server, Clock(), timeout_seconds=0.05).find("rsa", "RS256")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/keys", "http://[", "file:///etc/hosts", "http://\x00/"])
async def test_an_address_without_a_key_set_makes_keys_unavailable(url: str, key_server: KeyServer) -> None:
    key_server.url = url
    with pytest.raises(KeysUnavailableError):
        await client(key_server, Clock()).find("rsa", "RS256")


async def test_those_who_ask_at_once_share_one_fetch_and_outlive_one_who_leaves(
    key_server: KeyServer,
) -> None:
    key_server.open_gate.clear()
    keys = client(key_server, Clock())
    asking = [asyncio.ensure_future(found(keys, "rsa", "RS256")) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()
    key_server.open_gate.set()
    assert await asyncio.gather(*asking[1:]) == [("rsa", "RS256")] * 19
    assert key_server.fetches == 1


def test_keys_that_cannot_verify_are_skipped() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - weak on purpose
    private = dict(get_default_algorithms()["ES256"].to_jwk(EC_KEY, as_dict=True))
    good = public_jwk("RS256", "good")
    unusable: list[object] = [
        None,
        "key",
        {},
        {"kty": []},
        {"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "symmetric"},
        {"kty": "RSA", "n": "AQAB"},
        {"kty": "RSA", "n": 5, "e": {}},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "é"},
        {**good, "alg": ["RS256"]},
        {**good, "alg": "HS256"},
        {**good, "alg": "none"},
        {**good, "use": "enc"},
        {**public_jwk("ES256", "ec"), "alg": "RS256"},
        public_jwk("RS256", "weak", weak),
        private,
    ]
    keys = parse_keys(json.dumps({"keys": [*unusable, good]}).encode())
    assert [(key.key_id, key.algorithm) for key in keys] == [("good", "RS256")]
