"""What of an operation costs how much, by path."""

from tests.cost.priced import gateway

NESTED = (
    "{ companies(first: 50) { nodes { name deals(last: 40) { edges { node { name owner { name } } } } } } me { id } }"
)


def test_each_path_has_its_own_share() -> None:
    assert gateway().by_path(NESTED) == {
        "companies": 1,
        "companies.nodes": 50,
        "companies.nodes.deals": 50,
        "companies.nodes.deals.edges": 50 * 40,
        "companies.nodes.deals.edges.node": 50 * 40,
        "companies.nodes.deals.edges.node.owner": 50 * 40,
        "me": 1,
    }
