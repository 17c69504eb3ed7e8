"""What is asked, and what an answer shows of the lanes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from gateway.api.ids import encode_id
from tests.stress.answers.ground import DEALS_OF_A_LANE, Lane, Tenant

BOARD = """
query Board {
  deals(first: 50) { nodes { name amount } }
  dashboard { overview { deals { pipelineValue } } }
  dealAggregates(groupBy: [OWNER]) { labels value }
  pipelineStats { deals { pipelineValue } }
  tasks(first: 50) { nodes { title } }
}"""
TOTALS = """
query Totals {
  dealAggregates(groupBy: [OWNER]) { labels value }
  dashboard { overview { deals { pipelineValue } } }
}"""
LANE = """
query Lane($deals: [ID!], $task: ID!, $owner: ID!) {
  deals(filter: {ids: $deals}, first: 10) { nodes { name amount } }
  dashboard(ownerId: $owner) { overview { deals { pipelineValue } } }
  node(id: $task) { ... on Task { title } }
}"""
MINE = """
query Mine {
  me { name }
  deals(first: 50) { nodes { name amount } }
  pipelineStats { deals { pipelineValue } }
}"""


@dataclass(frozen=True)
class Question:
    """`lanes`: those that its answer shows; `tasks`: whether it shows their tasks."""

    tenant: Tenant
    name: str
    text: str
    lanes: Sequence[Lane]
    tasks: bool = False
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """By lane's mark, the numbers of its deals and of its task; and each total of deals."""

    numbers: Mapping[str, set[Decimal]]
    tasks: Mapping[str, set[int]]
    totals: set[Decimal]


def questions(tenant: Tenant) -> list[Question]:
    """All that is asked of a tenant."""
    return [
        Question(tenant, "Board", BOARD, tenant.lanes, tasks=True),
        Question(tenant, "Totals", TOTALS, tenant.lanes),
        Question(tenant, "Mine", MINE, tenant.lanes),
        *(
            Question(
                tenant, "Lane", LANE, [lane], tasks=True, variables=lane_variables(lane.deals, lane.task, lane.owner)
            )
            for lane in tenant.lanes
        ),
    ]


def lane_variables(deals: Sequence[int], task: int, owner: int) -> dict[str, Any]:
    """Of `LANE`."""
    return {
        "deals": [encode_id("Deal", key) for key in deals],
        "task": encode_id("Task", task),
        "owner": encode_id("Member", owner),
    }


def shown(data: object) -> Shown:
    """What an answer's data shows, whichever of the questions it answers."""
    numbers: defaultdict[str, set[Decimal]] = defaultdict(set)
    tasks: defaultdict[str, set[int]] = defaultdict(set)
    totals: set[Decimal] = set()
    for record in _objects(data):
        match record:
            case {"name": str(mark), "amount": amount}:
                numbers[mark].add(Decimal(amount))
            case {"labels": [str(mark)], "value": value}:
                numbers[mark].add(Decimal(value) / DEALS_OF_A_LANE)
            case {"title": str(title)}:
                mark, _, number = title.rpartition(":")
                tasks[mark].add(int(number))
            case {"pipelineValue": value}:
                totals.add(Decimal(value))
    return Shown(numbers, tasks, totals)


def _objects(data: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(data, dict):
        yield data
        for value in data.values():
            yield from _objects(value)
    elif isinstance(data, list):
        for value in data:
            yield from _objects(value)
