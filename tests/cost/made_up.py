"""Any operation of a schema with every kind of price, its values written in it or in variables, and any answer."""

import json
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.cost.priced import Priced, Variables

SCHEMA = Priced.written("""
enum Preset { TODAY LAST_90_DAYS LAST_YEAR }
enum Unit { DAY MONTH }
enum Key { FAST SLOW }
input Period { preset: Preset  range: Range }
input Range { from: String  to: String }
input Filter { ids: [ID!] @cost(weight: "0.1")  inner: Filter  cheap: Boolean @cost(weight: "-3") }
interface Named { a: Int  thing: Thing }
type Thing implements Named {
  a: Int  thing: Thing  named: Named
  weighed: Int @cost(weight: "2.5")
  moves: Int @cost(weight: "30") @costPeriod @costShared(reading: "moves")
  owned: Int @cost(weight: "3") @costFactor(factor: 8, when: ["ownerId"]) @costShared(reading: "moves")
  board(ownerId: ID, period: Period): Thing
  things(first: Int = 3, filter: Filter): [Thing!]! @listSize(slicingArguments: ["first"])
  page(first: Int, last: Int): Page
    @listSize(assumedSize: 4, slicingArguments: ["first", "last"], sizedFields: ["nodes", "edges"])
  grouped(by: [Key!], filter: Filter, several: [Filter!]): [Thing!]! @cost(weight: "20")
    @costFactor(factor: 5, when: ["by.SLOW", "filter.inner"]) @listSize(assumedSize: 2, slicingArguments: ["several"])
  trend(unit: Unit = MONTH): [Point!]! @listSize(assumedSize: 12) @listIntervals(interval: "unit")
}
type Other implements Named @cost(weight: "4") { a: Int  thing: Thing @cost(weight: "9") }
type Page { nodes: [Thing!]!  edges: [Edge!]!  length: Int @cost(weight: "2") @costFactor(factor: 9, under: "Query") }
type Edge { node: Thing! }
type Point { a: Int }
type Query { thing: Thing  things(first: Int = 3): [Thing!]! @listSize(slicingArguments: ["first"]) }
""")

RETURNS = {
    "thing": "Thing", "board": "Thing", "node": "Thing", "nodes": "Thing", "things": "Thing", "named": "Named",
    "grouped": "Thing",
    "page": "Page", "edges": "Edge", "trend": "Point",
}  # fmt: skip
FIELDS = {
    "Query": ("thing", "things"),
    "Thing": ("a", "weighed", "moves", "owned", "thing", "named", "board", "things", "page", "grouped", "trend"),
    "Named": ("a", "thing"),
    "Page": ("nodes", "edges", "length"),
    "Edge": ("node",),
    "Point": ("a",),
}
ARGUMENTS = {
    "first": "Int", "last": "Int", "filter": "Filter", "several": "[Filter!]", "by": "[Key!]", "ownerId": "ID",
    "period": "Period", "unit": "Unit",
}  # fmt: skip
TAKES = {
    "board": ("ownerId", "period"),
    "page": ("first", "last"),
    "grouped": ("by", "filter", "several"),
    "trend": ("unit",),
}
LISTS = ("things", "nodes", "edges", "grouped", "trend")
DEEPEST = 4


@dataclass(frozen=True)
class Chosen:
    """A field that is selected, under a key of its own."""

    name: str
    key: str
    arguments: dict[str, Any] = field(default_factory=dict)
    below: tuple["Chosen", ...] = ()


def chosen(random: Random, parent: str = "Query", depth: int = 0) -> tuple[Chosen, ...]:
    """What is selected of a type: one field or some."""
    names = [name for name in FIELDS[parent] if depth < DEEPEST or name not in RETURNS] or ["__typename"]
    return tuple(
        _field(random, parent, name, depth, f"k{place}")
        for place, name in enumerate(random.choices(names, k=random.randint(1, 3)))
    )


def _field(random: Random, parent: str, name: str, depth: int, key: str) -> Chosen:
    takes = ("first",) if (parent, name) == ("Query", "things") else TAKES.get(name, ())
    takes = ("first", "filter") if (parent, name) == ("Thing", "things") else takes
    arguments = {argument: _value(random, argument) for argument in takes if random.random() < 0.6}
    below = chosen(random, RETURNS[name], depth + 1) if name in RETURNS else ()
    return Chosen(name, key, arguments, below)


def _value(random: Random, argument: str) -> Any:
    match argument:
        case "first" | "last":
            return random.choice([None, 0, 1, 2, 3, 10])
        case "filter":
            inner = _value(random, "filter") if random.random() < 0.3 else None
            return {"ids": ["x"] * random.randint(0, 30), "cheap": random.choice([True, None]), "inner": inner}
        case "several":
            return [_value(random, "filter") for _ in range(random.randint(0, 4))]
        case "by":
            return random.choices(["FAST", "SLOW"], k=random.randint(0, 2))
        case "period":
            return random.choice([None, {"preset": random.choice(["TODAY", "LAST_90_DAYS", "LAST_YEAR"])}])
        case "unit":
            return random.choice(["DAY", "MONTH"])
    return random.choice([None, "x"])


def text(selected: tuple[Chosen, ...]) -> str:
    return f"query {_set(selected, None)}"


def text_with_variables(selected: tuple[Chosen, ...]) -> tuple[str, Variables]:
    """The same operation, every value in a variable."""
    declared: dict[str, tuple[str, Any]] = {}
    body = _set(selected, declared)
    names = ", ".join(f"${name}: {type_}" for name, (type_, _) in declared.items())
    return f"query {f'({names})' if names else ''} {body}", {name: value for name, (_, value) in declared.items()}


def _set(selected: tuple[Chosen, ...], declared: dict[str, tuple[str, Any]] | None) -> str:
    return "{ " + " ".join(_written(one, declared) for one in selected) + " }"


def _written(one: Chosen, declared: dict[str, tuple[str, Any]] | None) -> str:
    arguments = []
    for name, value in one.arguments.items():
        if declared is None:
            arguments.append(f"{name}: {_literal(name, value)}")
        else:
            variable = f"v{len(declared)}"
            # A variable of a type that takes null stands nowhere else.
            declared[variable] = ("Unit! = DAY" if name == "unit" else ARGUMENTS[name], value)
            arguments.append(f"{name}: ${variable}")
    given = f"({', '.join(arguments)})" if arguments else ""
    return f"{one.key}: {one.name}{given} {_set(one.below, declared) if one.below else ''}"


def _literal(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_literal(key, inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(name, inner) for inner in value) + "]"
    return value if name in {"unit", "preset", "by"} and isinstance(value, str) else json.dumps(value)


def grown(random: Random, selected: tuple[Chosen, ...], parent: str = "Query") -> tuple[Chosen, ...]:
    """One field more somewhere, or one slice larger."""
    place = random.randrange(len(selected))
    one = selected[place]
    sizes = [name for name in ("first", "last") if isinstance(one.arguments.get(name), int)]
    if sizes and random.random() < 0.5:
        one = replace(one, arguments={**one.arguments, sizes[0]: one.arguments[sizes[0]] + random.randint(1, 5)})
    elif one.below and random.random() < 0.8:
        one = replace(one, below=grown(random, one.below, RETURNS[one.name]))
    else:
        name = random.choice(FIELDS[parent])
        return (*selected, _field(random, parent, name, DEEPEST, f"more{len(selected)}"))
    return (*selected[:place], one, *selected[place + 1 :])


def answer(random: Random, selected: tuple[Chosen, ...], size: int = 0) -> dict[str, Any]:
    """Any data that an operation may be answered with: lists no longer than they were asked for. `size`: of the lists
    of a page."""
    return {one.key: _answered(random, one, size) for one in selected}


def _answered(random: Random, one: Chosen, size: int) -> Any:
    if not one.below:
        return random.choice([None, 1])
    sizes = [value for name in ("first", "last") if isinstance(value := one.arguments.get(name), int)]
    own = max(sizes, default=4 if one.name == "page" else 3)
    if one.name in LISTS:
        several = one.arguments.get("several")
        most = {"things": own, "grouped": 2 if several is None else len(several), "trend": 1}.get(one.name, size)
        return [answer(random, one.below) for _ in range(random.randint(0, min(most, 3)))]
    if one.name != "node" and random.random() < 0.2:
        return None
    return answer(random, one.below, own)


operations = st.randoms(use_true_random=False).map(chosen)
randoms = st.randoms(use_true_random=False)
