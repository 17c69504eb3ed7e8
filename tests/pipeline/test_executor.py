"""What is read in one walk is what graphql-core's executor makes of it, for every type, sound or damaged."""

import json
from typing import Any

import pytest
from graphql import DocumentNode, ExecutionResult, GraphQLObjectType, GraphQLSchema, execute, parse, validate
from graphql.execution import Executor

from gateway.demo.dice import Dice
from gateway.documents.memory import Memory
from gateway.pipeline.executor import PlainExecutor
from tests.conftest import Client
from tests.pipeline.made_up import DAMAGE, SCHEMA, TYPES, Maker, one_type_schema, selection

pytestmark = pytest.mark.same_lines

Told = tuple[str, list[dict[str, Any]]]


class CountingExecutor(PlainExecutor):
    """Counts the fields that are left to graphql-core."""

    left = 0

    def build_resolve_info(self, *arguments: Any) -> Any:
        type(self).left += 1
        return super().build_resolve_info(*arguments)


def object_type(name: str) -> GraphQLObjectType:
    type_ = SCHEMA.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    return type_


def document(type_: GraphQLObjectType, *fields: str) -> DocumentNode:
    text = " ".join(f"{field} {selection(type_)}" for field in fields)
    return parse(f"query ($shown: Boolean!) {{ {text} }}")


def told(schema: GraphQLSchema, asked: DocumentNode, root: Any, shown: bool, **options: Any) -> Told:
    """Data as text, for the order of keys counts; errors as they are told."""
    result = execute(schema, asked, root, variable_values={"shown": shown}, **options)
    assert isinstance(result, ExecutionResult)
    errors = [dict(error.formatted) for error in result.errors or ()]
    # Objects of no type of ours are told by their address, and floats that are no numbers differ from themselves.
    return json.dumps(result.data, default=str), errors


def a_root(type_: GraphQLObjectType, seed: int, damaged: float) -> dict[str, Any]:
    """A value for each field of `one_type_schema`."""
    maker = Maker(Dice(str(seed)).source, damaged)
    fields = one_type_schema(type_).query_type
    assert fields is not None
    return {name: maker.value(field.type) for name, field in fields.fields.items()}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("damaged", [0.0, 0.1])
@pytest.mark.parametrize("seeds", [4, pytest.param(40, marks=pytest.mark.slow)])
def test_every_type_is_told_as_graphql_core_tells_it(name: str, damaged: float, seeds: int) -> None:
    type_ = object_type(name)
    schema = one_type_schema(type_)
    for field in ("one", "sure", "many", "all", "rows"):
        asked = document(type_, field)
        assert validate(schema, asked) == []
        for seed in range(seeds):
            root, shown = a_root(type_, seed, damaged), seed % 2 == 0
            plain = told(schema, asked, root, shown, executor_class=PlainExecutor, memory=Memory())
            assert plain == told(schema, asked, root, shown, executor_class=Executor)


def test_damage_is_met_and_told() -> None:
    """The test above would prove nothing if its damage went unnoticed."""
    type_ = object_type("StageStats")
    asked, schema = document(type_, "many"), one_type_schema(type_)
    errors = [
        error
        for seed in range(12)
        for error in told(schema, asked, a_root(type_, seed, 0.2), True, executor_class=PlainExecutor, memory=Memory())[
            1
        ]
    ]
    assert len({error["message"] for error in errors}) > len(DAMAGE)
    assert all(error["path"] and error["locations"] for error in errors)


def test_what_is_sound_is_read_in_one_walk() -> None:
    type_ = object_type("TrendPoint")
    root = {"all": [Maker(Dice("1").source, 0).instance(type_) for _ in range(10)]}
    CountingExecutor.left = 0
    told(one_type_schema(type_), document(type_, "all"), root, True, executor_class=CountingExecutor, memory=Memory())
    assert CountingExecutor.left == 1


def test_what_is_remembered_is_used_again() -> None:
    type_ = object_type("TrendPoint")
    schema, asked, memory = one_type_schema(type_), document(type_, "all"), Memory()
    for seed in range(5):
        root = {"all": [Maker(Dice(str(seed)).source, 0).instance(type_)]}
        plain = told(schema, asked, root, True, executor_class=PlainExecutor, memory=memory)
        assert plain == told(schema, asked, root, True, executor_class=Executor)
        assert len(memory.sub_fields) == 1


async def test_variables_decide_anew_what_is_selected(aurora: Client) -> None:
    query = "query ($w: Boolean!) { dashboard { trend { start won @include(if: $w) lost @skip(if: $w) } } }"
    for wanted, names in ((True, {"start", "won"}), (False, {"start", "lost"}), (True, {"start", "won"})):
        data = await aurora.data(query, w=wanted)
        assert {name for point in data["dashboard"]["trend"] for name in point} == names
