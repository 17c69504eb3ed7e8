"""Turns: one at a time, those alike together, none lost when its waiter leaves."""

import asyncio

from gateway.postgres.turns import Turns

ALIKE, OTHER = True, False


async def use(turns: Turns, planned_once: bool, name: str, used: list[str]) -> None:
    await turns.take(planned_once)
    used.append(name)
    await asyncio.sleep(0)
    turns.give_back(planned_once)


async def test_those_alike_come_together_and_of_equals_the_first() -> None:
    turns, used = Turns(), list[str]()
    wanted = [(ALIKE, "a"), (OTHER, "x"), (ALIKE, "b"), (OTHER, "y"), (ALIKE, "c")]
    await asyncio.gather(*(use(turns, planned_once, name, used) for planned_once, name in wanted))
    assert used == ["a", "b", "c", "x", "y"]


async def test_who_leaves_while_waiting_is_passed_over() -> None:
    turns, used = Turns(), list[str]()
    await turns.take(ALIKE)
    first, second = (asyncio.create_task(use(turns, ALIKE, name, used)) for name in ("first", "second"))
    await asyncio.sleep(0)
    first.cancel()
    turns.give_back(ALIKE)
    await asyncio.wait([first, second])
    assert (first.cancelled(), used) == (True, ["second"])


async def test_who_leaves_with_a_turn_just_given_hands_it_on() -> None:
    turns, used = Turns(), list[str]()
    await turns.take(ALIKE)
    first, second = (asyncio.create_task(use(turns, ALIKE, name, used)) for name in ("first", "second"))
    await asyncio.sleep(0)
    turns.give_back(ALIKE)
    first.cancel()
    await asyncio.wait([first, second], timeout=5)
    assert (first.cancelled(), used) == (True, ["second"])
    await asyncio.wait_for(turns.take(OTHER), timeout=5)
