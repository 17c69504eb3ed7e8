"""What reading costs, in one table: a point is a tenth of a millisecond.

Milliseconds are those of `docs/rollups.md`, of the largest of a hundred tenants with a million deals; `docs/cost.md`
shows both beside each other. Fields carry these by their directives, so that the schema tells every price.
"""

import strawberry

from gateway.api.directives import Cost, CostFactor, CostPeriod, CostShared, ListIntervals, ListSize


def trend(weight: str) -> list[object]:
    """Of a list of points, one an interval."""
    return [Cost(weight=weight), *POINTS]


def at_most(entries: int) -> ListSize:
    """Of a list that its caller cannot size."""
    return ListSize(assumed_size=entries, require_one_slicing_argument=strawberry.UNSET)


def sized_by(*arguments: str, fields: list[str] | None = None, otherwise: int | None = None) -> ListSize:
    """Of a list that arguments size. `otherwise`: its size without them, where the schema tells no default."""
    return ListSize(
        assumed_size=strawberry.UNSET if otherwise is None else otherwise,
        slicing_arguments=list(arguments),
        sized_fields=strawberry.UNSET if fields is None else fields,
        require_one_slicing_argument=False,
    )


SCANS = (
    *("groupBy.COMPANY", "groupBy.INDUSTRY", "groupBy.PRODUCT", "groupBy.CREATED_MONTH", "groupBy.CLOSED_MONTH"),
    *("filter.ids", "filter.companyIds", "filter.industries", "filter.amount", "filter.search"),
    *("filter.created", "filter.closed", "filter.expectedClose"),
)
"""Keys and filters of `dealAggregates` that no rollup can tell apart, so that every deal of the tenant is read."""

BOARD = [Cost(weight="4"), CostShared(reading="board")]  # 0.4 ms
MOVES_COUNTED = [  # 0.2 ms, all time 2.5 ms; of one owner from single moves, 25 ms
    Cost(weight="3"),
    CostPeriod(),
    CostFactor(factor=80, when=["ownerId"]),
    CostShared(reading="moves"),
]
MOVES_FOLLOWED = [Cost(weight="330"), CostPeriod(), CostShared(reading="moves")]  # 33 ms, all time 321 ms
ACTIVITY_COUNTS = [Cost(weight="1"), CostPeriod(), CostFactor(factor=16, when=["ownerId"])]  # 0.1 ms; of one owner 1.6
COMPANY_COUNTS = [Cost(weight="3"), CostFactor(factor=6, when=["ownerId"])]  # 0.3 ms; of one owner 1.8 ms
COMPANIES_WITH_DEALS = [Cost(weight="19")]  # 1.9 ms
TASK_COUNTS = [Cost(weight="20")]  # 2.1 ms
LEADERBOARD = [Cost(weight="24"), CostPeriod(without_period=0.3)]  # 2.4 ms; all time from another rollup, 0.7 ms
FORECAST = [Cost(weight="8"), CostFactor(factor=3, when=["ownerId"])]  # 0.8 ms; of one owner 2.7 ms
COMPANY_TOTALS = [Cost(weight="10"), CostShared(reading="company totals")]  # 1.0 ms
ENGAGEMENT = [Cost(weight="170"), CostShared(reading="engagement")]  # 17 ms
DEAL_GROUPS = [  # 4.1 ms from a rollup; else 44 ms for each key, and by company or product 2.5 times as much
    Cost(weight="44"),
    CostFactor(factor=10, when=list(SCANS), each="groupBy"),
    CostFactor(factor=2.5, when=["groupBy.COMPANY", "groupBy.PRODUCT"]),
]
LENGTH = [Cost(weight="2"), CostFactor(factor=50, under="Query")]  # of a whole list 3 to 13 ms, under a record by index

POINTS = [at_most(12), ListIntervals()]
"""Of a list with an entry an interval."""
CHANGED = sized_by("input.changes", "input.dealIds", fields=["results"])
CHANGED_SINGLY = sized_by("input.changes", fields=["results"])
UNDONE = ListSize(assumed_size=1000, sized_fields=["results"], require_one_slicing_argument=strawberry.UNSET)

EACH_ID = Cost(weight="0.1")
EACH_DEAL = Cost(weight="1")  # 0.1 ms, as a deal of `changes`
SEARCH = Cost(weight="350")  # 35 to 55 ms where PostgreSQL has no pg_trgm, 3.5 ms by its index
UNDO = Cost(weight="1000")  # as many deals as an operation may have changed: nobody knows before
