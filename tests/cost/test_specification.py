"""Worked examples: those of the specification of the cost directives, and the rules of our own price beside them.

The specification counts two sums: the weights of fields, each time that one is resolved, and those of types, each time
that one is answered with. A price here is both: what a field is said to weigh, and 1 for each object. Where it has a
field that returns objects weigh 1 by itself, nothing is counted: its objects are, so that a list multiplies it.
"""

import pytest

from tests.cost.priced import Priced

EXAMPLES = Priced.written("""
enum Approximate { YES NO }
input Filter { approx: Approximate @cost(weight: "-12.0") }
type User { name: String  age: Int @cost(weight: "2.0") }
type Product { name: String }
type Film { title: String }
type FilmEdge { cursor: ID  node: Film }
type PageInfo { hasNextPage: Boolean }
type FilmConnection { edges: [FilmEdge] pageInfo: PageInfo }
type Query {
  users(max: Int): [User] @listSize(slicingArguments: ["max"])
  topProducts(filter: Filter @cost(weight: "15.0")): [String] @cost(weight: "5.0") @listSize(assumedSize: 10)
  mostPopularProduct(approx: Approximate @cost(weight: "-3.0")): Product @cost(weight: "5.0")
  cheap(approx: Approximate @cost(weight: "-30.0")): Int @cost(weight: "5.0")
  topNames: [String] @listSize(assumedSize: 10)
  films(first: Int, last: Int): FilmConnection
    @listSize(slicingArguments: ["first", "last"], sizedFields: ["edges"], requireOneSlicingArgument: false)
}
""")


@pytest.mark.parametrize(
    ("query", "points"),
    [
        # Example 2: 5 × age 2.0 = 10, and `users` 1.0 is 11.0. Here its 5 objects count instead of it: 5 × (1 + 2).
        ("{ users(max: 5) { age } }", 15),
        # Example 3: three were found, 3 × 2.0 and 1.0 is 7.0; here 3 × (1 + 2).
        ("{ users(max: 3) { age } }", 9),
        # Example 10: 5.0, with a filter 5.0 + 15.0. Ten strings are 10 × 0.
        ("{ topProducts }", 5),
        ("{ topProducts(filter: {}) }", 20),
        # Example 11: 5.0, and 5.0 - 3.0 = 2.0; besides, the Product is 1.
        ("{ mostPopularProduct { name } }", 6),
        ("{ mostPopularProduct(approx: YES) { name } }", 3),
        # Example 12: 5.0 + 15.0 - 12.0.
        ("{ topProducts(filter: {approx: YES}) }", 8),
        # A field is never less than nothing: 5 - 30 is 0, and no operation is less than 1.
        ("{ cheap(approx: YES) }", 1),
        ("{ cheap(approx: YES) topProducts }", 5),
        # Example 16: the list of strings is at most 10, of 0 each.
        ("{ topNames }", 1),
        # Example 18: `edges` has the size, not the connection: 1 + 3 × (FilmEdge 1 + Film 1) + PageInfo 1.
        ("{ films(first: 3) { edges { node { title } } pageInfo { hasNextPage } } }", 8),
        # The largest of several slicing arguments: 1 + 7 × 1.
        ("{ films(first: 3, last: 7) { edges { cursor } } }", 8),
    ],
)
def test_an_example_of_the_specification_costs_what_its_arithmetic_says(query: str, points: int) -> None:
    assert EXAMPLES.points(query) == points


RULES = Priced.written("""
interface Named { name: String }
type Small implements Named { name: String }
type Dear implements Named @cost(weight: "7") { name: String  worth: Int @cost(weight: "3") }
type Leaf { a: Int  b: Int  leaf: Leaf  leaves: [Leaf!]! @listSize(assumedSize: 4) }
input Item { id: ID! }
input Change { items: [Item!]  ids: [ID!] @cost(weight: "1")  deep: Change }
type Payload { results: [Leaf!]! }
enum Key { CHEAP DEAR }
type Query {
  grouped(by: [Key!], owner: ID): Int @cost(weight: "5") @costFactor(factor: 2, when: ["by.DEAR", "owner"], each: "by")
  leaf: Leaf
  named: Named
  many(first: Int = 6): [Leaf!]! @listSize(slicingArguments: ["first"])
  assumed(first: Int): [Leaf!]! @listSize(assumedSize: 8, slicingArguments: ["first"])
  unknown: [Leaf!]!
}
type Mutation {
  touch: Boolean
  change(input: Change!): Payload
    @listSize(slicingArguments: ["input.items", "input.ids"], sizedFields: ["results"])
}
""")


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ("{ leaf { a b } }", 1),  # an object is 1, its leaves 0
        ("{ leaf { leaf { leaf { a } } } }", 3),  # 1 + 1 + 1
        ("{ leaf { leaves { leaf { a } } } }", 9),  # 1 + 4 × (1 + 1)
        ("{ many { a } }", 6),  # the argument's default
        ("{ many(first: 2) { leaves { a } } }", 10),  # 2 × (1 + 4 × 1)
        ("{ many(first: null) { a } }", 6),
        ("{ assumed { a } }", 8),
        ("{ assumed(first: null) { a } }", 8),
        ("{ assumed(first: 0) { a } }", 1),  # nothing, and no operation is less than 1
        ("{ assumed(first: -5) { a } leaf { a } }", 1),  # 0 and 1
        ("{ unknown { a } }", 10),  # nothing is known of it: 10
        ("{ grouped(by: [CHEAP, CHEAP]) }", 5),
        ("{ grouped(by: DEAR) }", 10),  # 5 × 2, of one key
        ("{ grouped(by: [CHEAP, DEAR, CHEAP]) }", 30),  # 5 × 2 × 3
        ('{ grouped(by: [CHEAP, CHEAP], owner: "1") }', 20),  # 5 × 2 × 2
        ('{ grouped(by: [], owner: "1") }', 10),  # at least once
        ('{ grouped(owner: "1") }', 10),
        ("{ named { name } }", 7),  # its dearest member: Dear 7
        ("{ named { name ... on Dear { worth } ... on Small { name } } }", 10),  # Dear 7 + worth 3
        ("{ named { ... on Small { name } } }", 7),  # it may still be Dear
        ("mutation { touch }", 10),
        ("mutation { touch again: touch }", 20),
        # 10 + Change 1 + 2 × Item 1, + Payload 1 + results 2 × 1
        ('mutation { change(input: {items: [{id: "1"}, {id: "2"}]}) { results { a } } }', 16),
        # 10 + Change 1 + 3 × 1, + Payload 1; results are not asked for
        ('mutation { change(input: {ids: ["1", "2", "3"]}) { __typename } }', 15),
        # a single value is a list of one: 10 + 1 + 1 + 1 + 1 × 1
        ('mutation { change(input: {ids: "1"}) { results { a } } }', 14),
        # 10 + Change 1 + Change 1 + 1 × 1 + Payload 1
        ('mutation { change(input: {deep: {ids: ["1"]}}) { __typename } }', 14),
    ],
)
def test_an_operation_costs_what_its_arithmetic_says(query: str, points: int) -> None:
    assert RULES.points(query) == points
