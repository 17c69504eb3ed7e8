"""What is true of every price, over any operation and any answer."""

from random import Random

from hypothesis import given, settings

from gateway.cost.actual import Ran
from gateway.cost.estimate import whole
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
