"""What the gateway's own schema says of its prices."""

import re
from collections.abc import Iterator
from dataclasses import fields as fields_of
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_nullable_type,
    is_introspection_type,
    is_required_argument,
)

from gateway.api.costs import SCANS
from gateway.api.directives import ListSize, said
from gateway.api.schema import sdl
from gateway.cost.measures import INTERVAL_DAYS, PRESET_DAYS
from gateway.cost.prices import FieldPrice, Prices
from gateway.pipeline.prices import SchemaPrices
from gateway.web.default_query import DEFAULT_QUERY
from loaders.deal_groups import KEYS, STATE_FILTERS, STATE_KEYS
from loaders.lists import DEALS
from tests.cost.priced import WrittenPrices, gateway

PAGE = Path(__file__).parents[2] / "docs" / "cost.md"
PRICES = SchemaPrices()
FILTERS_OF_RANGES = {"amount_min", "amount_max"} | {
    f"{name}_{end}" for name in ("created", "closed", "expected_close") for end in ("from", "to")
}


def fields(schema: GraphQLSchema) -> Iterator[tuple[str, str, GraphQLField]]:
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_):
            yield from ((type_.name, name, field) for name, field in type_.fields.items())


def sized(schema: GraphQLSchema) -> set[tuple[str, str]]:
    """Types and their fields that are sized by the field above."""
    found = set()
    for _, _, field in fields(schema):
        size = PRICES.of_field(field).size
        returned = str(get_nullable_type(field.type))
        found |= {(returned, name) for name in (size.sized_fields if size else ())}
    return found


def read_by(prices: Prices, schema: GraphQLSchema) -> dict[str, object]:
    """What a reader of prices says of each type, field, argument and input field, by its coordinate."""
    found: dict[str, object] = {}
    for type_ in schema.type_map.values():
        if is_introspection_type(type_):
            continue
        found[type_.name] = prices.of_type(type_)
        if isinstance(type_, GraphQLInputObjectType):
            found |= {f"{type_.name}.{name}": prices.of_input(field) for name, field in type_.fields.items()}
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                found[f"{type_.name}.{name}"] = prices.of_field(field)
                found |= {f"{type_.name}.{name}({arg}:)": prices.of_input(each) for arg, each in field.args.items()}
    return found


def test_the_gateway_and_the_reader_of_worked_examples_read_the_same_off_the_schema() -> None:
    """The gateway reads its own directives, that reader what is printed of them."""
    ours, printed = read_by(PRICES, gateway().schema), read_by(WrittenPrices(), build_schema(sdl()))
    assert ours == printed
    prices = [price for price in ours.values() if isinstance(price, FieldPrice)]
    assert {part.name for part in fields_of(FieldPrice) for price in prices if getattr(price, part.name)} == {
        *("weight", "size", "factors", "without_period", "reading")
    }


def test_every_list_says_how_long_it_is() -> None:
    schema, above = gateway().schema, sized(gateway().schema)
    unsized = [
        f"{type_}.{name}"
        for type_, name, field in fields(schema)
        if isinstance(get_nullable_type(field.type), GraphQLList)
        and PRICES.of_field(field).size is None
        and (type_, name) not in above
    ]
    assert unsized == []


def test_slicing_arguments_and_sized_fields_are_there() -> None:
    for type_, name, field in fields(gateway().schema):
        size = PRICES.of_field(field).size
        for path in size.slicing if size else ():
            assert path[0] in field.args, f"{type_}.{name}"
        for factor in PRICES.of_field(field).factors:
            assert factor.each is None or factor.each[0] in field.args, f"{type_}.{name}"
        if size and size.interval:
            assert size.interval in field.args, f"{type_}.{name}"


def test_no_list_requires_a_slicing_argument_since_something_stands_in_for_each() -> None:
    """The specification has exactly one of them given unless a list says otherwise. Here none has to be: it is then as
    long as `assumedSize` or the argument's default says. What an input has to hold is a list of its own length.
    """
    for type_, name, field in fields(gateway().schema):
        for size in (size for size in said(field, ListSize) if size.slicing_arguments):
            assert size.require_one_slicing_argument is False, f"{type_}.{name}"
            paths = [path.split(".") for path in size.slicing_arguments or ()]
            assert isinstance(size.assumed_size, int) or all(stands_by_itself(field, path) for path in paths)


def stands_by_itself(field: GraphQLField, path: list[str]) -> bool:
    argument = field.args[path[0]]
    return isinstance(argument.default_value, int) or (len(path) > 1 and is_required_argument(argument))


@pytest.mark.parametrize(
    ("enum", "days"), [("PeriodPreset", PRESET_DAYS), ("Interval", INTERVAL_DAYS)], ids=["presets", "intervals"]
)
def test_every_period_and_interval_has_its_days(enum: str, days: dict[str, int]) -> None:
    type_ = gateway().schema.type_map[enum]
    assert isinstance(type_, GraphQLEnumType)
    assert list(type_.values) == list(days)


def test_what_no_rollup_can_tell_apart_is_priced_as_a_scan() -> None:
    keys = {f"groupBy.{key.upper()}" for key in KEYS if key not in STATE_KEYS}
    filters = {name for name in DEALS.filters if name not in STATE_FILTERS} - FILTERS_OF_RANGES
    ranges = {"filter.amount", "filter.created", "filter.closed", "filter.expectedClose"}
    assert set(SCANS) == keys | ranges | {f"filter.{camel(name)}" for name in filters}


def test_the_default_dashboard_costs_what_its_parts_cost() -> None:
    assert gateway().by_path(DEFAULT_QUERY) == {
        "dashboard": 1 + 1,  # and the input object of its period
        "dashboard.period": 1,
        "dashboard.overview": 1,
        "dashboard.overview.deals": 4 + 1,  # the board, which `pipeline` reads with it
        "dashboard.overview.activities": 1 + 1,
        "dashboard.overview.activities.byKind": 4,
        "dashboard.overview.companies": 3 + 1,
        "dashboard.overview.companies.withDeals": 19,
        "dashboard.overview.tasks": 20 + 1,
        "dashboard.overview.pipeline": 30,  # stages
        "dashboard.overview.pipeline.stage": 30,
        "dashboard.overview.pipeline.conversionToNext": 330,  # single moves, which three others read with it
        "dashboard.trend": 2 + 90 // 7 + 2,  # weeks of 90 days, one cut off at each end
        "dashboard.leaderboard": 24 + 5,
        "dashboard.leaderboard.member": 5,
        "dashboard.recent": 1,
        "dashboard.recent.activities": 5,
        "dashboard.recent.activities.owner": 5,
        "dashboard.recent.activities.company": 5,
        "dashboard.recent.activities.deal": 5,
        "dashboard.recent.tasks": 5,
        "dashboard.recent.tasks.owner": 5,
        "dashboard.recent.tasks.company": 5,
        "dashboard.recent.tasks.deal": 5,
    }
    assert gateway().points(DEFAULT_QUERY) == 540


def documented() -> dict[str, float]:
    """Weights by field, of the page's table."""
    rows = (line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| `[A-Z…]", line))
    return {field.strip(" `"): float(weight) for _, field, weight, *_ in rows}


def test_the_page_lists_every_weight() -> None:
    weights = {
        f"{'…' if type_.endswith('Connection') else type_}.{name}": weight
        for type_, name, field in fields(gateway().schema)
        if (weight := PRICES.of_field(field).weight) is not None
    }
    assert documented() == weights


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
