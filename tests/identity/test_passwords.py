import asyncio

import pytest
from argon2 import extract_parameters

from gateway.errors import BadUserInputError, LoginBusyError, LoginFailedError
from gateway.identity import passwords as module
from gateway.identity.passwords import MAX_PASSWORD_BYTES, Passwords, hash_password

PASSWORD = "correct horse battery staple"
HASH = hash_password(PASSWORD)


async def test_the_right_password_is_accepted() -> None:
    passwords = Passwords()
    await passwords.check(PASSWORD, await passwords.hash(PASSWORD))


def name(value: str | None) -> str | None:
    """Of a test, the same in every process: a hash has salt."""
    return "a hash" if value == HASH else None


@pytest.mark.parametrize(
    ("password", "encoded_hash"),
    [
        ("wrong", HASH),
        ("", HASH),
        (PASSWORD, None),
        (PASSWORD, ""),
        (PASSWORD, "not a hash"),
        ("\ud800", HASH),
        ("x" * (MAX_PASSWORD_BYTES + 1), HASH),
        ("x" * 10_000_000, HASH),
    ],
    ids=name,
)
async def test_every_other_login_fails_the_same_way(password: str, encoded_hash: str | None) -> None:
    with pytest.raises(LoginFailedError) as caught:
        await Passwords().check(password, encoded_hash)
    assert caught.value.message == LoginFailedError().message


async def test_a_longer_password_that_begins_like_the_right_one_fails() -> None:
    longest = "x" * MAX_PASSWORD_BYTES
    encoded_hash = hash_password(longest)
    await Passwords().check(longest, encoded_hash)
    with pytest.raises(LoginFailedError):
        await Passwords().check(longest + "x", encoded_hash)


@pytest.mark.parametrize(
    ("password", "encoded_hash"), [(PASSWORD, None), ("wrong", HASH), ("x" * 5000, HASH), ("x" * 5000, None)], ids=name
)
async def test_each_failed_login_costs_one_verification_with_the_same_parameters(
    password: str, encoded_hash: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    matches = module._matches

    def counting(against: str, encoded: bytes) -> bool:
        verified.append(extract_parameters(against))
        return matches(against, encoded)

    monkeypatch.setattr(module, "_matches", counting)
    with pytest.raises(LoginFailedError):
        await Passwords().check(password, encoded_hash)
    assert verified == [extract_parameters(HASH)]


async def test_beyond_those_at_work_and_those_waiting_a_login_is_refused() -> None:
    passwords = Passwords(max_concurrent=1, max_waiting=2)
    logins = [passwords.check(PASSWORD, HASH) for _ in range(5)]
    outcomes = await asyncio.gather(*logins, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None)] * 3 + [LoginBusyError] * 2
    await passwords.check(PASSWORD, HASH)


async def test_a_caller_that_leaves_does_not_free_the_place_of_its_running_work() -> None:
    passwords = Passwords(max_concurrent=1, max_waiting=0)
    login = asyncio.ensure_future(passwords.check(PASSWORD, HASH))
    await asyncio.sleep(0)
    login.cancel()
    with pytest.raises(asyncio.CancelledError):
        await login
    with pytest.raises(LoginBusyError):
        await passwords.check(PASSWORD, HASH)


@pytest.mark.parametrize("password", ["", "x" * (MAX_PASSWORD_BYTES + 1), "é" * (MAX_PASSWORD_BYTES // 2 + 1)])
def test_a_password_out_of_bounds_is_not_hashed(password: str) -> None:
    with pytest.raises(BadUserInputError):
        hash_password(password)
