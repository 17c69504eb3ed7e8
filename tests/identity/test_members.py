import asyncio

import pytest

from gateway.errors import DatabaseUnavailableError
from gateway.identity import members as module
from gateway.identity.members import LIFETIME_SECONDS, MemberCache, MemberRecord
from tests.identity.support import TERMS, Clock

ANN = MemberRecord(1, "acme", TERMS, "EUR", "Europe/Berlin", 7, "rep", active=True)


class Directory:
    """A directory of members that counts its lookups, and can be held back or broken."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.record: MemberRecord | None = ANN
        self.failure: Exception | None = None
        self.arrivals = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, tenant: str, subject: str) -> MemberRecord | None:
        self.asked.append((tenant, subject))
        record, failure = self.record, self.failure
        self.arrivals.release()
        await self.gate.wait()
        if failure is not None:
            raise failure
        return record


async def test_a_record_is_remembered_for_its_lifetime_and_no_longer() -> None:
    directory, clock = Directory(), Clock()
    cache = MemberCache(directory, clock=clock)
    assert await cache.find("acme", "ann") == ANN
    directory.record = None
    clock.now += LIFETIME_SECONDS - 0.001
    assert await cache.find("acme", "ann") == ANN
    clock.now += 0.002
    assert await cache.find("acme", "ann") is None
    assert len(directory.asked) == 2


def test_the_lifetime_is_under_a_second() -> None:
    assert LIFETIME_SECONDS < 1


async def test_lookups_of_one_member_at_once_share_one() -> None:
    directory = Directory()
    cache = MemberCache(directory)
    found = await asyncio.gather(*(cache.find("acme", "ann") for _ in range(50)))
    assert (found, directory.asked) == ([ANN] * 50, [("acme", "ann")])


async def test_the_same_subject_of_another_tenant_is_another_member() -> None:
    directory = Directory()
    cache = MemberCache(directory)
    await cache.find("acme", "ann")
    await cache.find("other", "ann")
    assert directory.asked == [("acme", "ann"), ("other", "ann")]


async def test_the_age_of_a_slow_lookup_counts_from_its_beginning() -> None:
    directory, clock = Directory(), Clock()
    directory.gate.clear()
    cache = MemberCache(directory, clock=clock)
    first = asyncio.ensure_future(cache.find("acme", "ann"))
    await directory.arrivals.acquire()
    directory.record = None
    clock.now += LIFETIME_SECONDS
    second = asyncio.ensure_future(cache.find("acme", "ann"))
    await directory.arrivals.acquire()
    directory.gate.set()
    assert [await first, await second] == [ANN, None]


async def test_a_failed_lookup_is_not_remembered() -> None:
    directory = Directory()
    directory.failure = ConnectionError("gone")
    cache = MemberCache(directory)
    with pytest.raises(ConnectionError, match="gone"):
        await cache.find("acme", "ann")
    directory.failure = None
    assert await cache.find("acme", "ann") == ANN


async def test_while_the_database_is_down_the_last_record_stands_in_for_all_who_ask_for_a_while() -> None:
    directory, clock = Directory(), Clock()
    cache = MemberCache(directory, clock=clock, grace_seconds=60)
    assert await cache.find("acme", "ann") == ANN
    directory.failure = DatabaseUnavailableError()
    for _ in range(3):
        clock.now += LIFETIME_SECONDS
        assert await asyncio.gather(*(cache.find("acme", "ann") for _ in range(5))) == [ANN] * 5
    clock.now += 60
    with pytest.raises(DatabaseUnavailableError):
        await cache.find("acme", "ann")
    with pytest.raises(DatabaseUnavailableError):
        await cache.find("acme", "bob")


async def test_who_asks_in_the_moment_in_which_a_lookup_fails_is_told_nothing() -> None:
    told: list[MemberRecord | None] = []

    async def failing(tenant: str, subject: str) -> None:
        # Its turn comes once this has failed, and before the failure is forgotten.
        asyncio.get_running_loop().call_soon(lambda: told.append(cache.remembered(tenant, subject)))
        raise ConnectionResetError

    cache = MemberCache(failing)
    with pytest.raises(ConnectionResetError):
        await cache.find("acme", "ann")
    assert told == [None]


async def test_a_caller_that_leaves_does_not_take_the_lookup_away_from_the_others() -> None:
    directory = Directory()
    directory.gate.clear()
    cache = MemberCache(directory)
    first, second = (asyncio.ensure_future(cache.find("acme", "ann")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    directory.gate.set()
    assert (await second, directory.asked) == (ANN, [("acme", "ann")])


async def test_only_so_many_members_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED_MEMBERS", 2)
    directory = Directory()
    cache = MemberCache(directory)
    for subject in ("a", "b", "c", "c", "b", "a"):
        await cache.find("acme", subject)
    assert [subject for _, subject in directory.asked] == ["a", "b", "c", "a"]


async def test_the_member_looked_up_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMEMBERED_MEMBERS", 2)
    directory, clock = Directory(), Clock()
    cache = MemberCache(directory, clock=clock)
    for subject, wait_seconds in (("a", 0.0), ("b", LIFETIME_SECONDS), ("a", 0.0), ("c", 0.0), ("a", 0.0)):
        await cache.find("acme", subject)
        clock.now += wait_seconds
    assert [subject for _, subject in directory.asked] == ["a", "b", "a", "c"]
