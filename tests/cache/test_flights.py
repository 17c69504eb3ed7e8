"""Single flight: who asks the same at once is answered by one execution, and no one by one that was begun too early."""

import asyncio
import gc
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.cache.flights import Flights

KEY = b"a question"


@dataclass
class Database:
    """Tells what was written last, as of when it was asked, once it may answer."""

    value: int = 0
    executions: int = 0
    cleaned_up: int = 0
    failing: bool = False
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> int:
        self.executions += 1
        read = self.value
        try:
            await self.answering.wait()
            if self.failing:
                raise ConnectionError(f"execution {self.executions}")
            return read
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
            self.cleaned_up += 1


def sound(value: int) -> bool:
    return value >= 0


def join(flights: Flights[int], database: Database, key: bytes = KEY) -> Coroutine[Any, Any, int]:
    """Somebody who asks, and knows of what was written before."""
    known = database.value
    return flights.join(key, database.read, sound=sound, late_enough=lambda found: found >= known)


async def settle() -> None:
    """Until everybody has gone as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def nothing_left() -> AsyncIterator[Flights[int]]:
    """Flights of which none is left at the end, nor any task or error that nobody looked at."""
    unseen: list[dict[str, Any]] = []
    loop, before = asyncio.get_running_loop(), asyncio.all_tasks()
    loop.set_exception_handler(lambda _, context: unseen.append(context))
    flights: Flights[int] = Flights()
    try:
        yield flights
        await settle()
        assert flights._flights == {}
        assert asyncio.all_tasks() <= before
        gc.collect()
        assert unseen == []
    finally:
        loop.set_exception_handler(None)


async def test_a_hundred_who_ask_the_same_at_once_are_answered_by_one_execution() -> None:
    async with nothing_left() as flights:
        database = Database(value=7)
        asking = [asyncio.ensure_future(join(flights, database)) for _ in range(100)]
        await settle()
        database.answering.set()
        assert await asyncio.gather(*asking) == [7] * 100
        assert database.executions == 1


async def test_other_questions_are_other_executions() -> None:
    async with nothing_left() as flights:
        database = Database(value=7)
        database.answering.set()
        await asyncio.gather(*(join(flights, database, key) for key in (b"one", b"two", b"one")))
        assert database.executions == 2


async def test_who_asks_after_an_answer_is_answered_anew() -> None:
    async with nothing_left() as flights:
        database = Database(value=7)
        database.answering.set()
        assert [await join(flights, database) for _ in range(3)] == [7, 7, 7]
        assert database.executions == 3


async def test_who_knows_of_a_later_change_waits_for_an_execution_that_saw_it() -> None:
    async with nothing_left() as flights:
        database = Database(value=1)
        early = [asyncio.ensure_future(join(flights, database)) for _ in range(3)]
        await settle()
        database.value = 2
        late = [asyncio.ensure_future(join(flights, database)) for _ in range(50)]
        await settle()
        database.answering.set()
        assert await asyncio.gather(*early, *late) == [1] * 3 + [2] * 50
        assert database.executions == 2


async def test_who_knows_of_no_later_change_takes_part_in_an_earlier_execution() -> None:
    async with nothing_left() as flights:
        database = Database(value=1)
        early = asyncio.ensure_future(join(flights, database))
        await settle()
        late = asyncio.ensure_future(join(flights, database))
        await settle()
        database.answering.set()
        assert (await early, await late, database.executions) == (1, 1, 1)


async def test_an_execution_that_began_after_arrival_is_late_enough_whatever_is_in_doubt() -> None:
    async with nothing_left() as flights:
        database = Database(value=1)
        first = asyncio.ensure_future(join(flights, database))
        await settle()
        doubting = [
            asyncio.ensure_future(flights.join(KEY, database.read, sound=sound, late_enough=lambda _: False))
            for _ in range(10)
        ]
        await settle()
        database.answering.set()
        assert await asyncio.gather(first, *doubting) == [1] * 11
        assert database.executions == 2


async def test_an_answer_with_errors_is_nobody_elses() -> None:
    async with nothing_left() as flights:
        database = Database(value=-1)
        asking = [asyncio.ensure_future(join(flights, database)) for _ in range(5)]
        await settle()
        database.answering.set()
        assert await asyncio.gather(*asking) == [-1] * 5
        assert database.executions == 5


async def test_an_execution_that_fails_is_nobody_elses_and_each_waits_for_two_of_them_at_most() -> None:
    async with nothing_left() as flights:
        database = Database(failing=True)
        asking = [asyncio.ensure_future(join(flights, database)) for _ in range(10)]
        await settle()
        database.answering.set()
        errors = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(error) for error in errors] == [ConnectionError] * 10
        assert len(set(map(id, errors))) == database.executions == 10
        del errors, asking


async def test_those_who_wait_for_a_failing_execution_share_the_next_one() -> None:
    async with nothing_left() as flights:
        database, leader_fails = Database(value=3), asyncio.Event()

        async def fail() -> int:
            await leader_fails.wait()
            raise TimeoutError("its own deadline")

        leader = asyncio.ensure_future(flights.join(KEY, fail, sound=sound, late_enough=sound))
        await settle()
        asking = [asyncio.ensure_future(join(flights, database)) for _ in range(20)]
        await settle()
        leader_fails.set()
        database.answering.set()
        with pytest.raises(TimeoutError, match="its own deadline"):
            await leader
        assert await asyncio.gather(*asking) == [3] * 20
        assert database.executions == 1


async def test_who_began_an_execution_may_leave_the_others_to_it() -> None:
    async with nothing_left() as flights:
        database = Database(value=7)
        leader, *others = [asyncio.ensure_future(join(flights, database)) for _ in range(4)]
        await settle()
        leader.cancel()
        others.pop().cancel()
        await settle()
        assert leader.cancelled()
        database.answering.set()
        assert await asyncio.gather(*others) == [7] * 2
        assert (database.executions, database.cleaned_up) == (1, 1)


async def test_an_execution_ends_before_the_last_who_waited_for_it_has_left() -> None:
    async with nothing_left() as flights:
        database = Database()
        asking = [asyncio.ensure_future(join(flights, database)) for _ in range(3)]
        await settle()
        for one in asking:
            assert database.cleaned_up == 0
            one.cancel()
            await asyncio.wait({one})
        assert [one.cancelled() for one in asking] == [True] * 3
        assert (database.executions, database.cleaned_up) == (1, 1)


async def test_who_comes_while_an_execution_is_being_cancelled_gets_another_one() -> None:
    async with nothing_left() as flights:
        database = Database(value=7)
        leaving = asyncio.ensure_future(join(flights, database))
        await settle()
        leaving.cancel()
        await asyncio.sleep(0)
        coming = asyncio.ensure_future(join(flights, database))
        await settle()
        database.answering.set()
        assert await coming == 7
        assert (leaving.cancelled(), database.executions, database.cleaned_up) == (True, 2, 2)


async def test_an_execution_that_fails_after_everybody_left_troubles_nobody() -> None:
    async with nothing_left() as flights:

        async def fail_when_cancelled() -> int:
            try:
                return await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise ConnectionError("while it was put in order") from None

        asking = [
            asyncio.ensure_future(flights.join(KEY, fail_when_cancelled, sound=sound, late_enough=sound))
            for _ in range(2)
        ]
        await settle()
        for one in asking:
            one.cancel()
        await asyncio.wait(asking)
        assert [one.cancelled() for one in asking] == [True, True]
        del asking, one


async def test_a_deadline_of_one_who_waits_is_nobody_elses() -> None:
    async with nothing_left() as flights:
        database = Database(value=7)
        leader = asyncio.ensure_future(join(flights, database))
        await settle()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await join(flights, database)
        database.answering.set()
        assert (await leader, database.executions) == (7, 1)


async def test_whatever_happens_nobody_gets_what_was_read_too_early() -> None:
    """Many ask at different moments, some leave, some executions fail, and the database changes all the while."""
    async with nothing_left() as flights:
        database, found = Database(), list[tuple[int, int]]()

        async def fail() -> int:
            await asyncio.sleep(0)
            raise ConnectionError

        async def ask(number: int) -> None:
            for _ in range(number * 7 % 31):
                await asyncio.sleep(0)
            known = database.value
            execute = fail if number % 5 == 0 else database.read
            with suppress(ConnectionError):
                read = await flights.join(KEY, execute, sound=sound, late_enough=lambda value: value >= known)
                found.append((known, read))

        async def change() -> None:
            for database.value in range(60):
                (database.answering.set if database.value % 4 == 0 else database.answering.clear)()
                asking[database.value].cancel()
                await asyncio.sleep(0)
            database.answering.set()

        asking = [asyncio.ensure_future(ask(number)) for number in range(300)]
        await asyncio.gather(change(), *asking, return_exceptions=True)
        assert [(known, read) for known, read in found if read < known] == []
        assert len(found) > 150
        assert database.executions < 60
