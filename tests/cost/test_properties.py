"""What is true of every price, over any operation and any answer."""

from random import Random

from hypothesis import assume, given, settings

from gateway.cost.actual import Ran
from gateway.cost.estimate import whole
from tests.cost.heeded import at, heeded
from tests.cost.made_up import SCHEMA, Chosen, answer, grown, operations, randoms, text, text_with_variables


@settings(deadline=None)
@given(operations)
def test_a_price_is_never_less_than_one(selected: tuple[Chosen, ...]) -> None:
    assert SCHEMA.points(text(selected)) >= 1


@settings(deadline=None)
@given(operations)
def test_a_value_costs_the_same_written_or_in_a_variable(selected: tuple[Chosen, ...]) -> None:
    query, variables = text_with_variables(selected)
    assert SCHEMA.points(query, variables) == SCHEMA.points(text(selected))


@settings(deadline=None)
@given(operations, randoms)
def test_a_price_never_falls_when_a_field_is_added_or_a_slice_grows(
    selected: tuple[Chosen, ...], random: Random
) -> None:
    assert SCHEMA.points(text(grown(random, selected))) >= SCHEMA.points(text(selected))


@settings(deadline=None, max_examples=200)
@given(operations, randoms)
def test_a_price_is_at_least_what_the_operation_costs_in_the_end(selected: tuple[Chosen, ...], random: Random) -> None:
    executed = Ran(answer(random, selected))
    assert 1 <= SCHEMA.actual(text(selected), executed) <= SCHEMA.points(text(selected))


@settings(deadline=None)
@given(operations)
def test_shares_by_path_add_up_to_the_price(selected: tuple[Chosen, ...]) -> None:
    found = SCHEMA.shares(text(selected))
    assert whole(sum(share.points for share in found)) == SCHEMA.points(text(selected))
    assert all(share.points > 0 for share in found)


@settings(deadline=None, max_examples=300)
@given(operations, randoms)
def test_what_is_advised_as_enough_is_enough(selected: tuple[Chosen, ...], random: Random) -> None:
    price = SCHEMA.points(text(selected))
    assume(price > 1)
    most = random.randint(1, price - 1)
    for advice in SCHEMA.advice(text(selected), most):
        if advice.is_enough:
            assert SCHEMA.points(text(heeded(random, selected, advice))) <= most
        else:
            assert SCHEMA.points(text(at(selected, advice.path, lambda _: None))) > most


@settings(deadline=None)
@given(operations)
def test_advice_is_the_same_for_a_value_written_or_in_a_variable(selected: tuple[Chosen, ...]) -> None:
    query, variables = text_with_variables(selected)
    written, varied = SCHEMA.advice(text(selected), 1), SCHEMA.advice(query, 1, variables)
    assert [advice.remedy for advice in varied] == [advice.remedy for advice in written]
