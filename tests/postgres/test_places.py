"""Places and turns: nobody takes more than its share, nobody waits for a free one, and none is ever lost."""

import asyncio
import random

import pytest

from gateway.errors import PoolExhaustedError, TenantBusyError
from gateway.postgres.places import WAITING_FOR_EACH_PLACE, Places, Share
from tests.postgres.turn_taking import Asking, TurnTaking

LOUD, QUIET, THIRD = (Share(tenant_id, most=4) for tenant_id in (1, 2, 3))
NOW = 0.001
STEPS = 400


async def arrivals(turns: TurnTaking, share: Share, number: int, *, writing: bool = False) -> list[Asking]:
    return [await turns.arrive(share, writing=writing) for _ in range(number)]


async def test_a_tenant_with_a_thousand_waiting_delays_one_of_another_by_one_place() -> None:
    turns = TurnTaking(4)
    holding = await arrivals(turns, Share(1, most=10), 1000)
    (quiet,) = await arrivals(turns, QUIET, 1)
    assert turns.give_back(holding[0]) == [quiet]
    await turns.settle()
    await turns.end()


async def test_of_tenants_that_hold_the_same_the_one_whose_turn_was_longest_ago_is_next() -> None:
    turns = TurnTaking(1)
    (place,) = await arrivals(turns, LOUD, 1)
    for share in (LOUD, LOUD, LOUD, QUIET, THIRD, QUIET):
        await turns.arrive(share)
    order = []
    while turns.waiting:
        (place,) = turns.give_back(place)
        order.append(place.share.of)
        await turns.settle()
    assert order == [1, 2, 3, 1, 2, 1]


async def test_who_holds_places_for_long_waits_for_those_who_do_not() -> None:
    turns = TurnTaking(5)
    await arrivals(turns, LOUD, 10)
    (brief,) = await arrivals(turns, QUIET, 1)
    for _ in range(20):
        await turns.arrive(QUIET)
        brief = next(asking for asking in turns.holding if asking.share is QUIET)
        assert [asking.share for asking in turns.give_back(brief)] == [QUIET]
        await turns.settle()
    await turns.end()


async def test_of_ten_places_the_last_is_kept_for_a_tenant_that_holds_none() -> None:
    turns = TurnTaking(10)
    await arrivals(turns, Share(1, most=16), 12)
    assert len(turns.holding) == 9
    (quiet,) = await arrivals(turns, QUIET, 1)
    assert quiet in turns.holding
    await turns.settle()
    await turns.end()


async def test_writers_leave_half_of_all_places_and_of_each_share_to_readers() -> None:
    turns = TurnTaking(6)
    await arrivals(turns, LOUD, 3, writing=True)
    await arrivals(turns, QUIET, 2, writing=True)
    assert [asking.share.of for asking in turns.holding] == [1, 1, 2]
    readers = await arrivals(turns, LOUD, 1) + await arrivals(turns, QUIET, 1)
    assert turns.holding[-2:] == readers
    await turns.settle()
    await turns.end()


async def test_a_share_that_grows_lets_in_those_who_wait_already() -> None:
    turns = TurnTaking(4)
    await arrivals(turns, Share(1, most=1), 3)
    assert len(turns.holding) == 1
    await turns.arrive(Share(1, most=3))
    assert len(turns.holding) == 3
    await turns.settle()
    await turns.end()


async def test_who_waits_too_long_is_told_whose_places_are_used_up() -> None:
    places = Places(3)
    for _ in range(2):
        await places.take(Share(1, most=2), NOW)
    with pytest.raises(TenantBusyError):
        await places.take(Share(1, most=2), NOW)
    await places.take(QUIET, NOW)
    with pytest.raises(PoolExhaustedError):
        await places.take(QUIET, NOW)
    with pytest.raises(PoolExhaustedError):
        await places.take(Share("sign-ins", most=1), NOW)
    assert (places.held, places.waiting) == (3, 0)


async def test_writers_of_a_tenant_that_wait_too_long_for_its_others_are_told_so() -> None:
    places = Places(10)
    await places.take(Share(1, most=2), NOW, writing=True)
    with pytest.raises(TenantBusyError):
        await places.take(Share(1, most=2), NOW, writing=True)


async def test_a_line_has_a_longest_length_and_who_is_beyond_is_refused_at_once() -> None:
    turns = TurnTaking(1)
    await turns.arrive(QUIET)
    await arrivals(turns, Share(1, most=1), WAITING_FOR_EACH_PLACE)
    with pytest.raises(TenantBusyError):
        await turns.places.take(Share(1, most=1), 60)
    await turns.arrive(THIRD)
    await turns.settle()
    await turns.end()


async def test_who_leaves_with_a_place_just_given_hands_it_on() -> None:
    turns = TurnTaking(1)
    (first,) = await arrivals(turns, LOUD, 1)
    _, third = await arrivals(turns, LOUD, 2)
    (given,) = turns.give_back(first)
    await turns.leave_as_given(given)
    assert turns.holding == [third]
    await turns.settle()
    await turns.end()


async def test_who_leaves_late_does_not_take_away_the_line_of_who_came_meanwhile() -> None:
    places = Places(1)
    await places.take(LOUD, 60)
    leaving = asyncio.create_task(places.take(LOUD, 60))
    await asyncio.sleep(0)
    coming = asyncio.create_task(places.take(LOUD, 60))  # begins before the one who leaves knows
    leaving.cancel()
    places.give_back(LOUD)
    await asyncio.wait([leaving, coming])
    assert (places.held, places.waiting) == (1, 0)
    places.give_back(LOUD)
    assert (places.held, places._lines) == (0, {})


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_happens_places_are_given_as_the_rules_say_and_none_is_lost(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret hangs on it
    turns = TurnTaking(dice.choice([1, 2, 3, 5, 10, 20]))
    tenants: list[int | str] = ["look-ups", *range(dice.randint(1, 7))]
    for _ in range(STEPS):
        way = dice.random()
        if way < 0.5:
            await turns.arrive(Share(dice.choice(tenants), dice.randint(1, 6)), writing=dice.random() < 0.3)
        elif way < 0.7 and turns.waiting:
            turns.leave(dice.choice(turns.waiting))
        elif turns.holding:
            given = turns.give_back(dice.choice(turns.holding))
            if given and dice.random() < 0.3:
                await turns.leave_as_given(given[0])
        if dice.random() < 0.6:
            await turns.settle()
    await turns.settle()
    await turns.end()


async def test_a_place_and_the_end_of_the_wait_in_the_same_tick_leave_no_trace() -> None:
    places = Places(1)
    for _ in range(200):
        await places.take(LOUD, NOW)
        waiting = asyncio.create_task(places.take(QUIET, NOW))
        await asyncio.sleep(NOW)
        places.give_back(LOUD)
        await asyncio.wait([waiting])
        if waiting.exception() is None:
            places.give_back(QUIET)
        assert (places.held, places.waiting) == (0, 0)
